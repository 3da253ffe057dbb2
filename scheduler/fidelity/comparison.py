"""A run as it was beside a simulation of the same jobs: waits by group, and use by hour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from scheduler.run.groups import words_in
from scheduler.run.job_figures import gang_sizes
from scheduler.run.levels import DAY_H
from scheduler.run.metrics import mean, percentiles
from traces.arrays import Bools, Floats, Ints, filtered, sorted_by
from traces.step_function import from_changes, means
from traces.times import DAY_S, HOUR_S

_OF_JOBS = ["job_id", "gang", "owner", "queue", "submit_s", "start_s", "wait_s"]


class FidelityError(ValueError):
    """A log and a scenario that cannot be compared; says why."""


class WaitError(NamedTuple):
    """Waits of some jobs by the record and in the simulation, in seconds."""

    jobs: int
    recorded_mean_s: float
    simulated_mean_s: float
    recorded_p95_s: float
    simulated_p95_s: float

    @property
    def bias_mean_s(self) -> float:
        """How much longer they wait in the simulation, on average."""
        return self.simulated_mean_s - self.recorded_mean_s

    @property
    def bias_p95_s(self) -> float:
        """How much longer the 95th percentile is in the simulation."""
        return self.simulated_p95_s - self.recorded_p95_s


class UseError(NamedTuple):
    """Share of the devices of all pools that was held, by the record and in the simulation."""

    recorded: float
    simulated: float
    rmse: float
    """Root of the mean square of what the hours differ by."""
    recorded_by_hour: list[float]
    """By hour of the day, from midnight in the zone of the trace."""
    simulated_by_hour: list[float]

    @property
    def bias(self) -> float:
        """How much more is held in the simulation."""
        return self.simulated - self.recorded


class FidelityErrors(NamedTuple):
    """How far a simulation is from the record. All is 0 apart if every job starts when it did."""

    only_recorded: int
    """Jobs that started by the record alone; they are in no other figure of jobs."""
    only_simulated: int
    same_starts: int
    start_error_s: float
    """What the starts of a job differ by, on average."""
    wasserstein_s: float
    """Of the two distributions of waits: what is between them, sorted, on average."""
    all: WaitError
    by: dict[str, dict[str, WaitError]]
    """By gang, queue, owner, and hour of the day in which a job is submitted."""
    use: UseError

    @property
    def is_exact(self) -> bool:
        """Whether every job that started on either side started in the same second on both."""
        return self.same_starts == self.all.jobs and not (self.only_recorded or self.only_simulated)


def compare(was: Run, would: Run, past_midnight_s: int) -> FidelityErrors:
    """Hold a simulation against the run as it was, of the same jobs.

    `past_midnight_s` is the time of day of their epoch, in the zone of their trace. Raises
    FidelityError where no job started in both.
    """
    recorded, simulated = (sorted_by(run.table("jobs", _OF_JOBS), "job_id") for run in (was, would))
    started = [_started(jobs) for jobs in (recorded, simulated)]
    both = started[0] & started[1]
    if not both.any():
        raise FidelityError(
            f"no job started both by the record ({started[0].sum():,} did) and in the simulation "
            f"({started[1].sum():,}): there is nothing to compare"
        )
    recorded, simulated = filtered(recorded, both), filtered(simulated, both)
    waits = _seconds(recorded, "wait_s"), _seconds(simulated, "wait_s")
    apart_s = np.abs(_seconds(recorded, "start_s") - _seconds(simulated, "start_s"))
    rows = _groups(recorded, past_midnight_s)
    return FidelityErrors(
        only_recorded=int((started[0] & ~both).sum()),
        only_simulated=int((started[1] & ~both).sum()),
        same_starts=int((apart_s == 0).sum()),
        start_error_s=float(apart_s.mean()),
        wasserstein_s=float(np.abs(np.sort(waits[0]) - np.sort(waits[1])).mean()),
        all=_error(*waits, np.ones(len(apart_s), bool)),
        by={by: {name: _error(*waits, some) for name, some in of.items()} for by, of in rows.items()},
        use=_use(was, would, past_midnight_s),
    )


def _started(jobs: pa.Table) -> Bools:
    return np.asarray(pc.is_valid(jobs.column("start_s")).to_numpy())


def _seconds(jobs: pa.Table, name: str) -> Ints:
    return np.asarray(jobs.column(name).to_numpy().astype(np.int64))


def _error(recorded_s: Ints, simulated_s: Ints, rows: Bools) -> WaitError:
    recorded_s, simulated_s = recorded_s[rows], simulated_s[rows]
    p95 = [percentiles(waits)[1] for waits in (recorded_s, simulated_s)]
    return WaitError(int(rows.sum()), mean(recorded_s), mean(simulated_s), *p95)


def _groups(jobs: pa.Table, past_midnight_s: int) -> dict[str, dict[str, Bools]]:
    """Return the rows of each group of jobs, by what tells them apart."""
    size, names = gang_sizes(jobs)
    hour = (_seconds(jobs, "submit_s") + past_midnight_s) % DAY_S // HOUR_S
    return {
        "gang": {names[at]: size == at for at in np.unique(size).tolist()},
        "queue": words_in(jobs, "queue"),
        "owner": words_in(jobs, "owner"),
        "hour": {f"{at:02}": hour == at for at in np.unique(hour).tolist()},
    }


def _use(was: Run, would: Run, past_midnight_s: int) -> UseError:
    """Return what was held in each hour of the clock from the start to the later end."""
    first_s = was.start_s - (was.start_s + past_midnight_s) % HOUR_S
    edges = np.arange(first_s, max(was.end_s, would.end_s) + HOUR_S, HOUR_S)
    held = [_held(run, edges) for run in (was, would)]
    hour = (edges[:-1] + past_midnight_s) % DAY_S // HOUR_S
    times = np.maximum(1, np.bincount(hour, minlength=DAY_H))
    by_hour = [(np.bincount(hour, share, minlength=DAY_H) / times).tolist() for share in held]
    rmse = float(np.sqrt(np.mean((held[1] - held[0]) ** 2)))
    return UseError(mean(held[0]), mean(held[1]), rmse, *by_hour)


def _held(run: Run, edges: Ints) -> Floats:
    attempts = run.table("attempts", ["rented", "devices", "alloc_s", "end_s"])
    attempts = filtered(attempts, ~attempts.column("rented").to_numpy().astype(bool))
    devices = _seconds(attempts, "devices")
    time_s = np.concatenate([_seconds(attempts, "alloc_s"), _seconds(attempts, "end_s")])
    levels = means(*from_changes(time_s, np.concatenate([devices, -devices])), edges)
    return np.asarray(levels / max(1, sum(run.pools.values())))
