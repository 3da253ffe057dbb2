"""Jobs that a pool which closes leaves without any place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from scheduler.engine.jobs import Shape, shapes_by_row
from scheduler.replay.assembly import Assembly
from scheduler.replay.setup import Setup
from traces.numbers import count_of, minute


def about_closures(setup: Setup) -> Iterator[str]:
    """Say, for each pool that closes, how many jobs come after that and may go nowhere else, and which."""
    closes = {pool.name: closes_s for pool in setup.stock.pools if (closes_s := pool.closes_s()) is not None}
    if not closes:
        return
    trace = setup.trace
    codes, shapes = shapes_by_row(trace, cache(Assembly(setup).fit))
    lasts = np.array([_lasts_s(shape, closes) for shape in shapes])[codes]
    rows = np.flatnonzero(trace.numpy("submit_s") >= lasts)
    kinds = [shape.kind for shape in shapes[codes[rows]]]
    for name, closes_s in closes.items():
        theirs = lasts[rows] == closes_s
        if theirs.any():
            words = sorted({kind for kind, here in zip(kinds, theirs, strict=True) if here})
            yield (
                f"{name} closes at {minute(trace.instant(closes_s))} UTC: "
                f"{count_of(int(theirs.sum()), len(trace))} jobs come later and may go nowhere else, "
                f"of {', '.join(words)}; they will be rejected"
            )


def _lasts_s(shape: Shape, closes: dict[str, int]) -> float:
    """Return until when jobs of a shape have a place; those without any never had one to lose."""
    names = [need.pool.stock.name for need in shape.owned]
    return max((closes.get(name, np.inf) for name in names), default=np.inf) if not shape.rented else np.inf
