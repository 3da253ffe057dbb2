"""Reservations of those who wait, kept from one pass to the next, and mended where something has changed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf
from typing import cast

from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.owned.held import Held, KnownEnds, PodChanges
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.policy.profiles import PlannedPlace, Profile, Profiles, earliest_place

_FEW = 12
"""So many reservations, or fewer, are gone through to see that they stay as they are."""


class Reservations:
    """Reservations of the first who wait, in order; `waits` says by turn who does.

    A job's is the earliest that those before it leave, on the first pod that has it. So as long as it has not
    come, only pods may matter that have changed since: by an end, by a start, or as a reservation before it
    has come, gone or moved. A start of who leaves all reservations alone moves none of those. That holds
    where a job that has room now is let start; where it is not, they are forgotten.
    """

    def __init__(self, waits: bytearray, pools: Sequence[Pool]) -> None:
        self._waits, self._pools = waits, pools
        self._ends: dict[Pod, KnownEnds] = {}
        self._held: list[Held] = []
        self._changes = PodChanges()
        """For whoever comes next."""
        self.count = 0
        """How many have reserved in this pass."""
        self._spans = False
        """Some of them across pods."""
        self.goes_on = False
        """Nobody had room beside them as the last pass ended; newcomers may, and others where pods change."""
        self.profiles = Staged(self._ends, 0)

    def begin(self, now_s: int, newcomers: Sequence[QueueEntry] = ()) -> set[Pod] | None:
        """Begin a pass, in which nobody has reserved yet.

        Where all who have in the last one would do so again, they have. Then return the pods on which there
        may be more room than there was as it ended; else None, for all.
        """
        changed = self._changed(now_s)
        if self.goes_on and self._would_again(now_s, newcomers, changed):
            self._changes.more |= changed
            return changed
        if self.count < len(self._held):
            self._held[self.count].overlook(self._changes)
        self._changes = PodChanges(changed)
        self.count, self._spans, self.profiles = 0, False, Staged(self._ends, now_s)
        return None

    def _changed(self, now_s: int) -> set[Pod]:
        """Return the pods of which something else is held than it was."""
        ends, changed = self._ends, set()
        for pool in self._pools:
            for pod in pool.pods:
                known = ends.get(pod)
                if known is not None and known.hold(pod, now_s):
                    known.profile.times[0] = now_s
                else:
                    ends[pod] = KnownEnds(pod, now_s)
                    changed.add(pod)
        return changed

    def _would_again(self, now_s: int, newcomers: Sequence[QueueEntry], changed: set[Pod]) -> bool:
        """Say whether all who have reserved wait on, and nobody before others, and hold what they held."""
        held = self._held[: self.count]
        if changed and len(held) > _FEW:
            return False
        if newcomers and held and min(newcomers) < held[-1].entry:
            return False
        if not all(self._waits[each.job.turn] and each.start_s > now_s for each in held):
            return False
        self.profiles.go_on(now_s, changed)
        changes = PodChanges(changed)
        return not changed or all(self._keeps(each, changes) for each in held)

    def _keeps(self, held: Held, changes: PodChanges) -> bool:
        """Take what somebody holds of pods that have changed, if it is the same as before."""
        needs = [need for need in held.job.shape.owned if need.open]
        if len(needs) != held.pools or self._mended(held, needs, changes) is not held:
            return False
        for pod, devices in held.taken:
            if pod in changes.more:
                self.profiles[pod].take(devices, int(held.start_s), held.end_s)
        return True

    def limit(self, pod: Pod, devices: int) -> float:
        """Return the longest run that may start there now, beside all that is reserved."""
        return self.profiles.limit(pod, devices)

    def forget(self) -> None:
        """Let nobody hold a reservation."""
        self._held.clear()
        self._changes = PodChanges()
        self.count, self.goes_on = 0, False

    def reserve(self, entry: QueueEntry, needs: Sequence[PodNeed]) -> float:
        """Reserve for a job that has no room now, after all who have; return from when."""
        at, now_s, changes = self.count, self.profiles.now, self._changes
        job = entry[2]
        before = self._before(job)
        held = None
        if before is not None and before.start_s > now_s and before.pools == len(needs):
            held = self._mended(before, needs, changes)
        if held is None:
            held = _held(entry, needs, earliest_place(job, needs, self.profiles))
        if before is None:
            self._held.insert(at, held)
        elif held is not before:
            self._held[at] = held
            changes.more.update(pod for pod, _ in before.taken)
        for pod, devices in held.taken:
            if held is not before:
                changes.less.add(pod)
            self.profiles[pod].take(devices, int(held.start_s), held.end_s)
        self.count = at + 1
        self._spans |= len(held.taken) > 1
        return held.start_s

    def _before(self, job: Job) -> Held | None:
        """Return what the job has held so far, if anything, once those are dropped who wait no more."""
        while self.count < len(self._held):
            held = self._held[self.count]
            if held.changes is not None:
                self._changes.add(held.changes)
                held.changes = None
            if held.job is job:
                return held
            if self._waits[held.job.turn]:
                break
            self._changes.more.update(pod for pod, _ in held.taken)
            del self._held[self.count]
        return None

    def _mended(self, before: Held, needs: Sequence[PodNeed], changes: PodChanges) -> Held | None:
        """Return what a job holds, be it earlier where pods have changed; None if it has to look at all.

        It has to where what it held is lost, or in doubt.
        """
        if not (pods := changes.concern(before.taken)):
            return before
        job, found = before.job, None
        now_s, best = self.profiles.now, before.key(needs)
        lost = any(pod in pods for pod, _ in before.taken)
        for rank, need in enumerate(needs):
            run_s, devices = need.run_s(job.estimate_s), need.rest
            for pod in pods:
                if pod.pool is not need.pool:
                    continue
                if need.whole:
                    return None
                start_s = self.profiles[pod].earliest(devices, now_s, run_s, best[0] + 1)
                if start_s < inf and (key := (start_s, rank, pod.index)) <= best:
                    best, lost, found = key, False, (int(start_s) + run_s, [(pod, devices)])
        if lost:
            return None
        if found is None or (best[0], found[1]) == (before.start_s, before.taken):
            return before
        return Held(before.entry, before.pools, best[0], *found)

    def started(self, job: Job, need: PodNeed, pods: Iterable[Pod]) -> bool:
        """Count with a job that has left all reservations alone; say no if they have to be looked at again.

        Of pods that all have room for a gang across pods, the job may have taken one that would be preferred.
        """
        if self._spans:
            return False
        now_s = self.profiles.now
        end_s = now_s + need.run_s(job.estimate_s)
        shares = need.shares(tuple(pods))
        if not all(_expects(pod, (end_s, job.turn, devices)) for pod, devices in shares):
            return False
        for pod, devices in shares:
            if pod in self.profiles:
                self.profiles[pod].take(devices, now_s, end_s)
            known = self._ends[pod]
            known.profile.take(devices, now_s, end_s)
            known.free, known.releases = pod.free, pod.releases.copy()
            self._changes.less.add(pod)
        return True


class Staged(Profiles):
    """Profiles of a pass: what is held of each pod, and what has been planned in it."""

    def __init__(self, ends: dict[Pod, KnownEnds], now: int) -> None:
        super().__init__(now)
        self._ends = ends

    def go_on(self, now: int, changed: Iterable[Pod]) -> None:
        """Go on at a later instant, with nothing planned on pods that have changed."""
        self.now = now
        for pod in changed:
            self.pop(pod, None)
        for profile in self.values():
            profile.times[0] = now

    def __missing__(self, pod: Pod) -> Profile:  # type: ignore[override]
        """Copy what is held of a pod."""
        self[pod] = copy = self._ends[pod].profile.copy()
        return copy


def _held(entry: QueueEntry, needs: Sequence[PodNeed], place: PlannedPlace | None) -> Held:
    if place is None:
        return Held(entry, len(needs), inf, 0, ())
    taken = [(cast(Pod, profile.pod), devices) for profile, devices in place.taken]
    return Held(entry, len(needs), place.start, place.end, taken)


def _expects(pod: Pod, release: tuple[int, int, int]) -> bool:
    """Say whether a pod expects to be given devices back by a job at some instant."""
    at = bisect_left(pod.releases, release)
    return pod.releases[at : at + 1] == [release]
