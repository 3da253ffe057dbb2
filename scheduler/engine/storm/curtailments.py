"""Curtailments of the power of sites: they begin and end, and gangs may have to stop for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from scheduler.engine.log.outcomes import PREEMPTED
from scheduler.engine.owned.pools import PodNeed
from scheduler.engine.owned.power import Curtailment, Power
from scheduler.engine.storm.handle import Handle
from scheduler.engine.storm.interruptible import Interruptible


class Curtailments:
    """Lets the curtailments of all sites come; `stop` ends an attempt, its work saved in time or not."""

    def __init__(
        self, run: Handle, powers: Sequence[Power], stop: Callable[[Interruptible, int, bool], None]
    ) -> None:
        self._run, self._stop = run, stop
        now_s = int(run.env.now)
        for power in powers:
            for each in power.curtailments:
                run.later(each.from_s - now_s, partial(self._begin, power, each))
                run.later(each.to_s - now_s, partial(self._end, power, each))

    def _begin(self, power: Power, curtailment: Curtailment) -> None:
        power.free -= curtailment.less
        if power.stops:
            self._stop_least_loss(power, curtailment.from_s - curtailment.known_s)
        self._run.pods_changed()

    def _end(self, power: Power, curtailment: Curtailment) -> None:
        power.free += curtailment.less
        self._run.pods_changed()

    def _stop_least_loss(self, power: Power, notice_s: int) -> None:
        """Stop who loses the fewest device-seconds, of equal ones the last that started, until it is enough.

        Who knew it for as long as writing a checkpoint takes has written one.
        """
        now_s = self._run.now_s
        drawing: list[tuple[int, int, int, Interruptible]] = []
        for attempt in self._run.running:
            assert isinstance(attempt, Interruptible)
            if isinstance(attempt.need, PodNeed) and attempt.need.power is power:
                account, _ = attempt.stopped(now_s, in_time=_in_time(attempt, notice_s))
                drawing.append((account.lost_device_s, -attempt.alloc_s, -attempt.turn, attempt))
        for *_, attempt in sorted(drawing, key=lambda each: each[:3]):
            if power.free >= 0:
                return
            self._stop(attempt, PREEMPTED, _in_time(attempt, notice_s))


def _in_time(attempt: Interruptible, notice_s: int) -> bool:
    return 0 < notice_s >= attempt.plan.cost_s
