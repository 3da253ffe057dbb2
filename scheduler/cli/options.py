"""What several commands share: options, and reading a scenario with all that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scheduler.scenario import Scenario
    from scheduler.stock.stock import Stock
    from traces.trace import Trace
    from workloads import Demand

FILE = click.Path(path_type=Path)


def read(file: Path, overrides: tuple[str, ...] = ()) -> tuple[Scenario, Stock, Demand]:
    """Read a scenario and look up all that it names, so that nothing is wrong with it later."""
    from scheduler.catalog import CatalogError, load_catalog
    from scheduler.scenario import ScenarioError, read_scenario
    from scheduler.stock.stock import stock_of
    from workloads import DemandError, demand_of

    scenario = read_scenario(file, overrides)
    try:
        return (
            scenario,
            stock_of(scenario, load_catalog()),
            demand_of({"seed": scenario.seed} | scenario.demand),
        )
    except (CatalogError, DemandError) as error:
        raise ScenarioError(f"{file}: {error}") from None


def jobs_of(scenario: Scenario, file: Path, trace_file: Path | None, demand: Demand) -> Trace:
    """Read the trace that is given, or that the scenario in `file` names, or generate its demand."""
    from traces.trace import Trace
    from workloads import generate

    given = trace_file or (scenario.trace and file.parent / scenario.trace)
    return Trace.read(given) if given else generate(demand)
