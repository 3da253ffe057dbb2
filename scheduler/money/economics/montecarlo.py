"""Build or buy under uncertainty: draws of all inputs at once, and one input at a time.

The reading of a draw comes first, by weight, then each input in the range that it has there, independently,
from a triangular distribution (Johnson, The Statistician 46, 1997: where three points are all that is known).
Both are drawn by Latin hypercube sampling (McKay, Beckman and Conover, Technometrics 21, 1979): one draw in
each slice of equal probability, so that few draws go far. Each input
has a stream of random numbers of its own: to change one leaves the draws of the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from scheduler.money.economics.inputs import Input
from scheduler.money.economics.model import Case, Outcome, outcome
from traces.arrays import Floats, Ints


class Bar(NamedTuple):
    """What one input does to a figure of the outcome, the others being at mid."""

    name: str
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """The distance between the two."""
        return abs(self.at_high - self.at_low)


def at_mid(inputs: Mapping[str, Input]) -> Case:
    """Return the case in which each input is at its most likely value."""
    return Case(**{name: each.mid for name, each in inputs.items()})


def draw_readings(weights: Sequence[float], draws: int, seed: int) -> Ints:
    """Return the number of the reading of each draw: each gets its share of the draws, to within two."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges[:-1] / edges[-1], _slices("reading", draws, seed), side="right").astype(
        np.int64
    )


def draw_inputs(readings: Sequence[Mapping[str, Input]], which: Ints, seed: int) -> Case:
    """Return a case of as many draws as `which`, (draws,), has: each of the inputs of its reading.

    The streams are those of the inputs, so two readings differ by nothing but their ranges.
    """
    return Case(**{name: _draw([of[name] for of in readings], which, seed) for name in readings[0]})


def _draw(given: Sequence[Input], which: Ints, seed: int) -> Floats:
    slices = _slices(given[0].name, len(which), seed)
    values = np.empty(len(which))
    for number, each in enumerate(given):
        here = which == number
        values[here] = triangular(slices[here], each.low, each.mid, each.high)
    return np.round(values) if given[0].whole else values


def _slices(name: str, draws: int, seed: int) -> Floats:
    """One probability in each of so many equal slices, in the order of the stream of that name."""
    stream = np.random.default_rng([seed, crc32(name.encode())])
    return (stream.permutation(draws) + stream.random(draws)) / draws


def triangular(probability: Floats, low: float, mode: float, high: float) -> Floats:
    """Return the quantiles of a triangular distribution; all of them `mode` where it has no width."""
    width = high - low
    if not width:
        return np.full(probability.shape, mode)
    below = np.sqrt(probability * width * (mode - low))
    above = np.sqrt((1 - probability) * width * (high - mode))
    return np.where(probability * width < mode - low, low + below, high - above)


def quantiles(values: Floats, at: Sequence[float] = (0.05, 0.5, 0.95)) -> list[float]:
    """Return quantiles that are values themselves, so that an infinite one may be among them.

    nan, an outcome without a rate of return, counts as less than any number.
    """
    ranked = np.where(np.isnan(values), -np.inf, values)
    return [float(value) for value in np.quantile(ranked, at, method="inverted_cdf")]


def tornado(inputs: Mapping[str, Input]) -> list[Bar]:
    """Return what each uncertain input does to owned - rented USD per PFLOP-day, the largest swing first."""
    uncertain = [name for name, each in inputs.items() if not each.is_certain]
    if not uncertain:
        return []
    values = {name: np.full(2 * len(uncertain), each.mid) for name, each in inputs.items()}
    for at, name in enumerate(uncertain):
        values[name][2 * at : 2 * at + 2] = inputs[name].low, inputs[name].high
    found = np.reshape(outcome(Case(**values)).difference_usd_per_pflop_day, (-1, 2))
    bars = [Bar(name, float(low), float(high)) for name, (low, high) in zip(uncertain, found, strict=True)]
    return sorted(bars, key=lambda bar: -bar.swing)


def rank_correlations(names: Iterable[str], case: Case, result: Outcome) -> dict[str, float]:
    """Return Spearman's rank correlation of the named inputs with owned - rented, over the draws."""
    import pandas as pd

    frame = pd.DataFrame({name: getattr(case, name) for name in names})
    found = frame.rank().corrwith(pd.Series(result.difference_usd_per_pflop_day).rank())
    return {str(name): float(value) for name, value in found.items()}
