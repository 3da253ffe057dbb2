"""Pods come and go while a run goes: some are delivered, some leave, and some jobs find no place any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from scheduler.engine.attempt import Attempt
from scheduler.engine.closed_needs import ClosedNeeds
from scheduler.engine.jobs import Job, Shape
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.storm.handle import Handle


class Change(NamedTuple):
    """Pods come or go at a second, by their numbers in a pool; of one instant, those that come are first."""

    at_s: int
    goes: bool
    pool: int
    first: int
    pods: int


class Stops(Protocol):
    """The storm, as pods that leave use it."""

    def leave_pods(self, attempts: Sequence[Attempt]) -> None:
        """Stop attempts whose pods leave, as they have known."""


class Assets:
    """Lets the pods of a cluster come and go; `storm` stops who still runs where they leave."""

    def __init__(self, run: Handle, cluster: Cluster, storm: Stops | None) -> None:
        self._run, self._cluster, self._storm = run, cluster, storm
        self._start_s = int(run.env.now)
        self._changes: list[Change] = []
        self._living: dict[Shape, Shape] = {}
        """What is left of a shape that jobs ask for, since the last pods left."""
        self.has_shrunk = False
        """Some pods have left, so that a job may fit nowhere any more."""
        for pool in cluster.pools:
            if pool.stock.batches:
                self._plan(pool)
        self._changes.sort(reverse=True)
        self._watch()
        self._arm()

    def _plan(self, pool: Pool) -> None:
        """Note when the pods of a pool come and go, and take out those that are not there at first."""
        first = present = 0
        for batch in pool.stock.batches:
            pods = pool.pods[first : first + batch.pods]
            came_s = self._start_s if batch.delivered_s is None else max(self._start_s, batch.delivered_s)
            if batch.retired_s is not None and batch.retired_s <= self._start_s:
                _leave(pods)
            elif came_s > self._start_s:
                _await(pods, came_s)
                self._changes.append(Change(came_s, False, pool.index, first, batch.pods))
            else:
                present += batch.pods
            if batch.retired_s is not None and batch.retired_s > self._start_s:
                _foresee(pods, batch.retired_s, batch.drained_s if batch.closed else None)
                self._changes.append(Change(batch.retired_s, True, pool.index, first, batch.pods))
            first += batch.pods
        pool.present = present

    def _watch(self) -> None:
        pods = (pod for pool in self._cluster.pools if pool.stock.batches for pod in pool.pods)
        self._cluster.leaving.watch(pods)

    def _arm(self) -> None:
        if self._changes:
            self._run.later(self._changes[-1].at_s - int(self._run.env.now), self._ring)

    def _ring(self) -> None:
        """Let pods come and go now; pods on which somebody ends at this very instant go after that."""
        now_s = self._run.now_s
        while self._changes and self._changes[-1].at_s == now_s:
            change = self._changes[-1]
            pool = self._cluster.pools[change.pool]
            pods = pool.pods[change.first : change.first + change.pods]
            if change.goes and self._clear(pods):
                self._run.later(0, self._ring)
                return
            self._changes.pop()
            self._move(pool, pods, -1 if change.goes else 1)
        self._arm()

    def _clear(self, pods: Sequence[Pod]) -> bool:
        """Stop who runs on pods; say whether somebody is left there, who ends now."""
        there = self._on(pods)
        if there:
            assert self._storm is not None
            self._storm.leave_pods(there)
        return bool(self._on(pods))

    def _on(self, pods: Sequence[Pod]) -> list[Attempt]:
        here = set(pods)
        return [attempt for attempt in self._run.running if not here.isdisjoint(attempt.pods)]

    def _move(self, pool: Pool, pods: Sequence[Pod], sign: int) -> None:
        run, now_s = self._run, self._run.now_s
        if sign > 0:
            for pod in pods:
                pod.arrive()
        elif out := _leave(pods):
            run.log.down(pool.index, now_s, -out)
        pool.present += sign * len(pods)
        self._watch()
        run.pods_changed()
        if sign < 0:
            pool.most_pods = pool.stock.most_pods(now_s)
            self.has_shrunk = True
            self._living.clear()
            self._sort_out()

    # jobs that find no place any more

    def _sort_out(self) -> None:
        """Turn away who waits and fits nowhere any more; who may rent does so without further patience."""
        for job in [*self._run.waiting()]:
            if not any(map(_can_be_met, job.shape.owned)):
                if job.shape.rented:
                    self._run.seek_at_once(job)
                else:
                    self._run.turn_away(job, reason(job.shape.owned))

    def admitted(self, newcomers: Sequence[Job]) -> Iterator[Job]:
        """Yield newcomers with what is left of their places; those without any are turned away."""
        for job in newcomers:
            shape = self._living.get(job.shape)
            if shape is None:
                owned = [need for need in job.shape.owned if _can_be_met(need)]
                shape = job.shape if len(owned) == len(job.shape.owned) else job.shape.on(owned)
                self._living[job.shape] = shape
            if shape is job.shape:
                yield job
            elif shape.owned or shape.rented:
                yield job.shaped(shape)
            else:
                self._run.turn_away(job, reason(job.shape.owned))


def assets_of(
    run: Handle, cluster: Cluster, storm: Stops | None, closed_needs: ClosedNeeds | None
) -> Assets | None:
    """Return what lets the pods of a cluster come and go; None where they are all there throughout.

    What may start only later does so at its time.
    """
    if closed_needs is not None:
        closed_needs.start(run)
    return Assets(run, cluster, storm) if any(pool.stock.batches for pool in cluster.pools) else None


def reason(owned: Iterable[PodNeed]) -> str:
    """Say why a job is turned away that could run on nothing but these owned pods."""
    pools = [need.pool.stock for need in owned]
    closed = [pool.name for pool in pools if any(batch.closed for batch in pool.batches)]
    if closed:
        return f"{', '.join(closed)} has closed, and it may go nowhere else"
    return f"{', '.join(pool.name for pool in pools)} has too few pods left, and it may go nowhere else"


def _can_be_met(need: PodNeed) -> bool:
    """Say whether a need can still be met, now or later."""
    return need.pool.endless or need.pods_taken <= need.pool.most_pods


def _await(pods: Sequence[Pod], second: int) -> None:
    for pod in pods:
        pod.await_delivery(second)


def _foresee(pods: Sequence[Pod], leaves_s: int, drained_s: int | None) -> None:
    """Let pods that retire take whoever ends in time, and those of a pool that closes anybody until then."""
    for pod in pods:
        if drained_s is None:
            pod.ends_by_s = leaves_s
        else:
            pod.starts_before_s = drained_s


def _leave(pods: Sequence[Pod]) -> int:
    return sum(pod.leave() for pod in pods)
