"""A line of waiting jobs that all need the same, and how the first that is short enough is found in it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf

from scheduler.engine.jobs import Job, Shape

QueueEntry = tuple[float, int, Job]
"""(score, job_id, job): sorts by score, ties to the lower job_id."""

_SLACK = 256
"""Dead entries that a line may keep at its front before it is cut."""

_LONG = 192
"""So many that are looked through one by one."""

BLOCK = 64
"""Jobs in a block, and blocks in a group."""


class Line:
    """Waiting jobs of equal needs, first first; `shape` is that of one of them.

    None of them can start before one pod or offer has `least` devices free, or while no more than `barred`
    may be taken.
    """

    __slots__ = ("_leasts", "_start", "barred", "entries", "least", "shape")

    def __init__(self, shape: Shape, least: int, barred: float) -> None:
        self.shape = shape
        self.least = least
        self.barred = barred
        self.entries: list[QueueEntry] = []
        """Empty where it is known that nobody waits."""
        self._start = 0
        self._leasts: Leasts | None = None
        """Of all entries, once the line was long when it was searched."""

    def push(self, entry: QueueEntry) -> None:
        """Insert an entry in order; at the end, as under first come first served, this is an append."""
        entries, at = self.entries, len(self.entries)
        if not entries or entries[-1] < entry:
            entries.append(entry)
        else:
            at = bisect(entries, entry, lo=self._start)
            entries.insert(at, entry)
        if self._leasts is not None:
            self._leasts.inserted(entries, at)

    def head(self, waits: bytearray) -> QueueEntry | None:
        """Return the first living entry."""
        entries, start = self.entries, self._start
        while start < len(entries):
            entry = entries[start]
            if waits[entry[2].turn]:
                self._start = start
                return entry
            start += 1
            if start > _SLACK and 2 * start > len(entries):
                del entries[:start]
                start, self._leasts = 0, None
        entries.clear()
        self._start, self._leasts = 0, None
        return None

    def pop(self, waits: bytearray) -> QueueEntry:
        """Take out the first living entry."""
        entry = self.head(waits)
        assert entry is not None
        self._start += 1
        return entry

    def within(self, limit: float, waits: bytearray) -> QueueEntry | None:
        """Return the first living entry whose estimate is at most `limit` seconds."""
        entries, start = self.entries, self._start
        if len(entries) - start > _LONG:
            return self._within_long(limit, waits)
        for entry in islice(entries, start, None):
            if entry[2].estimate_s <= limit and waits[entry[2].turn]:
                return entry
        return None

    def _within_long(self, limit: float, waits: bytearray) -> QueueEntry | None:
        """Look into those blocks only that may have one."""
        entries, leasts = self.entries, self._leasts
        if leasts is None:
            self._leasts = leasts = Leasts(entries)
        for block in leasts.blocks(limit, self._start // BLOCK):
            least = inf
            for entry in islice(entries, max(self._start, block * BLOCK), (block + 1) * BLOCK):
                if waits[entry[2].turn]:
                    if entry[2].estimate_s <= limit:
                        return entry
                    least = min(least, entry[2].estimate_s)
            leasts.tell(block, least)
        return None

    def living(self, waits: bytearray) -> Iterator[QueueEntry]:
        """Yield the living entries in order."""
        return (entry for entry in islice(self.entries, self._start, None) if waits[entry[2].turn])


class Leasts:
    """Lower bounds of the estimates in a line, by block of jobs and by group of blocks.

    They only fall as jobs come. Whoever finds nobody in a block says what its least is by then, as jobs leave
    without a word.
    """

    __slots__ = ("_blocks", "_groups")

    def __init__(self, entries: Sequence[QueueEntry]) -> None:
        estimates = [entry[2].estimate_s for entry in entries]
        self._blocks: list[float] = _by_block(estimates)
        self._groups = _by_block(self._blocks)

    def inserted(self, entries: Sequence[QueueEntry], at: int) -> None:
        """Follow the insertion of a job: the last of each later block has become the first of the next."""
        if len(entries) > BLOCK * len(self._blocks):
            self._blocks.append(inf)
        if len(self._blocks) > BLOCK * len(self._groups):
            self._groups.append(inf)
        block = at // BLOCK
        self._lower(block, entries[at][2].estimate_s)
        for later in range(block + 1, len(self._blocks)):
            self._lower(later, entries[later * BLOCK][2].estimate_s)

    def _lower(self, block: int, estimate_s: float) -> None:
        if estimate_s < self._blocks[block]:
            self._blocks[block] = estimate_s
            self._groups[block // BLOCK] = min(self._groups[block // BLOCK], estimate_s)

    def tell(self, block: int, least_s: float) -> None:
        """Take it that nobody in a block has a lower estimate."""
        self._blocks[block] = least_s

    def blocks(self, limit: float, start: int) -> Iterator[int]:
        """Yield the blocks, from one on, in which somebody's estimate may be within a limit."""
        blocks, groups = self._blocks, self._groups
        for group in range(start // BLOCK, len(groups)):
            if groups[group] <= limit:
                first, end = group * BLOCK, min(len(blocks), (group + 1) * BLOCK)
                for block in range(max(start, first), end):
                    if blocks[block] <= limit:
                        yield block
                groups[group] = min(blocks[first:end])


def _by_block(values: Sequence[float]) -> list[float]:
    return [min(values[at : at + BLOCK]) for at in range(0, len(values), BLOCK)]
