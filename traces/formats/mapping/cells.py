"""Cells of a file as numbers; what sort each column is of is guessed once, from its first cells, and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Floats
from traces.formats.mapping.durations import as_durations
from traces.formats.mapping.keys import of_key
from traces.formats.mapping.moments import Moments, as_moments
from traces.formats.mapping.spec import (
    NONE_WORDS,
    SECONDS,
    TERABYTES,
    THOUSANDTHS,
    JobMapping,
    epoch_of,
    zone_of,
)
from traces.formats.mapping.terms import Operand, Term
from traces.formats.text_table import TextRows, as_numbers
from traces.schema import TRACE_SCHEMA

NUMBER, MOMENT, DURATION = "number", "moment", "duration"
_FIRST_CELLS = 100
"""So many are looked at to guess what a column holds."""
_UNIX = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
"""Moments as numbers are in this unit below that size, else in nanoseconds."""
UNIX_FROM_S = 1e9
"""Numbers of seconds from here on, 2001-09-09, are Unix times where a file also has another epoch."""


class Fault(NamedTuple):
    """Cells that are no value of their column's sort."""

    rows: Bools
    reason: str
    text: pa.StringArray


class CellNumbers(NamedTuple):
    """One number a row, NaN for none; of moments also how much later they may be, as in `Moments`."""

    value: Floats
    later_s: Floats | None = None
    faults: tuple[Fault, ...] = ()
    spelt: Bools | None = None
    """Durations that say their units themselves."""

    def pushed(self, before: Floats) -> CellNumbers:
        """Return moments that are not before others where a local time stands twice."""
        if self.later_s is None:
            return self
        back = self.value < before
        value, later_s = self.value + np.where(back, self.later_s, 0), np.where(back, 0, self.later_s)
        return self._replace(value=value, later_s=later_s)


@dataclass
class LogCells:
    """Reads the columns of one file; what it guesses in the first block holds for the others."""

    mapping: JobMapping
    kinds: dict[str, str] = field(default_factory=dict)
    """By column of the file: number, moment or duration."""
    unix: dict[str, str] = field(default_factory=dict)
    """By column of moments as numbers, their unit."""
    _said: dict[str, list[str]] = field(default_factory=dict)
    """What is assumed, and of which columns."""
    _rows: TextRows | None = None
    _read: dict[tuple[Operand, str], CellNumbers] = field(default_factory=dict)

    def turn_to(self, rows: TextRows) -> None:
        """Read this block from now on."""
        self._rows, self._read = rows, {}

    @property
    def rows(self) -> TextRows:
        """The block that is read."""
        assert self._rows is not None
        return self._rows

    def text(self, operand: Operand, *, name: bool = False) -> pa.StringArray:
        """Return the cells of a column, or what a key is given in them, or its `name`; "" for none."""
        text = self.rows.words(operand.column)
        if operand.key:  # many cells are alike
            encoded = text.dictionary_encode()
            text = of_key(encoded.dictionary, operand.key, name=name).take(encoded.indices)
        none = pc.is_in(text, pa.array([*NONE_WORDS, *self.mapping.none]))
        return pc.if_else(none, "", text)

    def numbers(self, term: Term, target: str, *, moments: bool) -> CellNumbers:
        """Return the values of a term for a column of a trace."""
        unit = self._unit_of(term, target)
        apart = len(term.products) > 1 and target.endswith("_s")
        timed = (moments or apart) and unit is None
        wanted = MOMENT if timed else DURATION if target.endswith("_s") else NUMBER
        alone = term.single
        numbers = self._sum(term, wanted) if alone is None else self._operand(alone, wanted)
        if unit is None:
            return numbers
        factor = np.where(False if numbers.spelt is None else numbers.spelt, 1.0, self._factor(term, unit))
        return numbers._replace(value=numbers.value * factor)

    def _sum(self, term: Term, wanted: str) -> CellNumbers:
        total, later = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        faults: list[Fault] = []
        for sign, factors in term.products:
            parts = [self._operand(factor, wanted) for factor in factors]
            total = total + sign * reduce(np.multiply, [part.value for part in parts])
            if sign > 0 and parts[0].later_s is not None:
                later = parts[0].later_s
            faults += [fault for part in parts for fault in part.faults]
        return CellNumbers(np.where((total < 0) & (later > 0), total + later, total), None, tuple(faults))

    def _operand(self, operand: Operand, wanted: str) -> CellNumbers:
        if not operand.column:
            return CellNumbers(np.full(len(self.rows), operand.number))
        key = (operand, wanted)
        if key not in self._read:
            self._read[key] = self._column(operand, wanted)
        return self._read[key]

    def settle(self, operand: Operand, numbers: CellNumbers) -> None:
        """Take these moments for a column from now on."""
        self._read[operand, MOMENT] = numbers

    def _column(self, operand: Operand, wanted: str) -> CellNumbers:
        text, name = self.text(operand), operand.column
        given = pc.not_equal(text, "").to_numpy(zero_copy_only=False)
        kind = self.kinds.get(name) or self._guess(name, text.filter(pa.array(given)).slice(0, _FIRST_CELLS))
        later_s, spelt = None, None
        if kind == MOMENT:
            moments = _moments(text, self.mapping)
            values, later_s = moments.second, moments.later_s
            self._say_clock_changes(name, moments, text)
        elif DURATION in (kind, wanted):
            values, spelt = self._lasting(name, kind, text)
        else:
            values = as_numbers(text)
            values = values * self._own_unit(name, wanted == MOMENT, values)
        wrong = given & ~np.isfinite(values)
        return CellNumbers(values, later_s, (Fault(wrong, f"{name}: not a {_CALLED[kind]}", text),), spelt)

    def _lasting(self, name: str, kind: str, text: pa.StringArray) -> tuple[Floats, Bools]:
        """Return the seconds of durations and of numbers, and which of them are durations."""
        numbers = as_numbers(text)
        if kind == NUMBER and np.isfinite(numbers).all():
            return numbers * self._own_unit(name, False, numbers), np.zeros(len(text), bool)
        durations = np.full(len(text), np.nan)
        no_numbers = np.flatnonzero(~np.isfinite(numbers))
        encoded = text.take(pa.array(no_numbers)).dictionary_encode()  # blanks and limits are few
        durations[no_numbers] = as_durations(encoded.dictionary)[np.asarray(encoded.indices)]
        spelt = np.isfinite(durations)
        values = np.where(spelt, durations, numbers * self._own_unit(name, False, numbers))
        if kind == NUMBER:
            self.rows.note(spelt, f"{name}: a duration among numbers, read as that", text)
        else:
            among = f"{name}: a number among durations, read in the column's unit or in seconds"
            self.rows.note(~spelt & np.isfinite(numbers), among, text)
        return values, spelt

    def _guess(self, name: str, first: pa.StringArray) -> str:
        """Return what a column holds: what its first cell that is something is."""
        found = {}
        for sort, read in _READ.items():
            found[sort] = np.flatnonzero(np.isfinite(read(first, self.mapping)))
            if 0 in found[sort]:
                break
        kind = min(found, key=lambda kind: found[kind][0] if len(found[kind]) else len(first))
        if len(found[kind]):
            self.kinds[name] = kind
            if kind == MOMENT:
                self._assume(
                    f"dates and times, in {self.mapping.zone or 'UTC'} where they name no zone", name
                )
            elif kind == DURATION:
                self._assume("durations, in days, hours, minutes and seconds", name)
        return kind

    def _unit_of(self, term: Term, target: str) -> str | None:
        """Return the unit of a column of a trace, unless a column of the term has one of its own."""
        if any(
            operand.column in self.mapping.units for operand in term.operands() if operand.column != target
        ):
            return None
        return self.mapping.units.get(target)

    def _factor(self, term: Term, unit: str) -> float:
        """Return what makes numbers in a unit seconds (terabytes, thousandths); dates and durations are."""
        for operand in term.operands():
            kind = self.kinds.get(operand.column, NUMBER)
            if kind != NUMBER:
                self._assume(f"not numbers, so not in {unit}", operand.column)
            if kind == MOMENT or (kind == DURATION and term.single is None):
                return 1.0
        return (SECONDS | THOUSANDTHS | TERABYTES)[unit]

    def _own_unit(self, name: str, timed: bool, values: Floats) -> float:
        """Return what makes a column's numbers seconds: its unit, or of moments what their size tells."""
        if name not in TRACE_SCHEMA.names and name in self.mapping.units:
            return SECONDS[self.mapping.units[name]]
        if not timed:
            return 1.0
        if name not in self.unix:
            size = _middle(values)
            if not size:  # the next block may tell
                return 1.0
            self.unix[name] = next((unit for end, unit in _UNIX if size < end), "ns")
            if size >= UNIX_FROM_S and name not in TRACE_SCHEMA.names:
                self._assume(f"Unix times in {self.unix[name]}, by their size", name)
        return SECONDS[self.unix[name]]

    def _assume(self, what: str, name: str) -> None:
        names = self._said.setdefault(what, [])
        if name not in names:
            names.append(name)

    @property
    def assumed(self) -> list[str]:
        """What was guessed, a line each."""
        return [f"{', '.join(names)}: {what}" for what, names in self._said.items()]

    def _say_clock_changes(self, name: str, moments: Moments, text: pa.StringArray) -> None:
        self.rows.note(
            moments.later_s > 0,
            f"{name}: a local time that stands twice, as clocks went back: the earlier one, unless that is "
            "before the job's last time or the run time says the later",
            text,
        )
        skipped = f"{name}: a local time that clocks going forward left out: read as if they had not yet"
        self.rows.note(moments.skipped, skipped, text)


_CALLED = {NUMBER: "number", MOMENT: "date and time of 1970 to 2099", DURATION: "duration"}
_READ: dict[str, Callable[[pa.StringArray, JobMapping], Floats]] = {
    NUMBER: lambda text, _: as_numbers(text),
    MOMENT: lambda text, mapping: _moments(text, mapping).second,
    DURATION: lambda text, _: as_durations(text),
}


def _moments(text: pa.StringArray, mapping: JobMapping) -> Moments:
    epoch = epoch_of(mapping)
    return as_moments(text, zone_of(mapping), mapping.dates, epoch.year if epoch else None)


def _middle(values: Floats) -> float:
    """Return the median size of values other than 0."""
    known = np.abs(values[np.isfinite(values) & (values != 0)])
    return float(np.median(known)) if len(known) else 0.0
