"""Running jobs give way to the head of those that wait: when it is asked, and how room is held meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil, inf
from typing import Any, NamedTuple

from scheduler.engine.jobs import Job
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.keeping import Kept
from scheduler.engine.owned.leaving import OwnedNeed
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible
from scheduler.engine.storm.prospect import Answers, Prospect
from scheduler.engine.storm.protection import Protection
from scheduler.engine.storm.retries import Retries
from scheduler.engine.storm.room import Room, could_fit, fits, needed, room_without, share, slot
from scheduler.engine.storm.victims import Choice, Preemptible, choose
from scheduler.policy import Policy


class Hold(NamedTuple):
    """Room that is being made for the head until all of its victims have saved their work."""

    head: Job
    until_s: int
    guests_until_s: int
    """When whoever uses the room meanwhile must have ended."""
    need: OwnedNeed
    victims: list[Interruptible]
    taken: Room
    """What the head will take, by pod."""


class Preemption:
    """Lets victims on owned pods give way, and asks again when the answer may be another.

    `stop` stops one that gives way. Room is held for one job at a time, the head.
    """

    def __init__(
        self,
        run: Handle,
        policy: Policy,
        conditions: Conditions,
        cluster: Cluster,
        retries: Retries,
        stop: Callable[[Interruptible], None],
    ) -> None:
        self._run, self._retries, self._stop = run, retries, stop
        self._rule = policy.preempt
        self._level: Callable[[Any], float] = policy.abilities.level or run.key
        self._turns_s = policy.abilities.turns_s
        self._restart_s = conditions.restart_s
        self._leaving = cluster.leaving
        devices = sum(pool.size * pool.most_pods for pool in cluster.pools)
        self._protection = Protection(conditions.preemption, devices)
        self._hold: Hold | None = None
        self._let_down: set[int] = set()
        """Whose room was not there when its time had come, by turn."""
        self._wakes_s = inf
        self._prospect: Prospect | None = None
        """That of who asked in vain last, where nobody else's answer is needed yet."""

    @property
    def possible(self) -> bool:
        """Somebody may give way in this run."""
        return self._rule is not None

    def begun(self, attempt: Interruptible) -> None:
        """Follow an attempt whose work begins."""
        if self._protection.begun(attempt):
            self._prospect = None
        elif self._prospect is not None:
            self._prospect.begun(attempt)
        if self._rule is not None and self._turns_s is not None:
            if attempt.ready_s:
                self._run.quietly(attempt.ready_s, partial(self._look_again, attempt))
            else:
                self._look_again(attempt)

    def _look_again(self, attempt: Interruptible) -> None:
        """Ask again when the order's level of a running job changes, as it may have to give way then."""
        self._prospect = None
        if self._turns_s is not None and attempt in self._run.running:
            turns_s = self._turns_s(self._retries.standing(attempt), attempt.need.devices)
            if turns_s < inf:
                wait_s = max(1, ceil(turns_s))
                self._run.quietly(wait_s, partial(self._look_again, attempt))

    def safe_until_s(self, attempt: Interruptible, now_s: int) -> float:
        """Return until when somebody is safe, whoever asks."""
        most = self._protection.most(now_s)
        more_s = self._protection.more_s() if most is not None and most <= 0 else now_s
        return max(self._protection.until_s(attempt), more_s)

    def gave_way(self, now_s: int) -> None:
        """Count somebody who gives way."""
        self._protection.gave_way(now_s)

    def ended(self, attempt: Interruptible) -> None:
        """Forget an attempt on owned devices."""
        if self._prospect is not None and self._prospect.ended(attempt):
            self._prospect = None
        self._protection.ended(attempt)

    def changed(self) -> None:
        """Other devices may be had now, or the order's levels are others, or somebody is safe no more."""
        self._prospect = None

    def makes_room(self, head: Job | None, now_s: int) -> bool:
        """Let others give way to the head, which fits nowhere; say whether it fits now.

        Those who have work to save are given the time for it, and room is held for the head until then. To be
        told of each head, None where nobody waits: the room of another is held no more.
        """
        hold = self._hold
        if hold is not None and hold.head is not head:
            self._release(hold.victims)
            hold = None
        if head is None or self._rule is None:
            return False
        if hold is not None:
            if now_s < hold.until_s:
                self._keep(hold)
                return False
            if self._end(hold):
                return True
            self._let_down.add(head.turn)
        return self._ask(head, now_s)

    def _end(self, hold: Hold) -> bool:
        """Stop whom the head needs to stop, now that all have saved their work, and let the others go on.

        If it would not fit all the same, as devices have failed or somebody has outlived its estimate, all
        go on.
        """
        victims = [victim for victim in hold.victims if victim in self._run.running]
        stop = needed(hold.need, victims) if fits(hold.need, room_without(hold.need, victims)) else []
        self._release([victim for victim in victims if victim not in stop])
        for victim in stop:
            self._give_way(victim, hold.until_s)
        return bool(stop)

    def _ask(self, head: Job, now_s: int) -> bool:
        """Choose who gives way, at once or once all have saved their work; say whether it is at once."""
        if self._prospect is not None and self._prospect.head is head:
            return False
        choice = self._choose(head, now_s)
        if choice is None:
            return False
        victims = [victim.attempt for victim in choice.victims]
        until_s = now_s + max(victim.plan.cost_s if victim.unsaved(now_s) else 0 for victim in victims)
        for victim in victims:
            victim.save(now_s, until_s)
        if until_s > now_s:
            taken = slot(choice.need, room_without(choice.need, victims))
            guests_until_s = now_s if head.turn in self._let_down else until_s
            self._begin(Hold(head, until_s, guests_until_s, choice.need, victims, taken), now_s)
            return False
        for victim in victims:
            self._give_way(victim, now_s)
        return True

    def _give_way(self, victim: Interruptible, now_s: int) -> None:
        self._protection.gave_way(now_s)
        self._stop(victim)

    def _begin(self, hold: Hold, now_s: int) -> None:
        """Let room be held from now on."""
        self._hold = hold
        self._keep(hold)
        self._run.quietly(hold.until_s - now_s, partial(self._due, hold))

    def _keep(self, hold: Hold) -> None:
        """Let nobody pass who would be in the way of the head when its victims have saved their work."""
        beyond = {pod: -devices for pod, devices in hold.taken.items()}
        for victim in hold.victims:
            if victim in self._run.running:
                for pod in beyond.keys() & set(victim.pods):
                    beyond[pod] += share(victim, pod)
        self._run.keep(Kept(hold.guests_until_s, beyond))

    def _due(self, hold: Hold) -> None:
        """The time has come for which room was held, if it still is."""
        if self._hold is hold:
            self._run.happens()

    def _release(self, victims: list[Interruptible]) -> None:
        """Hold no room any more, and let victims go on as if nothing had happened."""
        self._hold = None
        self._run.keep(None)
        for victim in victims:
            if victim in self._run.running:
                victim.go_on()

    def _choose(self, head: Job, now_s: int) -> Choice | None:
        """Return who gives way; if nobody does, see to it that the head asks again."""
        most, answers = self._protection.most(now_s), self._answers(head, now_s)
        needs = [need for need in self._leaving.lasting(head) if could_fit(need, answers.able)]
        if not needs:
            self._prospect = Prospect(head, answers)
            self._wake(self._prospect.next_s, now_s)
            return None
        needs = [need for need in needs if most is None or (most and could_fit(need, answers.able, most))]
        entries = [self._preemptible(attempt, now_s) for attempt in answers.able] if needs else []
        choice = choose(needs, entries, self._behind, most)
        if choice is None:  # so many may not give way within the hour
            self._wake(min([self._protection.more_s(), *(until_s for until_s, _ in answers.safe)]), now_s)
        return choice

    def _wake(self, at_s: float, now_s: int) -> None:
        if at_s not in (inf, self._wakes_s):
            self._wakes_s = at_s
            self._run.quietly(int(at_s) - now_s, self.changed)

    def _answers(self, head: Job, now_s: int) -> Answers:
        """Ask everybody on owned devices about the head."""
        rule, level, standing, until = (
            self._rule,
            self._level,
            self._retries.standing,
            self._protection.until_s,
        )
        assert rule is not None
        answers, barred = Answers([], [], set()), self._leaving.barred(head)
        for attempt in self._run.running:
            if attempt.pods:
                assert isinstance(attempt, Interruptible)
                asked = barred.isdisjoint(attempt.pods) and rule(head, standing(attempt), level)
                until_s = until(attempt) if asked else inf
                if until_s <= now_s:
                    answers.able.append(attempt)
                elif until_s < inf:
                    answers.safe.append((int(until_s), attempt))
                else:
                    answers.stay.add(attempt)
        return answers

    def _preemptible(self, attempt: Interruptible, now_s: int) -> Preemptible:
        restart_s = self._restart_s if attempt.job.done_s or attempt.keeps_s(now_s) else 0
        loss_device_s = attempt.need.devices * (attempt.loss_s(now_s) + restart_s)
        return Preemptible(loss_device_s, (-attempt.alloc_s, -attempt.job.job_id), attempt)

    def _behind(self, one: Preemptible, other: Preemptible) -> bool:
        """Say whether one would give way to the other."""
        assert self._rule is not None
        standing = self._retries.standing
        return self._rule(standing(other.attempt), standing(one.attempt), self._level)
