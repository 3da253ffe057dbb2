"""How close a scenario comes to a record, and what would bring it closer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from scheduler.fidelity.additions import rentals, spans
from scheduler.fidelity.beyond import closed_hours, missing_jobs, owner_counts, start_up
from scheduler.fidelity.closings import downtime
from scheduler.fidelity.comparison import FidelityError, FidelityErrors, compare
from scheduler.fidelity.habits import backfill, kills, order
from scheduler.fidelity.limits import owner_limits, queue_limits, unused_devices
from scheduler.fidelity.rules import Findings
from scheduler.fidelity.trials import Trial, changed, together, tried
from scheduler.replay.engines import RECORD
from scheduler.replay.replay import replay
from scheduler.replay.setup import Setup
from traces.record import Record

RULES = (
    *(rentals, spans, downtime, owner_limits, queue_limits, unused_devices, order, backfill, kills),
    *(owner_counts, start_up, closed_hours, missing_jobs),
)
"""Each yields what it finds; those that can be simulated first."""

TrialProgress = Callable[[str, int, int | None], None]


class FidelityAnswer(NamedTuple):
    """A simulation beside a record."""

    comparison: FidelityErrors
    reason_s: dict[str, int]
    """Where the waits of the record went, in seconds of all jobs, by `REASONS`."""
    trials: Sequence[Trial]
    """What the record is consistent with, what closes most first; none where every start is the same."""
    together: Trial | None
    """All that closed something, at once."""


def fidelity(setup: Setup, folder: Path, progress: TrialProgress) -> FidelityAnswer:
    """Simulate, compare with the record of the trace, and look for what would explain the rest.

    Runs are made under `folder`. Raises TraceError for a trace without a record, RecordError where the pools
    are too small for it, and FidelityError where nothing can be compared.
    """
    Record.of(setup.trace)
    _check(setup)
    progress("record", 0, None)
    was = replay(changed(setup, ["fair_weather=true"]), folder / "record", engine=RECORD)
    progress("simulation", 1, None)
    would = replay(setup, folder / "simulation")
    comparison = compare(was, would, setup.trace.past_midnight_s)
    findings = Findings.of(setup, was, would)
    reason_s = {reason: int(waited_s.sum()) for reason, waited_s in findings.waits.reason_s.items()}
    if comparison.is_exact:
        return FidelityAnswer(comparison, reason_s, (), None)
    rules = list(chain.from_iterable(rule(findings) for rule in RULES))
    trials = []
    for done, rule in enumerate(rules):
        progress(rule.name, 2 + done, 3 + len(rules))
        trials.append(tried(setup, was, comparison, rule, folder))
    trials.sort(key=_rank)
    progress("together", 2 + len(rules), 3 + len(rules))
    both = together(trials)
    return FidelityAnswer(comparison, reason_s, trials, both and tried(setup, was, comparison, both, folder))


def _rank(trial: Trial) -> tuple[bool, float, float]:
    """Order by what was closed, then by the waits that might have been for it."""
    return trial.comparison is None, -trial.helps, -(trial.rule.waited_s or 0)


def _check(setup: Setup) -> None:
    scenario = setup.scenario
    if not setup.stock.pools:
        raise FidelityError("the scenario has no pools: a record is of owned devices")
    for key in ("market", "loops", "edge"):
        if getattr(scenario, key):
            raise FidelityError(f"{key}: no record has such jobs; leave it out")
    if scenario.bound != "none":
        raise FidelityError(f'bound "{scenario.bound}": what is bounded cannot be recorded; leave it out')
