"""What a key is given within a cell, as 8 for gres/gpu in cpu=64,gres/gpu=8."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ANY, _VALUE = "[^=:,;]+", "[^,;]*"
"""What a star stands for, and what a key is given."""


def of_key(text: pa.StringArray, key: str, *, name: bool = False) -> pa.StringArray:
    """Return what a key is given in texts as a=1,b=2, or a:1,b:2 where there is no =; "" for nothing.

    A `*` in a key is any text; where `name`, that text itself is returned. A key between slashes is a regular
    expression for the part that is meant.
    """
    if len(key) > 1 and key.startswith("/") and key.endswith("/"):
        return _found(text, f"(?P<value>{key[1:-1]})")
    with_equals, with_colon = (_given(text, key, sign, name=name and "*" in key) for sign in "=:")
    return pc.if_else(pc.match_substring(text, "="), with_equals, with_colon)


def _given(text: pa.StringArray, key: str, sign: str, *, name: bool) -> pa.StringArray:
    first, *others = (_literal(part) for part in key.split("*"))
    if others:
        first += (f"(?P<value>{_ANY})" if name else _ANY) + _ANY.join(others)
    value = _VALUE if name else f"(?P<value>{_VALUE})"
    pattern = rf"(?:^|[,;\s])\s*{first}\s*{sign}\s*{value}"
    found = _found(text, pattern)
    return _added(text, found, pattern) if others and not name else found


def _added(text: pa.StringArray, found: pa.StringArray, pattern: str) -> pa.StringArray:
    """Return the sum of the numbers where several keys are meant, as of two sorts of GPU; else the first."""
    several = pc.greater(pc.count_substring_regex(text, pattern), 1)
    if not pc.any(several).as_py():
        return found
    words = found.to_pylist()
    for row in np.flatnonzero(several.to_numpy(zero_copy_only=False)).tolist():
        values = re.findall(pattern, text[row].as_py())
        if all(value.isdecimal() for value in values):
            words[row] = str(sum(map(int, values)))
    return pa.array(words, pa.string())


def _literal(text: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text)


def _found(text: pa.StringArray, pattern: str) -> pa.StringArray:
    return pc.fill_null(pc.struct_field(pc.extract_regex(text, pattern), "value"), "")
