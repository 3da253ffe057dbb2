"""Schedules of purchases, what they cost in present dollars, and how they serve.

A schedule says how many pods are in service in each quarter; what is bought is the rise from one to the next.
Nothing of a quarter depends on the pods of another one (see `quarters.py`), so the cost of a schedule is a
sum over quarters of what is bought then and of what running so many pods costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import AS_GIVEN, PERIOD_S, Evaluation, PriceFactors, Target
from scheduler.study.roadmap.commitments import CommittedTerm, paid_usd, spared_by
from traces.arrays import Floats


class Schedule(NamedTuple):
    """Pods in service in each quarter, never fewer than before, and when jobs burst."""

    pods: tuple[int, ...]
    burst: str

    def bought(self, present: int) -> tuple[int, ...]:
        """Return the pods bought at the start of each quarter, where so many are there before."""
        return tuple(np.diff(self.pods, prepend=present).tolist())

    def later(self, present: int) -> Schedule:
        """Return it with every purchase a quarter later; what would come after the end is not bought."""
        return self._replace(pods=(present, *self.pods[:-1]))


@dataclass(frozen=True, kw_only=True)
class ScheduleTerms:
    """What time and pods cost, by quarter."""

    seconds: tuple[int, ...]
    """Length of each."""
    discounts: tuple[float, ...]
    """What a dollar that is paid through a quarter is worth at the start."""
    pod_usd: tuple[float, ...]
    """What a pod bought as a quarter begins costs, less what it is sold for at the end; present dollars."""
    paid_usd: tuple[float, ...]
    """What is paid for it on delivery, not discounted."""
    sold_usd: tuple[float, ...]
    """What it is sold for at the end, not discounted."""
    prices: PriceFactors = AS_GIVEN
    """Of what runs and rents."""
    commitments: tuple[CommittedTerm, ...] = ()
    """Devices of offers that are paid for, used or not."""

    def running_usd(self, quarter: int, evaluation: Evaluation) -> Floats:
        """Return what running the pods of a quarter and renting costs in each seed, in present dollars."""
        return self.discounts[quarter] * self.cash_usd(quarter, evaluation)

    def cash_usd(self, quarter: int, evaluation: Evaluation) -> Floats:
        """Return the same, not discounted. Contracts cost as much more or less as rent does."""
        seconds = self.seconds[quarter]
        usd = evaluation.usd(self.prices) * (seconds / PERIOD_S)
        if self.commitments:
            spared = spared_by(self.commitments, quarter, evaluation.samples) * (seconds / PERIOD_S)
            usd = usd + self.prices.rent * (paid_usd(self.commitments, quarter, seconds) - spared)
        return np.asarray(usd, np.float64)

    def rent_usd(self, quarter: int, evaluation: Evaluation) -> Floats:
        """Return what of that is rent, on demand and by contract."""
        seconds = self.seconds[quarter]
        rent = np.array([sample.rent_usd for sample in evaluation.samples]) * (seconds / PERIOD_S)
        spared = spared_by(self.commitments, quarter, evaluation.samples) * (seconds / PERIOD_S)
        return np.asarray(self.prices.rent * (rent - spared + paid_usd(self.commitments, quarter, seconds)))


@dataclass(frozen=True)
class ScheduleOutcome:
    """A schedule over common seeds: the evaluation of each of its quarters."""

    schedule: Schedule
    quarters: tuple[Evaluation, ...]
    terms: ScheduleTerms
    present: int
    bounded: bool = False
    """Some of its quarters were not run with its pods: it costs at least, and waits at most, what is said."""

    def by_quarter(self) -> Floats:
        """Return present dollars by quarter and seed, those of purchases in the quarter of the delivery."""
        running = [self.terms.running_usd(at, each) for at, each in enumerate(self.quarters)]
        bought = np.array(self.schedule.bought(self.present)) * np.array(self.terms.pod_usd)
        return np.asarray(np.array(running) + bought[:, None], np.float64)

    def npv_usd(self) -> Floats:
        """Return the present value of its cost in each seed."""
        return np.asarray(self.by_quarter().sum(axis=0), np.float64)

    def uncommitted(self) -> ScheduleOutcome:
        """Return the same pods without commitments."""
        return replace(self, terms=replace(self.terms, commitments=()))

    def more_usd(self, than: ScheduleOutcome) -> Floats:
        """Return what it costs more than another, in each seed that both have."""
        usd, other = self.npv_usd(), than.npv_usd()
        seeds = min(len(usd), len(other))
        return np.asarray(usd[:seeds] - other[:seeds], np.float64)

    @property
    def mean_usd(self) -> float:
        """Mean present value of its cost."""
        return float(self.npv_usd().mean())

    def missed(self, target: Target) -> tuple[int, ...]:
        """Return the quarters that miss the target."""
        return tuple(at for at, each in enumerate(self.quarters) if not each.meets(target))

    @property
    def most_stranded(self) -> float:
        """Largest share of a quarter's compute that is left without a start."""
        return max(each.stranded for each in self.quarters)

    @property
    def sold_usd(self) -> float:
        """What is got at the end for the pods that are bought, not discounted."""
        return float(np.dot(self.schedule.bought(self.present), self.terms.sold_usd))

    def worst_wait_s(self, target: Target) -> float:
        """Return the target's percentile of waits in the quarter in which it is longest."""
        return max(each.wait_at(target.share) for each in self.quarters)


class Neighbour(NamedTuple):
    """A schedule one step away, and which step: `less`, `more`, `later` or `earlier`, in which quarter."""

    step: str
    quarter: int
    schedule: Schedule


def neighbours(schedule: Schedule, present: int, most: int) -> list[Neighbour]:
    """Return the schedules one step away: a pod less or more from a quarter on, a pod a quarter off.

    A step is told at quarters in which pods are bought, and a pod more at the first too.
    """
    pods, bought, last = schedule.pods, schedule.bought(present), len(schedule.pods) - 1
    steps = []
    for at, count in enumerate(bought):
        if count:
            steps.append(("less", at, at, last, -1))
            steps += [("later", at, at, at, -1)] if at < last else []
            steps += [("earlier", at, at - 1, at - 1, 1)] if at else []
        if count or not at:
            steps.append(("more", at, at, last, 1))
    found = [
        Neighbour(step, at, schedule._replace(pods=_moved(pods, first, until, by)))
        for step, at, first, until, by in steps
    ]
    return [each for each in found if min(each.schedule.pods) >= present and max(each.schedule.pods) <= most]


def _moved(pods: Sequence[int], first: int, until: int, by: int) -> tuple[int, ...]:
    return tuple(count + by * (first <= at <= until) for at, count in enumerate(pods))
