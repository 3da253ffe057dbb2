"""What is left when a run ends: the horizon cuts it off."""

from __future__ import annotations

from typing import Protocol

from scheduler.engine.attempt import Attempt
from scheduler.engine.guests.guests import Guests
from scheduler.engine.log.outcomes import UNFINISHED
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.storm.storm import Storm


class EndingLoop(Protocol):
    """The simulation, as its end concerns it."""

    log: RunLog
    running: dict[Attempt, None]
    storm: Storm | None
    guests: Guests | None


def cut_off(loop: EndingLoop, waits: bytearray, held: frozenset[int], end_s: int) -> None:
    """Log what the horizon cut off; a gang that ends at that very second has finished.

    `held` are the rows that wait for other jobs.
    """
    if loop.storm is not None:
        loop.storm.close(end_s)
    if loop.guests is not None:
        loop.guests.close(end_s)
    log, running = loop.log, loop.running
    for attempt in list(running):
        del running[attempt]
        if attempt.end_s <= end_s:
            log.ended(attempt, end_s, attempt.ending, attempt.account)
        else:
            log.ended(attempt, end_s, UNFINISHED, attempt.so_far(end_s))
    for row in log.missing():
        if any(watcher is not None and watcher.interrupted(row) for watcher in (loop.storm, loop.guests)):
            why = "waits to run again"
        elif waits[row]:
            why = "still waiting"
        else:
            why = "waits for another job" if row in held else "not yet submitted"
        log.unstarted(row, UNFINISHED, why)
