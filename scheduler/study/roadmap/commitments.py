"""Which devices of offers to commit to, from when to when: the cheapest terms beside a schedule of pods.

A commitment is taken or paid: it covers rented devices as the ledger does, up to its number at every instant,
in place of the price on demand. What that spares is known for all numbers at once (`run/rent_levels.py`), and
concave in them, so the cheapest terms are a linear program. Its columns are intervals of quarters, so it has
whole numbers for a solution (Nemhauser & Wolsey, "Integer and Combinatorial Optimization", 1988, III.1.2).
Jobs are not told: they rent as they would without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scheduler.study.plan.candidates import PERIOD_S, Evaluation, PlanError, Sample
from traces.arrays import Floats
from traces.times import HOUR_S

MONTHS_A_QUARTER = 3


class Contract(NamedTuple):
    """What may be agreed: devices of an offer for so many months, at a price, used or not."""

    offer: str
    months: int
    usd_per_device_h: float

    @property
    def quarters(self) -> int:
        """Quarters of its term."""
        return self.months // MONTHS_A_QUARTER


class CommittedTerm(NamedTuple):
    """A contract that is made: from which quarter on, for how many devices."""

    contract: Contract
    quarter: int
    devices: int

    def holds(self, quarter: int) -> bool:
        """Say whether a quarter is in its term."""
        return self.quarter <= quarter < self.quarter + self.contract.quarters


def spared_usd(levels: Sequence[tuple[int, float]], devices: int) -> float:
    """Return what so many committed devices spare of what was paid by level."""
    return sum(usd * min(1.0, devices / level) for level, usd in levels)


def committed(terms: Sequence[CommittedTerm], quarter: int) -> dict[str, int]:
    """Return the devices of each offer that are committed in a quarter."""
    found: dict[str, int] = {}
    for term in terms:
        if term.holds(quarter):
            found[term.contract.offer] = found.get(term.contract.offer, 0) + term.devices
    return found


def paid_usd(terms: Sequence[CommittedTerm], quarter: int, seconds: int) -> float:
    """Return what the terms cost in a quarter of so many seconds, used or not."""
    rates = [term.devices * term.contract.usd_per_device_h for term in terms if term.holds(quarter)]
    return sum(rates) * seconds / HOUR_S


def spared_by(terms: Sequence[CommittedTerm], quarter: int, samples: Sequence[Sample]) -> Floats:
    """Return what the terms spare in a quarter in each seed, in USD per `PERIOD_S`."""
    devices = committed(terms, quarter)
    return np.array(
        [
            sum(spared_usd(sample.rent_levels.get(offer, ()), count) for offer, count in devices.items())
            for sample in samples
        ],
        np.float64,
    )


def cheapest_terms(
    contracts: Sequence[Contract],
    evaluations: Sequence[Evaluation],
    seconds: Sequence[int],
    discounts: Sequence[float],
) -> tuple[CommittedTerm, ...]:
    """Return the terms that cost least beside what they spare in the mean over seeds, in present dollars.

    They end within the horizon. `evaluations` are those of the quarters, as long as `seconds`.
    """
    terms: list[CommittedTerm] = []
    for offer in dict.fromkeys(contract.offer for contract in contracts):
        slopes = [
            _slopes(evaluation, offer, discount * long / PERIOD_S)
            for evaluation, long, discount in zip(evaluations, seconds, discounts, strict=True)
        ]
        hours = [discount * long / HOUR_S for long, discount in zip(seconds, discounts, strict=True)]
        own = [contract for contract in contracts if contract.offer == offer]
        terms += _cheapest_of_offer(own, slopes, hours)
    return tuple(terms)


def _slopes(evaluation: Evaluation, offer: str, worth: float) -> list[tuple[int, float]]:
    """Return steps of devices, lowest first, and what each device of a step spares: ever less."""
    by_level: dict[int, float] = {}
    for sample in evaluation.samples:
        for level, usd in sample.rent_levels.get(offer, ()):
            by_level[level] = by_level.get(level, 0.0) + worth * usd / level / len(evaluation.samples)
    levels = sorted(by_level)
    above = np.cumsum([by_level[level] for level in reversed(levels)])[::-1]
    return [(int(step), float(usd)) for step, usd in zip(np.diff(levels, prepend=0), above, strict=True)]


def _cheapest_of_offer(
    contracts: Sequence[Contract], slopes: Sequence[Sequence[tuple[int, float]]], hours: Sequence[float]
) -> list[CommittedTerm]:
    from scipy.optimize import linprog
    from scipy.sparse import lil_array

    starts = [
        (contract, quarter)
        for contract in contracts
        for quarter in range(len(slopes) - contract.quarters + 1)
    ]
    steps = [(quarter, step, usd) for quarter, of_one in enumerate(slopes) for step, usd in of_one]
    if not starts or not steps:
        return []
    cost = [contract.usd_per_device_h * sum(hours[at : at + contract.quarters]) for contract, at in starts]
    rows = lil_array((len(slopes), len(starts) + len(steps)))
    for column, (contract, at) in enumerate(starts):
        rows[at : at + contract.quarters, [column]] = -1.0
    for column, (quarter, _, _) in enumerate(steps, len(starts)):
        rows[quarter, column] = 1.0  # what is covered is at most what is committed
    bounds = [(0.0, None)] * len(starts) + [(0.0, step) for _, step, _ in steps]
    objective = [*cost, *(-usd for _, _, usd in steps)]
    found = linprog(objective, A_ub=rows.tocsr(), b_ub=np.zeros(len(slopes)), bounds=bounds, method="highs")
    devices = np.rint(found.x[: len(starts)]).astype(int)
    return [
        CommittedTerm(contract, at, int(count))
        for (contract, at), count in zip(starts, devices, strict=True)
        if count
    ]


def contract_of(text: str, prices: Mapping[str, Mapping[int, float]]) -> Contract:
    """Read `OFFER:MONTHS[:USD]`; without a price it is the catalog's for that term. Raises PlanError.

    `prices` are the scenario's offers with what the catalog has for each term.
    """
    parts = text.split(":")
    if len(parts) not in (2, 3) or not parts[1].isdecimal():
        raise PlanError(f'--commit "{text}": must be OFFER:MONTHS or OFFER:MONTHS:USD, as in cloud:12:2.10')
    offer, months = parts[0], int(parts[1])
    if offer not in prices:
        allowed = ", ".join(prices) or "none, without contracts of its own and not spot"
        raise PlanError(f'--commit "{text}": no offer "{offer}" to commit to (allowed: {allowed})')
    if not months or months % MONTHS_A_QUARTER:
        raise PlanError(f'--commit "{text}": months: must be whole quarters, as 12 or 36')
    if len(parts) == 2:
        if months not in prices[offer]:
            raise PlanError(f'--commit "{text}": the catalog has no price for it: give one, as {text}:2.10')
        return Contract(offer, months, prices[offer][months])
    try:
        usd = float(parts[2])
    except ValueError:
        usd = -1.0
    if not 0 < usd < 1e6:
        raise PlanError(f'--commit "{text}": must have a price above 0, in USD a device-hour')
    return Contract(offer, months, usd)
