"""Policies and bounds over the same jobs, until enough is known: what `exaburst compare` does.

Replications are seeds of the demand, each of which all policies meet: common random numbers. Those of a trace
are the weeks of one run (batch means: Law, "Simulation Modeling and Analysis") or, where that is asked for,
seeds that draw its weeks anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from msgspec.structs import replace

from scheduler.money.ledger.rates import Calendar
from scheduler.run.groups import figure_of
from scheduler.scenario import Scenario, run_start_s
from scheduler.study.cells.compute import kept_jobs
from scheduler.study.cells.log import LogDraws, LogWish, log_draws
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from scheduler.study.compare.contest import Arena, ContestRow
from scheduler.study.compare.differences import METRICS, CompareError, Difference, compare
from scheduler.study.compare.statistics import FEWEST
from scheduler.study.compare.windows import Measurement, Window, busy_weeks, window
from scheduler.study.sweep.results import FIGURES
from scheduler.study.sweep.study_cells import MOST_CELLS
from traces.confidence import BlocksDrawn
from traces.errors import nearest
from traces.parquet import write_batches
from traces.submissions import ALL_TIME, Cut, TimeRange, cut
from traces.times import DAY_S, HOUR_S, parse_moment
from traces.trace import Trace
from workloads import demand_of

BATCH = 5
"""Seeds that are added at a time."""
BEFORE_STOPPING = 10
"""With fewer pairs the spread is not known well enough to stop by it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which policies are compared, on what, and when enough is known."""

    scenario: Scenario
    policies: tuple[str, ...]
    """Compact names, the baseline first."""
    metrics: tuple[str, ...] = ()
    """Without any, those of `METRICS` that are not 0 throughout; `FIGURE@COLUMN` is one a word."""
    seeds: int = 20
    """From the scenario's own on."""
    trace: Path | None = None
    """Its weeks take the place of seeds."""
    draws: LogWish | None = None
    """Of the trace, which then has seeds again: each draws its blocks anew."""
    part: TimeRange = ALL_TIME
    """Of the trace."""
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
    measured: Measurement
    """A part for all seeds, or each week of a trace."""
    log: LogDraws | None
    """What seeds draw their jobs from, if that is a trace."""
    cut: Cut | None
    """Of the trace, which may be all of it."""
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
    _check_size(question, len(named))
    file, part = _jobs(question, folder)
    log = _draws(question, file, part)
    measured = measured_of(question, part and part.trace, log)
    drawn = log and log.drawn_within(measured.whole.to_s - measured.whole.from_s)
    arena = Arena(measured.parts, log or file, question.metrics or METRICS, folder, workers, progress)
    count = question.seeds
    rows = arena.rows(named, count)
    while not enough(rows, question, count, arena.metrics):
        count = min(count + BATCH, question.budget)
        rows = arena.rows(named, count)
    free = {name: named[name] for name in question.policies if named[name].bound == "none"}
    if free:
        rows = arena.beside_least(rows, free)
    metrics = arena.metrics
    if not question.metrics:
        ours = [row for row in rows if row["policy"] in question.policies]
        metrics = tuple(metric for metric in metrics if any(row[metric] for row in ours))
    return Answer(
        question=question,
        measured=measured,
        cut=part,
        metrics=metrics,
        rows=rows,
        bounds=tuple(name for name in named if name not in question.policies),
        differences=judge(rows, question, metrics, drawn),
        log=log,
    )


def _check_size(question: Question, contenders: int) -> None:
    """Raise CompareError for too many runs, and for figures that no run has, before any is run."""
    most = contenders * max(question.seeds, question.budget if question.halfwidth else 0)
    if (question.trace is None or question.draws is not None) and most > MOST_CELLS:
        raise CompareError(f"{most:,} runs of policies, bounds and seeds: at most {MOST_CELLS:,}")
    for metric in question.metrics:
        if (figure := figure_of(metric)) not in FIGURES:
            raise CompareError(f'metric "{metric}": unknown{nearest(figure, FIGURES)}')


def _jobs(question: Question, folder: Path) -> tuple[Path | None, Cut | None]:
    """Return the file of the trace, if there is one, and what it holds; a part is kept as the cells' own."""
    if question.trace is None:
        return None, None
    part = cut(Trace.read(question.trace), question.part)
    if question.part == ALL_TIME:
        return question.trace, part
    file = kept_jobs(folder, part.trace.sha256)
    file.parent.mkdir(parents=True, exist_ok=True)
    part.trace.write(file)
    return file, part


def _draws(question: Question, file: Path | None, part: Cut | None) -> LogDraws | None:
    """Return how seeds draw from the trace, if they do; raises TraceError for too few blocks."""
    if question.draws is None or question.trace is None or part is None:
        return None
    return log_draws(question.trace, part.trace, question.draws, question.scenario.horizon_s, file)


def contenders(question: Question) -> dict[str, Scenario]:
    """Return the scenario under each policy and, behind them, under the bounds; raises PolicyError."""
    scenario = question.scenario
    named = {spec: with_policy(scenario, parse_policy(spec)) for spec in question.policies}
    if scenario.bound == "none":
        hybrid = ("owned_only", "rented_only") if scenario.pools and scenario.offers else ()
        for name in (*hybrid, *(("unlimited_owned",) if scenario.pools else ())):
            named.setdefault(name, replace(scenario, bound=name))
    return named


def measured_of(question: Question, trace: Trace | None, log: LogDraws | None = None) -> Measurement:
    """Return what is measured of the demand or of draws of a log, or of a trace, week by week.

    Raises CompareError for a trace with too few weeks in which jobs are submitted.
    """
    scenario = question.scenario
    if trace is not None:
        start_s, epoch = run_start_s(scenario, trace), trace.epoch
        asked_s = trace.last_submit_s + 1 if log is None else log.blocks.from_s + log.resampling.length_s
    else:
        demand = demand_of(scenario.demand)
        start_s = 0 if scenario.start is None else parse_moment(scenario.start, demand.epoch)
        asked_s, epoch = demand.horizon_s, demand.epoch
    length_s = asked_s - start_s
    length_s = min(length_s, scenario.horizon_s or length_s)
    period_s = HOUR_S if scenario.money.charge_period == "hour" else DAY_S
    calendar = Calendar.of(epoch + timedelta(seconds=start_s))
    whole = window(length_s, calendar, period_s, question.warmup_s, question.cooldown_s).later(start_s)
    if trace is None or log is not None:
        return Measurement(start_s, length_s, whole, (whole,))
    weeks = whole.weeks()
    busy = busy_weeks(weeks, trace.numpy("submit_s"))
    if len(busy) < FEWEST:
        raise CompareError(
            f"{question.trace}: a trace is compared week by week, and has {len(busy)} whole weeks with jobs "
            f"between warm-up and cool-down: needs {FEWEST}, or --seeds to draw replications from its weeks"
        )
    return Measurement(start_s, length_s, Window(weeks[0].from_s, whole.to_s), busy)


def enough(rows: list[ContestRow], question: Question, count: int, metrics: tuple[str, ...]) -> bool:
    """Say whether seeds may stop: by the width of the first metric's intervals alone, whatever they hold."""
    if question.halfwidth is None or count >= question.budget:
        return True
    differences = judge(rows, question, metrics[:1])
    if any(each.pairs < BEFORE_STOPPING for each in differences):
        return False
    return all(each.t.halfwidth <= question.halfwidth * abs(each.baseline) for each in differences)


def judge(
    rows: list[ContestRow], question: Question, metrics: tuple[str, ...], drawn: BlocksDrawn | None = None
) -> list[Difference]:
    """Compare the policies, without the bounds, with the first of them."""
    baseline, *others = question.policies
    return compare(pa.Table.from_pylist(rows), baseline, metrics, policies=others, drawn=drawn)


def write_answer(answer: Answer, file: Path) -> None:
    """Write the rows as Parquet; the file appears only once it is whole."""
    table = pa.Table.from_pylist(answer.rows)
    write_batches(file, table.schema, [table])
