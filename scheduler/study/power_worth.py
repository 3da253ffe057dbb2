"""What the caps of sites cost, and what more power would be worth, by runs on common seeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from scheduler.scenario import Scenario, ScenarioError, SiteSpec
from scheduler.study.cells.cell import cell_of
from scheduler.study.cells.figures import figures_of
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from traces.arrays import Floats
from traces.confidence import halfwidth


class PowerWorth(NamedTuple):
    """Paired differences of one site over the seeds, a value a seed; NaN where a figure is unknown."""

    site: str
    kw: float
    """How much more it was given."""
    lost_pflop_days: Floats
    """Delivered on its pools without the cap, less with it."""
    lost_deadlines: Floats
    """Deadlines missed with the cap, less without it."""
    cap_usd: Floats
    """Spent with the cap, less without it."""
    pflop_days_per_kw: Floats
    """Delivered on its pools with more power, less without, by kW."""
    usd_per_kw: Floats
    """What one more kW saves in the run: a finite difference."""


def power_worth(
    scenario: Scenario,
    trace: Path | None,
    more_kw: float,
    seeds: range,
    place: tuple[Path, Workers, StudyProgress],
) -> list[PowerWorth]:
    """Return what the cap of each site is worth; raises ScenarioError where no site has one.

    Every run of a seed meets the same jobs. `more_kw` is added to the cap and to all curtailments.
    """
    capped = [site for site in scenario.sites if site.is_capped]
    if not capped:
        raise ScenarioError("no site has a cap: give sites.NAME.cap_kw, or curtailments")
    runs = dict(_scenarios(scenario, capped, more_kw))
    cells = {(what, seed): cell_of(of, seed, trace) for what, of in runs.items() for seed in seeds}
    figures = figures_of("power", cells.values(), *place)

    def of(what: str, figure: str) -> Floats:
        found = (figures[cells[what, seed].key].get(figure) for seed in seeds)
        return np.array([np.nan if value is None else value for value in found], np.float64)

    def less(one: str, other: str, figure: str) -> Floats:
        return np.asarray(of(one, figure) - of(other, figure), np.float64)

    worth = []
    for site in capped:
        free, more, delivered = f"free:{site.name}", f"more:{site.name}", f"delivered_pflop_days:{site.name}"
        worth.append(
            PowerWorth(
                site.name,
                more_kw,
                less(free, "as it is", delivered),
                less("as it is", free, "missed"),
                less("as it is", free, "usd_total"),
                less(more, "as it is", delivered) / more_kw,
                less("as it is", more, "usd_total") / more_kw,
            )
        )
    return worth


def mean_and_halfwidth(values: Floats) -> tuple[float, float]:
    """Return the mean over the seeds, and half its interval; NaN with a single one."""
    return float(values.mean()), float(halfwidth(values)) if len(values) > 1 else float("nan")


def _scenarios(scenario: Scenario, capped: list[SiteSpec], more_kw: float) -> Iterator[tuple[str, Scenario]]:
    """Yield the scenario as it is, and for each site without its cap and with more power."""
    yield "as it is", scenario
    for site in capped:
        yield f"free:{site.name}", _with(scenario, replace(site, cap_kw=None, curtailments=()))
        more = tuple(replace(each, kw=each.kw + more_kw) for each in site.curtailments)
        cap_kw = None if site.cap_kw is None else site.cap_kw + more_kw
        yield f"more:{site.name}", _with(scenario, replace(site, cap_kw=cap_kw, curtailments=more))


def _with(scenario: Scenario, site: SiteSpec) -> Scenario:
    sites = tuple(site if each.name == site.name else each for each in scenario.sites)
    return replace(scenario, sites=sites)
