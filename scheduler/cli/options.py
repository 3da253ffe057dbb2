"""Options that several commands have, each declared once, and what reads the values of options."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scheduler.scenario import Scenario
    from scheduler.stock.stock import Stock
    from traces.trace import Trace
    from workloads import Demand

FILE = click.Path(path_type=Path)
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

# Each is called with the help, which says what the option is for in that command.
baseline = partial(click.option, "--baseline")
keep = partial(click.option, "--keep", is_flag=True)
out = partial(click.option, "-o", "--out", type=FILE)
overrides = partial(click.option, "--set", "overrides", multiple=True, metavar="KEY=VALUE")
seeds = partial(click.option, "--seeds")
trace = partial(click.option, "--trace", type=FILE)
workers = partial(click.option, "--workers", type=click.IntRange(1, 1024))


def share(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """Read a percentage as a share."""
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share < 10 or not text.endswith("%"):
        raise click.BadParameter(f'"{text}": must be a percentage above 0, as in 5%')
    return share


def duration(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | None:
    """Read a time as whole seconds."""
    if text is None:
        return None
    try:
        seconds = round(float(text[:-1]) * SECONDS[text[-1:]])
    except (ValueError, KeyError, OverflowError):
        seconds = -1
    if seconds < 0:
        raise click.BadParameter(f'"{text}": must be 0 or more, with s, m, h or d')
    return seconds


def numbers(
    _ctx: click.Context, param: click.Parameter, given: str | tuple[str, ...] | None
) -> dict[str, float] | None:
    """Read NAME=NUMBER, NAME=NUMBER ..., of one option with commas or of several."""
    if given is None or given == ():
        return None
    values = {}
    for pair in given.split(",") if isinstance(given, str) else given:
        name, _, text = pair.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise click.BadParameter(f'"{pair}": must be NAME=NUMBER', param_hint=param.opts[0]) from None
    return values


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
