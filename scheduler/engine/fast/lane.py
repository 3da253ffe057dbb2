"""A run on the fast lane: what the simulation would do, but for its close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    COLUMN,
    DEVICES,
    EASY,
    END_HEAP,
    ENDS,
    FIRST,
    GREEDY,
    HORIZON,
    JOB_SIZE,
    JOBS,
    KEPT_HEAP,
    NEED,
    NEW_FROM,
    NOW,
    NUMBER,
    NUMBER_OF_POD,
    PLACE,
    POD,
    READY,
    RING_HEAP,
    ROOM,
    ROW,
    ROW_LIST,
    ROWS,
    STRICT,
    TIES,
    WAITS,
    WORST,
)
from scheduler.engine.fast.tables import Tables
from scheduler.engine.log import runlog
from scheduler.engine.log.outcomes import REJECTED
from scheduler.engine.log.runlog import ROW_WIDTH
from scheduler.engine.owned.pools import Pod, PodNeed, Pool
from scheduler.engine.rented.offers import LiveOffer
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import ReplayProgress
from traces.arrays import Ints

BACKFILL_NUMBERS = {"none": STRICT, "greedy": GREEDY, "easy": EASY}
PLACE_NUMBERS = {"best_fit": BEST, "worst_fit": WORST, "first_fit": FIRST}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a run begins and ends, and by which backfill and place, of those above."""

    start_s: int
    horizon_s: int | None
    backfill: str
    place: str


class Lane:
    """Runs the jobs of a trace in place of a simulation, into whose log it writes."""

    def __init__(
        self, asked: AskedJobs, pools: Sequence[Pool], offers: Sequence[LiveOffer], rules: Rules
    ) -> None:
        self._asked, self._rules = asked, rules
        tables = Tables(asked, pools, offers, dues=rules.backfill == "easy")
        self._needs, self._reach = tables.needs, tables.reach
        self._fill_run(
            tables, most=sum(len(pool.pods) * pool.size for pool in pools) + sum(one.free for one in offers)
        )
        self._memory = tables.layout.memory()
        self._jobs = self._memory[tables.first_job :][: tables.jobs.size].reshape(-1, JOB_SIZE)
        homeless = [number for number, shape in enumerate(asked.shapes) if not (shape.owned or shape.rented)]
        self._rejected = np.flatnonzero(np.isin(asked.shape_of, homeless))

    def _fill_run(self, tables: Tables, most: int) -> None:
        """Let the run know its rules, and give it its lists; at most so many attempts run at once."""
        rules, layout, jobs = self._rules, tables.layout, len(self._asked.trace)
        run = layout.run
        run[[NOW, BEGINS]] = rules.start_s
        run[HORIZON] = ABSENT if rules.horizon_s is None else rules.horizon_s
        run[BACKFILL], run[PLACE] = BACKFILL_NUMBERS[rules.backfill], PLACE_NUMBERS[rules.place]
        run[TIES], run[ROOM] = jobs + 1, runlog.PART_ROWS
        run[[ARRIVED, NEW_FROM]] = run[JOBS]
        run[BY_RANK] = layout.put(tables.first_job + JOB_SIZE * self._asked.by_rank)
        run[END_HEAP] = layout.room(min(jobs, most))
        for place in (BY_NUMBER, RING_HEAP, KEPT_HEAP, ASIDE_LIST):
            run[place] = layout.room(jobs)
        run[ROW_LIST] = layout.room(runlog.PART_ROWS * ROW_WIDTH)

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
        simulation.close(end_s, horizon_s)
        return end_s

    def _log(self, simulation: Simulation) -> None:
        """Let the log have what has ended, and who waits and runs now."""
        memory, log = self._memory, simulation.log
        log.turns.waiting[:] = self._jobs[:, WAITS].astype(np.uint8).tobytes()
        arrived = int(memory[ARRIVED] - memory[JOBS]) // JOB_SIZE
        count = int(np.searchsorted(self._rejected, arrived))
        for row in self._rejected[:count].tolist():
            log.unstarted(row, REJECTED, self._asked.shapes[self._asked.shape_of[row]].nowhere)
        self._rejected = self._rejected[count:]
        rows = memory[memory[ROW_LIST] :][: memory[ROWS] * ROW_WIDTH]
        memory[ROWS] = 0
        running = self._running()
        needs = running[:, NEED]
        held = (running[:, ROW], memory[needs + COLUMN], memory[needs + DEVICES], running[:, ALLOC])
        log.add(rows, np.stack(held, axis=1), int(memory[NOW]))

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
                pods = (need.pods[self._memory[record[POD] + NUMBER_OF_POD]],)
            alloc_s, ready_s = int(record[ALLOC]), int(record[READY])
            attempts.append(Attempt(simulation.env, [], alloc_s, job, need, pods, ready_s))
        return attempts
