"""What commands have ready before they run anything: a scenario with all that it names, and its jobs.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scheduler.catalog import CatalogError, load_catalog
from scheduler.scenario import Scenario, ScenarioError, read_scenario
from scheduler.stock.stock import Resources, resources
from traces.trace import Trace
from workloads import Demand, DemandError, demand_of, generate


class Prepared(NamedTuple):
    """All that a run is made of."""

    scenario: Scenario
    stock: Resources
    trace: Trace
    generated: bool
    """The jobs are the scenario's own demand, and in no file."""


def read(file: Path, overrides: tuple[str, ...] = ()) -> tuple[Scenario, Resources, Demand]:
    """Read a scenario and look up all that it names, so that nothing is wrong with it later."""
    scenario = read_scenario(file, overrides)
    try:
        return (
            scenario,
            resources(scenario, load_catalog()),
            demand_of({"seed": scenario.seed} | scenario.demand),
        )
    except (CatalogError, DemandError) as error:
        raise ScenarioError(f"{file}: {error}") from None


def trace_file(scenario: Scenario, file: Path, given: Path | None) -> Path | None:
    """Return the trace that is given, or that the scenario in `file` names, if any."""
    return given or (file.parent / scenario.trace if scenario.trace else None)


def prepare(file: Path, given: Path | None, overrides: tuple[str, ...]) -> Prepared:
    """Read a scenario and its trace, or generate its demand."""
    scenario, stock, demand = read(file, overrides)
    jobs = trace_file(scenario, file, given)
    return Prepared(scenario, stock, generate(demand) if jobs is None else Trace.read(jobs), jobs is None)
