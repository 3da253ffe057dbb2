"""Build or buy as asked: each reading of the pod by itself, all of them together, and GPU islands beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scheduler.catalog import Catalog
from scheduler.money.economics.inputs import EconomicsError, Input, inputs
from scheduler.money.economics.model import Case, Outcome, outcome
from scheduler.money.economics.montecarlo import at_mid, draw_inputs, draw_readings
from scheduler.money.economics.readings import Reading, islands, readings
from traces.arrays import Bools, Ints
from traces.errors import nearest

WEIGHT = "weight."
"""What the name of a reading's weight begins with."""
OF_THE_POD = ("owned_pflops", "capital_usd", "busy_kw", "idle_kw", "owned_mfu")
"""Inputs that belong to what is owned: set for the pod, they are not set for the islands beside it."""


class Asked(NamedTuple):
    """What is compared."""

    pod: str
    """A pod of the catalog, or an ExaPOD in all its readings."""
    offer: str
    kind: str
    """Kind of job."""
    measured: Input | None = None
    """The utilization of a run."""
    overrides: tuple[str, ...] = ()


class ReadingAnswer(NamedTuple):
    """One reading: its inputs, what they come to at mid, and in which of its draws owning is cheaper."""

    reading: Reading
    weight: float
    inputs: Mapping[str, Input]
    point: Outcome
    cheaper: Bools

    @property
    def difference(self) -> float:
        """Owned - rented USD per PFLOP-day, at mid."""
        return float(self.point.difference_usd_per_pflop_day)


class Comparison(NamedTuple):
    """The answers by reading, those of the islands beside, and all draws of the readings together."""

    answers: Sequence[ReadingAnswer]
    beside: Sequence[ReadingAnswer]
    which: Ints
    """The number of the reading of each draw."""
    draws: Case
    result: Outcome

    @property
    def weighted(self) -> list[ReadingAnswer]:
        """The answers that count, the most in favour of owning first, by owned - rented at mid."""
        return sorted((each for each in self.answers if each.weight), key=lambda each: each.difference)

    @property
    def middle(self) -> ReadingAnswer:
        """The reading that half the weight has on either side of it, by owned - rented at mid."""
        reached = np.cumsum([each.weight for each in self.weighted])
        return self.weighted[int(np.searchsorted(reached, 0.5 - 1e-9))]

    @property
    def cheaper(self) -> Bools:
        """In which draws owning is cheaper."""
        return np.asarray(self.result.difference_usd_per_pflop_day) < 0


def compare_owning(catalog: Catalog, asked: Asked, *, draws: int, seed: int) -> Comparison:
    """ReadingAnswer build or buy; raises EconomicsError or CatalogError."""
    found = readings(catalog, asked.pod)
    weights = _weights(found, asked.overrides)
    plain = [text for text in asked.overrides if not text.strip().startswith(WEIGHT)]
    given = [_inputs(catalog, each, asked, plain) for each in found]
    which = draw_readings(weights, draws, seed)
    drawn = draw_inputs(given, which, seed)
    result = outcome(drawn)
    cheaper = np.asarray(result.difference_usd_per_pflop_day) < 0
    answers = [
        ReadingAnswer(reading, weight, of, outcome(at_mid(of)), cheaper[which == number])
        for number, (reading, weight, of) in enumerate(zip(found, weights, given, strict=True))
    ]
    general = [text for text in plain if text.partition("=")[0].strip() not in OF_THE_POD]
    beside = [
        _alone(island, _inputs(catalog, island, asked, general), draws, seed)
        for island in islands(catalog)
        if island.key != asked.pod
    ]
    return Comparison(answers, beside, which, drawn, result)


def _inputs(catalog: Catalog, reading: Reading, asked: Asked, overrides: Sequence[str]) -> dict[str, Input]:
    return inputs(
        catalog,
        reading,
        offer=asked.offer,
        kind=asked.kind,
        measured=asked.measured,
        overrides=overrides,
    )


def _alone(reading: Reading, given: Mapping[str, Input], draws: int, seed: int) -> ReadingAnswer:
    drawn = outcome(draw_inputs([given], np.zeros(draws, np.int64), seed))
    cheaper = np.asarray(drawn.difference_usd_per_pflop_day) < 0
    return ReadingAnswer(reading, 0.0, given, outcome(at_mid(given)), cheaper)


def _weights(found: Sequence[Reading], overrides: Iterable[str]) -> list[float]:
    """Return the weights, which add up to 1; `weight.KEY=NUMBER` gives one, beside those of the others."""
    weights = {each.key: each.weight for each in found}
    for text in overrides:
        name, _, value = (part.strip() for part in text.partition("="))
        if name.startswith(WEIGHT):
            key = name.removeprefix(WEIGHT)
            if key not in weights:
                raise EconomicsError(f'--set "{text}": unknown reading "{key}"{nearest(key, weights)}')
            weights[key] = _weight(text, value)
    total = sum(weights.values())
    if not total:
        raise EconomicsError("weights: one at least must be above 0")
    return [weight / total for weight in weights.values()]


def _weight(text: str, value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 1e6:
        raise EconomicsError(f'--set "{text}": must be a number from 0 to 1e+06')
    return weight
