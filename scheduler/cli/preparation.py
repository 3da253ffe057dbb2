"""What commands have ready before they run anything: a scenario with all that it names, and its jobs.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from scheduler.catalog import CatalogError, load_catalog
from scheduler.catalog.certainty import footer
from scheduler.cli.submissions import kept
from scheduler.replay import Setup
from scheduler.scenario import Scenario, ScenarioError, read_scenario
from scheduler.stock.assumed import prices_of, unsure_figures
from scheduler.stock.batches import BatchError
from scheduler.stock.checks import check_names
from scheduler.stock.sites import CapError
from scheduler.stock.stock import Stock, stock_of
from traces.submissions import ALL_TIME, TimeRange
from traces.trace import Trace

if TYPE_CHECKING:  # for start-up time: only jobs that are generated, or a demand that is given, need it
    from workloads import Demand


class Prepared(NamedTuple):
    """All that a run is made of."""

    setup: Setup
    generated: bool
    """The jobs are in no file: they are the scenario's own demand, or what is left of some at an instant."""


class WarmStart(NamedTuple):
    """The instant at which a run begins, as users write it, and the run that stood there, if it is one."""

    at: str | None = None
    run: Path | None = None


COLD = WarmStart()


def read(file: Path, overrides: tuple[str, ...] = (), trace: Path | None = None) -> tuple[Scenario, Stock]:
    """Read a scenario and look up all that it names, so that nothing is wrong with it later.

    `trace` is given in place of the jobs that it names.
    """
    scenario = read_scenario(file, overrides)
    with _named(file):
        stock = stock_of(scenario, load_catalog())
        _check_demand(scenario, file)
        if scenario.lives:
            jobs = trace_file(scenario, file, trace)
            _check_live(scenario, file, None if jobs is None else Trace.read(jobs))
        return scenario, stock


def unsure(scenario: Scenario, stock: Stock) -> str:
    """Return the lines on figures that are not sure, to end an output with money."""
    catalog = load_catalog()
    return footer(unsure_figures(scenario, stock, catalog), prices_of(scenario, stock, catalog))


def trace_file(scenario: Scenario, file: Path, given: Path | None) -> Path | None:
    """Return the trace that is given, or that the scenario in `file` names, if any."""
    return given or (file.parent / scenario.trace if scenario.trace else None)


def prepare(
    file: Path,
    trace: Path | None,
    overrides: tuple[str, ...],
    weather: Path | None = None,
    part: TimeRange = ALL_TIME,
    warm: WarmStart = COLD,
) -> Prepared:
    """Read a scenario and its trace, or generate its demand; `weather` is a file to replay."""
    scenario, jobs, generated = read_with_jobs(file, trace, overrides, part)
    if warm != COLD:
        jobs, generated = _opened(jobs, warm, given=not generated), True
    if weather is not None:
        scenario = replace(scenario, weather=str(weather))
    with _named(file):
        return Prepared(Setup.of(scenario, jobs), generated)


def read_with_jobs(
    file: Path, trace: Path | None, overrides: tuple[str, ...], part: TimeRange = ALL_TIME
) -> tuple[Scenario, Trace, bool]:
    """Read a scenario and a part of its trace, or generate its demand; say whether that was generated."""
    scenario = read_scenario(file, overrides)
    with _named(file):
        check_names(scenario, load_catalog())
    _check_demand(scenario, file)
    jobs_file = trace_file(scenario, file, trace)
    jobs = _generated(scenario, file) if jobs_file is None else Trace.read(jobs_file)
    _check_live(scenario, file, None if jobs_file is None else jobs)
    return scenario, kept(jobs, part), jobs_file is None


def _opened(jobs: Trace, warm: WarmStart, *, given: bool) -> Trace:
    """Return what is left of the jobs at an instant, by their record or as a run stood."""
    from scheduler.run.directory import RunError, open_run
    from scheduler.run.warm import warm_from
    from scheduler.why.question import jobs_of
    from traces.numbers import minute
    from traces.times import parse_moment
    from traces.warm import warm_at

    if warm.run is None:
        return warm_at(jobs, parse_moment(warm.at or "", jobs.epoch))
    run = open_run(warm.run)
    jobs = jobs_of(run, jobs if given else None)
    at_s = run.end_s if warm.at is None else parse_moment(warm.at, jobs.epoch)
    if not run.start_s < at_s <= run.end_s:
        ends = " to ".join(minute(jobs.instant(second)) for second in (run.start_s, run.end_s))
        raise RunError(f'{warm.run}: "{warm.at}" is not within the run, which is from {ends} UTC')
    return warm_from(run, jobs, at_s)


def _generated(scenario: Scenario, file: Path) -> Trace:
    """Generate the jobs of the scenario's demand."""
    from scheduler.study.reference import reference_of
    from workloads import generate

    return generate(_demand(scenario, file), reference_of())


def _check_live(scenario: Scenario, file: Path, jobs: Trace | None) -> None:
    """Raise ScenarioError for what live sources could never have; without jobs, those of the demand."""
    if not scenario.lives:
        return
    from scheduler.study.live_checks import check_live_sources

    try:
        check_live_sources(scenario, jobs)
    except ScenarioError as error:
        raise ScenarioError(f"{file}: {error}") from None


def _check_demand(scenario: Scenario, file: Path) -> None:
    """Raise ScenarioError where the demand that is given is none; what is not given is sound."""
    if scenario.demand:
        _demand(scenario, file)


def _demand(scenario: Scenario, file: Path) -> Demand:
    from workloads import DemandError, demand_of

    try:
        demand = demand_of({"seed": scenario.seed} | scenario.demand)
        demand.check_dates()
    except DemandError as error:
        raise ScenarioError(f"{file}: {error}") from None
    return demand


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Name the scenario's file where what it names is wrong."""
    try:
        yield
    except (BatchError, CapError, CatalogError) as error:
        raise ScenarioError(f"{file}: {error}") from None
