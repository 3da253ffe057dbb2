"""The runs of claims on tenants, parked cars and the loop, in the demo's cluster and in the story of years.

Customers are more than the pods can serve, at 1 dollar a device-hour, so that revenue counts device-hours.
Cars have more work than they can do. A loop has the cluster to itself, for a year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

import numpy as np
from msgspec import convert
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.money.claims.claim_file import Range
from scheduler.money.claims.live_claims import LiveTrials, SpareSold
from scheduler.scenario import EdgeSpec, LoopSpec, MarketSpec, Scenario
from scheduler.stock.stock import stock_of
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.cells.figures import KnownFigures
from scheduler.study.price.spans import months_that_sell
from traces.arrays import Floats

LOADS = (0.4, 0.8, 1.3)
"""Of own jobs: the last is above capacity."""
DAYS_SOLD = 14
EFFECTS: tuple[dict[str, float], ...] = ({}, {"b": 0.1, "c": 0.2}, {"b": 0.3, "c": 0.5})
"""Readings of what training does: none, and exponents of the order of scaling laws. Assumed."""
YEARS_SEEDS = 2
PARKED = [0.9] * 11 + [0.8] + [0.7] * 10 + [0.8, 0.9]
"""Share of cars parked, by the hour in UTC. Assumed, as in the story of years."""
MILES_A_DAY = 35
INTERVENTIONS = 0.01
"""A mile at the start. Assumed; only its change counts."""
DAYS_A_YEAR = 365
RUN_H = 24


@dataclass(frozen=True)
class LiveRuns:
    """Makes them: `demo` is the demo's scenario, `years` the story of years."""

    demo: Scenario
    years: Scenario
    seeds: Sequence[int]
    inputs: Mapping[str, Range]
    """What is said of cars, shares and clips, by the names in claims.toml."""
    known: KnownFigures

    def trials(self) -> LiveTrials:
        """Run what the claims need; raises FailedRunError where a run fails."""
        clips, spared = self._loop()
        return LiveTrials(
            self._sold(preemptible=True),
            self._sold(preemptible=False),
            np.array([self._opened(preemptible=way) for way in (True, False)]),
            self._petaops(),
            clips,
            spared,
        )

    def _figures(self, what: str, cells: list[list[Cell]], name: str) -> Floats:
        flat = self.known.of(what, [cell for row in cells for cell in row])
        found = np.array([metrics.get(name) or 0.0 for metrics in flat], np.float64)
        return found.reshape(len(cells), -1)

    def _sold(self, *, preemptible: bool) -> SpareSold:
        days = replace(self.demo, horizon_h=24.0 * DAYS_SOLD, demand=self.demo.demand | {"days": DAYS_SOLD})
        catalog = load_catalog()
        stock = stock_of(days, catalog)
        pool = stock.pools[0]
        owned_h = pool.pods * pool.pod_devices * 24 * DAYS_SOLD
        peak = catalog.device(stock.offers[0].device).peak_pflops / catalog.device(pool.device).peak_pflops
        loads = [replace(days, demand=days.demand | {"load": load}) for load in LOADS]
        market = _plenty(owned_h / DAYS_SOLD / 24, preemptible=preemptible)
        without, sells = (
            [[cell_of(replace(each, market=of), seed) for seed in self.seeds] for each in loads]
            for of in (None, market)
        )

        def more(name: str) -> Floats:
            return self._figures("tenants", sells, name) - self._figures("tenants", without, name)

        used = more(f"utilization:{pool.name}")
        return SpareSold(more("revenue_usd") / owned_h, used, more("usd_rent") * peak / owned_h)

    def _opened(self, *, preemptible: bool) -> list[float]:
        """Return the year in which selling begins to pay for good, by seed; inf: never."""
        assert self.years.market is not None
        segments = tuple(replace(each, preemptible=preemptible) for each in self.years.market.segments)
        story = replace(self.years, market=replace(self.years.market, segments=segments), loops=(), edge=())
        spans = [span for span in months_that_sell(story) if span.sells]
        seeds = range(1, 1 + YEARS_SEEDS)
        sells = [[cell_of(span.scenario, seed) for seed in seeds] for span in spans]
        without = [[cell_of(replace(span.scenario, market=None), seed) for seed in seeds] for span in spans]
        revenue = self._figures("years", sells, "revenue_usd")
        spent = self._figures("years", sells, "usd_total") - self._figures("years", without, "usd_total")
        since = [span.quarter.since for span in spans if span.quarter is not None]
        year = np.array([each.year + (each.month - 1) / 12 for each in since])
        return [_for_good(year, margin) for margin in (revenue - spent).T]

    def _petaops(self) -> Floats:
        """Return what cars deliver, by the ends of what is said of them, and seed."""
        ends = (self.inputs[name] for name in ("cars", "wired_share", "car_tops"))
        cells = [[cell_of(_parked(self.demo, *of), seed) for seed in self.seeds] for of in product(*ends)]
        return self._figures("cars", cells, "edge_pflops:cars")

    def _loop(self) -> tuple[Floats, Floats]:
        """Return 10^9 clips, and the gain in miles between interventions, by reading and seed."""
        readings = [
            _fed(self.demo, cars, clips_per_mile, effect)
            for cars in self.inputs["cars"]
            for clips_per_mile in self.inputs["clips_per_mile"]
            for effect in EFFECTS
        ]
        cells = [[cell_of(each, seed) for seed in self.seeds[:2]] for each in readings]
        miles = self._figures("loop", cells, "miles_between_interventions:car")
        return self._figures("loop", cells, "clips:car") / 1e9, miles * INTERVENTIONS


def _parked(demo: Scenario, cars: float, wired_share: float, tops: float) -> Scenario:
    """Return a day of cars with work without end: each job stands for so much."""
    edge = {
        **{"name": "cars", "cars": int(cars), "tops": tops, "w": 100, "wired_share": wired_share},
        **{"parked_by_hour": PARKED, "opt_in": 1, "uplink_mbps": 20, "unplug_per_h": 0.1},
        **{"usd_per_car_h": 0, "kinds": ["fsd.label"], "shard_pflop": 20, "shard_gb": 0.1},
        **{"deadline_h": 1_000, "pflops_per_device": 1e9},
    }
    day = replace(demo, horizon_h=24.0, demand=demo.demand | {"days": 1})
    return replace(day, edge=(convert(edge, EdgeSpec),))


def _fed(demo: Scenario, cars: float, clips_per_mile: float, effect: Mapping[str, float]) -> Scenario:
    """Return a year of a fleet that trains for a day of a pod a fortnight, and doubles its data in a year."""
    pod = 120
    a_year = cars * MILES_A_DAY * clips_per_mile * DAYS_A_YEAR
    loop = {
        **{"name": "car", "units": cars, "miles_per_unit_day": MILES_A_DAY, "clips_per_mile": clips_per_mile},
        **{"trigger_days": 14, "device_h_per_clip": pod * 24 * 26 / a_year, "gang": pod},
        **{"evaluation_gang": 24, "evaluation_h": 6, "ota_h": 72},
        "effect": {"a": INTERVENTIONS, "start_pflop_days": pod * 26, "start_clips": a_year, **effect},
    }
    quiet = replace(demo, horizon_h=24.0 * DAYS_A_YEAR, demand=demo.demand | {"days": 1})
    return replace(quiet, loops=(convert(loop, LoopSpec),))


def _plenty(devices: float, *, preemptible: bool) -> MarketSpec:
    """Return a market that asks for twice so many devices, at a dollar a device-hour."""
    sizes = [12, 24, 48]
    segment = {
        **{"name": "all", "per_day": 2 * devices / (sum(sizes) / len(sizes)) * 24 / RUN_H, "devices": sizes},
        **{"run_h": RUN_H, "willingness_usd_per_device_h": 2, "preemptible": preemptible},
        **{"start_within_h": 4},
    }
    return convert({"price": {"usd_per_device_h": 1}, "segments": [segment]}, MarketSpec)


def _for_good(year: Floats, margin: Floats) -> float:
    """Return the first of some years from which on a margin is above 0 to the end; inf: none."""
    closed = np.flatnonzero(margin <= 0)
    first = closed[-1] + 1 if len(closed) else 0
    return float(year[first]) if first < len(year) else inf
