"""The least that any policy could spend, given how long its jobs wait, and the least wait, given its spend.

A linear program over slots of time, solved by HiGHS (Huangfu and Hall, Mathematical Programming Computation
2018). It relaxes the schedule, as time-indexed formulations do (Dyer and Wolsey, Discrete Applied Mathematics
1990): every schedule that a policy can make is a feasible point of it, so none goes below what it finds.
docs/compare.md says why, line by line, and what the relaxation gives away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np

from scheduler.catalog import Catalog
from scheduler.replay import Setup
from scheduler.replay.assembly import Assembly
from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock
from scheduler.study.compare.bound_jobs import BoundJobs, bound_jobs, classes
from scheduler.study.compare.least_prices import LeastPrices
from traces.arrays import Floats, Ints
from traces.step_function import row_at
from traces.times import HOUR_S
from traces.trace import Trace

SLOTS = 120
"""Time is cut into at most so many slots of equal length."""
SECOND_H = 1 / HOUR_S
SLACK = 1e-6
"""Relative room for the rounding of the solver, on the safe side."""


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A linear program whose variables have two prices: what they cost, and how long jobs wait for them."""

    most: Any
    """Sparse rows whose product with the variables is at most `at_most`."""
    at_most: Floats
    upper: Floats
    usd: Floats
    """USD for a unit of each variable."""
    usd_anyhow: float
    """What is spent whatever the policy: idle power and commitments."""
    wait_s: Floats
    """Seconds that jobs wait for a unit of each variable."""

    def least_usd(self, wait_s: float = inf) -> float:
        """Return the least avoidable spend of a schedule whose jobs wait `wait_s` together, or less."""
        return self.usd_anyhow + self._least(self.usd, self.wait_s, wait_s)

    def least_wait_s(self, usd: float = inf) -> float:
        """Return the least sum of the waits of a schedule whose avoidable spend is `usd` or less."""
        return self._least(self.wait_s, self.usd, usd - self.usd_anyhow)

    def _least(self, goal: Floats, budgeted: Floats, budget: float) -> float:
        """Minimize one price within a budget of the other; NaN where no schedule keeps to it."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array, vstack

        if not len(goal):
            return 0.0
        most, at_most, limits = self.most, self.at_most, np.column_stack([np.zeros_like(goal), self.upper])
        if budget < inf:
            most = vstack([most, csr_array(budgeted[None, :])], format="csr")
            at_most = np.append(at_most, budget + SLACK * max(1.0, abs(budget)))
        solution = linprog(goal, most, at_most, bounds=limits, method="highs")
        return nan if solution.fun is None else max(0.0, float(solution.fun) * (1 - SLACK))


def relax(
    scenario: Scenario, trace: Trace, window: tuple[int, int], until_s: int, catalog: Catalog | None = None
) -> Relaxation:
    """Return the program for the jobs submitted in the window and for what is spent in it.

    Waits count up to `until_s`, which is at or before the end of the run; the edges of the window are starts
    of charge periods.
    """
    from scipy.sparse import csr_array

    setup = Setup.of(scenario, trace, catalog)
    stock, fit = setup.stock, cache(Assembly(setup).fit)
    counted = bound_jobs(trace, fit, (len(stock.pools), len(stock.offers)), window, scenario.overrun_s)
    slots = max(0, min(SLOTS, until_s - window[0]))
    edges = np.linspace(window[0], until_s, slots + 1).round().astype(np.int64)
    prices = LeastPrices(stock, setup.owning, edges, window)
    if not slots or not len(counted.work):
        nothing = np.zeros(0)
        return Relaxation(csr_array((0, 0)), nothing, nothing, nothing, prices.anyhow(), nothing)
    return _program(classes(counted), stock, prices, edges)


def _program(parts: list[BoundJobs], stock: Stock, prices: LeastPrices, edges: Ints) -> Relaxation:
    """Build the rows over four variables a class and slot, in device-hours of work of the reference device.

    What has been started on own devices by the end of the slot, what of that is done, what devices have been
    rented for; and, times hours, what waited in the slot.
    """
    from scipy.sparse import block_array, block_diag, diags_array, eye_array, kron

    width_h, edges_h = np.diff(edges) / HOUR_S, edges / HOUR_S
    count, slots = len(parts), len(width_h)
    capacity, least = _capacity(parts, stock)
    come, late = _arrivals(parts, edges_h)
    longest_h = np.array([max(part.run_h.max(), SECOND_H) for part in parts])
    each, summed, zero = eye_array(count * slots), np.ones((1, count)), 0.0 * come
    steps = diags_array([1.0, -1.0], offsets=[0, -1], shape=(slots, slots))
    change, width = kron(eye_array(count), steps), kron(eye_array(count), diags_array(width_h))
    fits = kron(summed / longest_h, eye_array(slots))
    rows = [
        ([-change, None, None, None], zero),  # what is started never falls
        ([None, -change, None, None], zero),  # nor what is done
        ([None, None, -change, None], zero),  # nor what is rented for
        ([each, None, each, None], come),  # nothing is started or rented for before it has come
        ([-each, each, None, None], zero),  # nothing is done that has not been started
        ([block_diag([_by_then(edges_h, run_h) for run_h in longest_h]), -each, None, None], zero),
        ([fits, -fits, None, None], np.full(slots, capacity)),  # what runs has devices
        ([None, kron(summed, steps), None, None], capacity * width_h),  # which do no more than they can
        ([-width, None, -width, -each], late - width @ come),  # what is left has waited
    ]
    costs = prices.done(count, least), prices.rented(parts)
    possible = [[part.run_h.any(), part.run_h.any(), part.rent_h.any(), True] for part in parts]
    return Relaxation(
        most=block_array([blocks for blocks, _ in rows], format="csr"),
        at_most=np.concatenate([at_most for _, at_most in rows]),
        upper=np.repeat(np.where(np.array(possible).T.ravel(), inf, 0.0), slots),
        usd=np.concatenate([zero, *(change.T @ usd for usd in costs), zero]),
        usd_anyhow=prices.anyhow(),
        wait_s=_waits(parts, edges_h, change),
    )


def _by_then(edges_h: Floats, run_h: float) -> Any:
    """Return the rows that pick, at the end of each slot, the last slot that ended at least `run_h` before.

    What had been started by the end of that one is done.
    """
    from scipy.sparse import csr_array

    ends_h = edges_h[1:]
    slot = np.searchsorted(ends_h, ends_h - run_h - SLACK, "right") - 1
    rows = np.flatnonzero(slot >= 0)
    return csr_array((np.ones(len(rows)), (rows, slot[rows])), shape=(len(ends_h),) * 2)


def _capacity(parts: list[BoundJobs], stock: Stock) -> tuple[float, Floats]:
    """Work an hour that all pools do at most, and device-hours for a unit of it on each, at least.

    Each pool does what suits it best, with the most pods that it ever has at once.
    """
    least = np.min([part.owned.min(axis=0) for part in parts], axis=0)
    devices = np.array([pool.most_pods() * pool.pod_devices for pool in stock.pools], np.float64)
    return float(np.sum(devices / least)), least


def _arrivals(parts: list[BoundJobs], edges_h: Floats) -> tuple[Floats, Floats]:
    """Work that has come by the end of each slot, by class, and the hours of the slot before it came."""
    come, late = [], []
    for part in parts:
        slot = row_at(edges_h, part.submit_h)
        come.append(np.cumsum(np.bincount(slot, part.work, len(edges_h) - 1)))
        late.append(np.bincount(slot, part.work * (part.submit_h - edges_h[slot]), len(edges_h) - 1))
    return np.concatenate(come), np.concatenate(late)


def _waits(parts: list[BoundJobs], edges_h: Floats, change: Any) -> Floats:
    """Seconds that jobs wait for each variable: as if all of a class had the work of the largest.

    A job that devices are rented for waits until they are ready, or until the end of the run.
    """
    left_h = edges_h[-1] - edges_h[1:]
    largest = [part.work.max() for part in parts]
    boots_h = [
        np.minimum(part.boot_h.min(), left_h) / work for part, work in zip(parts, largest, strict=True)
    ]
    boot_h, waited_h = np.concatenate(boots_h), np.repeat(1 / np.array(largest), len(left_h))
    return HOUR_S * np.concatenate([0.0 * boot_h, 0.0 * boot_h, change.T @ boot_h, waited_h])
