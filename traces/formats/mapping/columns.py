"""What stands for each column of a trace in one file, and which of its columns stand for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from traces.errors import ALIKE, nearest
from traces.formats.mapping.spec import JobMapping, MappingError
from traces.formats.mapping.terms import Term, parse_term
from traces.formats.reader import RowTally
from traces.formats.text_table import TextRows
from traces.schema import REQUIRED, TRACE_SCHEMA, TraceError, check_names, quoted
from traces.validate import PLACES

_MISSPELT = 0.75
"""How alike, of 1, a column that is left out must be to one of a trace to be asked about."""
CHAIN = ("submit_s", "recorded_start_s", "recorded_end_s")
"""Times of a job, in the order in which they come."""


class FileColumns:
    """The terms of a trace's columns, as far as the file has what they name; TraceError where it must."""

    def __init__(self, names: Sequence[str], mapping: JobMapping, *, own: bool) -> None:
        self.names = list(names)
        self._mapping = mapping
        self.own = {name for name in TRACE_SCHEMA.names if own and name in names and not mapping.terms(name)}
        self.sorts: dict[str, str] = {}
        self.terms: dict[str, list[Term]] = {}
        self.passed_over: list[str] = []
        for name in TRACE_SCHEMA.names:
            texts = [name] if name in self.own else mapping.terms(name)
            if terms := self._found(name, texts):
                self.terms[name] = terms
        self._check(own=own)

    def _found(self, target: str, texts: list[str]) -> list[Term]:
        """Return the terms whose columns the file has; raises TraceError where the user's are missing."""
        found, first_error = [], ""
        for text in texts:
            sort, colon, rest = text.partition(":")
            if target in PLACES and colon and sort in ("device", "pool") and text not in self.names:
                self.sorts[target], text = sort, rest  # noqa: PLW2901
            try:
                found.append(parse_term(text, self.names))
            except MappingError as error:
                first_error = first_error or f"{target}: {error}"
        if first_error and target in (*self._mapping.asked, *REQUIRED):
            if not found:
                raise TraceError(f"line 1: {first_error}")
            if target in self._mapping.asked:
                self.passed_over.append(f"{first_error.partition(';')[0]}: {found[0].text} is taken")
        return found

    def _check(self, *, own: bool) -> None:
        others = [name for name in self.names if name not in self.own]
        for name in REQUIRED:
            alike = get_close_matches(name, others, 1, ALIKE)
            if name not in self.terms and alike:
                raise TraceError(f'line 1: column "{name}": missing; is it {quoted(alike[0])}?')
        if own:
            mapped = [name for name in self.terms if name not in self.own]
            check_names([*mapped, *(name for name in self.names if name in self.own)])
        self._check_whole()
        self._check_units()
        for name in self._used():
            if self.names.count(name) > 1:
                raise TraceError(f"line 1: column {quoted(name)}: there twice; allowed is once")

    def _check_whole(self) -> None:
        """Raise TraceError where adding up rows, or filling open ends, lacks a column."""
        mapping = self._mapping
        for key, asked, columns in (("merge", mapping.merge, ("job_id",)), ("open", mapping.open, CHAIN)):
            for name in columns:
                if asked and name not in self.terms:
                    tried = " or ".join(mapping.terms(name))
                    raise TraceError(f"line 1: {key}: needs {name}; no column {quoted(tried)}")
        for rule in mapping.skip:
            if rule.column not in self.names:
                self.passed_over.append(f"skip: no column {quoted(rule.column)} for {quoted(rule.reason)}")

    def _check_units(self) -> None:
        """Raise TraceError where a unit that was asked for is of no column that is read."""
        known, units = {*self.terms, *self._used()}, self._mapping.asked_units
        for name in units:
            if name not in known:
                unit, hint = f"{name}={self._mapping.units[name]}", nearest(name, known, ALIKE)
                raise TraceError(f"line 1: unit {unit}: no column {quoted(name)} is read{hint}")
        for target, terms in self.terms.items():
            for each in (each.column for term in terms for each in term.operands()):
                if each != target and {each, target} <= {*units}:
                    both = f"{quoted(target)} and of {quoted(each)}"
                    raise TraceError(f"line 1: units of {both}: allowed is one of them")

    def _used(self) -> set[str]:
        of_terms = {
            each.column for terms in self.terms.values() for term in terms for each in term.operands()
        }
        return of_terms | {rule.column for rule in self._mapping.skip}

    def say_left_out(self, rows: TextRows, tally: RowTally) -> None:
        """Note each column that stands for nothing."""
        used = self._used()
        for at, name in enumerate(self.names):
            if name not in used and len(rows):
                called = f"column {quoted(name)}" if name else f"column {at + 1}, without a name"
                tally.note(f"{called}: {self._why_left_out(name)}", len(rows), 1)

    def _why_left_out(self, name: str) -> str:
        if self._mapping.columns:
            return "not mapped, left out"
        return f"not one of a trace, left out{nearest(name, TRACE_SCHEMA.names, _MISSPELT)}"
