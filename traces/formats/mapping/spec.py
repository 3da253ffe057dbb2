"""What a mapping says: which columns of a file become which columns of a trace, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from traces.errors import explain, first_line, nearest, read_toml
from traces.schema import SOURCE_OUTCOMES, TRACE_SCHEMA, quoted
from traces.times import DAY_S, HOUR_S

NONE_WORDS = (
    "",
    "-",
    "None",
    "none",
    "NONE",
    "Unknown",
    "N/A",
    "NA",
    "null",
    "NULL",
    "nan",
    "NaN",
    "NaT",
    "<NA>",
)
"""What stands in a cell that holds nothing."""
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": float(HOUR_S), "d": float(DAY_S)}
"""Units of a column of times, in seconds."""
THOUSANDTHS = {"milli": 1.0, "thousandths": 1.0, "percent": 10.0, "devices": 1_000.0}
"""Units of a column of shares of a device, of which the gang is then counted in thousandths.

With `milli` they may also be devices, which fractions show.
"""
TERABYTES = {"tb": 1.0, "gb": 1e-3, "mb": 1e-6}
SEPARATORS = {"tab": "\t", "\\t": "\t", "blanks": None}
"""By name, those that a command line cannot well hold; blanks are any run of them."""
MIDNIGHT = "midnight"


class MappingError(ValueError):
    """A mapping that cannot be; says the key, its value and what is allowed."""


class SkipRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows that are no jobs: those where a column has a part like the regular expression."""

    column: str
    matches: str
    reason: str
    many: str = ""
    """What of the text counts the jobs that the row stands for: a list of ranges, as 4-9."""


class JobMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column becomes what, as in a preset's TOML; each key is described in docs/traces.md."""

    columns: dict[str, str | list[str]] = {}
    units: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    skip: list[SkipRule] = []
    none: list[str] = []
    header: list[str] = []
    separator: str = ""
    zone: str = ""
    epoch: str = ""
    dates: list[str] = []
    merge: bool = False
    """Whether rows of one job are added up."""
    open: bool = False
    """Whether jobs that had not ended run up to the log's last time, and older ones from its first."""
    parts: str = ""
    assumed: list[str] = []
    asked: list[str] = []
    """The columns of a trace that the user has mapped, so that what they name must be there."""
    asked_units: list[str] = []
    """The columns that the user has given a unit, likewise."""

    def terms(self, column: str) -> list[str]:
        """Return what stands for a column of a trace, the first that has a value counts."""
        given = self.columns.get(column, [])
        return [given] if isinstance(given, str) else given


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a user says beside a preset: a mapping kept in a file, then options, each over the one before."""

    file: Path | None = None
    columns: Sequence[str] = ()
    units: Sequence[str] = ()
    zone: str = ""
    epoch: str = ""
    separator: str = ""

    def __bool__(self) -> bool:
        return self != Changes()

    def described(self) -> dict[str, object]:
        """Return what was said, as plain data: of a file what it holds."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name)}
        if self.file is not None:
            said["file"] = read_toml(self.file, MappingError)
        return msgspec.to_builtins(said, str_keys=True)  # type: ignore[no-any-return]

    def over(self, base: JobMapping) -> JobMapping:
        """Return the mapping with these changes; raises MappingError for one that cannot be."""
        if not self:
            return base
        if self.file is not None:
            base = _merged(base, _kept(self.file))
        columns: dict[str, str | list[str]] = {}
        for name, text in _pairs("--map", self.columns, "submit_s=Submit"):
            columns[name] = [*columns.get(name, []), text]
        own = JobMapping(
            columns=columns,
            units=dict(_pairs("--unit", self.units, "runtime_s=min")),
            zone=self.zone,
            epoch=self.epoch,
            separator=self.separator,
        )
        return checked(_merged(base, own))


@cache
def preset(name: str) -> JobMapping:
    """Return the mapping of a known format."""
    text = (files("traces.formats") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return checked(msgspec.toml.decode(text, type=JobMapping))


def _kept(path: Path) -> JobMapping:
    raw = read_toml(path, MappingError)
    try:
        return checked(msgspec.convert(raw, JobMapping))
    except msgspec.ValidationError as error:
        raise MappingError(f"{path}: {explain(str(error), raw, [JobMapping, SkipRule])}") from None
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from None


def _merged(base: JobMapping, more: JobMapping) -> JobMapping:
    """Return both, of tables each entry and of others the value of `more` where it has one."""
    tables = ("columns", "units", "words")
    both = {name: getattr(base, name) | getattr(more, name) for name in tables}
    others = {
        name: getattr(more, name) or getattr(base, name)
        for name in JobMapping.__struct_fields__
        if name not in tables
    }
    others["skip"] = [*base.skip, *more.skip]
    others["asked"] = sorted({*base.asked, *more.columns})
    others["asked_units"] = sorted({*base.asked_units, *more.units})
    return JobMapping(**both, **others)


def _pairs(option: str, given: Sequence[str], example: str) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise MappingError(f"{option} {quoted(text)}: must be NAME=VALUE, as {example}")
        pairs.append((name.strip(), value.strip()))
    return pairs


def checked(mapping: JobMapping) -> JobMapping:
    """Return the mapping; raises MappingError for a column, unit, zone, epoch or pattern that cannot be."""
    for name in (*mapping.columns, *mapping.words):
        if name not in TRACE_SCHEMA.names:
            near = nearest(name, TRACE_SCHEMA.names) or f"; allowed are {', '.join(TRACE_SCHEMA.names)}"
            raise MappingError(f"map {quoted(name)}: no column of a trace{near}")
    for name, unit in mapping.units.items():
        allowed = units_of(name)
        if unit not in allowed:
            named = f"allowed are {', '.join(allowed)}" if allowed else f"{name} has no unit"
            raise MappingError(f"unit {name}={unit}: {named}")
    for word in mapping.words.get("outcome", {}).values():
        if word and word not in SOURCE_OUTCOMES:
            raise MappingError(f"words.outcome {quoted(word)}: allowed are {', '.join(SOURCE_OUTCOMES)}")
    _check_patterns(mapping)
    if mapping.separator not in SEPARATORS and len(mapping.separator) > 1:
        raise MappingError(f"separator {quoted(mapping.separator)}: must be one character, tab or blanks")
    zone_of(mapping)
    epoch_of(mapping)
    return mapping


def _check_patterns(mapping: JobMapping) -> None:
    """Columns are searched by Arrow's kind of regular expressions, single words by Python's."""
    of_words = [pattern for table in mapping.words.values() for pattern in table]
    for pattern in (*of_words, *(rule.many for rule in mapping.skip)):
        try:
            re.compile(pattern)
        except re.error as error:
            raise MappingError(f"{quoted(pattern)}: no regular expression: {error}") from None
    for pattern in (mapping.parts, *(rule.matches for rule in mapping.skip)):
        check_search_pattern(pattern)


def check_search_pattern(pattern: str) -> None:
    """Raise MappingError for a regular expression that columns cannot be searched for."""
    try:
        pc.match_substring_regex(pa.array([""]), f"(?P<value>{pattern})")
    except pa.ArrowInvalid as error:
        raise MappingError(f"{quoted(pattern)}: no regular expression: {first_line(error)}") from None


def units_of(name: str) -> dict[str, float]:
    """Return the units that a column of a trace, or of the file, may be in."""
    if name == "gang":
        return THOUSANDTHS
    if name.endswith("_tb"):
        return TERABYTES
    if name in TRACE_SCHEMA.names and not name.endswith("_s"):
        return {}
    return SECONDS


def zone_of(mapping: JobMapping) -> tzinfo:
    """Return the zone of times that name none: a name of the tz database, or an offset as +08:00."""
    name = mapping.zone or "UTC"
    if offset := re.fullmatch(r"(?:UTC)?([+-])(\d{1,2}):?(\d\d)?", name):
        minutes = 60 * int(offset[2]) + int(offset[3] or 0)
        if minutes < 24 * 60:
            return timezone((1 if offset[1] == "+" else -1) * timedelta(minutes=minutes))
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise MappingError(
            f"zone {quoted(name)}: unknown; allowed is a name as Europe/Berlin, or an offset as +08:00"
        ) from None


def epoch_of(mapping: JobMapping) -> datetime | None:
    """Return the moment of second 0, None where none is given or it is a midnight."""
    if mapping.epoch in ("", MIDNIGHT):
        return None
    try:
        moment = datetime.fromisoformat("1970-01-01T00:00Z" if mapping.epoch == "1970" else mapping.epoch)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(mapping))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MappingError(
            f"epoch {quoted(mapping.epoch)}: must be a moment, as 2026-01-05T06:00, 1970, or {MIDNIGHT}"
        ) from None
    return moment
