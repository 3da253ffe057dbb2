"""The same scenario with a rule that it lacked: how much closer it comes to the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from scheduler.fidelity.comparison import FidelityError, FidelityErrors, compare
from scheduler.fidelity.rules import UnmodelledRule
from scheduler.replay.replay import replay
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from scheduler.scenario.overrides import override
from scheduler.scenario.scenario import parse_scenario


class Trial(NamedTuple):
    """A rule, and what became of it."""

    rule: UnmodelledRule
    change: tuple[str, ...] = ()
    """The change of the scenario that came closest, as for `--set`."""
    comparison: FidelityErrors | None = None
    """What that gave; None: nothing was simulated."""
    closed: float | None = None
    """Share of the difference of the mean waits that is closed; below 0: it is larger than before."""
    nearer: float | None = None
    """Likewise of what the starts of a job differ by, on average."""

    @property
    def helps(self) -> float:
        """How much closer it comes: in mean waits, or in starts where these do not differ."""
        return (self.nearer if self.closed is None else self.closed) or 0.0


def changed(setup: Setup, change: Iterable[str]) -> Setup:
    """Return a set-up with its scenario changed, as by `--set`."""
    raw = msgspec.json.decode(msgspec.json.encode(setup.scenario))  # lists, not tuples: they are changed
    for each in change:
        override(raw, each)
    return Setup.of(parse_scenario(raw), setup.trace, setup.catalog)


def tried(setup: Setup, was: Run, base: FidelityErrors, rule: UnmodelledRule, folder: Path) -> Trial:
    """Simulate each way to say a rule, and return the one that closes most."""
    found = [Trial(rule)]
    for change in rule.tries:
        with TemporaryDirectory(dir=folder) as place:
            would = replay(changed(setup, change), Path(place))
            try:
                after = compare(was, would, setup.trace.past_midnight_s)
            except FidelityError:
                continue
        gaps = [(abs(each.all.bias_mean_s), each.start_error_s) for each in (base, after)]
        found.append(Trial(rule, change, after, *map(_closed, *gaps)))
    return max(found, key=lambda trial: (trial.comparison is not None, trial.helps, trial.nearer or 0.0))


def _closed(before_s: float, after_s: float) -> float | None:
    """Return the share of a difference that is closed; None where there was none."""
    return 1 - after_s / before_s if before_s else None


def together(trials: Sequence[Trial]) -> UnmodelledRule | None:
    """Return all rules that closed something as one, each key changed once, in the order of the trials.

    None for fewer than two, and where one explains every start.
    """
    useful = [trial for trial in trials if trial.helps > 0]
    if any(trial.nearer == 1 for trial in useful):
        return None
    keys, change, names = set[str](), list[str](), list[str]()
    for trial in useful:
        ours = {each.partition("=")[0] for each in trial.change}
        if not ours & keys:
            keys |= ours
            change += trial.change
            names.append(trial.rule.name)
    if len(names) < 2:
        return None
    return UnmodelledRule("together", ", ".join(names), None, (tuple(change),))
