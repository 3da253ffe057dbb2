"""Pods that are to leave, which nobody is given who would outlive them by its estimate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from scheduler.engine.owned.pools import PodNeed
from scheduler.stock.pools import PoolStock
from traces.arrays import Ints

Outlived = tuple[tuple[int, tuple[int, ...]], ...]
"""By pool the seconds at which pods leave that one would outlive; pools without any are left out."""

Piece = tuple[Outlived, Ints, Ints, Ints]
"""(what one would outlive, places of spans, from when, until when)."""


def leaving_s(pools: Sequence[PoolStock]) -> dict[int, list[int]]:
    """Return by pool the seconds at which pods of it retire; those of a pool that closes drain instead."""
    dates = {
        at: sorted(
            {batch.retired_s for batch in pool.batches if batch.retired_s is not None and not batch.closed}
        )
        for at, pool in enumerate(pools)
    }
    return {at: seconds for at, seconds in dates.items() if seconds}


def by_outlived(
    needs: Sequence[PodNeed], dates: Mapping[int, Sequence[int]], estimate_s: Ints, from_s: Ints, to_s: Ints
) -> Iterator[Piece]:
    """Yield the pieces of spans in which who waits, with such estimates, would outlive the same pods."""
    runs = [
        (need.pool.index, second, need.runs_s(estimate_s))
        for need in needs
        for second in dates.get(need.pool.index, ())
    ]
    meets = np.zeros(len(from_s), bool)
    for _, second, run_s in runs:
        meets |= (second - run_s < to_s - 1) & (second > from_s)
    yield (), (rest := np.flatnonzero(~meets)), from_s[rest], to_s[rest]
    pieces: dict[Outlived, list[tuple[int, int, int]]] = defaultdict(list)
    for place in np.flatnonzero(meets).tolist():
        late = [(pool, second - int(run_s[place]) + 1, second) for pool, second, run_s in runs]
        for piece in _cut(late, int(from_s[place]), int(to_s[place])):
            pieces[piece[0]].append((place, *piece[1:]))
    for outlived, rows in pieces.items():
        yield outlived, *np.array(rows).T


def _cut(late: Sequence[tuple[int, int, int]], from_s: int, to_s: int) -> Iterator[tuple[Outlived, int, int]]:
    """Cut a span by (pool, from when it is too late to start there, when the pods leave)."""
    inside = {second for _, *ends in late for second in ends if from_s < second < to_s}
    ends = sorted({from_s, to_s} | inside)
    for begin_s, end_s in pairwise(ends):
        by_pool: dict[int, list[int]] = defaultdict(list)
        for pool, late_s, leaves_s in late:
            if late_s <= begin_s < leaves_s:
                by_pool[pool].append(leaves_s)
        yield tuple((pool, tuple(seconds)) for pool, seconds in by_pool.items()), begin_s, end_s
