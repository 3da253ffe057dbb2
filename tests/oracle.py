"""A second scheduler, slow and obvious, to hold the engine against: owned pods of one size, nothing rented.

It remembers who waits and who runs, and works out everything else anew whenever it is asked. Whoever an
outage stops has kept nothing, and waits again at once.
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


Device = tuple[int, int]
"""(pod, number in it)."""


class Outage(NamedTuple):
    """Devices of a pod, by number, that nobody new gets from `known_s` until `to_s`; at `from_s` all stop."""

    pod: int
    first: int
    devices: int
    known_s: int
    from_s: int
    to_s: int
    expected_s: int
    """When it should be over, as far as anybody knows."""

    def concerns(self, device: Device) -> bool:
        return device[0] == self.pod and self.first <= device[1] < self.first + self.devices


class Running(NamedTuple):
    """A gang on its pods."""

    row: int
    start_s: int
    end_s: int
    estimate_end_s: int
    share: Share
    devices: frozenset[Device]


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
        outages: Sequence[Outage] = (),
    ) -> None:
        self.rows, self.size, self.pods, self.key = rows, size, pods, key
        self.backfill, _, depth = backfill.partition(":")
        self.depth = int(depth or 0)
        self.place = place
        self.span_efficiency = Fraction(span_efficiency)
        self.keep_free = Fraction(keep_free)
        self.outages = outages
        self.now = -1
        self.coming = set(range(len(rows)))
        self.waiting: set[int] = set()
        self.running: list[Running] = []
        self.ended_s: dict[int | None, int] = {None: 0}
        self.placed: list[Placed] = []

    def schedule(self) -> list[Placed]:
        """Return where and when each row ran, by number; more than once where it was stopped."""
        while self.coming or self.waiting or self.running:
            self.now = int(min(instant for instant in self._instants() if instant > self.now))
            for gang in self.running[:]:
                self._end_or_stop(gang)
            arrived = {row for row in self.coming if self._ready_s(row) <= self.now}
            self.coming -= arrived
            self.waiting |= arrived
            while (choice := self._next()) is not None:
                self._start(*choice)
        return sorted(self.placed)

    def _instants(self) -> Iterator[float]:
        yield from (gang.end_s for gang in self.running)
        for row in self.coming:
            yield from (self.rows[row]["submit_s"], self._ready_s(row))
        for outage in self.outages:
            yield from (outage.known_s, outage.from_s, outage.to_s)

    def _end_or_stop(self, gang: Running) -> None:
        stopped = any(
            outage.from_s == self.now and any(map(outage.concerns, gang.devices)) for outage in self.outages
        )
        if gang.end_s == self.now or stopped:
            self.running.remove(gang)
            self.placed.append((gang.row, gang.start_s, self.now, list(gang.share)))
            if gang.end_s == self.now:
                self.ended_s[gang.row] = self.now
            else:
                self.waiting.add(gang.row)

    def _ready_s(self, row: int) -> float:
        """Submission or, if later, its lag after the last end of those it follows: inf until they start."""
        submit_s, after = self.rows[row]["submit_s"], self.rows[row].get("after") or []
        ends = self.ended_s | {gang.row: gang.end_s for gang in self.running}
        lag_s = self.rows[row].get("after_lag_s") or 0
        return float(max([submit_s, *(ends.get(job, inf) + lag_s for job in after)]))

    def _start(self, row: int, share: Share) -> None:
        """The lowest numbers that are free in each pod."""
        end_s, due_s = (self.now + self._run_s(row, column) for column in ("runtime_s", "estimate_s"))
        devices = frozenset(device for pod, n in share.items() for device in self._free(pod)[:n])
        self.waiting.remove(row)
        self.running.append(Running(row, self.now, end_s, due_s, share, devices))

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
        free = sum(len(self._free(pod)) for pod in range(self.pods)) - self.rows[row]["gang"]
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
        free = [len(self._free(pod)) for pod in range(self.pods)]
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

    def _devices(self, pod: int) -> list[Device]:
        return [(pod, number) for number in range(self.size)]

    def _free(self, pod: int) -> list[Device]:
        return [device for device in self._devices(pod) if self._free_s(device) == self.now]

    def _free_s(self, device: Device) -> int:
        """When a device should be free: what should be over by now and is not will be in the next second."""
        due_s = [self._due_s(gang) for gang in self.running if device in gang.devices]
        due_s += [outage.expected_s for outage in self._known() if outage.concerns(device)]
        return max(self.now + 1, *due_s) if due_s else self.now

    def _due_s(self, gang: Running) -> int:
        """When a gang should end: at its estimate, or when an outage that is known stops it."""
        stops = (outage.from_s for outage in self._known() if any(map(outage.concerns, gang.devices)))
        return min([gang.estimate_end_s, *stops])

    def _known(self) -> list[Outage]:
        return [outage for outage in self.outages if outage.known_s <= self.now < outage.to_s]

    # EASY: the head alone holds a reservation

    def _easy(self, order: list[int]) -> tuple[int, Share] | None:
        shadow_s, spare = self._reservation(order[0])

        def may(pod: int, devices: int, run_s: int) -> bool:
            return pod not in spare or devices <= spare[pod] or self.now + run_s <= shadow_s

        return self._first(order, may)

    def _reservation(self, head: int) -> tuple[int, Share]:
        """The shadow time, and the devices that the head will leave of each pod that it will be on.

        It is the earliest instant at which the head fits if all devices are free when they should be. The
        rest of a spanning gang goes to the first pod possible, of those that have it free now if any, and
        whole pods are those empty soonest.
        """
        whole, rest = self._split(head)
        free_s = [[self._free_s(device) for device in self._devices(pod)] for pod in range(self.pods)]
        now = [len(self._free(pod)) for pod in range(self.pods)]
        for instant in sorted({second for pod in free_s for second in pod}):
            free = [sum(second <= instant for second in pod) for pod in free_s]
            empty = [pod for pod in range(self.pods) if free[pod] == self.size]
            empty.sort(key=lambda pod: max(free_s[pod]))
            for last in sorted(range(self.pods), key=lambda pod: now[pod] < rest):
                full = [pod for pod in empty if pod != last or not rest][:whole]
                if len(full) == whole and free[last] >= rest:
                    return instant, dict.fromkeys(full, 0) | ({last: free[last] - rest} if rest else {})
        raise AssertionError("an empty cluster holds everybody")

    # Conservative: the first `depth` hold reservations

    def _conservative(self, order: list[int]) -> tuple[int, Share] | None:
        plan = [
            Booking(pod, 1, self.now, free_s)
            for pod in range(self.pods)
            for device in self._devices(pod)
            if (free_s := self._free_s(device)) > self.now
        ]

        def may(pod: int, devices: int, run_s: int) -> bool:
            return self._holds(plan, pod, devices, self.now, run_s)

        for row in order[: self.depth]:
            if share := self._room(row, may):
                return row, share
            plan += self._earliest(row, plan)
        return self._first(order, may)

    def _earliest(self, row: int, plan: list[Booking]) -> list[Booking]:
        """Where the row fits into the plan soonest: something must end at that instant.

        The rest of a spanning gang goes to the first pod possible, of those that have it free from now on if
        any, and whole pods are those empty soonest.
        """
        whole, rest = self._split(row)
        run_s = self._run_s(row, "estimate_s")
        instants = sorted({self.now, *(booking.end_s for booking in plan)})

        def since_s(pod: int, devices: int) -> int:
            """From when on the pod has so many devices free until the row would end."""
            return next(at for at in instants if self._holds(plan, pod, devices, at, start_s + run_s - at))

        for start_s in instants:
            empty = [pod for pod in range(self.pods) if self._holds(plan, pod, self.size, start_s, run_s)]
            empty.sort(key=lambda pod: since_s(pod, self.size))
            able = [pod for pod in range(self.pods) if self._holds(plan, pod, rest, start_s, run_s)]
            for last in sorted(able, key=lambda pod: since_s(pod, rest) > self.now):
                full = [pod for pod in empty if pod != last or not rest][:whole]
                if len(full) == whole:
                    share = dict.fromkeys(full, self.size) | ({last: rest} if rest else {})
                    return [Booking(pod, n, start_s, start_s + run_s) for pod, n in share.items()]
        raise AssertionError("an empty cluster holds everybody")

    def _holds(self, plan: list[Booking], pod: int, devices: int, start_s: int, run_s: int) -> bool:
        """Whether so many devices of the pod are free all the while: it is enough to look at each start."""
        here = [booking for booking in plan if booking.pod == pod]
        looks = {start_s} | {b.start_s for b in here if start_s < b.start_s < start_s + run_s}
        taken = (sum(b.devices for b in here if b.start_s <= look < b.end_s) for look in looks)
        return max(taken) + devices <= self.size
