"""A policy tried beside the built-in ones of its seam, in paired differences, part by part of each suite."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.policy.files import in_file
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.compare.differences import CompareError, Difference, compare
from scheduler.study.compare.statistics import holm
from scheduler.study.trial.confined import ConfinedResult, ConfinedTask, TrialLimits, run_confined
from scheduler.study.trial.suites import SUITES, World, worlds
from traces.errors import nearest

TRIED_METRICS = ("wait_mean_s", "slowdown_mean", "usd_avoidable")
"""Compared unless others are asked for."""
BUILT_IN = {
    "order": ("fcfs", "sjf", "smallest", "f1", "wfp3"),
    "first": ("first=owned", "first=rented", "reserve:0.2"),
    "place": ("best_fit", "worst_fit", "first_fit"),
    "backfill": ("backfill=none", "easy", "greedy", "conservative"),
    "patience": ("never", "at_once", "after:4h", "per_work:0.05"),
    "offer": ("cheapest", "fastest", "spot_fallback"),
    "preempt": ("nobody", "by_order", "by_priority"),
    "repatriate": ("stay", "at_checkpoint", "when_cheaper"),
}
"""Of each seam those that a policy is tried beside, unless others are named."""


class PolicyTrial(NamedTuple):
    """What is asked."""

    spec: str
    suites: tuple[str, ...]
    seeds: int
    """Worlds in each part of a suite."""
    trace: Path | None
    against: tuple[str, ...]
    """Without any, the built-in ones of the seam."""
    metrics: tuple[str, ...]
    limits: TrialLimits


class Cost(NamedTuple):
    """What a policy took over all worlds."""

    policy: str
    cpu_s: float
    memory_mb: float


class TrialVerdict(NamedTuple):
    """What the policy changes in one part of a suite beside a built-in one."""

    suite: str
    part: str
    against: str
    difference: Difference


class TrialAnswer(NamedTuple):
    """What came out."""

    trial: PolicyTrial
    seam: str
    rows: list[dict[str, Any]]
    """`suite`, `part`, `seed` and `policy`, with the figures compared."""
    verdicts: list[TrialVerdict]
    costs: list[Cost]
    """The policy's first."""


def try_policy(trial: PolicyTrial, folder: Path, workers: int) -> TrialAnswer:
    """Run a policy and those beside it, each in a process of its own; `folder` takes what they share.

    Raises PolicyError where the policy fails or goes beyond its limits, and CompareError.
    """
    places = _places(trial, folder)
    for _suite, _part, world in places:
        jobs_of_cell(world.under({}), folder)  # once, so that no policy pays for it
    found = in_file(trial.spec.partition("=")[2] if "=" in trial.spec else trial.spec)
    file = None if found is None else found.path.resolve()
    tried = run_confined(_task(trial, trial.spec, file, places, folder))
    others = trial.against or BUILT_IN.get(tried.seam, ())
    tasks = [_task(trial, spec, None, places, folder) for spec in others if spec != trial.spec]
    with ThreadPoolExecutor(workers) as executor:
        results = {trial.spec: tried} | dict(
            zip((task.spec for task in tasks), executor.map(run_confined, tasks), strict=True)
        )
    rows = _rows(trial, places, results)
    return TrialAnswer(
        trial=trial,
        seam=tried.seam,
        rows=rows,
        verdicts=_verdicts(trial, rows, [task.spec for task in tasks]),
        costs=[Cost(spec, result.cpu_s, result.memory_mb) for spec, result in results.items()],
    )


def _places(trial: PolicyTrial, folder: Path) -> list[tuple[str, str, World]]:
    """Return suite, part and world of all runs."""
    for suite in trial.suites:
        if suite not in SUITES:
            raise CompareError(
                f'suite "{suite}": unknown{nearest(suite, SUITES)} (allowed: {", ".join(SUITES)})'
            )
    return [
        (suite, part, world)
        for suite in trial.suites
        for part, those in worlds(suite, trial.seeds, trial.trace, folder).items()
        for world in those
    ]


def _task(
    trial: PolicyTrial, spec: str, file: Path | None, places: Sequence[tuple[str, str, World]], folder: Path
) -> ConfinedTask:
    return ConfinedTask(spec, file, [world for _suite, _part, world in places], folder, trial.limits)


def _rows(
    trial: PolicyTrial, places: Sequence[tuple[str, str, World]], results: dict[str, ConfinedResult]
) -> list[dict[str, Any]]:
    """Return a row for each policy and world; raises CompareError for a figure that runs do not have."""
    known = results[trial.spec].figures[0]
    for metric in trial.metrics:
        if not isinstance(known.get(metric), (int, float)):
            raise CompareError(f'metric "{metric}": unknown{nearest(metric, known)}')
    return [
        {"suite": suite, "part": part, "seed": world.seed, "policy": spec}
        | {metric: figures[metric] for metric in trial.metrics}
        for spec, result in results.items()
        for (suite, part, world), figures in zip(places, result.figures, strict=True)
    ]


def _verdicts(trial: PolicyTrial, rows: list[dict[str, Any]], others: Sequence[str]) -> list[TrialVerdict]:
    """Judge the policy beside each other one; p is adjusted for all that is claimed at once."""
    parts = dict.fromkeys((row["suite"], row["part"]) for row in rows)
    found = [
        TrialVerdict(suite, part, other, one)
        for suite, part in parts
        for other in others
        for one in _beside(trial, rows, (suite, part), other)
    ]
    adjusted = holm(np.array([verdict.difference.p for verdict in found]))
    return [
        verdict._replace(difference=verdict.difference._replace(adjusted_p=float(p)))
        for verdict, p in zip(found, adjusted, strict=True)
    ]


def _beside(
    trial: PolicyTrial, rows: list[dict[str, Any]], part: tuple[str, str], other: str
) -> list[Difference]:
    table = pa.Table.from_pylist([row for row in rows if (row["suite"], row["part"]) == part])
    return compare(table, other, trial.metrics, policies=[trial.spec])
