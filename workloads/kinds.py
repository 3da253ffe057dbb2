"""A kind of job: what a campaign asks for, and how its jobs are drawn as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from traces import portable
from traces.arrays import Array, Floats, Ints
from traces.times import HOUR_S
from workloads.arrivals import BURST_K, ROUND_THE_CLOCK, Week, bursty, hourly, spaced
from workloads.larger_runs import grown_gangs
from workloads.parameters import Parameter
from workloads.shapes import HABITS, Ends, RunTimes, estimates, fitting, sizes
from workloads.streams import stream

Columns = dict[str, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """One kind of job; its figures are assumed where neither the run times nor the ends name a source."""

    name: Annotated[str, Parameter("", "workload and kind")]
    share: Annotated[float, Parameter("", "of its workload's compute")]
    gangs: Annotated[Mapping[int, float], Parameter("device", "size and its weight")]
    run: Annotated[RunTimes, Parameter("", "run times, with their time limit")]
    ends: Annotated[Ends, Parameter("", "shares completed, cancelled, failed")]
    owners: Annotated[tuple[str, ...], Parameter("", "who asks; the n-th 1/n as often as the first")]
    owned_share: Annotated[float, Parameter("", "of jobs whose data may not leave")]
    priority: Annotated[int, Parameter("", "higher first")] = 1
    week: Annotated[Week, Parameter("", "weekly profile, where it follows none")] = ROUND_THE_CLOCK
    burst_k: Annotated[
        float | None, Parameter("", "dispersion of hourly counts, likewise; none: spaced", "Helios: 1.4")
    ] = BURST_K
    follows: Annotated[tuple[str, ...], Parameter("", "kinds of job it runs after")] = ()
    each: Annotated[int, Parameter("job", "for each job it runs after")] = 1
    release_h: Annotated[int | None, Parameter("hour", "between releases: the deadlines")] = None
    due: Annotated[
        float | None, Parameter("", "deadline: planned run times after submission, without releases")
    ] = None
    input_gb: Annotated[float, Parameter("GB/device-hour", "read, median")] = 0.0
    output_gb: Annotated[float, Parameter("GB", "written by a job")] = 0.0
    checkpoint_s: Annotated[int | None, Parameter("s", "run time between checkpoints")] = None

    @property
    def workload(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    def work_s(self, largest: int, growth: Floats) -> Floats:
        """Mean device-seconds of a job as drawn, for each growth of the gangs, none above `largest`."""
        gangs, most = fitting(self.gangs, largest), sizes(largest)[-1]
        drawn = np.zeros(len(growth))
        for gang, weight in gangs.items():
            drawn += weight * self.run.mean(gang) * np.clip(gang * growth, 1, most)
        return drawn if self.run.measured else drawn * self.ends.mean()


class KindBudget(NamedTuple):
    """What a demand asks of a kind of job; one value an hour of the horizon where there are many."""

    budget_s: float
    """Device-seconds of all its jobs."""
    pace: float
    """Run time on the reference device over that which the kind states."""
    largest: int
    """The largest gang."""
    week_hours: Ints
    """The hour of the local week."""
    units: Floats
    """Cars, robots or tenants at work."""
    growth: Floats
    """Factor on the gangs."""
    owners: Ints | None = None
    """How many of its owners there are; None: all."""
    into_release_s: int = 0
    """Second 0, counted from a Monday on which releases fall together."""

    def arrivals(self, kind: Kind) -> tuple[Floats, float]:
        """Return the relative number of jobs in each hour, and that of all together."""
        work_s = self.pace * kind.work_s(self.largest, self.growth)
        compute = hourly(kind.week, self.week_hours, self.units)
        return compute / work_s, self.budget_s * float(np.sum(compute / work_s) / np.sum(compute))


def draw_jobs(kind: Kind, asked: KindBudget, *, seed: int, parents: list[Columns]) -> Columns:
    """Return the jobs of a kind as columns, which sum to the budget; `parents` are the jobs that it follows.

    `row` numbers the jobs from 0, `after` is the row of the job to follow. -1 stands for none.
    The number of jobs follows from the budget and the mean job; what heavy tails leave over or short,
    one factor on all run times corrects.
    """
    jobs = _submissions(kind, asked, seed, parents)
    count = len(jobs["submit_s"])
    weights = fitting(kind.gangs, asked.largest)
    drawn = stream(seed, kind.name, "gang").choice(list(weights), count, p=list(weights.values()))
    planned, run = _run_times(kind, seed, drawn)
    growth = asked.growth[jobs["submit_s"] // HOUR_S]
    gangs = grown_gangs(stream(seed, kind.name, "growth"), drawn, growth, asked.largest)
    # Whole seconds, so that no order of summation shows in the factor.
    factor = asked.budget_s / int(np.sum(gangs * np.ceil(run).astype(np.int64)))
    runtime = np.maximum(1, np.rint(run * factor)).astype(np.int64)
    jobs |= {
        "row": np.arange(count),
        "runtime_s": runtime,
        "gang": gangs.astype(np.int32),
        "estimate_s": estimates(stream(seed, kind.name, "estimate"), planned * factor),
        "ready_s": jobs["ready_s"] + runtime,
        "deadline_s": _deadlines(kind, jobs, runtime, planned * factor, asked.into_release_s),
    }
    return jobs | _constants(kind, count) | _data(kind, seed, jobs, asked.owners)


def _submissions(kind: Kind, asked: KindBudget, seed: int, parents: list[Columns]) -> Columns:
    """Submissions, the jobs they follow, and when these may end at the earliest (`ready_s`)."""
    rng = stream(seed, kind.name, "arrivals")
    if kind.follows:
        rows, ready, submit = (
            np.repeat(np.concatenate([parent[name] for parent in parents]), kind.each)
            for name in ("row", "ready_s", "submit_s")
        )
        submit += rng.integers(1, HABITS.follow_s + 1, len(submit))
        submit = np.minimum(submit, len(asked.units) * HOUR_S - 1)
        return {"submit_s": submit, "after": rows, "ready_s": ready}
    weights, expected = asked.arrivals(kind)
    if kind.burst_k is None:
        submit = spaced(rng, weights, expected)
    else:
        submit = bursty(rng, weights, expected, kind.burst_k)
    return {"submit_s": submit, "after": _throughout(-1, len(submit)), "ready_s": submit}


def _run_times(kind: Kind, seed: int, gangs: Array) -> tuple[Array, Array]:
    """Run times in seconds (above 0) as planned and as they came out."""
    drawn = kind.run.draw(stream(seed, kind.name, "run"), gangs)
    share = kind.ends.shorten(stream(seed, kind.name, "end"), len(gangs))
    if kind.run.measured:
        return np.minimum(drawn / share, kind.run.limit_s), drawn
    return drawn, drawn * share


def _deadlines(kind: Kind, jobs: Columns, runtime: Array, planned: Array, into_release_s: int) -> Array:
    """Deadlines (-1: none): the first release that leaves time, or `due` times the plan after submission."""
    if kind.release_h is not None:
        release_s = kind.release_h * HOUR_S
        latest = into_release_s + jobs["ready_s"] + HABITS.deadline_slack * runtime
        return np.asarray((latest // release_s + 1).astype(np.int64) * release_s - into_release_s)
    if kind.due is not None:
        return np.asarray(jobs["submit_s"] + np.ceil(kind.due * planned).astype(np.int64))
    return _throughout(-1, len(runtime))


def _constants(kind: Kind, count: int) -> Columns:
    checkpoint = -1 if kind.checkpoint_s is None else kind.checkpoint_s
    return {
        "priority": _throughout(np.int32(kind.priority), count),
        "checkpoint_s": _throughout(checkpoint, count),
        "output_tb": _throughout(kind.output_gb / 1000, count),
    }


def _throughout(value: float | np.int32, count: int) -> Array:
    """Return a column of one value, which takes no memory."""
    return np.broadcast_to(value, count)


def _data(kind: Kind, seed: int, jobs: Columns, owners: Ints | None) -> Columns:
    """Owner (as an index), residency (1: owned) and data read."""
    count = len(jobs["gang"])
    hours = jobs["gang"] * jobs["runtime_s"] / HOUR_S
    normal = portable.standard_normal(stream(seed, kind.name, "data"), count)
    return {
        "owner": _owners(kind, stream(seed, kind.name, "owner").random(count), jobs, owners),
        "residency": (stream(seed, kind.name, "residency").random(count) < kind.owned_share).astype(np.int8),
        "input_tb": hours * kind.input_gb / 1000 * portable.exp(HABITS.data_sigma * normal),
    }


def _owners(kind: Kind, drawn: Floats, jobs: Columns, counts: Ints | None) -> Ints:
    """Return who asks, among those that there are in the hour of the submission."""
    ranks = 1 / np.arange(1, len(kind.owners) + 1)
    known = np.cumsum(ranks / ranks.sum())
    known /= known[-1]
    if counts is not None:
        drawn = drawn * known[counts[jobs["submit_s"] // HOUR_S] - 1]
    return np.searchsorted(known, drawn, side="right").astype(np.int32)
