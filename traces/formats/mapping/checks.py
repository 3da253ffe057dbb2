"""Jobs of a mapping once all are read: second 0, whole seconds and devices, and the limits of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Floats
from traces.formats.mapping.cells import UNIX_FROM_S
from traces.formats.mapping.spec import MIDNIGHT, THOUSANDTHS, JobMapping, epoch_of, zone_of
from traces.formats.reader import LATEST_UNIX_S, RowTally
from traces.formats.text_table import found_rows
from traces.schema import TRACE_SCHEMA
from traces.validate import LIMITS

MOMENT_COLUMNS = ("submit_s", "recorded_start_s", "recorded_end_s", "deadline_s")
_RECORDED = ("recorded_start_s", "recorded_end_s")


@dataclass
class JobTable:
    """The jobs of a file, in columns, of which checks take some away."""

    columns: dict[str, Floats]
    others: pa.Table
    tally: RowTally

    def __post_init__(self) -> None:
        self.keep = np.ones(len(self.others), bool)
        self._line = self.others.column("line").to_numpy()

    def skip(self, where: Bools, reason: str, shown: str = "") -> None:
        """Leave out jobs; `shown` is the column that shows the first one's value."""
        where = where & self.keep
        found_rows(self.tally.skip, reason, where, self._line, self._shown(where, shown))
        self.keep &= ~where

    def note(self, where: Bools, reason: str, shown: str = "") -> None:
        """Say that jobs were changed, or are out of the ordinary."""
        where = where & self.keep
        found_rows(self.tally.note, reason, where, self._line, self._shown(where, shown))

    def _shown(self, where: Bools, name: str) -> str:
        return f"{self.columns[name][where.argmax()]:.15g}" if name and where.any() else ""

    def table(self) -> pa.Table:
        """Return the jobs that are left."""
        table = self.others
        for name, values in self.columns.items():
            table = table.append_column(name, pa.array(values))
        return table.filter(pa.array(self.keep))


def from_epoch(
    jobs: JobTable, mapping: JobMapping, dated: set[str], own: set[str]
) -> tuple[datetime | None, str]:
    """Count times from second 0; return its moment (None: 1970) and what is assumed of it.

    `dated` are columns that hold dates, or numbers that can only be times of day and year; those that are the
    trace's `own` count from 1970 as they are.
    """
    submit = jobs.columns["submit_s"]
    known = submit[(submit >= 0) & (submit < LATEST_UNIX_S)]
    given, is_dated = epoch_of(mapping), "submit_s" in dated
    unix = is_dated or (len(known) > 0 and float(np.median(known)) >= UNIX_FROM_S)
    if given is None and mapping.epoch != MIDNIGHT and (not unix or (not is_dated and "submit_s" in own)):
        return None, "epoch: 1970, as the file names none"
    if given is None:
        zone = zone_of(mapping)
        first = datetime.fromtimestamp(float(known.min()) if len(known) else 0.0, zone)
        given = first.replace(hour=0, minute=0, second=0, microsecond=0)
    for name in MOMENT_COLUMNS:
        if name in jobs.columns and (unix or name in dated):
            jobs.columns[name] = jobs.columns[name] - given.timestamp()
    said = "" if unix or mapping.epoch == MIDNIGHT else "times: seconds from the epoch that is given"
    return given, said


def fill_open(jobs: JobTable) -> None:
    """Let jobs run from the first time of the log that are older, and up to its last that had not ended."""
    columns = jobs.columns
    times = np.concatenate([columns[name] for name in MOMENT_COLUMNS if name in columns])
    times = times[np.isfinite(times)]
    first, last = (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0)
    if first < UNIX_FROM_S:  # seconds of the log, which begins with second 0
        first = 0.0
    older, open_ = np.isnan(columns["submit_s"]), np.isnan(columns["recorded_end_s"])
    jobs.note(older, "submit_s: none, so older than the log: from its first time on")
    jobs.note(open_, "recorded_end_s: none, so it had not ended: up to the last time of the log")
    for name in ("submit_s", "recorded_start_s"):
        columns[name] = np.where(np.isnan(columns[name]), first, columns[name])
    columns["runtime_s"] = np.where(open_, last - columns["recorded_start_s"], columns["runtime_s"])
    older_run = older & np.isnan(columns["runtime_s"])
    run = columns["recorded_end_s"] - columns["recorded_start_s"]
    columns["runtime_s"] = np.where(older_run, run, columns["runtime_s"])


def check_own(jobs: JobTable, own: set[str]) -> None:
    """Leave out jobs with a number that a trace cannot have where the file has the trace's own columns."""
    for name in sorted(own):
        if pa.types.is_integer(TRACE_SCHEMA.field(name).type):
            _skip_fractions(jobs, name)
        check_limit(jobs, name)


def _skip_fractions(jobs: JobTable, name: str) -> None:
    values = jobs.columns[name]
    fraction = np.isfinite(values) & (values != np.rint(values))
    if name == "gang":
        jobs.note(fraction, "gang: a share of a device; with --unit gang=milli thousandths are counted", name)
    jobs.skip(fraction, f"{name}: not a whole number", name)


def check_limit(jobs: JobTable, name: str) -> None:
    """Leave out jobs whose value a trace does not allow."""
    low, high = LIMITS[name]
    values = jobs.columns[name]
    jobs.skip((values < low) | (values > high), f"{name}: not {low:,} to {high:,}", name)


def settle_jobs(jobs: JobTable, mapping: JobMapping, foreign: set[str]) -> list[str]:
    """Make whole seconds and devices of what a foreign log says, and leave out what never ran.

    Returns what is assumed.
    """
    columns, assumed = jobs.columns, []
    if "runtime_s" in foreign:
        _settle_run_times(jobs)
    if "gang" in foreign:
        assumed += _settle_gangs(jobs, mapping.units.get("gang", ""))
    for name in _RECORDED:
        if name in foreign:
            columns[name] = np.where(columns[name] <= LIMITS[name][1], columns[name], np.nan)
    if "estimate_s" in foreign:
        asked = columns["estimate_s"]
        jobs.note(~(asked > 0), "no time requested: the run time taken")
        columns["estimate_s"] = np.where(asked > 0, np.maximum(asked, 1), np.nan)
    for name in sorted(foreign):
        if pa.types.is_integer(TRACE_SCHEMA.field(name).type):
            _round(jobs, name)
        check_limit(jobs, name)
    if "estimate_s" in foreign:
        over = columns["runtime_s"] > columns["estimate_s"]
        jobs.note(over, "ran past the time requested: kept")
    return assumed


def _round(jobs: JobTable, name: str) -> None:
    values = jobs.columns[name]
    whole = np.rint(values)
    what = "seconds" if name.endswith("_s") else "numbers"
    jobs.note(np.isfinite(values) & (values != whole), f"{name}: rounded to whole {what}", name)
    jobs.columns[name] = whole


def _settle_run_times(jobs: JobTable) -> None:
    run = jobs.columns["runtime_s"]
    jobs.skip(run < 0, "ends before it starts", "runtime_s")
    cancelled = np.zeros(len(run), bool)
    if "outcome" in jobs.others.column_names:
        is_so = pc.equal(jobs.others.column("outcome"), "cancelled").fill_null(False)
        cancelled = is_so.to_numpy()
    jobs.skip((run == 0) & cancelled, "never ran")
    jobs.note(np.rint(run) < 1, "run time 0: 1 s taken")
    jobs.columns["runtime_s"] = np.where(np.rint(run) < 1, 1, run)


def _settle_gangs(jobs: JobTable, unit: str) -> list[str]:
    gang, assumed = jobs.columns["gang"], []
    if unit in THOUSANDTHS:
        shares = unit == "milli" and bool((gang != np.rint(gang)).any())
        gang = gang * 1_000 if shares else gang
        held = "shares of a device, times 1,000" if shares else f"as the file's {unit}"
        assumed = [f"gang: in thousandths of a device ({held}), so a device of a pool is a thousandth"]
        jobs.note(np.abs(gang - np.rint(gang)) > 1e-6, "gang: rounded to whole thousandths")
        gang = np.where(gang > 0, np.maximum(np.rint(gang), 1), gang)
        jobs.columns["gang"] = gang
    jobs.skip(gang == 0, "no devices; --map gang=COLUMN counts another sort")
    _skip_fractions(jobs, "gang")
    return assumed
