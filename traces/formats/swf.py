"""Reader of the Standard Workload Format 2.2, in which the Parallel Workloads Archive keeps its logs.

The format: https://www.cs.huji.ac.il/labs/parallel/workload/swf.html (Chapin et al., JSSPP 1999).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Floats, Ints, lists_of, word_column
from traces.formats.job_ids import are_whole
from traces.formats.mapping.spec import SECONDS, Changes, JobMapping, MappingError
from traces.formats.reader import LATEST_UNIX_S, Jobs, RowTally, replaced
from traces.formats.text_table import TextRows, found_rows, read_rows
from traces.schema import EXACT, quoted
from traces.validate import LIMITS

SWF_FIELDS = (
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
)
_CANCELLED = 5
_OUTCOMES = {0: "failed", 1: "completed", 3: "completed", 4: "failed", 5: "cancelled"}
"""By status; 3 and 4 are said of the last part of a job."""
_OF_SLURM = {3: "completed", 4: "cancelled", 5: "failed", 6: "timeout", 7: "failed", 8: "preempted"}
_OF_SLURM |= {9: "failed", 10: "timeout", 11: "failed"}
"""By Slurm's state: a node or a boot that failed, or memory that was short, counts as failed."""
_NUMBERED = (
    ("owner", "user", "unknown"),
    ("queue", "queue", "unknown"),
    ("recorded_where", "partition", None),
)
"""Columns of words for numbers, with the word for those below 0."""
_ASSUMED = ("after: a job waits for its preceding job and think time where these end later than there",)
FIRST_PART, LAST_PART = 2, 4
_LATEST_S = LIMITS["recorded_end_s"][1]
_SHORT = 15
"""Digits that every number of a trace may have."""


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read the jobs that ran; second 0 is the header's UnixStartTime, in the zone that it names, or UTC.

    Of a mapping only the unit of the requested time can be changed.
    """
    unit_s = _unit_of_requests(changes)
    comments: list[str] = []
    blocks = read_rows(path, tally, separator=None, names=SWF_FIELDS, comments=comments, more=True)
    table = _whole(pa.concat_tables([_jobs(rows, unit_s) for rows in blocks]), tally)
    for name, what, unknown in _NUMBERED:
        table = replaced(table, name, _numbered(what, table.column(name).to_numpy(), unknown))
    epoch, instead = _epoch(comments)
    assumed = (*(_ASSUMED if _follow(table) else ()), *([instead] if instead else []))
    return Jobs(table, epoch, assumed)


def _follow(table: pa.Table) -> bool:
    return len(pc.list_flatten(table.column("after"))) > 0


def _unit_of_requests(changes: Changes) -> float:
    units = changes.over(JobMapping()).units
    if changes != Changes(units=changes.units) or units.keys() - {"estimate_s"}:
        raise MappingError("swf: its columns are fixed; --unit estimate_s=min can be given, or another unit")
    return SECONDS[units.get("estimate_s", "s")]


def _jobs(rows: TextRows, unit_s: float) -> pa.Table:
    submit, run, status = map(rows.numbers, ("submit time", "run time", "status"))
    allocated, requested = map(rows.numbers, ("allocated processors", "requested processors"))
    asked, user, queue = map(rows.numbers, ("requested time", "user", "queue"))
    asked = asked * np.where(asked > 0, unit_s, 1)
    wait, partition, before, think = map(
        rows.numbers, ("wait time", "partition", "preceding job", "think time")
    )
    rows.skip((run < 0) | ((run == 0) & (status == _CANCELLED)), "never ran")
    number, gang = _job_number(rows), _gang(rows, requested, allocated)
    runtime = np.maximum(np.rint(run), 1)
    estimate = np.where(asked > 0, np.maximum(np.rint(asked), 1), runtime)
    rows.limit(np.rint(submit), "submit time", "submit_s")
    rows.limit(runtime, "run time", "runtime_s")
    rows.limit(estimate, "requested time", "estimate_s")
    rows.note(np.rint(run) < 1, "run time 0: 1 s taken")
    _note_times(rows, submit, run, wait, think)
    rows.note(requested <= 0, "no processors requested: those allocated taken")
    rows.note(
        (requested > 0) & (allocated > 0) & (requested != allocated),
        "processors: requested ones taken, not those allocated",
    )
    rows.note(asked <= 0, "no time requested: the run time taken")
    rows.note((asked > 0) & (runtime > estimate), "ran past the time requested: kept")
    return rows.kept(
        job_id=number,
        submit_s=submit,
        runtime_s=runtime,
        gang=gang,
        estimate_s=estimate,
        owner=user,
        queue=queue,
        status=status,
        after=lists_of(np.flatnonzero(before > 0), before[before > 0], len(rows)),
        after_lag_s=_moments(think, (before > 0) & (think > 0)),
        recorded_start_s=_moments(submit + wait, wait >= 0),
        recorded_end_s=_moments(submit + wait + run, wait >= 0),
        recorded_where=partition,
    )


def _note_times(rows: TextRows, submit: Floats, run: Floats, wait: Floats, think: Floats) -> None:
    fractions = np.any([each != np.rint(each) for each in (submit, run, wait, think)], axis=0)
    rows.note(fractions, "times: rounded to whole seconds")
    for name, second in (("wait time", submit + wait + run), ("think time", think)):
        rows.note(second > _LATEST_S, f"{name}: beyond what a trace can hold: left out", rows.words(name))


def _job_number(rows: TextRows) -> Floats:
    """Return the job numbers; rows whose number a trace cannot have, or not just as it is, are skipped."""
    name = "job number"
    written, number = rows.words(name), rows.numbers(name)
    rows.skip(number != np.rint(number), f"{name}: not a whole number", written)
    rows.skip(np.abs(number) > EXACT, f"{name}: beyond {EXACT:,}", written)
    rounded = pc.and_not(pc.greater(pc.utf8_length(written), _SHORT), are_whole(written))
    rows.skip(rounded.to_numpy(zero_copy_only=False), f"{name}: more digits than can be kept", written)
    return number


def _moments(second: Floats, known: Bools) -> Floats:
    """Return seconds where they are known and a trace can hold them, else NaN."""
    return np.where(known & (second <= _LATEST_S), second, np.nan)


def _whole(table: pa.Table, tally: RowTally) -> pa.Table:
    """Make one job of its parts (status 2, 3 and 4): its own line, or where that is missing, their sum.

    The state numbers of Slurm, which has no parts, are told apart.
    """
    columns = {name: table.column(name).to_numpy() for name in ("job_id", "status", "line", "runtime_s")}
    number, status, line, runtime = columns.values()
    slurm = _is_slurm(number, status)
    words = _OF_SLURM if slurm else _OUTCOMES
    outcome = pa.array([words.get(number) for number in status.tolist()], pa.string())
    table = replaced(table, "status", outcome).rename_columns({"status": "outcome"})
    if slurm:
        found_rows(tally.note, "status above 5: Slurm's, which knows no parts", status > _CANCELLED, line)
        if not (status > _CANCELLED).any():
            reason = "status 3 or 4, as of a last part, but no job is in parts: taken for Slurm's"
            found_rows(tally.note, reason, status > FIRST_PART, line)
        return table
    part = (status >= FIRST_PART) & (status <= LAST_PART)
    summed = part & np.isin(number, number[~part])
    found_rows(tally.skip, "part of a job (status 2, 3 or 4), whose own line has the sum", summed, line)
    own = ~part & np.isin(number, number[part])
    together, parts = (_by_job(number[own], number[part], each[part]) for each in (runtime, part))
    reason = "the run time of a job is not that of its parts together: its own line's taken"
    found_rows(tally.note, reason, np.abs(together - runtime[own]) > parts, line[own])  # each was rounded
    return _added_up(table, part & ~summed, tally).filter(pa.array(~summed & _first_parts(table, part)))


def _by_job(job: Floats, of: Floats, values: Floats) -> Floats:
    """Return the sum of some values `of` jobs, for each `job`."""
    known, at = np.unique(of, return_inverse=True)
    total = np.zeros(len(known) + 1)
    np.add.at(total, at, values)
    return np.asarray(total[np.searchsorted(known, job)])


def _in_time(table: pa.Table, part: Bools) -> Ints:
    """Return the rows of parts, in order of their submission; equal ones in that of the file."""
    rows = np.flatnonzero(part)
    return rows[np.argsort(table.column("submit_s").to_numpy()[rows], kind="stable")]


def _first_parts(table: pa.Table, part: Bools) -> Bools:
    """Say which rows are no parts, or the first part of a job."""
    rows = _in_time(table, part)
    keep = ~part
    keep[rows[np.unique(table.column("job_id").to_numpy()[rows], return_index=True)[1]]] = True
    return keep


def _added_up(table: pa.Table, alone: Bools, tally: RowTally) -> pa.Table:
    """Give the first part of each job the run times of all, and the end of the last."""
    columns = (table.column(name).to_numpy() for name in ("job_id", "line", "runtime_s", "gang"))
    number, line, runtime, gang = columns
    reason = "part of a job (status 2, 3 or 4) without a line of its own: added up"
    found_rows(tally.note, reason, alone, line)
    rows = _in_time(table, alone)
    _, first, job = np.unique(number[rows], return_index=True, return_inverse=True)
    other = gang[rows] != gang[rows[first]][job]
    found_rows(tally.note, "part of a job on other processors than its first: those taken", other, line[rows])
    runtime, ends = runtime.copy(), np.arange(len(number))
    runtime[rows[first]] = _by_job(number[rows[first]], number[rows], runtime[rows])
    ends[rows[first]] = rows[len(rows) - 1 - np.unique(number[rows][::-1], return_index=True)[1]]
    for name in ("outcome", "recorded_end_s"):
        table = replaced(table, name, table.column(name).take(pa.array(ends)))
    estimate = np.maximum(table.column("estimate_s").to_numpy(), np.where(alone, runtime, 0))
    return replaced(replaced(table, "runtime_s", runtime), "estimate_s", estimate)


def _is_slurm(number: Ints, status: Ints) -> bool:
    """Whether they are Slurm's states: some are no others, or of last parts where no job is in parts."""
    ended = (status > FIRST_PART) & (status <= LAST_PART)
    in_parts = (status == FIRST_PART).any() or len(np.unique(number)) < len(number)
    return bool((status > _CANCELLED).any() or (ended.any() and not in_parts))


def _gang(rows: TextRows, requested: Floats, allocated: Floats) -> Floats:
    """Return the processors requested, else those allocated; rows without a usable number are skipped."""
    asked = requested > 0
    gang = np.where(asked, requested, allocated)
    rows.skip(gang <= 0, "no processors")
    for name, chosen in (("requested processors", asked), ("allocated processors", ~asked)):
        count = np.where(chosen, gang, 1)
        rows.skip(count != np.rint(count), f"{name}: not a whole number", rows.words(name))
        rows.limit(count, name, "gang")
    return gang


def _numbered(what: str, numbers: Floats, unknown: str | None) -> pa.DictionaryArray:
    """Return words such as "user 12" for numbers, `unknown` for negative ones."""
    distinct, codes = np.unique(numbers, return_inverse=True)
    words = [f"{what} {number:.17g}" if number >= 0 else unknown or "" for number in distinct.tolist()]
    return word_column(codes, words, None if unknown else numbers < 0)


def _epoch(comments: Sequence[str]) -> tuple[datetime | None, str]:
    """Return the moment of second 0, or what is assumed where the header gives none that can be used."""
    given = ""
    for comment in comments:
        if found := re.match(r"\s*;\s*UnixStartTime:\s*(.*\S)", comment):
            number = re.match(r"\d{1,11}\b", found[1])
            if number and 0 < int(number[0]) < LATEST_UNIX_S:
                return datetime.fromtimestamp(int(number[0]), _zone(comments)), ""
            given = given or found[1]
    latest = f"from 1 to {LATEST_UNIX_S:,.0f}"
    why = f"as UnixStartTime is {quoted(given)}, not {latest}" if given else "for want of a UnixStartTime"
    return None, f"epoch: 1970, {why}"


def _zone(comments: Sequence[str]) -> tzinfo:
    """Return the zone of the TimeZoneString; UTC where it is absent, or no zone is known by that name."""
    for comment in comments:
        found = re.match(r"\s*;\s*TimeZoneString:\s*([\w+\-/]+)", comment)
        if found:
            with suppress(ZoneInfoNotFoundError, ValueError, OSError):
                return ZoneInfo(found[1])
    return UTC
