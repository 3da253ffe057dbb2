"""The slow scheduler with preemption, second by second, as docs/policies.md and docs/weather.md have it.

Owned pods of one size in fair weather; who may give way, what is lost, and what is held is worked out anew in
every second. A gang inside a pod tries every set of victims there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from tests.oracle import Device, May, Oracle, Row, Share
from tests.storms import worked_s

Tried = tuple[int, int, int, str, int, int, int, tuple[int, ...]]
"""(job_id, alloc_s, end_s, outcome, kept_s, checkpointing_s, lost_device_s, pods)."""


@dataclass(eq=False)
class Gang:
    """An attempt."""

    row: int
    alloc_s: int
    begin_s: int
    work_s: int
    interval_s: int | None
    end_s: int
    estimate_end_s: int
    share: Share
    saving_s: int | None = None
    devices: tuple[Device, ...] = ()

    @property
    def gang(self) -> int:
        return sum(self.share.values())


class Hold(NamedTuple):
    """Room that is made for a head."""

    head: int
    until_s: int
    guests_until_s: int
    victims: list[Gang]
    share: Share


class Rules(NamedTuple):
    """What a scenario says of checkpoints and preemption."""

    preempt: str = "by_priority"
    cost_s: int = 0
    restart_s: int = 0
    min_run_s: int = 0
    most_per_job: int | None = None
    most_per_h: int | None = None
    protected_share: float = 0.0


class PreemptingOracle(Oracle):
    """Rows change as jobs are interrupted: their run time and estimate are what is left of them.

    `level(row)` is the order's; `key` that of the moment at which a job begins to wait. With `shares`,
    those of the owners, the order is fair_share.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        rules: Rules,
        level: Callable[[Row], float] | None = None,
        shares: dict[str, float] | None = None,
        **more: Any,
    ) -> None:
        fresh = {"done_s": 0, "attained_device_s": 0, "preempted": 0}
        super().__init__([row | fresh for row in rows], **more)
        self.rows: list[Row] = list(self.rows)
        self.rules, self.level = rules, level or self.key
        self.running: list[Any]
        self.shares = shares
        self.finish_tags: dict[str, float] = {}
        self.virtual = 0.0
        self.hold: Hold | None = None
        self.let_down: set[int] = set()
        self.stops: list[int] = []
        self.tried: list[Tried] = []

    def attempts(self) -> list[Tried]:
        """Return every attempt, by job and time."""
        while self.coming or self.running or self.waiting:
            assert self.now < 100_000, "it never ends"
            over = [gang for gang in self.running if gang.end_s == self.now]
            for gang in over:
                self._over(gang, "finished", self.rows[gang.row]["runtime_s"], 0, gang.work_s)
            arrived = sorted(row for row in self.coming if self.rows[row]["submit_s"] == self.now)
            self.coming -= set(arrived)
            for row in arrived:
                self._wait(row)
            saved = self.hold is not None and self.hold.until_s == self.now
            self._pass(happens=bool(over or arrived or saved))
            self.now += 1
        return sorted(self.tried)

    def _wait(self, row: int) -> None:
        job = self.rows[row]
        job["score"] = self.key(job) if self.shares is None else self._tag(job)
        if self.shares is not None and not job["preempted"]:
            charge = job["gang"] * job["estimate_s"] / self.shares[job["owner"]]
            self.finish_tags[job["owner"]] = job["score"] + charge
        self.waiting.add(row)

    def _tag(self, job: Row) -> float:
        return max(self.virtual, self.finish_tags.get(job["owner"], 0.0))

    def _pass(self, *, happens: bool) -> None:
        """Somebody may give way in any second; but nobody passes where nothing happens."""
        passed = self._start_heads() or happens
        while passed:
            passed = False
            while (choice := self._passer()) is not None:
                self._start(*choice)
                passed = True
            self._start_heads()

    def _order(self) -> list[int]:
        return sorted(self.waiting, key=lambda row: (self.rows[row]["score"], row))

    def _start_heads(self) -> bool:
        started = False
        while order := self._order():
            share, back = self._room(order[0], lambda *_: True), []
            if share is None and (back := self._makes_room(order[0])):
                share = self._room(order[0], lambda *_: True)
                assert share is not None, "nobody stops in vain"
            if share is None:
                return started
            self._start(order[0], share)
            started = True
            for row in back:
                self._wait(row)
        self._call_off()
        return started

    def _start(self, row: int, share: Share) -> None:
        job, cost_s = self.rows[row], self.rules.cost_s
        begin_s = self.now + (self.rules.restart_s if job["done_s"] else 0)
        own_s = job.get("checkpoint_s")
        interval_s = None if own_s is None else self._on(row, own_s)
        work_s, estimate_s = self._run_s(row, "runtime_s"), self._run_s(row, "estimate_s")

        def length_s(work_s: int) -> int:
            return work_s + (0 if interval_s is None else (work_s - 1) // interval_s * cost_s)

        ends = (begin_s + length_s(work_s), begin_s + length_s(estimate_s))
        self.virtual = max(self.virtual, job["score"])
        self.waiting.remove(row)
        devices = tuple(device for pod, n in share.items() for device in self._free(pod)[:n])
        gang = Gang(row, self.now, begin_s, work_s, interval_s, *ends, share, devices=devices)
        self.running.append(gang)

    def _on(self, row: int, seconds: int) -> int:
        """So many reference seconds where the row runs."""
        return int(-(-seconds // self.span_efficiency)) if self.rows[row]["gang"] > self.size else seconds

    # Who may pass: as without preemption, but leaving what is held for the head

    def _passer(self) -> tuple[int, Share] | None:
        order = self._order()
        if not order or self.backfill == "none":
            return None
        if self.backfill == "greedy":
            return self._first(order, lambda *_: True)
        return self._easy(order) if self.backfill == "easy" else self._conservative(order)

    def _room(self, row: int, may: May) -> Share | None:
        is_head = row == self._order()[0]
        return super()._room(row, lambda *asked: may(*asked) and (is_head or self._leaves(*asked)))

    def _leaves(self, pod: int, devices: int, run_s: int) -> bool:
        hold = self.hold
        if hold is None or pod not in hold.share or self.now + run_s <= hold.guests_until_s:
            return True
        freed = sum(gang.share.get(pod, 0) for gang in hold.victims if gang in self.running)
        return self._frees()[pod] + freed - devices >= hold.share[pod]

    # Who gives way

    def _makes_room(self, head: int) -> list[int]:
        """Let others give way now, and return their rows; or let them save their work."""
        if self.hold is not None and self.hold.head != head:
            self._call_off()
        if self.hold is None:
            return self._ask(head)
        if self.now < self.hold.until_s:
            return []
        victims = [gang for gang in self.hold.victims if gang in self.running]
        if self._fits(head, victims):
            stop = self._needed(head, victims)
            self._call_off(stop)
            return [self._stop(gang) for gang in stop]
        self._call_off()
        self.let_down.add(head)
        return self._ask(head)

    def _call_off(self, stop: Sequence[Gang] = ()) -> None:
        for gang in self.hold.victims if self.hold is not None else ():
            if gang not in stop:
                gang.saving_s = None
                own_s = self._run_s(gang.row, "estimate_s")
                writes = 0 if gang.interval_s is None else (own_s - 1) // gang.interval_s
                gang.estimate_end_s = gang.begin_s + own_s + writes * self.rules.cost_s
        self.hold = None

    def _ask(self, head: int) -> list[int]:
        victims = self._victims(head)
        if not victims:
            return []
        wait_s = self.rules.cost_s if any(self._unsaved(gang) for gang in victims) else 0
        if not wait_s:
            return [self._stop(gang) for gang in victims]
        until_s = self.now + wait_s
        guests_until_s = self.now if head in self.let_down else until_s
        self.hold = Hold(head, until_s, guests_until_s, victims, self._taken(head, victims))
        for gang in victims:
            gang.saving_s = self.now if gang.interval_s is not None else None
            gang.estimate_end_s = until_s
        return []

    def _victims(self, head: int) -> list[Gang]:
        able = [gang for gang in self.running if self._may_stop(gang, head)]
        able.sort(key=lambda gang: (-self._standing(gang), self._loss(gang), -gang.alloc_s, -gang.row))
        lately = sum(stop > self.now - 3_600 for stop in self.stops)
        most = len(able) if self.rules.most_per_h is None else self.rules.most_per_h - lately
        if self.rows[head]["gang"] <= self.size:
            sets = [found for pod in range(self.pods) for found in self._sets(head, pod, able)]
            allowed = (found for found in sets if len(found) <= most)
            best = min(allowed, key=self._rank, default=[])
        else:
            taken = next((able[:n] for n in range(1, len(able) + 1) if self._fits(head, able[:n])), [])
            best = self._needed(head, taken)
            best = best if len(best) <= most else []
        return sorted(best, key=able.index)

    def _sets(self, head: int, pod: int, able: list[Gang]) -> Iterator[list[Gang]]:
        """Every set of victims on the pod that leaves room there."""
        here = [gang for gang in able if pod in gang.share]
        free = self._frees()[pod]
        for count in range(1, len(here) + 1):
            for found in combinations(here, count):
                if free + sum(gang.share[pod] for gang in found) >= self.rows[head]["gang"]:
                    yield list(found)

    def _rank(self, victims: list[Gang]) -> tuple[Any, ...]:
        foremost = min(self._standing(gang) for gang in victims)
        youths = sorted((-gang.alloc_s, -gang.row) for gang in victims)
        return (-foremost, sum(self._loss(gang) for gang in victims), len(victims), youths)

    def _needed(self, head: int, victims: list[Gang]) -> list[Gang]:
        for spared in reversed(victims):
            others = [gang for gang in victims if gang is not spared]
            if self._fits(head, others):
                victims = others
        return victims

    def _frees(self, stopped: Sequence[Any] = ()) -> list[int]:
        """Free devices by pod, if those gangs had stopped."""
        gone = {device for gang in self.running if gang not in stopped for device in gang.devices}
        return [sum(device not in gone for device in self._devices(pod)) for pod in range(self.pods)]

    def _fits(self, head: int, stopped: Sequence[Any]) -> bool:
        free = self._frees(stopped)
        return self._share(head, range(self.pods), lambda pod, n: free[pod] >= n) is not None

    def _taken(self, head: int, stopped: Sequence[Any]) -> Share:
        free = self._frees(stopped)
        share = self._share(head, range(self.pods), lambda pod, n: free[pod] >= n)
        assert share is not None
        return share

    def _may_stop(self, gang: Gang, head: int) -> bool:
        rules, job = self.rules, self.rows[gang.row]
        held = Counter[str]()
        for other in self.running:
            held[self.rows[other.row]["owner"]] += other.gang
        share = rules.protected_share * self.size * self.pods
        return (
            self._by_rule(self.rows[head]) < self._standing(gang)
            and self.now > gang.alloc_s
            and (not rules.min_run_s or self.now >= gang.begin_s + rules.min_run_s)
            and (rules.most_per_job is None or job["preempted"] < rules.most_per_job)
            and not (share and held[job["owner"]] <= share)
        )

    def _by_rule(self, row: Row) -> float:
        if self.rules.preempt == "by_priority":
            return -float(row["priority"])
        return self.level(row) if self.shares is None else self._tag(row)

    def _standing(self, gang: Gang) -> float:
        """As it would wait again, but that it has done no more than its estimate leaves room for."""
        job, stopped = self.rows[gang.row], self._stopped(gang)
        most_s = job["done_s"] + job["estimate_s"] - 1
        return self._by_rule(stopped | {"done_s": min(stopped["done_s"], most_s)})

    # What a stop costs

    def _progress(self, gang: Gang) -> tuple[int, int]:
        at_s = self.now if gang.saving_s is None else gang.saving_s
        elapsed_s = max(0, at_s - gang.begin_s)
        return worked_s(elapsed_s, gang.work_s, gang.interval_s, self.rules.cost_s)

    def _unsaved(self, gang: Gang) -> bool:
        worked, saved = self._progress(gang)
        return gang.interval_s is not None and worked > saved

    def _loss(self, gang: Gang) -> int:
        if gang.interval_s is None:
            lost_s = self._progress(gang)[0]
        else:
            lost_s = self.rules.cost_s if self._unsaved(gang) else 0
        keeps = self._stopped(gang)["done_s"] > 0
        return gang.gang * (lost_s + (self.rules.restart_s if keeps else 0))

    def _kept_s(self, gang: Gang) -> int:
        """Reference seconds: the longest run that takes no longer than what is kept."""
        own_s = 0 if gang.interval_s is None else self._progress(gang)[0]
        runtime_s: int = self.rows[gang.row]["runtime_s"]
        return max((run for run in range(1, runtime_s) if self._on(gang.row, run) <= own_s), default=0)

    def _stopped(self, gang: Gang) -> Row:
        """The job, as it would wait again if it gave way now."""
        job, kept_s = self.rows[gang.row], self._kept_s(gang)
        return job | {
            "runtime_s": job["runtime_s"] - kept_s,
            "estimate_s": max(1, job["estimate_s"] - kept_s),
            "done_s": job["done_s"] + kept_s,
            "attained_device_s": job["attained_device_s"] + self._progress(gang)[0] * gang.gang,
        }

    def _stop(self, gang: Gang) -> int:
        worked, kept_s, after = self._progress(gang)[0], self._kept_s(gang), self._stopped(gang)
        own_s = 0 if gang.interval_s is None else worked
        self._over(gang, "preempted", kept_s, (worked - own_s) * gang.gang, worked)
        self.rows[gang.row] = after | {"preempted": after["preempted"] + 1}
        self.stops.append(self.now)
        return gang.row

    def _over(self, gang: Gang, outcome: str, kept_s: int, lost_device_s: int, worked: int) -> None:
        self.running.remove(gang)
        writing_s = max(0, self.now - gang.begin_s) - worked
        pods = tuple(gang.share)
        self.tried.append((gang.row, gang.alloc_s, self.now, outcome, kept_s, writing_s, lost_device_s, pods))
