"""Which running jobs give way to one that waits: those whose stop loses least, of those that may."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from math import ceil, inf
from typing import Any

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.retries import Resumed, Retries
from scheduler.policy import Policy
from scheduler.policy.preempt import Preempt
from traces.times import HOUR_S

Choice = tuple[float, list[Interruptible]]
"""(device-seconds lost, who gives way)."""


class Preemption:
    """Chooses victims on owned pods, and sees to it that the question comes again when its answer changes.

    `stop` stops one that has saved its work.
    """

    def __init__(
        self,
        run: Handle,
        policy: Policy,
        conditions: Conditions,
        pools: list[Pool],
        retries: Retries,
        stop: Callable[[Interruptible], None],
    ) -> None:
        self._run, self._retries, self._stop = run, retries, stop
        self._rule: Preempt | None = policy.preempt
        self._level: Callable[[Any], float] = policy.abilities.level or run.key
        self._turns_s = policy.abilities.turns_s
        self._spec, self._restart_s = conditions.preemption, conditions.restart_s
        self._devices = sum(pool.size * len(pool.pods) for pool in pools)
        self._stopping: set[Attempt] = set()
        self._held: dict[str, int] = {}
        """Owned devices by owner."""
        self._lately: deque[int] = deque()
        self._safe_until_s = self._wakes_s = inf
        self._answered: Job | None = None
        """Who was asked for last, if the answer would be the same now."""
        self.gave_way = False
        """Somebody did, after a checkpoint, and there was no pass since."""

    def begun(self, attempt: Interruptible) -> None:
        """Follow an attempt whose work begins."""
        self._answered = None
        self._held[attempt.job.owner] = self._held.get(attempt.job.owner, 0) + attempt.need.devices
        if self._rule is not None and self._turns_s is not None:
            self._run.later(attempt.ready_s, partial(self._look_again, attempt))

    def _look_again(self, attempt: Interruptible) -> None:
        """Ask again when the order's level of a running job changes, as it may have to give way then."""
        self._answered = None
        if self._turns_s is not None and attempt in self._run.running:
            turns_s = self._turns_s(self._retries.standing(attempt), attempt.need.devices)
            if turns_s < inf:
                wait_s = max(1, ceil(turns_s))
                self._run.later(wait_s, partial(self._look_again, attempt))

    def make_room(self, job: Job, now_s: int) -> bool:
        """Let others give way to the job; say whether any do, at once or after a checkpoint."""
        victims = self._victims(job, now_s)
        wait_s = max((victim.plan.cost_s for victim in victims if victim.saves), default=0)
        for victim in victims:
            if wait_s:
                victim.hasten(now_s + wait_s)
                self._run.pods_changed()
            else:
                self._stop(victim)
        if wait_s:
            self._run.later(wait_s, partial(self._give_way, victims))
        return bool(victims)

    def _give_way(self, victims: list[Interruptible]) -> None:
        for victim in victims:
            self._stop(victim)
        self.gave_way = True

    def _victims(self, job: Job, now_s: int) -> list[Interruptible]:
        """Return whose stop makes room for the job at the least loss; nobody where none can, or soon will."""
        if self._rule is None or job is self._answered:
            return []
        self._answered = job
        self._safe_until_s = inf
        by_pod = self._by_pod(job, now_s)
        choices = [choice for need in job.shape.owned if (choice := self._for_need(need, by_pod, now_s))]
        victims = min(choices, key=lambda choice: choice[0])[1] if choices else []
        if not self._within_rate(len(victims), now_s):
            victims = []
        if self._safe_until_s not in (inf, self._wakes_s):
            self._wakes_s = self._safe_until_s
            self._run.later(int(self._wakes_s) - now_s, self.changed)
        self._lately.extend([now_s] * len(victims))
        self._stopping.update(victims)
        return victims

    def ended(self, attempt: Attempt) -> None:
        """Forget an attempt."""
        self._stopping.discard(attempt)
        self._answered = None
        if attempt.pods:
            self._held[attempt.job.owner] -= attempt.need.devices

    def changed(self) -> None:
        """Other devices may be had now, or the order's levels are others."""
        self._answered = None

    def _within_rate(self, more: int, now_s: int) -> bool:
        most, lately = self._spec.most_per_h, self._lately
        while lately and lately[0] <= now_s - HOUR_S:
            lately.popleft()
        if most is None or len(lately) + more <= most:
            return True
        if more <= most:
            room_s = lately[len(lately) + more - most - 1] + HOUR_S
            self._safe_until_s = min(self._safe_until_s, room_s)
        return False

    def _by_pod(self, job: Job, now_s: int) -> dict[Pod, list[Interruptible]]:
        """Return by pod who may give way to the job, with those who are about to stop."""
        rule, level, standing, stopping = self._rule, self._level, self._retries.standing, self._stopping
        assert rule is not None
        safe = self._safe_owners()
        by_pod: dict[Pod, list[Interruptible]] = {}
        for attempt in self._run.running:
            if not attempt.pods:
                continue
            assert isinstance(attempt, Interruptible)
            if attempt not in stopping and (
                not rule(job, standing(attempt), level)
                or attempt.job.shape.owner in safe
                or self._protected(attempt, now_s)
            ):
                continue
            for pod in attempt.pods:
                by_pod.setdefault(pod, []).append(attempt)
        return by_pod

    def _safe_owners(self) -> set[str]:
        """Return the owners who hold no more than the protected share."""
        most = self._spec.protected_share * self._devices
        return {owner for owner, held in self._held.items() if held <= most} if most else set()

    def _protected(self, attempt: Interruptible, now_s: int) -> bool:
        """Say whether somebody is safe who would give way, and whose owner is not."""
        spec, job = self._spec, attempt.job
        if spec.most_per_job and isinstance(job, Resumed) and job.career.preemptions >= spec.most_per_job:
            return True
        safe_until_s = attempt.alloc_s + attempt.ready_s + spec.min_run_s
        if spec.min_run_s and safe_until_s > now_s:
            self._safe_until_s = min(self._safe_until_s, safe_until_s)
            return True
        return False

    def _for_need(self, need: PodNeed, by_pod: dict[Pod, list[Interruptible]], now_s: int) -> Choice | None:
        """Return the least loss at which the gang fits there; None where it never does, or soon will."""
        if not need.whole:
            return self._cheapest(need.pods, need.devices, 1, by_pod, now_s)
        whole = self._cheapest(need.pods, need.size, need.whole, by_pod, now_s)
        if whole is None or not need.rest:
            return whole
        emptied = {pod for victim in whole[1] for pod in victim.pods}
        others = [pod for pod in need.pods if pod not in emptied and pod.free < need.size]
        rest = self._cheapest(others, need.rest, 1, by_pod, now_s)
        return rest and (whole[0] + rest[0], list(dict.fromkeys(whole[1] + rest[1])))

    def _cheapest(
        self, pods: list[Pod], devices: int, count: int, by_pod: dict[Pod, list[Interruptible]], now_s: int
    ) -> Choice | None:
        """Return the least loss at which so many of the pods have so many devices free."""
        priced = [
            (price[0], pod.index, price[1])
            for pod in pods
            if (price := self._price(pod, devices, by_pod.get(pod, []), now_s)) is not None
        ]
        if len(priced) < count:
            return None
        chosen = sorted(priced, key=lambda price: price[:2])[:count]
        victims = list(dict.fromkeys(victim for _, _, some in chosen for victim in some))
        return sum(loss for loss, _, _ in chosen), victims

    def _price(self, pod: Pod, devices: int, candidates: list[Interruptible], now_s: int) -> Choice | None:
        """Return at what loss, and whose, the pod has so many devices free; None where it cannot."""
        missing = devices - pod.free
        if missing > sum([attempt.need.devices for attempt in candidates]):
            return None
        shares = [(_share(attempt, pod), attempt) for attempt in candidates]
        missing -= sum(share for share, attempt in shares if attempt in self._stopping)
        able = [(share, attempt) for share, attempt in shares if attempt not in self._stopping]
        if missing > sum(share for share, _ in able):
            return None
        losses = sorted(
            (self._loss(attempt, now_s), -attempt.alloc_s, attempt.turn, share, attempt)
            for share, attempt in able
        )
        chosen: list[tuple[float, int, Interruptible]] = []
        for loss, _, _, share, attempt in losses:
            if missing <= 0:
                break
            chosen.append((loss, share, attempt))
            missing -= share
        for entry in reversed(chosen[:]):  # the dearest first: some may not be needed any more
            if missing + entry[1] <= 0:
                chosen.remove(entry)
                missing += entry[1]
        return sum(loss for loss, _, _ in chosen), [attempt for _, _, attempt in chosen]

    def _loss(self, attempt: Interruptible, now_s: int) -> float:
        """Device-seconds that stopping it costs: work, or a checkpoint and the restart from it."""
        cost_s = attempt.plan.cost_s if attempt.saves else attempt.progress(now_s).worked_s
        return float(attempt.need.devices * (cost_s + self._restart_s))


def _share(attempt: Interruptible, pod: Pod) -> int:
    """Devices of a pod that are free once an attempt has ended: those about to be out of service are not."""
    assert isinstance(attempt.need, PodNeed)
    return dict(attempt.need.shares(attempt.pods))[pod] if pod.units is None else pod.units.sound(attempt)
