"""Durations as logs write them: [days-]hours:minutes:seconds, or a number with its unit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Floats
from traces.times import DAY_S, HOUR_S

_WITH_DAYS = r"^(?:(?P<d>\d+)(?:-| days?,? ))?(?P<h>\d+):(?P<m>\d+):(?P<s>\d+(?:\.\d+)?)$"
_MINUTES = r"^(?P<m>\d+):(?P<s>\d+(?:\.\d+)?)$"
_DAYS = r"^(?P<d>\d+)-(?P<h>\d+)(?::(?P<m>\d+))?$"
_UNIT = r"s|secs?|seconds?|second\(s\)|m|mins?|minutes?|minute\(s\)|h|hours?|d|days?"
_WITH_UNIT = rf"^(?P<n>\d+(?:\.\d+)?) ?(?P<u>{_UNIT})$"
_PATTERNS = (_WITH_DAYS, _MINUTES, _DAYS, _WITH_UNIT)
_UNITS = {"s": 1, "m": 60, "h": HOUR_S, "d": DAY_S}


def as_durations(text: pa.StringArray) -> Floats:
    """Return texts as seconds, NaN where they are no duration.

    Days stand before a dash, as Slurm writes them: 1-12 is a day and 12 hours, 1-12:30:00 half an hour more,
    and 12:30 is 12 minutes and a half.
    """
    values = np.full(len(text), np.nan)
    for pattern in _PATTERNS:
        found = pc.extract_regex(text, pattern)
        fits = found.is_valid().to_numpy(zero_copy_only=False)
        if fits.any():
            values[fits] = _seconds(found.drop_null())
    return values


def _seconds(found: pa.StructArray) -> Floats:
    fields = {found.type.field(at).name: found.field(at) for at in range(found.type.num_fields)}
    if "u" in fields:
        unit = pc.utf8_slice_codeunits(fields["u"], 0, 1).to_pylist()
        return _number(fields["n"]) * np.array([_UNITS[letter] for letter in unit], np.float64)
    return sum(
        (_number(fields[name]) * _UNITS[name] for name in "dhms" if name in fields), np.zeros(len(found))
    )


def _number(text: pa.StringArray) -> Floats:
    return np.array(pc.if_else(pc.equal(text, ""), "0", text).cast(pa.float64()).fill_null(0))
