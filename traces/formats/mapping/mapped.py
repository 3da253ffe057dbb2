"""From rows of a file, by a mapping, to jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Floats
from traces.errors import ALIKE, nearest
from traces.formats.job_ids import are_whole
from traces.formats.mapping.cells import MOMENT, LogCells
from traces.formats.mapping.checks import (
    MOMENT_COLUMNS,
    JobTable,
    check_own,
    fill_open,
    from_epoch,
    settle_jobs,
)
from traces.formats.mapping.merging import merged
from traces.formats.mapping.skipping import skip_rows
from traces.formats.mapping.spec import SEPARATORS, JobMapping, MappingError
from traces.formats.mapping.terms import Term, parse_term
from traces.formats.mapping.words import first_text, lists_of_jobs, words_of
from traces.formats.reader import NO_ESTIMATE, Jobs, RowTally, replaced
from traces.formats.text_table import TextRows, as_numbers, read_rows
from traces.schema import REQUIRED, TRACE_SCHEMA, TraceError, check_names, quoted
from traces.validate import PLACES

_ANY = ",;\t|"
_MISSPELT = 0.75
"""How alike, of 1, a column that is left out must be to one of a trace to be asked about."""
_CHAIN = ("submit_s", "recorded_start_s", "recorded_end_s")
"""Times of a job, in the order in which they come."""


def read_mapped(path: Path, tally: RowTally, mapping: JobMapping, *, own: bool = False) -> Jobs:
    """Read a text table; where `own`, columns with the names of a trace are those unless mapped otherwise."""
    separator = SEPARATORS.get(mapping.separator or _ANY, mapping.separator or _ANY)
    rows = read_rows(path, tally, separator=separator, names=mapping.header or None)
    return jobs_of(rows, tally, mapping, own=own)


def jobs_of(blocks: Iterable[TextRows], tally: RowTally, mapping: JobMapping, *, own: bool = False) -> Jobs:
    """Make jobs of rows."""
    reader: MappedColumns | None = None
    tables = []
    for rows in blocks:
        reader = reader or MappedColumns(rows.names, mapping, own=own)
        reader.say_left_out(rows, tally)
        tables.append(reader.jobs(rows))
    assert reader is not None
    table = pa.concat_tables(tables)
    if "job_id" in table.column_names:
        table = _with_ids(table, tally)
        if mapping.merge:
            table = merged(table, mapping.parts, tally)
    return reader.settled(_with_numbers(table), tally)


class MappedColumns:
    """What each column of a trace is made of, in one file."""

    def __init__(self, names: Iterable[str], mapping: JobMapping, *, own: bool) -> None:
        self.names = list(names)
        self._mapping = mapping
        self._cells = LogCells(mapping)
        self._own = {name for name in TRACE_SCHEMA.names if own and name in names and not mapping.terms(name)}
        self._sorts: dict[str, str] = {}
        self._terms: dict[str, list[Term]] = {}
        self._passed_over: list[str] = []
        for name in TRACE_SCHEMA.names:
            texts = [name] if name in self._own else mapping.terms(name)
            if terms := self._found(name, texts):
                self._terms[name] = terms
        self._check(own=own)

    def _found(self, target: str, texts: list[str]) -> list[Term]:
        """Return the terms whose columns the file has; raises TraceError where the user's are missing."""
        found, first_error = [], ""
        for text in texts:
            sort, colon, rest = text.partition(":")
            if target in PLACES and colon and sort in ("device", "pool") and text not in self.names:
                self._sorts[target], text = sort, rest  # noqa: PLW2901
            try:
                found.append(parse_term(text, self.names))
            except MappingError as error:
                first_error = first_error or f"{target}: {error}"
        if first_error and target in (*self._mapping.asked, *REQUIRED):
            if not found:
                raise TraceError(f"line 1: {first_error}")
            if target in self._mapping.asked:
                self._passed_over.append(f"{first_error.partition(';')[0]}: {found[0].text} is taken")
        return found

    def _check(self, *, own: bool) -> None:
        others = [name for name in self.names if name not in self._own]
        for name in REQUIRED:
            alike = get_close_matches(name, others, 1, ALIKE)
            if name not in self._terms and alike:
                raise TraceError(f'line 1: column "{name}": missing; is it {quoted(alike[0])}?')
        if own:
            mapped = [name for name in self._terms if name not in self._own]
            check_names([*mapped, *(name for name in self.names if name in self._own)])
        for name in self._used():
            if self.names.count(name) > 1:
                raise TraceError(f"line 1: column {quoted(name)}: there twice; allowed is once")

    def _used(self) -> set[str]:
        of_terms = {
            each.column for terms in self._terms.values() for term in terms for each in term.operands()
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

    def jobs(self, rows: TextRows) -> pa.Table:
        """Return the columns of a block; rows that are no jobs, or whose cells are no values, are skipped."""
        self._cells.turn_to(rows)
        skip_rows(rows, self._mapping.skip)
        columns: dict[str, Any] = {}
        before = np.full(len(rows), -np.inf)
        for name in (*_CHAIN, *(name for name in self._terms if name not in _CHAIN)):
            if name not in self._terms:
                continue
            if name == "job_id":
                columns[name] = first_text(self._cells, self._terms[name], own=True)
            elif name == "after":
                columns[name] = lists_of_jobs(first_text(self._cells, self._terms[name]))
            elif TRACE_SCHEMA.field(name).type in (WORD, pa.string()):
                sort, own = self._sorts.get(name, ""), name in self._own
                columns[name] = words_of(self._cells, self._terms[name], name, own=own, sort=sort)
            else:
                columns[name] = self._numbers(name, before)
                if name in _CHAIN:
                    before = np.where(np.isnan(columns[name]), before, columns[name])
        self._skip_unknown(rows, columns)
        return rows.kept(**columns)

    def _numbers(self, target: str, before: Floats) -> Floats:
        """Return the first value of a row; moments that stand twice come after those `before` them."""
        values = np.full(len(before), np.nan)
        for term in self._terms[target]:
            if not np.isnan(values).any():
                break
            read = self._cells.numbers(term, target, moments=target in MOMENT_COLUMNS)
            if target in _CHAIN and term.single is not None:
                read = read.pushed(before)
                self._cells.settle(term.single, read)
            for fault in read.faults:
                self._cells.rows.skip(fault.rows & np.isnan(values), fault.reason, fault.text)
            values = np.where(np.isnan(values), read.value, values)
        return values

    def _skip_unknown(self, rows: TextRows, columns: Mapping[str, Any]) -> None:
        """Leave out rows without what every job has; a log says by its times why it is not there."""
        if self._mapping.open:
            known = np.isnan(columns["submit_s"]) | ~np.isnan(columns["recorded_start_s"])
            rows.skip(~known, f"{self._terms['recorded_start_s'][0].text}: no start: it never ran")
            return
        for name, why in (
            ("recorded_start_s", "no start: it never ran"),
            ("recorded_end_s", "no end: it had not ended"),
        ):
            if name in columns and name not in self._own:
                rows.skip(np.isnan(columns[name]), f"{self._terms[name][0].text}: {why}")
        for name in REQUIRED:
            own = name in self._own
            text = rows.words(name) if own else None
            what = (
                "not a number" if own else f"none in {' or '.join(term.text for term in self._terms[name])}"
            )
            rows.skip(np.isnan(columns[name]), f"{name}: {what}", text)

    def settled(self, table: pa.Table, tally: RowTally) -> Jobs:
        """Return the jobs with every number as a trace may have it."""
        numbers = [name for name in self._terms if pa.types.is_floating(table.schema.field(name).type)]
        columns = {name: table.column(name).to_numpy() for name in numbers if name != "job_id"}
        jobs = JobTable(columns, table.drop_columns(list(columns)), tally)
        own = {name for name in columns if name in self._own and not self._converted(name)}
        if self._mapping.open:
            fill_open(jobs)
        epoch, said = from_epoch(jobs, self._mapping, self._dated(), own)
        assumed = settle_jobs(jobs, self._mapping, set(columns) - own)
        check_own(jobs, own)
        if "estimate_s" in columns:
            asked = jobs.columns["estimate_s"]
            jobs.columns["estimate_s"] = np.where(np.isnan(asked), jobs.columns["runtime_s"], asked)
        elif self._mapping.columns:
            assumed.append(NO_ESTIMATE)
        guessed = [*self._passed_over, *self._cells.assumed]
        said_in_all = (*self._mapping.assumed, *guessed, *assumed, *([said] if said else []))
        return Jobs(jobs.table(), epoch, said_in_all)

    def _converted(self, name: str) -> bool:
        """Whether a column of a trace's name holds something else than its numbers."""
        kind = self._cells.kinds.get(name, "number")
        return kind != "number" or name in self._mapping.units or self._cells.unix.get(name, "s") != "s"

    def _dated(self) -> set[str]:
        """The columns that hold dates, or Unix times in fractions of seconds."""
        return {
            name
            for name in MOMENT_COLUMNS
            for term in self._terms.get(name, [])
            for operand in term.operands()
            if self._cells.kinds.get(operand.column) == MOMENT
            or self._cells.unix.get(operand.column, "s") != "s"
        }


def _with_ids(table: pa.Table, tally: RowTally) -> pa.Table:
    """Leave out the rows that give no id."""
    given = pc.not_equal(table.column("job_id").combine_chunks(), "")
    none = ~given.to_numpy(zero_copy_only=False)
    if none.any():
        tally.skip("job_id: none", int(none.sum()), table.column("line")[int(none.argmax())].as_py())
    return table.filter(given)


def _with_numbers(table: pa.Table) -> pa.Table:
    """Return the jobs with ids, and what refers to them, as numbers, unless some id is none."""
    if "job_id" in table.column_names:
        text = table.column("job_id").combine_chunks()
        if pc.any(pc.invert(are_whole(text))).as_py():
            return table
        table = replaced(table, "job_id", as_numbers(text))
    if "after" in table.column_names:
        lists = table.column("after").combine_chunks()
        after = pa.ListArray.from_arrays(lists.offsets, pa.array(as_numbers(lists.values)))
        table = replaced(table, "after", after)
    return table
