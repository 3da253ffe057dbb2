"""Shared links and data gravity: transfers that share a line alike, and what is staged where.

A link is processor sharing (Kleinrock, "Time-shared systems: a theoretical treatment", JACM 1967): of n
transfers in flight, each has an n-th of the bandwidth. Virtual time tells for all of them at once how far
they are, as in Parekh and Gallager's fluid model of fair queueing (IEEE/ACM Trans. on Networking, 1993).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import ceil, inf
from typing import Literal, NamedTuple

from simpy import Environment
from simpy.events import Event, Timeout

from scheduler.engine.jobs import Job
from scheduler.stock.stock import GBIT_PER_TB

_LATE_S = 1e-6
"""What is through this little after a whole second counts as through at it, as floats are not exact."""


class Transfer:
    """What one direction of a link has to move for one job: `tb` TB, and then `done` is called.

    It is through when the link's virtual time has come from `since_tb` to `since_tb + tb`. `final_tb` is what
    it moved in all once it is through or cancelled, and None before.
    """

    __slots__ = ("done", "final_tb", "since_tb", "tb")

    def __init__(self, tb: float, since_tb: float, done: Callable[[Transfer], None]) -> None:
        self.tb = tb
        self.since_tb = since_tb
        self.done = done
        self.final_tb: float | None = None


class Link:
    """One direction of a line between our site and some offers; its transfers in flight share it alike.

    Its virtual time is what a transfer would have moved that was in flight all the while, in TB. Shares
    change at the very moment at which a transfer is through, also between two seconds; `done` is called at
    the next whole second. Each start, end and cancellation costs O(log n) with n in flight.
    """

    def __init__(self, env: Environment, gbps: float) -> None:
        self._env = env
        self._tb_per_s = gbps / GBIT_PER_TB
        self._heap: list[tuple[float, int, Transfer]] = []
        self._numbers = count()
        self._in_flight = 0
        self._virtual_tb = 0.0
        self._now_s = int(env.now)
        self._through: deque[Transfer] = deque()
        self._next_s: float = inf
        self.woken: Callable[[Event], None] | None = None
        """Called after each timer: it may be the last event of an instant."""

    def start(self, tb: float, done: Callable[[Transfer], None]) -> Transfer:
        """Begin to move `tb` TB, more than 0; `done` is called once the last byte is through."""
        assert tb > 0
        self._advance()
        if not self._in_flight:  # small numbers are the more exact ones
            self._virtual_tb = 0.0
            self._heap.clear()
        transfer = Transfer(tb, self._virtual_tb, done)
        heappush(self._heap, (self._virtual_tb + tb, next(self._numbers), transfer))
        self._in_flight += 1
        self._set()
        return transfer

    def cancel(self, transfer: Transfer) -> float:
        """Move no more of it, and return what it moved, in TB; `done` is not called any more."""
        moved_tb = self.moved_tb(transfer)
        if transfer.final_tb is None:
            self._leaves(transfer, moved_tb)
            self._set()
        elif transfer in self._through:
            self._through.remove(transfer)
        return moved_tb

    def moved_tb(self, transfer: Transfer) -> float:
        """Return what it has moved so far, in TB."""
        self._advance()
        if transfer.final_tb is not None:
            return transfer.final_tb
        return self._virtual_tb - transfer.since_tb

    def seconds(self, tb: float) -> int:
        """Return how long `tb` TB, more than 0, would take from now if nobody joined or was cancelled.

        Until then the link moves these, and of each transfer in flight what is left, but no more than `tb`.
        """
        self._advance()
        left = (end_tb - self._virtual_tb for end_tb, _, other in self._heap if other.final_tb is None)
        return self._whole_s((tb + sum(min(tb, left_tb) for left_tb in left)) / self._tb_per_s)

    def _advance(self) -> None:
        """Bring virtual time up to now; it changes pace wherever a transfer is through."""
        left_s: float = self._env.now - self._now_s
        self._now_s = int(self._env.now)
        if not left_s:
            return
        while (first := self._first()) is not None:
            lasts_s = self._lasts_s(first)
            if lasts_s > left_s + _LATE_S:
                break
            left_s -= lasts_s
            self._virtual_tb = heappop(self._heap)[0]
            self._leaves(first, first.tb)
            self._through.append(first)
        if self._in_flight:
            self._virtual_tb += max(0.0, left_s) * self._tb_per_s / self._in_flight

    def _leaves(self, transfer: Transfer, moved_tb: float) -> None:
        transfer.final_tb = moved_tb
        self._in_flight -= 1

    def _first(self) -> Transfer | None:
        """Return who is through next if nothing changes, and forget those before that were cancelled."""
        while self._heap and self._heap[0][2].final_tb is not None:
            heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def _lasts_s(self, transfer: Transfer) -> float:
        """Return how long it has to go while those in flight stay the same."""
        left_tb = transfer.since_tb + transfer.tb - self._virtual_tb
        return left_tb * self._in_flight / self._tb_per_s

    @staticmethod
    def _whole_s(seconds: float) -> int:
        """Round up: whatever is moved takes a second."""
        return max(1, ceil(seconds - _LATE_S))

    def _set(self) -> None:
        """Let the one timer ring in time; one that rings too early sets itself anew."""
        first = self._first()
        if self._through:
            at_s = self._now_s
        elif first is not None:
            at_s = self._now_s + self._whole_s(self._lasts_s(first))
        else:
            return
        if at_s < self._next_s:
            self._next_s = at_s
            Timeout(self._env, at_s - self._now_s).callbacks.append(self._ring)

    def _ring(self, event: Event) -> None:
        if self._env.now >= self._next_s:  # else an earlier timer has taken over
            self._next_s = inf
            self._advance()
            while self._through:
                transfer = self._through.popleft()
                transfer.done(transfer)
            self._set()
        if self.woken is not None:
            self.woken(event)


class Store:
    """What is staged where: data gravity. A data set that is in a region is not moved there again.

    With "job" each job has a data set of its own, which serves all its attempts. With "kind" the jobs of one
    owner and kind read one data set from its beginning, each as much as its input, so the largest part there
    counts. Jobs know nothing of what others stage at the same time: each moves what is missing as it starts.
    """

    def __init__(self, shared_by: Literal["job", "kind"]) -> None:
        self._by_kind = shared_by == "kind"
        self._there_tb: dict[tuple[str, int] | tuple[str, str, str], float] = {}

    def missing_tb(self, region: str, job: Job) -> float:
        """Return what of the job's input is not in the region, in TB."""
        return max(0.0, job.input_tb - self._there_tb.get(self._key(region, job), 0.0))

    def staged(self, region: str, job: Job, left_tb: float) -> None:
        """Note that all of the job's input but `left_tb` TB is there."""
        key = self._key(region, job)
        self._there_tb[key] = max(self._there_tb.get(key, 0.0), job.input_tb - left_tb)

    def _key(self, region: str, job: Job) -> tuple[str, int] | tuple[str, str, str]:
        return (region, job.owner, job.kind) if self._by_kind else (region, job.row)


class Wire(NamedTuple):
    """How an offer is connected: a line there, a line back, and what is staged in its region."""

    there: Link
    back: Link
    store: Store
    region: str

    def missing_tb(self, job: Job) -> float:
        """Return what of the job's input is not in the region yet."""
        return self.store.missing_tb(self.region, job)

    def forecast_s(self, job: Job) -> int:
        """Return how long the staging would take if it began now."""
        missing_tb = self.missing_tb(job)
        return self.there.seconds(missing_tb) if missing_tb else 0
