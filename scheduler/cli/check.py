"""Checks of files: traces, weather, scenarios and studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand, warn
from traces.times import DAY_S

if TYPE_CHECKING:  # for start-up time
    from scheduler.report.documents.files import FileDocument, TraceDocument


@click.command(cls=ArrowCommand)
@click.argument("file", type=SCENARIO)
@options.trace(help="Check a scenario for this trace.")
@options.catalog
@options.as_json
def check(file: Path, trace: Path | None, as_json: bool) -> None:
    """Validate a trace or weather (Parquet), a scenario or a study (TOML), and say what it holds."""
    checked = _checked(file, trace)
    click.echo(checked.text() if as_json else "\n".join(checked.says))


def _checked(file: Path, trace: Path | None) -> FileDocument | TraceDocument:
    """Return what a file is, and what it holds."""
    from scheduler.report.documents.files import FileDocument

    def holding(holds: str, says: str) -> FileDocument:
        return FileDocument(file=str(file), holds=holds, rows=None, says=[says])

    raw = None
    if file.suffix == ".toml":
        from scheduler.scenario import ScenarioError
        from traces.errors import read_toml

        raw = read_toml(file, ScenarioError)
    if raw is not None and "scenario" not in raw:
        return holding("scenario", _check_scenario(file, trace))
    if trace is not None:
        raise click.UsageError("--trace goes with a scenario")
    if raw is not None:
        return holding("study", _check_study(file))
    from scheduler.weather import Weather

    if Weather.claimed(file):
        return holding("weather", _check_weather(file))
    return _check_trace(file)


def _check_trace(file: Path) -> TraceDocument:
    from scheduler.catalog import CatalogError, load_catalog
    from scheduler.report.documents.files import trace_document
    from scheduler.stock.reference import check_rates
    from traces.numbers import plural
    from traces.record import recorded_use
    from traces.submissions import about_trace, submissions
    from traces.trace import Trace

    trace = Trace.read(file)
    try:
        check_rates(trace, load_catalog())
    except CatalogError as error:
        raise CatalogError(f"{file}: {error}") from None
    warn(about_trace(trace))
    valid = (
        f"{file}: a valid trace of {plural(len(trace), 'job')}, {submissions(trace)}, "
        f"reference device {trace.reference_device}, SHA-256 {trace.sha256}"
    )
    return trace_document(str(file), trace, "\n".join([valid, *recorded_use(trace)]))


def _check_weather(file: Path) -> str:
    from scheduler.weather import Weather

    weather = Weather.read(file)
    devices = ", ".join(f"{count:,} of {name}" for name, count in weather.devices.items())
    days, rows = weather.until_s / DAY_S, len(weather.table)
    return f"{file}: valid weather of {days:.1f} days for {devices}: {rows:,} rows"


def _check_scenario(file: Path, trace: Path | None) -> str:
    from scheduler.cli.preparation import prepare
    from scheduler.replay.advice import about_setup
    from scheduler.replay.stranded import about_closures
    from scheduler.replay.unmatched import about_places

    setup = prepare(file, trace, ()).setup
    warn([*about_setup(setup), *about_places(setup), *about_closures(setup)])
    stock = setup.stock
    devices = (
        ", ".join(f"{pool.pods} x {pool.pod_devices} {pool.device}" for pool in stock.pools) or "nothing"
    )
    offers = ", ".join(f"{offer.quota:,} {offer.device}" for offer in stock.offers) or "nothing"
    return f"{file}: a valid scenario: owns {devices}; may rent {offers}"


def _check_study(file: Path) -> str:
    from scheduler.study.sweep.study_cells import lay_out

    laid = lay_out(file)
    axes = " x ".join(f"{len(names)} {axis}" for axis, names in laid.axes.items())
    seeds = sorted({cell.seed for cell in laid.cells})
    told = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{file}: a valid study of {len(laid.cells):,} cells: {axes + ', ' if axes else ''}{told}"
