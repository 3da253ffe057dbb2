"""From rows of a file, by a mapping, to jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Floats
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
from traces.formats.mapping.columns import CHAIN, FileColumns
from traces.formats.mapping.hours import over_new_year, settle_hours
from traces.formats.mapping.merging import merged
from traces.formats.mapping.skipping import skip_rows
from traces.formats.mapping.spec import SEPARATORS, JobMapping
from traces.formats.mapping.words import first_text, lists_of_jobs, words_of
from traces.formats.reader import NO_ESTIMATE, Jobs, RowTally, replaced
from traces.formats.text_table import TextRows, as_numbers, read_rows
from traces.schema import REQUIRED, TRACE_SCHEMA

_ANY = ",;\t|"


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
    """Reads the columns of one file as those of a trace."""

    def __init__(self, names: Sequence[str], mapping: JobMapping, *, own: bool) -> None:
        self._mapping = mapping
        self._cells = LogCells(mapping)
        self._columns = FileColumns(names, mapping, own=own)
        self._terms, self._own = self._columns.terms, self._columns.own
        self._later_s: dict[str, Floats] = {}

    def say_left_out(self, rows: TextRows, tally: RowTally) -> None:
        """Note each column that stands for nothing."""
        self._columns.say_left_out(rows, tally)

    def jobs(self, rows: TextRows) -> pa.Table:
        """Return the columns of a block; rows that are no jobs, or whose cells are no values, are skipped."""
        self._cells.turn_to(rows)
        skip_rows(rows, self._mapping.skip)
        self._later_s = {}
        columns: dict[str, Any] = {}
        before = np.full(len(rows), -np.inf)
        for name in (*CHAIN, *(name for name in self._terms if name not in CHAIN)):
            if name not in self._terms:
                continue
            if name == "job_id":
                columns[name] = first_text(self._cells, self._terms[name], own=True)
            elif name == "after":
                columns[name] = lists_of_jobs(first_text(self._cells, self._terms[name]))
            elif TRACE_SCHEMA.field(name).type in (WORD, pa.string()):
                sort, own = self._columns.sorts.get(name, ""), name in self._own
                columns[name] = words_of(self._cells, self._terms[name], name, own=own, sort=sort)
            else:
                columns[name] = self._numbers(name, before)
                if name in CHAIN:
                    before = np.where(np.isnan(columns[name]), before, columns[name])
        settle_hours(columns, self._later_s)
        self._skip_unknown(rows, columns)
        return rows.kept(**columns)

    def _numbers(self, target: str, before: Floats) -> Floats:
        """Return the first value of a row; moments that stand twice come after those `before` them."""
        values = np.full(len(before), np.nan)
        for term in self._terms[target]:
            if not np.isnan(values).any():
                break
            read = self._cells.numbers(term, target, moments=target in MOMENT_COLUMNS)
            if target in CHAIN and term.single is not None:
                read = over_new_year(read, before, self._cells, term.single).pushed(before)
                self._cells.settle(term.single, read)
                if read.later_s is not None:
                    earlier = self._later_s.get(target, 0.0)
                    self._later_s[target] = np.where(np.isnan(values), read.later_s, earlier)
            for fault in read.faults:
                at_fault = fault.rows & np.isnan(values)
                if target == "estimate_s":  # a job runs without one
                    self._cells.rows.note(at_fault, f"{fault.reason}: left out", fault.text)
                else:
                    self._cells.rows.skip(at_fault, fault.reason, fault.text)
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
        guessed = [*self._columns.passed_over, *self._cells.assumed]
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
        named = lists.values
        if pc.any(pc.invert(are_whole(named))).as_py():  # words name no job, and are shown
            named = pc.replace_substring_regex(named, r"^(\d+)\.0*$", r"\1")
        else:
            named = pa.array(as_numbers(named))
        after = pa.ListArray.from_arrays(lists.offsets, named)
        table = replaced(table, "after", after)
    return table
