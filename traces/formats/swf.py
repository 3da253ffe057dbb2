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

from traces.arrays import Bools, Floats, lists_of, word_column
from traces.formats.job_ids import are_whole
from traces.formats.mapping.spec import SECONDS, Changes, JobMapping, MappingError
from traces.formats.reader import LATEST_UNIX_S, Jobs, RowTally, replaced
from traces.formats.swf_parts import CANCELLED, whole_jobs
from traces.formats.text_table import TextRows, read_rows
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
_NUMBERED = (
    ("owner", "user", "unknown"),
    ("queue", "queue", "unknown"),
    ("recorded_where", "partition", None),
)
"""Columns of words for numbers, with the word for those below 0."""
_ASSUMED = ("after: a job waits for its preceding job and think time where these end later than there",)
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
    table = whole_jobs(pa.concat_tables([_jobs(rows, unit_s) for rows in blocks]), tally)
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
    rows.skip((run < 0) | ((run == 0) & (status == CANCELLED)), "never ran")
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
