"""A run on the fast lane: what the simulation would do, but for its close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.engine.arrivals import ORPHAN
from scheduler.engine.attempt import Attempt
from scheduler.engine.fast.asked import AskedJobs
from scheduler.engine.fast.memory import (
    ABSENT,
    ALLOC,
    ARRIVED,
    ASIDE_LIST,
    BACKFILL,
    BEGINS,
    BEST,
    BY_NUMBER,
    BY_RANK,
    CHAIN,
    COLUMN,
    DEVICES,
    EASY,
    END_HEAP,
    ENDS,
    FIRST,
    GRACE,
    GREEDY,
    HELD,
    HORIZON,
    JOB_SIZE,
    JOBS,
    KEPT_HEAP,
    LAG_HEAP,
    LAGS,
    NEED,
    NEWCOMER_LIST,
    NEXT,
    NONE,
    NOW,
    NUMBER,
    NUMBER_OF_POD,
    PLACE,
    POD,
    READY,
    REJECT_LIST,
    REJECTS,
    RESERVATION,
    RING_HEAP,
    ROOM,
    ROW,
    ROW_LIST,
    ROWS,
    SORT_LIST,
    SPAN_LIST,
    SPAN_ROOM,
    SPANNED,
    STRICT,
    TIES,
    WAITS,
    WAS_READY,
    WORST,
)
from scheduler.engine.fast.tables import Tables
from scheduler.engine.log import runlog
from scheduler.engine.log.outcomes import OVERRAN, REJECTED, Account
from scheduler.engine.log.part_files import NO_POD
from scheduler.engine.log.runlog import ENDING, ROW_WIDTH, Ended
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import ReplayProgress
from traces.arrays import Ints

BACKFILL_NUMBERS = {"none": STRICT, "greedy": GREEDY, "easy": EASY}
PLACE_NUMBERS = {"best_fit": BEST, "worst_fit": WORST, "first_fit": FIRST}

SPANS_AT_ONCE = 1_000_000
"""Integers of the list of pods of gangs across pods that are kept before the log takes them."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a run begins and ends, and by which backfill and place, of those above."""

    start_s: int
    horizon_s: int | None
    backfill: str
    place: str
    overrun_s: int | None = None
    """How long a job may run past its estimate; None: as long as it does."""


class Lane:
    """Runs the jobs of a trace in place of a simulation, into whose log it writes."""

    def __init__(
        self, asked: AskedJobs, pools: Sequence[Pool], offers: Sequence[LiveOffer], rules: Rules
    ) -> None:
        self._asked, self._rules = asked, rules
        tables = Tables(asked, pools, offers, dues=rules.backfill == "easy")
        self._needs, self._reach = tables.needs, tables.reach
        self._fill_run(tables, pools, offers)
        self._memory, self._jobs, self._links = tables.memory()

    def _fill_run(self, tables: Tables, pools: Sequence[Pool], offers: Sequence[LiveOffer]) -> None:
        """Let the run know its rules, and give it its lists."""
        rules, layout, jobs = self._rules, tables.layout, len(self._asked.trace)
        run, pods = layout.run, max([len(pool.pods) for pool in pools], default=0)
        run[[NOW, BEGINS]] = rules.start_s
        run[HORIZON] = ABSENT if rules.horizon_s is None else rules.horizon_s
        run[GRACE] = ABSENT if rules.overrun_s is None else rules.overrun_s
        run[BACKFILL], run[PLACE] = BACKFILL_NUMBERS[rules.backfill], PLACE_NUMBERS[rules.place]
        run[TIES], run[ROOM], run[SPAN_ROOM] = jobs + 1, runlog.PART_ROWS, SPANS_AT_ONCE
        run[ARRIVED], run[RESERVATION] = run[JOBS], 1
        run[BY_RANK] = layout.put(run[JOBS] + JOB_SIZE * self._asked.by_rank)
        devices = sum(len(pool.pods) * pool.size for pool in pools) + sum(one.free for one in offers)
        run[END_HEAP] = layout.room(min(jobs, devices))
        for place in (BY_NUMBER, RING_HEAP, KEPT_HEAP, LAG_HEAP, NEWCOMER_LIST, ASIDE_LIST, REJECT_LIST):
            run[place] = layout.room(jobs)
        run[ROW_LIST] = layout.room(runlog.PART_ROWS * ROW_WIDTH)
        run[SPAN_LIST] = layout.room(SPANS_AT_ONCE + 2 + pods)
        run[SORT_LIST] = layout.room(pods)

    def run(self, simulation: Simulation, progress: ReplayProgress | None = None) -> int:
        """Let all jobs come and go; return the second at which the run ended."""
        from scheduler.engine.fast.loop import go_on  # which compiles, or reads what was compiled

        memory, over = self._memory, False
        while not over:
            over = go_on(memory, self._reach)
            self._log(simulation)
            arrived = int(memory[ARRIVED] - memory[JOBS]) // JOB_SIZE
            if progress is not None and arrived:
                progress(arrived - 1, int(memory[NOW]))
        simulation.running.update(dict.fromkeys(self._attempts(simulation)))
        horizon_s = self._rules.horizon_s
        end_s = int(memory[NOW]) if horizon_s is None else horizon_s
        simulation.close(end_s, horizon_s, self._held())
        return end_s

    def _log(self, simulation: Simulation) -> None:
        """Let the log have what has ended, and who waits and runs now."""
        memory, log = self._memory, simulation.log
        log.turns.waiting[:] = self._jobs[:, WAITS].astype(np.uint8).tobytes()
        if len(self._links):
            log.turns.ready_s[:] = self._links[:, WAS_READY]
        for row in memory[memory[REJECT_LIST] :][: memory[REJECTS]].tolist():
            log.unstarted(row, REJECTED, self._asked.shapes[self._asked.shape_of[row]].nowhere or ORPHAN)
        rows = memory[memory[ROW_LIST] :][: memory[ROWS] * ROW_WIDTH].reshape(-1, ROW_WIDTH)
        ended = Ended(rows, self._spans(), self._accounts(rows))
        memory[ROWS] = memory[REJECTS] = memory[SPANNED] = 0
        running = self._running()
        needs = running[:, NEED]
        held = (running[:, ROW], memory[needs + COLUMN], memory[needs + DEVICES], running[:, ALLOC])
        log.add(ended, np.stack(held, axis=1), int(memory[NOW]))

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
        memory = self._memory
        lagging = memory[memory[LAG_HEAP] :][: memory[LAGS]] % memory[TIES]
        return frozenset([*np.flatnonzero(self._links[:, HELD]).tolist(), *lagging.tolist()])

    def _running(self) -> Ints:
        """Return the records of the jobs that run, in order of their start."""
        memory = self._memory
        numbers = np.sort(memory[memory[END_HEAP] :][: memory[ENDS]] % memory[TIES])
        running: Ints = self._jobs[(memory[memory[BY_NUMBER] + numbers] - memory[JOBS]) // JOB_SIZE]
        return running

    def _attempts(self, simulation: Simulation) -> list[Attempt]:
        """Return what still runs as the simulation has it."""
        running = self._running()
        attempts = []
        for record, job in zip(running, self._asked.some(running[:, ROW]), strict=True):
            need = self._needs[self._memory[record[NEED] + NUMBER]]
            pods: tuple[Pod, ...] = ()
            if isinstance(need, PodNeed):
                pods = tuple(need.pods[number] for number in self._pods(record))
            times = int(record[ALLOC]), job, need, pods, int(record[READY])
            attempts.append(Attempt(simulation.env, [], *times, self._rules.overrun_s))
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
