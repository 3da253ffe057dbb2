"""Policies and bounds over the same jobs, until enough is known: what `exaburst compare` does.

Replications are seeds of the demand, each of which all policies meet: common random numbers. A trace has no
seeds; its replications are the weeks of one run (batch means: Law, "Simulation Modeling and Analysis").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from msgspec.structs import replace

from scheduler.money.ledger.rates import Calendar
from scheduler.scenario import Scenario
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.contest import Arena, ContestRow
from scheduler.study.compare.differences import METRICS, CompareError, Difference, compare
from scheduler.study.compare.statistics import FEWEST
from scheduler.study.compare.windows import Window, window
from traces.parquet import write_batches
from traces.times import DAY_S, HOUR_S
from traces.trace import Trace
from workloads import demand_of
from workloads.generate import EPOCH

BATCH = 5
"""Seeds that are added at a time."""
BEFORE_STOPPING = 10
"""With fewer seeds the spread is not known well enough to stop by it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which policies are compared, on what, and when enough is known."""

    scenario: Scenario
    policies: tuple[str, ...]
    """Compact names, the baseline first."""
    metrics: tuple[str, ...] = ()
    """Without any, those of `METRICS` that are not 0 throughout."""
    seeds: int = 20
    """From the scenario's own on."""
    trace: Path | None = None
    """Its weeks take the place of seeds."""
    warmup_s: int | None = None
    cooldown_s: int | None = None
    halfwidth: float | None = None
    """Seeds are added until half the interval of the first metric is at most this share of the baseline."""
    budget: int = 100
    """Most seeds, where they are added."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came out."""

    question: Question
    length_s: int
    """Of the demand, up to the horizon."""
    windows: tuple[Window, ...]
    """What is measured: one for all seeds, or each week of a trace."""
    metrics: tuple[str, ...]
    rows: list[ContestRow]
    """For each policy and replication, named `seed`, its figures, and how low they could be (see `Arena`)."""
    bounds: tuple[str, ...]
    """Policies in the rows that are bounds."""
    differences: list[Difference]


def compare_policies(question: Question, folder: Path, workers: Workers, progress: StudyProgress) -> Answer:
    """Run policies and bounds, add seeds where that is asked for, and judge the differences.

    `folder` keeps the figures of the runs, which are used again. Raises PolicyError, WindowError and
    CompareError for what cannot be compared, and CompareError where a run fails.
    """
    named = contenders(question)
    length_s, windows = measured_windows(question)
    arena = Arena(windows, question.trace, question.metrics or METRICS, folder, workers, progress)
    count = question.seeds
    rows = arena.rows(named, count)
    while not enough(rows, question, count):
        count = min(count + BATCH, question.budget)
        rows = arena.rows(named, count)
    free = {name: named[name] for name in question.policies if named[name].bound == "none"}
    if free:
        rows = arena.beside_least(rows, free)
    metrics = question.metrics or tuple(
        metric for metric in METRICS if any(row[metric] for row in rows if row["policy"] in question.policies)
    )
    return Answer(
        question=question,
        length_s=length_s,
        windows=windows,
        metrics=metrics,
        rows=rows,
        bounds=tuple(name for name in named if name not in question.policies),
        differences=judge(rows, question, metrics),
    )


def contenders(question: Question) -> dict[str, Scenario]:
    """Return the scenario under each policy and, behind them, under the bounds; raises PolicyError."""
    scenario = question.scenario
    named = {spec: with_policy(scenario, parse_policy(spec)) for spec in question.policies}
    if scenario.bound == "none":
        hybrid = ("owned_only", "rented_only") if scenario.pools and scenario.offers else ()
        for name in (*hybrid, *(("unlimited_owned",) if scenario.pools else ())):
            named.setdefault(name, replace(scenario, bound=name))
    return named


def measured_windows(question: Question) -> tuple[int, tuple[Window, ...]]:
    """Return how long demand goes on, in seconds, and what is measured of it: of a trace, week by week."""
    scenario = question.scenario
    trace = None if question.trace is None else Trace.read(question.trace)
    if trace is None:
        asked_s, epoch = demand_of(scenario.demand).horizon_s, EPOCH
    else:
        asked_s, epoch = int(trace.numpy("submit_s").max(initial=0)) + 1, trace.epoch
    length_s = min(asked_s, scenario.horizon_s or asked_s)
    period_s = HOUR_S if scenario.money.charge_period == "hour" else DAY_S
    whole = window(length_s, Calendar.of(epoch), period_s, question.warmup_s, question.cooldown_s)
    if trace is None:
        return length_s, (whole,)
    weeks = tuple(whole.weeks())
    if len(weeks) < FEWEST:
        raise CompareError(
            f"{question.trace}: a trace is compared week by week, and has {len(weeks)} whole weeks between "
            f"warm-up and cool-down: needs {FEWEST}"
        )
    return length_s, weeks


def enough(rows: list[ContestRow], question: Question, count: int) -> bool:
    """Say whether seeds may stop: by the width of the intervals alone, whatever they hold."""
    if question.halfwidth is None or count >= question.budget:
        return True
    if count < BEFORE_STOPPING:
        return False
    differences = judge(rows, question, (question.metrics or METRICS)[:1])
    return all(each.t.halfwidth <= question.halfwidth * abs(each.baseline) for each in differences)


def judge(rows: list[ContestRow], question: Question, metrics: tuple[str, ...]) -> list[Difference]:
    """Compare the policies, without the bounds, with the first of them."""
    baseline, *others = question.policies
    return compare(pa.Table.from_pylist(rows), baseline, metrics, policies=others)


def write_answer(answer: Answer, file: Path) -> None:
    """Write the rows as Parquet; the file appears only once it is whole."""
    table = pa.Table.from_pylist(answer.rows)
    write_batches(file, table.schema, [table])
