"""Many replays on any executor, each reduced to the few figures that papers publish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow.compute as pc

from scheduler.catalog import Catalog, load_catalog
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.run.metrics import bounded_slowdown
from scheduler.scenario import parse_scenario
from traces.arrays import Array, Ints
from traces.times import HOUR_S
from traces.trace import Trace

__all__ = ["Figures", "Schedule", "Task", "figures_of", "replay_all", "schedule", "two_processes"]

K = TypeVar("K")


class Task(NamedTuple):
    """A scenario, as in TOML, over the jobs of a Parquet file."""

    scenario: dict[str, Any]
    trace: Path
    counted: tuple[float, float] = (0.0, 1.0)
    """The part of the jobs, in order of submission, whose figures are taken: without warm-up and end."""


class Figures(NamedTuple):
    """Means over the jobs that count, what they rented, and the whole run's rent."""

    jobs: int
    wait_s: float
    turnaround_s: float
    """From being ready to the end: the job completion time, JCT."""
    slowdown: float
    """Bounded slowdown (Feitelson, JSSPP 2001)."""
    rented_device_h: float
    """At work; booting is not in it."""
    rent_usd: float
    """Of all jobs, as billed."""


@contextmanager
def two_processes() -> Iterator[Executor]:
    """Give an executor; a fork would copy Arrow's threads half-way, so its processes are spawned."""
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        yield executor


def replay_all(tasks: Mapping[K, Task], executor: Executor) -> dict[K, Figures]:
    """Return the figures of each task, under its key."""
    return dict(zip(tasks, executor.map(figures_of, tasks.values()), strict=True))


@cache
def _catalog() -> Catalog:
    return load_catalog(Path(__file__).with_name("catalog.toml"))


def figures_of(task: Task) -> Figures:
    """Replay a task; raises RuntimeError where a job does not finish."""
    scenario = parse_scenario(task.scenario)
    with TemporaryDirectory(prefix="exaburst-") as folder:
        run = replay(Setup.of(scenario, Trace.read(task.trace), _catalog()), Path(folder))
        if run.description["jobs"]["finished"] != run.description["trace"]["jobs"]:
            raise RuntimeError(f"{task.trace.name}: not every job finished: {run.description['jobs']}")
        return _reduced(run, task.counted)


def _reduced(run: Run, counted: tuple[float, float]) -> Figures:
    columns = ["job_id", "submit_s", "ready_s", "start_s", "end_s", "devices", "rented"]
    jobs = run.table("jobs", columns).sort_by([("submit_s", "ascending"), ("job_id", "ascending")])
    first, last = (round(share * jobs.num_rows) for share in counted)
    jobs = jobs.slice(first, last - first)
    ready_s, start_s, end_s, devices = (
        jobs.column(name).to_numpy() for name in ("ready_s", "start_s", "end_s", "devices")
    )
    rented = jobs.column("rented").to_numpy()
    spend = run.table("spend", ["resource", "usd"])
    on_offers = pc.is_in(spend.column("resource").cast("string"), pc.cast(run.offers, "string"))
    return Figures(
        jobs=jobs.num_rows,
        wait_s=float(np.mean(start_s - ready_s)),
        turnaround_s=float(np.mean(end_s - ready_s)),
        slowdown=float(np.mean(bounded_slowdown(start_s - ready_s, end_s - start_s))),
        rented_device_h=float(np.dot(devices * rented, end_s - start_s) / HOUR_S),
        rent_usd=float(pc.sum(spend.filter(on_offers).column("usd")).as_py() or 0.0),
    )


class Schedule(NamedTuple):
    """When each job of a small run was submitted, started and ended, and whether it was rented."""

    submit_s: Ints
    start_s: Ints
    end_s: Ints
    rented: Array

    @property
    def wait_s(self) -> Ints:
        return self.start_s - self.submit_s

    @property
    def turnaround_s(self) -> Ints:
        return self.end_s - self.submit_s


def schedule(
    scenario: dict[str, Any],
    submit_s: Ints,
    runtime_s: Ints,
    gang: Ints,
    *,
    catalog: Path | None = None,
    **more: Any,
) -> Schedule:
    """Replay jobs given as columns, in whatever unit of time; estimates are exact unless `more` has them.

    The ledger is by the day, as a run in microseconds would be centuries long.
    """
    columns = {"submit_s": submit_s, "runtime_s": runtime_s, "gang": gang, "estimate_s": runtime_s} | more
    parsed = parse_scenario({"name": "published", "money": {"charge_period": "day"}} | scenario)
    with TemporaryDirectory(prefix="exaburst-") as folder:
        setup = Setup.of(
            parsed, Trace.from_columns(columns), load_catalog(catalog) if catalog else _catalog()
        )
        jobs = replay(setup, Path(folder)).table("jobs").sort_by("job_id")
        return Schedule(*(np.asarray(jobs.column(name)) for name in Schedule._fields))
