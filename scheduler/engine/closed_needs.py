"""What may start somewhere only later: a kind of job has to be ported first, or a pool to close."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from simpy import Environment

from scheduler.engine.need import Need
from scheduler.engine.storm.handle import Handle


class ClosedNeeds:
    """Needs that are closed until a second; `clock` tells the time, `at_s` are all such seconds."""

    def __init__(self, clock: Environment, at_s: Iterable[int]) -> None:
        self._clock = clock
        self._closed: dict[int, list[Need]] = {second: [] for second in sorted({*at_s}) if second > clock.now}

    def add(self, need: Need, opens_s: int) -> None:
        """Let a need be closed until then."""
        if opens_s > self._clock.now:
            need.open, need.opens_s = False, opens_s
            self._closed[opens_s].append(need)

    def start(self, run: Handle) -> None:
        """Open them at their time."""
        for second in self._closed:
            run.later(second - int(self._clock.now), partial(self._open, run, second))

    def _open(self, run: Handle, second: int) -> None:
        for need in self._closed[second]:
            need.open = True
        run.pods_changed()
        run.offers_changed()
