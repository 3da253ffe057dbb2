"""A second scheduler, slow and obvious, to hold the engine against: owned pods of one size, nothing rented.

It remembers who waits and who runs, and works out everything else anew whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import Any, NamedTuple

Row = dict[str, Any]

Placed = tuple[int, int, int, list[int]]
"""(job_id, start_s, end_s, pods), whole pods first."""

Share = dict[int, int]
"""Devices by pod, whole pods first."""

May = Callable[[int, int, int], bool]
"""(pod, devices, seconds) -> whether so many may be taken there now, for so long."""


class Running(NamedTuple):
    """A gang on its pods."""

    end_s: int
    estimate_end_s: int
    share: Share


class Booking(NamedTuple):
    """Devices of a pod that are taken from `start_s` until `end_s`."""

    pod: int
    devices: int
    start_s: int
    end_s: int


class Oracle:
    """Schedules rows as `tests.build.job` makes them; their number is their job_id.

    `key` gives a row's score, lowest first. `backfill` is none, greedy, easy or conservative:depth.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        size: int,
        pods: int = 1,
        key: Callable[[Row], float] = lambda row: float(row["submit_s"]),
        backfill: str = "none",
        place: str = "best_fit",
        span_efficiency: str = "1",
        keep_free: str = "0",
    ) -> None:
        self.rows, self.size, self.pods, self.key = rows, size, pods, key
        self.backfill, _, depth = backfill.partition(":")
        self.depth = int(depth or 0)
        self.place = place
        self.span_efficiency = Fraction(span_efficiency)
        self.keep_free = Fraction(keep_free)
        self.now = 0
        self.coming = set(range(len(rows)))
        self.waiting: set[int] = set()
        self.running: list[Running] = []
        self.placed: list[Placed] = []

    def schedule(self) -> list[Placed]:
        """Return where and when each row ran, by number."""
        while self.coming or self.running:
            self.now = int(min(self._instants()))
            self.running = [gang for gang in self.running if gang.end_s > self.now]
            arrived = {row for row in self.coming if self._ready_s(row) <= self.now}
            self.coming -= arrived
            self.waiting |= arrived
            while (choice := self._next()) is not None:
                self._start(*choice)
        assert not self.waiting, "an empty cluster holds everybody"
        return sorted(self.placed)

    def _instants(self) -> Iterator[float]:
        yield from (gang.end_s for gang in self.running)
        yield from (self._ready_s(row) for row in self.coming)

    def _ready_s(self, row: int) -> float:
        """Submission or, if later, the end of the row it comes after: infinite until that has started."""
        submit_s: int = self.rows[row]["submit_s"]
        ends = {job: end_s for job, _, end_s, _ in self.placed} | {None: 0}
        return max(submit_s, ends.get(self.rows[row].get("after"), inf))

    def _start(self, row: int, share: Share) -> None:
        end_s = self.now + self._run_s(row, "runtime_s")
        self.waiting.remove(row)
        self.running.append(Running(end_s, self.now + self._run_s(row, "estimate_s"), share))
        self.placed.append((row, self.now, end_s, list(share)))

    def _run_s(self, row: int, column: str) -> int:
        seconds: int = self.rows[row][column]
        return ceil(seconds / self.span_efficiency) if self.rows[row]["gang"] > self.size else seconds

    # Who starts next, and where

    def _next(self) -> tuple[int, Share] | None:
        """The head, or else whom the backfill lets pass it."""
        order = sorted(self.waiting, key=lambda row: (self.key(self.rows[row]), row))
        order = [row for row in order if self._admitted(row)]
        start = self._first(order[:1], lambda *_: True)
        if start or not order or self.backfill == "none":
            return start
        if self.backfill == "greedy":
            return self._first(order, lambda *_: True)
        return self._easy(order) if self.backfill == "easy" else self._conservative(order)

    def _admitted(self, row: int) -> bool:
        """Whether enough stays free once a gang that may leave has started; others are always admitted."""
        free = sum(self._free(lambda gang: True)) - self.rows[row]["gang"]
        return (
            not self.keep_free
            or self.rows[row]["residency"] == "owned"
            or free > self.keep_free * self.size * self.pods
        )

    def _first(self, order: list[int], may: May) -> tuple[int, Share] | None:
        rooms = ((row, self._room(row, may)) for row in order)
        return next(((row, share) for row, share in rooms if share), None)

    def _room(self, row: int, may: May) -> Share | None:
        """Where the gang would start now, by the place policy."""
        free = self._free(lambda gang: True)
        score = {"best_fit": 1, "worst_fit": -1, "first_fit": 0}[self.place]
        ranked = sorted(range(self.pods), key=lambda pod: (score * free[pod], pod))
        run_s = self._run_s(row, "estimate_s")
        return self._share(row, ranked, lambda pod, n: free[pod] >= n and may(pod, n, run_s))

    def _share(self, row: int, ranked: Iterable[int], holds: Callable[[int, int], bool]) -> Share | None:
        """Whole pods, then the rest of the gang in one more: the first ones that hold so many devices."""
        whole, rest = self._split(row)
        ranked = list(ranked)
        full = [pod for pod in ranked if holds(pod, self.size)][:whole]
        last = [pod for pod in ranked if pod not in full and rest and holds(pod, rest)][:1]
        if len(full) < whole or len(last) < (rest > 0):
            return None
        return dict.fromkeys(full, self.size) | dict.fromkeys(last, rest)

    def _split(self, row: int) -> tuple[int, int]:
        gang = self.rows[row]["gang"]
        return divmod(gang, self.size) if gang > self.size else (0, gang)

    def _free(self, runs: Callable[[Running], bool]) -> list[int]:
        """Free devices by pod, if of those running only the gangs that `runs` picks still did."""
        free = [self.size] * self.pods
        for gang in filter(runs, self.running):
            for pod, devices in gang.share.items():
                free[pod] -= devices
        return free

    # EASY: the head alone holds a reservation

    def _easy(self, order: list[int]) -> tuple[int, Share] | None:
        shadow_s, spare = self._reservation(order[0])

        def may(pod: int, devices: int, run_s: int) -> bool:
            return pod not in spare or devices <= spare[pod] or self.now + run_s <= shadow_s

        return self._first(order, may)

    def _reservation(self, head: int) -> tuple[int, Share]:
        """The shadow time, and the devices that the head will leave of each pod that it will be on.

        It is the earliest instant at which the head fits if all end at their estimates, now if past them.
        The rest of a spanning gang goes to the first pod possible, and whole pods are those empty soonest.
        """
        whole, rest = self._split(head)
        for instant in sorted({max(gang.estimate_end_s, self.now) for gang in self.running}):
            free = self._free(lambda gang, at=instant: gang.estimate_end_s > at)  # type: ignore[misc]
            empty = [pod for pod in range(self.pods) if free[pod] == self.size]
            empty.sort(key=self._empty_s)
            for last in range(self.pods):
                full = [pod for pod in empty if pod != last or not rest][:whole]
                if len(full) == whole and free[last] >= rest:
                    return instant, dict.fromkeys(full, 0) | ({last: free[last] - rest} if rest else {})
        raise AssertionError("an empty cluster holds everybody")

    def _empty_s(self, pod: int) -> int:
        return max([self.now, *(gang.estimate_end_s for gang in self.running if pod in gang.share)])

    # Conservative: the first `depth` hold reservations

    def _conservative(self, order: list[int]) -> tuple[int, Share] | None:
        plan = [
            Booking(pod, devices, self.now, max(gang.estimate_end_s, self.now + 1))
            for gang in self.running
            for pod, devices in gang.share.items()
        ]

        def may(pod: int, devices: int, run_s: int) -> bool:
            return self._holds(plan, pod, devices, self.now, run_s)

        for row in order[: self.depth]:
            if share := self._room(row, may):
                return row, share
            plan += self._earliest(row, plan)
        return self._first(order, may)

    def _earliest(self, row: int, plan: list[Booking]) -> list[Booking]:
        """Where the row fits into the plan soonest: something must end at that instant."""
        run_s = self._run_s(row, "estimate_s")
        for start_s in sorted({booking.end_s for booking in plan}):
            share = self._share(
                row,
                range(self.pods),
                lambda pod, n, at=start_s: self._holds(plan, pod, n, at, run_s),  # type: ignore[misc]
            )
            if share:
                return [Booking(pod, n, start_s, start_s + run_s) for pod, n in share.items()]
        raise AssertionError("an empty cluster holds everybody")

    def _holds(self, plan: list[Booking], pod: int, devices: int, start_s: int, run_s: int) -> bool:
        """Whether so many devices of the pod are free all the while: it is enough to look at each start."""
        here = [booking for booking in plan if booking.pod == pod]
        looks = {start_s} | {b.start_s for b in here if start_s < b.start_s < start_s + run_s}
        taken = (sum(b.devices for b in here if b.start_s <= look < b.end_s) for look in looks)
        return max(taken) + devices <= self.size
