"""The simulation: jobs arrive, wait, start on owned pods or rented devices, and end.

SimPy keeps the clock and the order of events. All events of an instant happen first, then one pass starts
whatever may start. What may befall a run is a part of it, the storm, which is absent where nothing can.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from scheduler.engine.arrivals import Arrivals
from scheduler.engine.asking import asking_of
from scheduler.engine.assets import assets_of
from scheduler.engine.attempt import Attempt
from scheduler.engine.gate import Gate
from scheduler.engine.guests.guests import guests_of
from scheduler.engine.heads import Heads
from scheduler.engine.horizon import cut_off
from scheduler.engine.jobs import Job
from scheduler.engine.line import QueueEntry
from scheduler.engine.order_keys import OrderKeys
from scheduler.engine.owned.lineups import lineup
from scheduler.engine.owned.pools import Pod, PodNeed
from scheduler.engine.parts import Parts
from scheduler.engine.quota.entrance import entrance_of
from scheduler.engine.rented.keeping import Keeping
from scheduler.engine.rented.offers import Rental
from scheduler.engine.rented.overflow import overflow_of
from scheduler.engine.rented.renting import Renting
from scheduler.engine.source import Source
from scheduler.engine.storm.conditions import Conditions
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.storm import Storm
from scheduler.engine.warm_start import begin


class Simulation:
    """One run of a policy over the jobs of a source, on a cluster and so many offers."""

    def __init__(self, parts: Parts) -> None:
        self.env, self._cluster, self._policy, self.log = parts.env, parts.cluster, parts.policy, parts.log
        self.now_s, self.passed_s, self.waiting_jobs = int(self.env.now), -1, 0
        self.horizon_s: int | None = None
        self.running, self._start_tags = self.log.running, parts.start_tags
        self._waits = waits = self.log.turns.waiting
        self._rows = len(waits)
        self.arrivals = Arrivals(self, self.env, self.log, parts.dependencies)
        self._newcomers = self.arrivals.newcomers
        self._answers = self._hears = False
        self._keys = OrderKeys(self._policy.order, self._start_tags, ranking := parts.ranking)
        self.key = self._keys.key
        self._entrance = entrance_of(parts.rules, self, ranking, self._begin_to_wait, self._keys.entry)
        self.quota_line = quota_line = None if self._entrance is None else self._entrance.admission
        self._accounts = [each for each in (quota_line, ranking, parts.account, parts.queue_rent) if each]
        stands = waits if quota_line is None else quota_line.stands
        self.lineup = lineup(
            self._policy.backfill, stands, self._cluster, self._begin_to_wait, self._start, ranking
        )
        self.line_up = self.lineup.start if ranking is None else self.lineup.start_anew
        self.open = partial(begin, self, self._cluster, self._start, self._keys.entry)
        self.renting = Renting(waits, self._policy.offer, self._rent, ranking)
        self._keeping = Keeping(self, parts.queue_rent)
        self._logs_patience = parts.account is not None
        self._overflow = overflow_of(parts.queue_most, self.lineup.queue.entries, self.seek)
        self._asking = asking_of(self, parts, self.lineup.queue)
        self._view, self.patience = self._asking.view, self._asking.timer
        first = self._policy.first
        self._gate = None if first is None else Gate(first, self._cluster, self._view, self._rows)
        self.storm: Storm | None = None
        self._heads: Heads | None = None
        self.attempt: Callable[..., Attempt] = partial(Attempt, self.env, [self.finish])
        if parts.overrun_s is not None:
            self.attempt = partial(self.attempt, overrun_s=parts.overrun_s)
        handle = Handle(self)
        if parts.conditions is not None:
            self._expose(handle, parts.conditions)
        self._assets = assets_of(handle, self._cluster, self.storm, parts.closed_needs)
        self.guests = guests_of(self, parts.env, parts.cluster, parts.guests)

    def _expose(self, handle: Handle, conditions: Conditions) -> None:
        """Let bad weather be a part of the run."""
        self.storm = storm = Storm(handle, conditions, self._policy, self._cluster)
        self.renting.refusals = storm.refusals
        self.attempt = storm.attempts([self.finish])
        if storm.preempts:
            self._heads = Heads(self, self._cluster, storm, self._start, self._keys.entry)
            self._keys.needed = True

    def run(self, source: Source, horizon_s: int | None = None) -> int:
        """Replay the jobs of a source; return the second at which the run ended.

        It begins where the clock stands, and ends at the second `horizon_s`, or without, with the last job.
        """
        self.expect(source, horizon_s)
        self.env.run(until=horizon_s)
        self.arrivals.rest()
        end_s = self.now_s if horizon_s is None else horizon_s
        self.close(end_s, horizon_s, self.arrivals.still_held())
        return end_s

    def expect(self, source: Source, horizon_s: int | None) -> None:
        """Let the jobs of a source arrive as the clock goes on, which is another's to move."""
        self.horizon_s, self._hears = horizon_s, source.hears
        self.arrivals.start(source)
        self._answers = self.arrivals.answers

    def close(self, end_s: int, horizon_s: int | None, held: frozenset[int]) -> None:
        """Log all that is left when the run ends; `held` are the rows that wait for other jobs."""
        cut_off(self, self._waits, held, end_s)
        self.log.flush(end_s + (horizon_s is None))

    # waiting

    def make_pass(self) -> None:
        """Start whatever may start now: owned pods first, then rented devices for those out of patience.

        It comes once an instant, after all its events.
        """
        self.passed_s = self.now_s
        if self.guests is not None:
            self.guests.call()
        if self._newcomers:
            self._admit(self._newcomers)
        elif self.waiting_jobs:
            self._start_owned([])
        self._start_rented()

    def ask_again(self, now_s: int) -> None:
        """Make the pass if somebody gives way to the head now, though nothing else has happened."""
        if self.waiting_jobs and self._heads is not None:
            self.now_s = self._view.now_s = now_s
            joining: list[QueueEntry] = []
            if self.guests is not None:
                self.guests.call()
            if self._heads.start_first(joining):
                self._start_owned(joining)
                self._start_rented()

    def settle(self) -> None:
        """Make the pass, if this was the last event of the instant."""
        if self.guests is not None:
            self.guests.call()
        if (self.waiting_jobs or self._newcomers) and self.env.peek() > self.now_s:
            self.make_pass()

    def _admit(self, newcomers: list[Job]) -> None:
        """Let newcomers start, or else decide how long to wait."""
        if self._assets is not None and self._assets.has_shrunk:
            newcomers[:] = self._assets.admitted(newcomers)
        self._view.now_s = self.now_s
        if self._gate is not None:
            newcomers[:] = [self._gate.sent(job) for job in newcomers]
        spared = self._start_tags is None and self._entrance is None
        if spared and not self.waiting_jobs and len(newcomers) == 1:
            slot = self._cluster.find(newcomers[0])
            if slot is not None:
                self._start(newcomers.pop(), *slot)  # spared the queueing
                return
        entries = list(map(self._keys.entry, newcomers))
        newcomers.clear()
        self._start_owned(entries)

    def _begin_to_wait(self, job: Job) -> None:
        if not self._waits[job.turn]:  # else it has waited for its quota
            self._waits[job.turn] = 1
            self.waiting_jobs += 1
            if job.turn >= self._rows:  # it was interrupted
                self.log.turns.waits_again(job.turn, self.now_s)

    def seek(self, score: float, job: Job) -> None:
        """Let a job that is out of patience, for whatever reason, seek rented devices."""
        if self._logs_patience:
            self.log.patience.over(job.turn, self.now_s)
        if self._overflow is not None:
            self._overflow.leaves(job)
        self.renting.seek(score, job)

    # starting

    def _start_owned(self, newcomers: list[QueueEntry]) -> None:
        """Start whoever may start on pods, and let the newcomers who have to wait decide how long."""
        joining = newcomers if self._entrance is None else self._entrance.joining(newcomers)
        if self._heads is None:
            self.line_up(self.now_s, joining)
        else:
            self._view.now_s = self.now_s
            self._heads.start_all(newcomers)
        self._asking.ask([each for each in newcomers if each[2].shape.rented and self._waits[each[2].turn]])
        if self._overflow is not None:
            self._overflow.run_over()

    def _start_rented(self) -> None:
        while self.renting.due:
            self.renting.due = False
            if self.waiting_jobs and self.renting.start_all():
                self._start_owned([])  # the head may be among those who left

    def _rent(self, job: Job, rental: Rental) -> None:
        storm = self.storm
        self._start(job, rental, (), rental.ready_s(job) if storm is None else storm.ready_s(job, rental))

    def begin(self, job: Job, need: PodNeed | Rental, pods: tuple[Pod, ...] = ()) -> None:
        """Start a job that waits, between two passes: for whoever decides in place of the line-up."""
        if isinstance(need, Rental):
            self._rent(job, need)
        else:
            self._start(job, need, pods)

    def _start(self, job: Job, need: PodNeed | Rental, pods: tuple[Pod, ...], ready_s: int = 0) -> None:
        if self._waits[job.turn]:
            self._waits[job.turn] = 0
            self.waiting_jobs -= 1
        if self._start_tags is not None:
            self._start_tags.started(job)
        attempt = self.attempt(self.now_s, job, need, pods, ready_s)
        self.running[attempt] = None
        for account in self._accounts:  # before its own devices use up what is committed
            account.started(attempt)
        if need.simple:
            pods[0].frees[pods[0].index] -= need.devices
        else:
            need.take(attempt)
        if self.storm is not None:
            self.storm.started(attempt)
        if self._hears:
            self.arrivals.started(job.row)

    # ending

    def finish(self, attempt: Attempt) -> None:
        """End an attempt whose work is done, or whose time is over, now."""
        self.now_s = now = attempt.end_s
        if self.storm is not None and not self.storm.ends(attempt):
            self.settle()
            return
        del self.running[attempt]
        self.release(attempt)
        self.log.ended(attempt, now, attempt.ending, attempt.account)
        if self._answers:
            self.arrivals.ended(attempt.job.row, attempt.ending)
        self.settle()

    def release(self, attempt: Attempt) -> None:
        """Take back the devices of an attempt that is no longer among those that run."""
        need = attempt.need
        for account in self._accounts:
            account.released(attempt)
        if isinstance(need, Rental):
            self._keeping.release(attempt, need)
            return
        if need.simple:
            need.frees[attempt.pods[0].index] += need.devices
        else:
            need.release(attempt)
        if self.waiting_jobs:
            self.lineup.freed(need, attempt.pods)
