"""The arithmetic of checkpoints: how long an attempt lasts, what it keeps when stopped, how often to write.

An attempt works for `interval_s`, writes a checkpoint for `cost_s` in which no work is done, works again,
and so on; none is written at the very end, where the result itself is. All in whole seconds on the attempt's
own devices, so that work and writing add up to what has elapsed, exactly.

J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
Computer Systems 22 (2006) 303-312, doi 10.1016/j.future.2004.11.016.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, expm1, sqrt
from typing import NamedTuple

from scheduler.scenario.jobs import CheckpointSpec
from traces.times import parse_seconds


class CheckpointPlan(NamedTuple):
    """How often an attempt writes a checkpoint, and what one costs.

    `interval_s` is work between two checkpoints, at least 1; None: it writes none and cannot be saved.
    `cost_s` is what writing one takes.
    """

    interval_s: int | None
    cost_s: int


class Progress(NamedTuple):
    """What became of an attempt's seconds so far: `worked_s` and `writing_s` add up to those that elapsed.

    `worked_s` is work, saved or not; `saved_s` work up to the last finished checkpoint; `writing_s` what went
    into checkpoints, an unfinished one included.
    """

    worked_s: int
    saved_s: int
    writing_s: int


_NEVER_S = 1 << 50
"""Seconds of work that no attempt has."""


def length_s(work_s: int, plan: CheckpointPlan) -> int:
    """Return what an attempt with `work_s` of work, at least 1, lasts if nothing happens to it."""
    return work_s + _checkpoints(work_s, plan) * plan.cost_s


def progress(elapsed_s: int, work_s: int, plan: CheckpointPlan) -> Progress:
    """Return how far an attempt has come `elapsed_s` after its work began, from 0 to its length.

    A checkpoint that is finished at that very second counts.
    """
    interval_s, cost_s = plan
    if interval_s is None:
        return Progress(elapsed_s, 0, 0)
    finished = min(elapsed_s // (interval_s + cost_s), _checkpoints(work_s, plan))
    saved_s = finished * interval_s
    worked_s = saved_s + min(interval_s, elapsed_s - finished * (interval_s + cost_s))
    return Progress(worked_s, saved_s, elapsed_s - worked_s)


def next_checkpoint_s(elapsed_s: int, work_s: int, plan: CheckpointPlan) -> int | None:
    """Return when, counted as `elapsed_s` is, the next checkpoint after it will be finished; None: never."""
    if plan.interval_s is None:
        return None
    cycle_s = plan.interval_s + plan.cost_s
    number = elapsed_s // cycle_s + 1
    return number * cycle_s if number <= _checkpoints(work_s, plan) else None


def _checkpoints(work_s: int, plan: CheckpointPlan) -> int:
    return 0 if plan.interval_s is None else (work_s - 1) // plan.interval_s


def plan_of(
    spec: CheckpointSpec, own_s: int | None, run_s: Callable[[int], int], hazard_per_s: float
) -> CheckpointPlan:
    """Return the plan of an attempt, as the scenario says.

    `own_s` is the job's own interval in reference seconds (None: it writes no checkpoints), which `run_s`
    turns into seconds on the attempt's devices; the other intervals are counted on these anyway.
    `hazard_per_s` is the rate at which something stops the attempt; without a hazard, `daly` never comes to
    write one by itself, but can still save an attempt that must give way.
    Daly's interval is rounded to whole seconds, at least 1: where writing costs nothing the formula gives 0,
    and checkpoints are written every second.
    """
    match spec.interval:
        case "none":
            interval_s = None
        case "trace":
            interval_s = None if own_s is None else run_s(own_s)
        case "daly":
            best_s = daly_s(1 / hazard_per_s, spec.cost_s) if hazard_per_s else _NEVER_S
            interval_s = max(1, round(best_s))
        case duration:
            interval_s = round(parse_seconds(duration))
    return CheckpointPlan(interval_s, spec.cost_s)


def daly_s(mtbf_s: float, cost_s: float) -> float:
    """Return the seconds of work between checkpoints that make a long run the shortest: Daly's equation 37.

    With M = `mtbf_s`, the mean time between failures, and d = `cost_s`, what a checkpoint costs:
    sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + (d / 2M) / 9) - d where d < 2M, and M from there on. What a restart
    takes does not matter. The run is at most 0.2% longer than at the true optimum, and where d <= M / 2,
    at most 0.002% (found numerically, and held by the tests).
    """
    if cost_s >= 2 * mtbf_s:
        return mtbf_s
    ratio = cost_s / (2 * mtbf_s)
    return sqrt(2 * cost_s * mtbf_s) * (1 + sqrt(ratio) / 3 + ratio / 9) - cost_s


def expected_s(work_s: float, interval_s: float, cost_s: float, restart_s: float, mtbf_s: float) -> float:
    """Return the mean time from the start to the result of `work_s` of work, under exponential failures.

    A failure costs what was done since the last checkpoint, and a restart, which may fail as well; new
    devices are at hand at once. With M = `mtbf_s` and R = `restart_s`, a segment of L seconds takes
    M e^(R/M) (e^(L/M) - 1) in the mean: its first try ends, done or failed, after M (1 - e^(-L/M)); if it
    failed, of which the probability is 1 - e^(-L/M), it goes on until R + L seconds pass without a failure,
    for M (e^((R+L)/M) - 1). The exponential forgets, so segments add up: each is an interval and its
    checkpoint, but the last is the rest of the work alone.

    Daly has work / interval segments with a checkpoint each, M e^(R/M) (e^((interval + cost)/M) - 1)
    work / interval, which is what this tends to as the work grows. Without checkpoints, let `interval_s` be
    `work_s`. Raises OverflowError where a segment is some 700 M long.
    """
    checkpoints = ceil(work_s / interval_s) - 1
    rest_s = work_s - checkpoints * interval_s
    segments = checkpoints * expm1((interval_s + cost_s) / mtbf_s) + expm1(rest_s / mtbf_s)
    return mtbf_s * exp(restart_s / mtbf_s) * segments
