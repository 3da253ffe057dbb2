"""How tables and lists are put behind each other in the memory of a lane."""

from __future__ import annotations

import numpy as np

from scheduler.engine.fast.memory import BRANCHES, RUN_SIZE
from traces.arrays import Ints


class Layout:
    """Blocks one after another, the run's own record first; at the end they are one array."""

    def __init__(self) -> None:
        self.run = np.zeros(RUN_SIZE, np.int64)
        self._blocks, self._size = [(0, self.run)], RUN_SIZE

    def put(self, block: Ints) -> int:
        """Put a block behind the others; return where it begins. It may be filled later."""
        self._blocks.append((self._size, block.reshape(-1)))
        return self.room(block.size)

    def room(self, size: int) -> int:
        """Leave room for so many integers, 0 at first; return where it begins."""
        self._size += size
        return self._size - size

    def table(self, count: int, width: int) -> tuple[Ints, int]:
        """Return a new table of records, to be filled, and where it begins."""
        table = np.zeros((count, width), np.int64)
        return table, self.put(table)

    def memory(self) -> Ints:
        """Return the whole; its parts are gone then, as both together would be the most that a run holds."""
        whole = np.zeros(self._size, np.int64)  # pages that nobody writes to cost nothing
        while self._blocks:
            begin, block = self._blocks.pop()
            whole[begin : begin + block.size] = block
        return whole


def level_lengths(leaves: int) -> list[int]:
    """Return the lengths of the levels of a tree, each but the root's filled up to whole nodes."""
    lengths = []
    while leaves > 1:
        lengths.append(leaves + -leaves % BRANCHES)
        leaves = lengths[-1] // BRANCHES
    return [*lengths, 1]
