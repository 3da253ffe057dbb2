"""A run on the fast lane: what the simulation would do, but for its close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scheduler.engine.arrivals import ORPHAN
from scheduler.engine.assets import reason
from scheduler.engine.attempt import Attempt
from scheduler.engine.fast.asked import AskedJobs
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    ARRIVED,
    ASKING,
    ASKS,
    ATTEMPT_SIZE,
    BY_NUMBER,
    CHAIN,
    COLUMN,
    DEVICES,
    END_HEAP,
    ENDS,
    FULL,
    HELD,
    JOB,
    JOB_SIZE,
    JOBS,
    LAG_HEAP,
    LAGS,
    NEED,
    NEXT,
    NONE,
    NOW,
    NUMBER,
    NUMBER_OF_POD,
    OVER,
    PERIOD,
    POD,
    PREFERENCE,
    PREFERENCE_SIZE,
    PREFERENCES,
    PREFERRED_IN,
    READY,
    REJECT_LIST,
    REJECT_SIZE,
    REJECTS,
    ROW_LIST,
    ROWS,
    SPAN_LIST,
    SPANNED,
    TIE_BITS,
    WAITS,
    WAS_READY,
)
from scheduler.engine.fast.preferences import Preferences
from scheduler.engine.fast.rules import Rules, put_run
from scheduler.engine.fast.tables import Tables
from scheduler.engine.log.outcomes import OVERRAN, REJECTED, Account
from scheduler.engine.log.part_files import NO_POD
from scheduler.engine.log.runlog import ENDING, ROW_WIDTH, Ended, RunLog
from scheduler.engine.log.waiting import Turns
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import ReplayProgress
from traces.arrays import Ints


class Lane:
    """Runs the jobs of a trace in place of a simulation, into whose log it writes."""

    def __init__(
        self,
        asked: AskedJobs,
        preferences: Preferences,
        pools: Sequence[Pool],
        offers: Sequence[LiveOffer],
        rules: Rules,
    ) -> None:
        self._asked, self._preferences, self._rules = asked, preferences, rules
        easy = rules.backfill == "easy"
        tables = Tables(asked, pools, offers, rules.start_s, dues=easy, prefers=preferences.needed)
        self._needs, self._reach = tables.needs, tables.reach
        put_run(tables.layout, rules, asked, pools, offers)
        asked.forget_columns()
        self._memory, self._jobs, self._links = tables.memory()
        self._unsettled, self._arrived = np.empty(0, np.int64), 0
        self._ties = (1 << int(self._memory[TIE_BITS])) - 1

    def run(self, simulation: Simulation, progress: ReplayProgress | None = None) -> int:
        """Let all jobs come and go; return the second at which the run ended."""
        from scheduler.engine.fast.loop import go_on  # which compiles, or reads what was compiled

        memory, why = self._memory, FULL
        while why != OVER:
            why = go_on(memory, self._reach)
            if why == ASKING:
                self._ask()
                continue
            self._log(simulation)
            arrived = int(memory[ARRIVED] - memory[JOBS]) // JOB_SIZE
            if progress is not None and arrived:
                progress(arrived - 1, int(memory[NOW]))
        simulation.running.update(dict.fromkeys(self._attempts(simulation)))
        horizon_s = self._rules.horizon_s
        end_s = int(memory[NOW]) if horizon_s is None else horizon_s
        simulation.close(end_s, horizon_s, self._held())
        return end_s

    def _ask(self) -> None:
        """Let a job say which offers it prefers."""
        memory = self._memory
        row = int(memory[ASKS] - memory[JOBS]) // JOB_SIZE
        told = memory[PREFERENCES] + PREFERENCE_SIZE * row
        memory[told + PREFERENCE] = self._preferences.of(row, int(memory[NOW]))
        memory[told + PREFERRED_IN], memory[ASKS] = memory[PERIOD], NONE

    def _log(self, simulation: Simulation) -> None:
        """Let the log have what has ended, and who waits and runs now."""
        memory, log = self._memory, simulation.log
        self._say_who_waits(log.turns)
        self._reject(log)
        rows = memory[memory[ROW_LIST] :][: memory[ROWS] * ROW_WIDTH].reshape(-1, ROW_WIDTH)
        ended = Ended(rows, self._spans(), self._accounts(rows))
        memory[ROWS] = memory[REJECTS] = memory[SPANNED] = 0
        running = self._running()
        needs = running[:, NEED]
        held = self._rows(running), memory[needs + COLUMN], memory[needs + DEVICES], running[:, ALLOC]
        log.add(ended, np.stack(held, axis=1), int(memory[NOW]))

    def _say_who_waits(self, turns: Turns) -> None:
        """Let the log know who waits, and since when: of those who did or were held before or came since."""
        arrived = int(self._memory[ARRIVED] - self._memory[JOBS]) // JOB_SIZE
        waiting = np.frombuffer(turns.waiting, np.uint8)
        some = np.concatenate([self._unsettled, np.arange(self._arrived, arrived)])
        waiting[some] = self._jobs[some, WAITS]
        unsettled = waiting[some] > 0
        if len(self._links):
            turns.ready_s[some] = self._links[some, WAS_READY]
            unsettled |= self._links[some, HELD] > 0
        self._unsettled, self._arrived = np.concatenate([some[unsettled], self._lagging()]), arrived

    def _reject(self, log: RunLog) -> None:
        memory = self._memory
        entries = memory[memory[REJECT_LIST] :][: memory[REJECTS] * REJECT_SIZE].reshape(-1, REJECT_SIZE)
        for row, turned_away, stopped_s in entries.tolist():
            shape = self._asked.shapes[self._asked.shape_of[row]]
            why, owned = shape.nowhere or ORPHAN, shape.owned
            if stopped_s != ABSENT:
                ready_s = log.turns.ready_s[row]  # pods that had left by then were no place for it any more
                owned = [need for need in owned if need.pods_taken <= need.pool.stock.most_pods(ready_s)]
                log.stops_waiting(row, stopped_s)
            log.unstarted(row, REJECTED, reason(owned) if turned_away else why)

    def _spans(self) -> dict[int, list[int]]:
        """Return the pods of the gangs across pods that have ended, by the number of their row."""
        listed = self._memory[self._memory[SPAN_LIST] :][: self._memory[SPANNED]].tolist()
        spans, at = {}, 0
        while at < len(listed):
            row, count = listed[at : at + 2]
            at += 2 + count
            spans[row] = listed[at - count : at]
        return spans

    def _accounts(self, rows: Ints) -> dict[int, Account]:
        """Return what the attempts came to whose jobs were killed, by the number of their row."""
        killed = np.flatnonzero(rows[:, ENDING] == OVERRAN)
        accounts = {}
        for at, job in zip(killed.tolist(), self._asked.some(rows[killed, 0]), strict=True):
            _, _, _, used, alloc_s, ready_s, end_s, _, pod = rows[at].tolist()
            staged_tb = job.input_tb if pod == NO_POD else 0.0
            accounts[at] = Account(0, 0, (end_s - alloc_s - ready_s) * used, staged_tb, 0.0)
        return accounts

    def _held(self) -> frozenset[int]:
        """Return the rows of those who wait for other jobs, or for their lag to be over."""
        return frozenset([*np.flatnonzero(self._links[:, HELD]).tolist(), *self._lagging().tolist()])

    def _lagging(self) -> Ints:
        """Return the rows of those whose lag is not over."""
        memory = self._memory
        lagging: Ints = memory[memory[LAG_HEAP] :][: memory[LAGS]] & self._ties
        return lagging

    def _running(self) -> Ints:
        """Return the records of the attempts that run, in order of their start."""
        memory = self._memory
        numbers = np.sort(memory[memory[END_HEAP] :][: memory[ENDS]] & self._ties)
        attempts = memory[memory[BY_NUMBER] + numbers]
        running: Ints = memory[attempts[:, None] + np.arange(ATTEMPT_SIZE)]
        return running

    def _rows(self, attempts: Ints) -> Ints:
        """Return the rows in the trace of the jobs of attempts."""
        rows: Ints = (attempts[:, JOB] - self._memory[JOBS]) // JOB_SIZE
        return rows

    def _attempts(self, simulation: Simulation) -> list[Attempt]:
        """Return what still runs as the simulation has it."""
        running = self._running()
        if not len(running):
            return []
        attempts = []
        for record, job in zip(running, self._asked.some(self._rows(running)), strict=True):
            need = self._needs[self._memory[record[NEED] + NUMBER]]
            pods: tuple[Pod, ...] = ()
            if isinstance(need, PodNeed):
                pods = tuple(need.pods[number] for number in self._pods(record))
            times = int(record[ALLOC]), job, need, pods, int(record[READY])
            attempts.append(simulation.attempt(*times))
        return attempts

    def _pods(self, record: Ints) -> list[int]:
        """Return the numbers of the pods that a job holds."""
        pods, pod = [], record[CHAIN]
        while pod != NONE:
            pods.append(int(self._memory[pod + NUMBER_OF_POD]))
            pod = self._memory[pod + NEXT]
        if record[POD] != NONE:
            pods.append(int(self._memory[record[POD] + NUMBER_OF_POD]))
        return pods
