"""Claims on tenants, parked cars and the loop, from runs with live sources: one pure function a claim.

What was sold is measured as a share of the capacity owned, at several loads of our own jobs, so a reading of
the hardware or the prices changes no run. Ranges are t intervals over the seeds at every load, reading or end
of the inputs; of dates, from the first to the last of all seeds and ways of selling.
"""

from __future__ import annotations

from typing import NamedTuple

from scheduler.money.claims.claim_file import Range, named
from scheduler.money.claims.intervals import interval
from scheduler.money.claims.readings import Hardware, PriceReading, corners, costs, span
from scheduler.money.economics.breakeven import DAYS
from traces.arrays import Floats


class SpareSold(NamedTuple):
    """Of each PFLOP-day owned: one row a load, ascending, one column a seed."""

    kept: Floats
    """Sold, done and kept."""
    held: Floats
    """By how much more the pods are held, with what was lost as customers gave way; of firm ones it may be
    less than is sold, as own jobs that they keep waiting go elsewhere."""
    rented: Floats
    """Rented more for own jobs than without a market."""


class LiveTrials(NamedTuple):
    """What runs with live sources gave; the last axis is the seed."""

    preemptible: SpareSold
    firm: SpareSold
    opened: Floats
    """Year in which selling pays for good in the story of years, a row for preemptible and one for firm."""
    petaops: Floats
    """Delivered by parked cars, 10^15 operations a second, a row for each end of what is said of them."""
    clips: Floats
    """10^9 clips in a year of the loop, likewise, with each reading of what training does."""
    spared: Floats
    """Miles between interventions after a year of the loop, over those at its start, a row a reading."""


def headroom(live: LiveTrials) -> Range:
    """What is sold where own demand is above capacity, over what is at the lowest load."""
    return interval(live.firm.kept[-1] / live.firm.kept[0])


def ai_cloud_revenue_simulated(
    hardware: Hardware, price: PriceReading, live: LiveTrials, fleet_pods: Range
) -> Range:
    """USD a year for all ExaPODs, of what is sold beside own jobs."""
    sold = span(*interval(live.preemptible.kept), *interval(live.firm.kept))
    pods, rented, share = corners(fleet_pods, price.rented, Range(max(0.0, sold.low), min(1.0, sold.high)))
    return span(pods * hardware.pflops * DAYS * rented * share)


def marginal_cost_simulated(
    hardware: Hardware, price: PriceReading, live: LiveTrials, usd_per_kwh: Range, pue: Range
) -> Range:
    """Power of all that is held more, and rent for own jobs that wait for customers, over what is sold.

    Where there is headroom: at all loads but the highest.
    """
    usd = costs(hardware, price, Range(0, 0), Range(1, 1), usd_per_kwh, pue)
    running, rent = (part.reshape(-1, 1, 1) for part in (usd.running, usd.rented))
    ways = (
        interval((running * sold.held + rent * sold.rented) / (rent * sold.kept))
        for sold in (SpareSold(*(part[:-1] for part in way)) for way in (live.preemptible, live.firm))
    )
    return span(*(end for way in ways for end in way))


def selling_window(live: LiveTrials) -> Range:
    """Year from which on selling pays in every quarter."""
    return span(live.opened)


def parked_cars_simulated(live: LiveTrials) -> Range:
    """PetaOps that the cars deliver."""
    return interval(live.petaops)


def clips_simulated(live: LiveTrials) -> Range:
    """10^9 clips in a year."""
    return interval(live.clips)


def flywheel(live: LiveTrials) -> Range:
    """Miles between interventions after a year, over those at its start."""
    return interval(live.spared)


LIVE_CLAIMS = named(
    headroom,
    ai_cloud_revenue_simulated,
    marginal_cost_simulated,
    selling_window,
    parked_cars_simulated,
    clips_simulated,
    flywheel,
)
