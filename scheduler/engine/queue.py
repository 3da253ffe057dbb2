"""Waiting jobs, kept in order, and one line for all that need the same.

A gang that fits nowhere blocks its whole line, so a pass costs what fits, not what waits. Jobs leave
lazily: an entry is dead once its job waits no more, and is passed over where it is met.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush, merge
from math import inf
from operator import attrgetter

from scheduler.engine.jobs import Job, Shape
from scheduler.engine.line import Line, QueueEntry
from scheduler.engine.need import Need


class Queue:
    """Waiting jobs, lowest (score, job_id) first; `waits[job.turn]` says whether a job still waits."""

    def __init__(self, waits: bytearray) -> None:
        self._waits = waits
        self._heap: list[QueueEntry] = []

    def push(self, entry: QueueEntry) -> None:
        """Let a job wait."""
        heappush(self._heap, entry)

    def head(self) -> QueueEntry | None:
        """Return the first in order, or None where nobody waits."""
        heap, waits = self._heap, self._waits
        while heap:
            if waits[heap[0][2].turn]:
                return heap[0]
            heappop(heap)
        return None

    def in_order(self) -> Iterator[Job]:
        """Yield everybody who waits, first first."""
        return (entry[2] for entry in self.entries())

    def entries(self) -> Iterator[QueueEntry]:
        """Yield the entries of all who wait, first first."""
        return (entry for entry in sorted(self._heap) if self._waits[entry[2].turn])


class LinedQueue:
    """A queue that also finds the first job for which there is room; `needs` says what a shape takes.

    Where `within` is given, jobs that may leave are barred, and passed over, while they take as many devices
    as it says or more.
    """

    def __init__(
        self,
        waits: bytearray,
        needs: Callable[[Shape], Sequence[Need]],
        within: Callable[[], float] | None = None,
    ) -> None:
        self._waits = waits
        self._needs = needs
        self._within = within
        self._lines: list[Line] = []
        """By what they need at least, ascending."""
        self._line_of: dict[Shape, Line] = {}
        self._line_for: dict[tuple[object, ...], Line] = {}
        self._head: QueueEntry | None = None
        """As far as it is known, and still waits."""

    def push(self, entry: QueueEntry) -> None:
        """Let a job wait."""
        shape = entry[2].shape
        line = self._line_of.get(shape) or self._new_line(shape)
        line.push(entry)
        if self._head is not None and entry < self._head:
            self._head = entry

    def head(self) -> QueueEntry | None:
        """Return the first in order, or None where nobody waits."""
        head, waits = self._head, self._waits
        if self._within is not None:
            within = self._within()
            heads = [found for line in self._lines if line.barred < within and (found := line.head(waits))]
            return min(heads, default=None)
        if head is None or not waits[head[2].turn]:
            heads = [head for line in self._lines if (head := line.head(waits)) is not None]
            self._head = head = min(heads, default=None)
        return head

    def pop(self, job: Job) -> QueueEntry:
        """Take out a job that is the first living one of its line."""
        return self._line_of[job.shape].pop(self._waits)

    def _new_line(self, shape: Shape) -> Line:
        needs = self._needs(shape)
        barred = shape.most if self._within is not None and shape.rented else -inf
        key = (barred, *((need.column, need.devices, need.factor, need.opens_s) for need in needs))
        line = self._line_for.get(key)
        if line is None:
            line = self._line_for[key] = Line(shape, min(need.least for need in needs), barred)
            insort(self._lines, line, key=attrgetter("least"))
        self._line_of[shape] = line
        return line

    def in_order(self) -> Iterator[Job]:
        """Yield everybody who waits, first first."""
        return (entry[2] for entry in self.entries())

    def entries(self) -> Iterator[QueueEntry]:
        """Yield the entries of all who wait, first first."""
        return merge(*(line.living(self._waits) for line in self._lines))

    def heads(self) -> list[Job]:
        """Return the first of each line, first first."""
        heads = (line.head(self._waits) for line in self._lines)
        return [entry[2] for entry in sorted(entry for entry in heads if entry is not None)]

    def first(self, free: float, room: Callable[[Shape], float]) -> Job | None:
        """Return the first job in order whose estimate is within the room of its line, in seconds.

        `free` is the most that any one pod or offer has, which rules out most lines; `room` is asked of the
        others: 0 where such a gang fits nowhere now.
        """
        best: QueueEntry | None = None
        within = inf if self._within is None else self._within()
        for line in self._lines:
            if line.least > free:
                break
            if not line.entries or line.barred >= within:
                continue
            head = line.head(self._waits)
            if head is None or (best is not None and best < head) or not (limit := room(line.shape)):
                continue
            found = head if limit == inf else line.within(limit, self._waits)
            if found is not None and (best is None or found < best):
                best = found
        return best and best[2]
