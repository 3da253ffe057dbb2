"""The part of a run that is compared: without its warm-up and its cool-down, in whole weeks.

A run starts empty, and jobs of days need days to fill the pods; at its end, it is not known how long jobs
will have waited. Demand has a profile by hour and weekday, and may grow, so there is no steady state for a
rule such as MSER (White, Simulation 1997) to find: the rule is a fixed one, and is said with each result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scheduler.money.ledger.rates import Calendar
from traces.arrays import Ints
from traces.times import DAY_S, HOUR_S, WEEK_S

WARMUP_S = 5 * DAY_S
"""At least, where a whole week is left. The demo's utilization is level from the sixth day on."""
COOLDOWN_S = DAY_S
SHORT_WARMUP, SHORT_COOLDOWN = 0.2, 0.05
"""Shares of a run too short for that."""


class WindowError(ValueError):
    """A run too short to measure; says what can be done."""


class Window(NamedTuple):
    """Seconds from which and before which is measured."""

    from_s: int
    to_s: int

    def weeks(self) -> list[Window]:
        """Return its whole weeks, one after the other, the last one up to its end."""
        count = (self.to_s - self.from_s) // WEEK_S
        return [Window(self.to_s - at * WEEK_S, self.to_s - (at - 1) * WEEK_S) for at in range(count, 0, -1)]

    def later(self, by_s: int) -> Window:
        """Return the window so many seconds later."""
        return Window(self.from_s + by_s, self.to_s + by_s)


class Measurement(NamedTuple):
    """What is measured of a run that starts at `start_s` and asks for `length_s` seconds."""

    start_s: int
    length_s: int
    whole: Window
    """Without warm-up and cool-down; of a trace whole weeks."""
    parts: tuple[Window, ...]
    """All of that; of a trace its weeks in which jobs are submitted."""


def busy_weeks(weeks: Sequence[Window], submit_s: Ints) -> tuple[Window, ...]:
    """Return those of some weeks in a row in which jobs are submitted, at seconds that ascend.

    In a week without any, all policies do the same, which is no evidence that they are alike.
    """
    if not weeks:
        return ()
    edges = np.array([weeks[0].from_s, *(week.to_s for week in weeks)])
    jobs = np.diff(np.searchsorted(submit_s, edges))
    return tuple(week for week, count in zip(weeks, jobs.tolist(), strict=True) if count)


def window(
    length_s: int,
    calendar: Calendar,
    period_s: int,
    warmup_s: int | None = None,
    cooldown_s: int | None = None,
) -> Window:
    """Return what is measured of a run of `length_s` seconds, whose charge periods have `period_s`.

    By default it ends at the last midnight (UTC) that leaves a day behind it, and has as many whole weeks as
    leave five days before it; where that is none, a fifth of the run goes before it and a twentieth behind.
    With one of warm-up and cool-down given, the other is none. Edges fall on starts of charge periods. Raises
    WindowError where nothing is left.
    """
    to_s = _before(length_s - COOLDOWN_S, calendar, DAY_S)
    weeks = (to_s - WARMUP_S) // WEEK_S
    if warmup_s is None and cooldown_s is None:
        if weeks > 0:
            return Window(to_s - weeks * WEEK_S, to_s)
        warmup_s, cooldown_s = round(SHORT_WARMUP * length_s), round(SHORT_COOLDOWN * length_s)
    first_s, last_s = warmup_s or 0, cooldown_s or 0
    measured = Window(
        _after(first_s, calendar, period_s) if first_s else 0,
        _before(length_s - last_s, calendar, period_s) if last_s else length_s,
    )
    if measured.from_s >= measured.to_s:
        raise WindowError(
            f"{length_s / HOUR_S:g} hours leave nothing to measure between a warm-up of {first_s / HOUR_S:g} "
            f"and a cool-down of {last_s / HOUR_S:g} hours: give other ones with --warmup and --cooldown"
        )
    return measured


def _before(time_s: int, calendar: Calendar, step_s: int) -> int:
    """Return the last start of an hour or day of UTC that is not after `time_s`."""
    return time_s - (time_s + calendar.midnight_s) % step_s


def _after(time_s: int, calendar: Calendar, step_s: int) -> int:
    """Return the first start of an hour or day of UTC that is not before `time_s`."""
    return time_s + -(time_s + calendar.midnight_s) % step_s
