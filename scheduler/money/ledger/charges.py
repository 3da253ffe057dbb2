"""Rows of the ledger by charge period, and the cells of time in which no rate changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from scheduler.run.columns import CHARGED_TO, LINES, SPEND
from traces.arrays import Floats, Ints, word_column
from traces.step_function import row_at

Values = TypeVar("Values", Ints, Floats)

_NAMES, _UNITS = list(LINES), sorted(set(LINES.values()))
_UNIT_OF_LINE = np.array([_UNITS.index(unit) for unit in LINES.values()])


class Cells:
    """Time from the start of the run to `last_s`, cut where charge periods start and at `changes` of rates.

    What lies beyond the last charge period counts to it.
    """

    def __init__(self, periods: Ints, last_s: int, *changes: Ints) -> None:
        cuts = np.concatenate(changes)
        inside = cuts[(cuts > periods[0]) & (cuts < last_s)]
        self.edges = np.unique(np.concatenate([periods, inside, [last_s]]))
        self.start_s, self.width_s = self.edges[:-1], np.diff(self.edges)
        self._firsts = np.searchsorted(self.start_s, periods)

    def by_period(self, values: Values) -> Values:
        """Add up the cells of each charge period."""
        return np.add.reduceat(values, self._firsts)


class Charges:
    """Charges as they are found, by period; what has no quantity is left out."""

    def __init__(self, resources: Sequence[str], periods: Ints, bearers: Sequence[str] = CHARGED_TO) -> None:
        self.periods = periods
        self._resources = list(resources)
        self._bearers = {bearer: code for code, bearer in enumerate(bearers)}
        self._codes: list[Ints] = []
        self._amounts: list[Floats] = []

    def at(self, time_s: Ints, quantity: Floats) -> Floats:
        """Add up by period what happens at instants; an instant after the last period counts to it."""
        period = row_at(self.periods, time_s)
        return np.asarray(np.bincount(period, quantity, len(self.periods)), np.float64)

    def add(self, resource: str, line: str, charged_to: str, quantity: Floats, usd: Floats) -> None:
        """Add a row for each charge period that has some."""
        period = np.flatnonzero(quantity)
        codes = self._resources.index(resource), _NAMES.index(line), self._bearers[charged_to]
        self._codes.append(np.stack([period, *(np.full(len(period), code) for code in codes)]))
        self._amounts.append(np.stack([quantity[period], usd[period]]))

    def table(self) -> pa.Table:
        """Return the rows by period, then resource, line and bearer in their own order."""
        codes = np.concatenate([np.zeros((4, 0), np.int64), *self._codes], axis=1)
        amounts = np.concatenate([np.zeros((2, 0)), *self._amounts], axis=1)
        order = np.lexsort(codes[::-1])
        codes, amounts = _summed(codes[:, order], amounts[:, order])
        (period, resource, line, charged_to), (quantity, usd) = codes, amounts
        return pa.table(
            {
                "period_s": self.periods[period],
                "resource": word_column(resource, self._resources),
                "line": word_column(line, _NAMES),
                "charged_to": word_column(charged_to, [*self._bearers]),
                "quantity": quantity,
                "unit": word_column(_UNIT_OF_LINE[line], _UNITS),
                "usd": usd,
            },
            schema=SPEND,
        )


def _summed(codes: Ints, amounts: Floats) -> tuple[Ints, Floats]:
    """Add up the columns of equal codes, which are neighbours."""
    first = np.flatnonzero((np.diff(codes, axis=1, prepend=-1) != 0).any(axis=0))
    if len(first) == codes.shape[1]:
        return codes, amounts
    return codes[:, first], np.add.reduceat(amounts, first, axis=1)
