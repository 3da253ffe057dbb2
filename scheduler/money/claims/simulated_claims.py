"""Claims that need simulated runs: what was measured, and one pure function a claim from it to a range.

Runs are made once, in the demo's hardware. A reading changes how many PFLOPS a tile makes and what they
cost, not the schedule, as demand is given in tile-hours: so all is measured per PFLOP-day of owned
capacity. Ranges are t intervals over the seeds (Law, "Simulation Modeling and Analysis", chapter 9) at
every end of the inputs' ranges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scheduler.money.claims.claim_file import Range, named
from scheduler.money.claims.intervals import interval
from scheduler.money.claims.live_claims import LIVE_CLAIMS, LiveTrials
from scheduler.money.claims.readings import Costs, Hardware, PriceReading, costs, span
from traces.arrays import Floats


class Measured(NamedTuple):
    """PFLOP-days per PFLOP-day of owned capacity: one row a load, ascending, one column a seed."""

    utilization: Floats
    """Used on owned pods by the hybrid."""
    burst: Floats
    """Billed for the hybrid's rented devices, at their peak."""
    cloud: Floats
    """Billed where every job is rented."""


class Trials(NamedTuple):
    """What the simulated runs gave."""

    mixed: Measured
    """The demo's mix of jobs."""
    demo: Measured
    """The same, at the demo's own load alone."""
    fsd: Measured
    """FSD jobs alone."""
    optimus_pods: Floats
    """Fewest ExaPODs that carry 50,000 robots, one a seed; inf where none of those tried does."""
    live: LiveTrials
    """Runs with tenants, parked cars and the loop."""


def break_even_simulated(
    hardware: Hardware,
    price: PriceReading,
    trials: Trials,
    capital_usd: Range,
    life_years: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Utilization at which the hybrid costs as much as renting all; inf: at none up to the highest load."""
    usd = costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue)
    idle = Measured(*(np.pad(part, ((1, 0), (0, 0))) for part in trials.mixed))
    hybrid, cloud = _bills(usd, idle)
    return interval(_crossing(idle.utilization, hybrid - cloud))


def v14_to_v15(
    hardware: Hardware,
    price: PriceReading,
    trials: Trials,
    capital_usd: Range,
    life_years: Range,
    usd_per_kwh: Range,
    pue: Range,
) -> Range:
    """Cost of renting for every FSD job over that of the hybrid."""
    hybrid, cloud = _bills(costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue), trials.fsd)
    return interval(cloud / hybrid)


def shortage_shelter(
    hardware: Hardware,
    price: PriceReading,
    trials: Trials,
    capital_usd: Range,
    life_years: Range,
    usd_per_kwh: Range,
    pue: Range,
    shortage_factor: Range,
) -> Range:
    """Cost of the hybrid over that of renting for every job, at rents that many times higher."""
    usd = costs(hardware, price, capital_usd, life_years, usd_per_kwh, pue)
    ratios = []
    for factor in shortage_factor:
        hybrid, cloud = _bills(usd._replace(rented=factor * usd.rented), trials.demo)
        ratios.append(interval(hybrid / cloud))
    return span(*(end for ratio in ratios for end in ratio))


def optimus_pods(trials: Trials) -> Range:
    """Fewest ExaPODs that carry 50,000 robots."""
    return interval(trials.optimus_pods)


def _bills(usd: Costs, measured: Measured) -> tuple[Any, Any]:
    """Return the hybrid's cost and that of renting all, in USD per PFLOP-day of owned capacity.

    Both are arrays (ends of the inputs, load, seed).
    """
    capital, idle, running, rented = (part.reshape(-1, 1, 1) for part in usd)
    return capital + idle + running * measured.utilization + rented * measured.burst, rented * measured.cloud


def _crossing(utilization: Floats, gap: Floats) -> Floats:
    """Return the utilization (ends, seed) at which a gap (ends, load, seed) first falls to 0; inf: nowhere.

    Linear between the loads, of which the first is no load at all.
    """
    below = gap <= 0
    at = np.maximum(below.argmax(axis=1), 1)[:, None]
    right, left = (np.take_along_axis(gap, index, axis=1)[:, 0] for index in (at, at - 1))
    used = np.broadcast_to(utilization, gap.shape)
    upper, lower = (np.take_along_axis(used, index, axis=1)[:, 0] for index in (at, at - 1))
    share = np.divide(left, left - right, out=np.zeros_like(left), where=left != right)
    return np.where(below.any(axis=1), lower + share * (upper - lower), np.inf)


SIMULATED_CLAIMS = named(break_even_simulated, v14_to_v15, optimus_pods, shortage_shelter) | LIVE_CLAIMS
