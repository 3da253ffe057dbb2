"""Where attempts are drawn: each in places of its own, as a gang in the devices that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from traces.arrays import Ints


class Block(NamedTuple):
    """Neighbouring places that one of those packed has for all of its time."""

    which: int
    first: int
    places: int


def packed(from_s: Ints, to_s: Ints, places: Ints) -> Iterator[Block]:
    """Give each its number of places from `from_s` to `to_s`, the lowest that are free, in blocks.

    Those that follow each other in time may share places; a gang that lasts no time has them too.
    """
    free: list[int] = []
    most, ends = 0, list[tuple[int, int]]()
    taken: dict[int, list[int]] = {}
    for which in np.argsort(from_s, kind="stable").tolist():
        while ends and ends[0][0] <= from_s[which]:
            for place in taken.pop(heappop(ends)[1]):
                heappush(free, place)
        wanted = int(places[which])
        if wanted > len(free):
            free += range(most, most + wanted - len(free))
            most = max(most, *free) + 1
            heapify(free)
        taken[which] = [heappop(free) for _ in range(wanted)]
        heappush(ends, (int(to_s[which]), which))
        yield from _blocks(which, taken[which])


def _blocks(which: int, places: list[int]) -> Iterator[Block]:
    """Put ascending places together where they are neighbours."""
    first = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield Block(which, places[first], at - first)
            first = at
