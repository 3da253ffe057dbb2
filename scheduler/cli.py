"""The `exaburst` command: it composes the packages and decides nothing.

Whatever costs to import is imported by the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.terminal import PlainErrors, progress_bar

if TYPE_CHECKING:
    from scheduler.resources import Resources
    from scheduler.scenario import Scenario
    from workloads import Demand

DEMO = Path(__file__).parent / "scenarios" / "seven_exapods.toml"
FORMATS = ("swf", "philly", "gavel", "csv")
SECTIONS = ("devices", "pods", "offers", "arithmetic")

_FILE = click.Path(path_type=Path)


@click.group(
    cls=PlainErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="exaburst", message="%(prog)s %(version)s")
def main() -> None:
    """Emulate a hybrid training cluster: owned Dojo ExaPODs first, rented cloud GPUs for the bursts."""


@main.command()
@click.option("-o", "--out", type=_FILE, default=Path("runs/demo"), show_default=True, help="Run directory.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the demo scenario.")
def demo(out: Path, overrides: tuple[str, ...]) -> None:
    """Run four weeks on seven ExaPODs with bursts, and print the summary."""
    _run_and_report(DEMO, None, overrides, out, overwrite=True)


@main.command()
@click.argument("scenario", type=_FILE)
@click.option("--trace", type=_FILE, help="Replay this trace instead of the scenario's own demand.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As policy.patience=after:4h.")
@click.option("-o", "--out", type=_FILE, required=True, help="Run directory, made if absent.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
def replay(
    scenario: Path, trace: Path | None, overrides: tuple[str, ...], out: Path, overwrite: bool
) -> None:
    """Replay a trace, or the scenario's demand, and log the run to Parquet."""
    _run_and_report(scenario, trace, overrides, out, overwrite=overwrite)


@main.command()
@click.argument("run", type=_FILE)
def summary(run: Path) -> None:
    """Print utilization, waits, bursts and spend of a finished run."""
    from scheduler.report.summary import summary as render
    from scheduler.run import open_run

    click.echo(render(open_run(run)))


@main.command()
@click.argument("section", type=click.Choice(SECTIONS), required=False)
def catalog(section: str | None) -> None:
    """List devices, pods and offers with their sources, and the arithmetic that does not close."""
    from scheduler.catalog import load_catalog, render

    click.echo(render(load_catalog(), section))


class _GenerateCommand(click.Command):
    """Takes its options from the generator's own parameters, so that they are declared once."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from workloads.demand import Demand
        from workloads.parameters import parameters

        own = super().get_params(ctx)
        return [*(_option(name, parameter) for name, parameter in parameters(Demand) if name != "mix"), *own]


def _option(name: str, parameter: Any) -> click.Option:
    from dataclasses import fields

    from workloads.demand import Demand

    default = next(field.default for field in fields(Demand) if field.name == name)
    whole = isinstance(default, int)
    unit = f" ({parameter.unit})" if parameter.unit else ""
    shown = "what the fleets ask" if default is None else f"{default:,}"
    return click.Option(
        [f"--{name.replace('_', '-')}"],
        type=int if whole else float,
        help=f"{parameter.meaning}{unit}  [default: {shown}]",
    )


@main.command(cls=_GenerateCommand)
@click.option("--mix", metavar="NAME=SHARE,...", help="shares of compute, as fsd=0.6,optimus=0.3,tenant=0.1")
@click.option(
    "--set",
    "figures",
    multiple=True,
    metavar="KEY=VALUE",
    help="a figure of the fleet, as clips_per_mile=0.01",
)
@click.option("-o", "--out", type=_FILE, required=True, help="trace to write (Parquet)")
def generate(mix: str | None, figures: tuple[str, ...], out: Path, **arguments: Any) -> None:
    """Write synthetic demand as a trace, and compare it with published statistics."""
    from workloads import demand_of
    from workloads import generate as generate_trace
    from workloads.realism import describe, table

    given = {name: value for name, value in arguments.items() if value is not None}
    if mix is not None:
        given["mix"] = _numbers("--mix", mix.split(","))
    if figures:
        given["fleet"] = _numbers("--set", figures)
    trace = generate_trace(demand_of(given))
    trace.write(out)
    click.echo(f"{out}: {len(trace):,} jobs, SHA-256 {trace.sha256}\n")
    click.echo(table(describe(trace)))


def _numbers(option: str, pairs: tuple[str, ...] | list[str]) -> dict[str, float]:
    values = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise click.BadParameter(f'"{pair}": must be NAME=NUMBER', param_hint=option) from None
    return values


@main.command("import")
@click.argument("format", type=click.Choice(FORMATS))
@click.argument("file", type=_FILE)
@click.option("-o", "--out", type=_FILE, required=True, help="Trace to write (Parquet).")
@click.option("--device", default="any", show_default=True, help="What one device of the file stands for.")
def import_(format: str, file: Path, out: Path, device: str) -> None:  # noqa: A002
    """Read a foreign trace, say what was read, skipped and changed, and write it as Parquet."""
    from traces.formats import import_trace

    imported = import_trace(format, file, device=device)
    imported.trace.write(out)
    click.echo(str(imported.report))
    click.echo(f"{out}: {len(imported.trace):,} jobs, SHA-256 {imported.trace.sha256}")


@main.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Validate a trace (Parquet) or a scenario (TOML), and say what it holds."""
    if file.suffix == ".toml":
        click.echo(_check_scenario(file))
    else:
        from traces.trace import Trace

        trace = Trace.read(file)
        click.echo(
            f"{file}: a valid trace of {len(trace):,} jobs from {trace.epoch:%Y-%m-%d %H:%M} UTC on, "
            f"reference device {trace.reference_device}, SHA-256 {trace.sha256}"
        )


def _check_scenario(file: Path) -> str:
    _, stock, _ = _read(file)
    devices = (
        ", ".join(f"{pool.pods} x {pool.pod_devices} {pool.device}" for pool in stock.pools) or "nothing"
    )
    offers = ", ".join(f"{offer.quota:,} {offer.device}" for offer in stock.offers) or "nothing"
    return f"{file}: a valid scenario: owns {devices}; may rent {offers}"


def _read(file: Path, overrides: tuple[str, ...] = ()) -> tuple[Scenario, Resources, Demand]:
    """Read a scenario and look up all that it names, so that nothing is wrong with it later."""
    from scheduler.catalog import CatalogError, load_catalog
    from scheduler.resources import resources
    from scheduler.scenario import ScenarioError, read_scenario
    from workloads import DemandError, demand_of

    scenario = read_scenario(file, overrides)
    try:
        return (
            scenario,
            resources(scenario, load_catalog()),
            demand_of({"seed": scenario.seed} | scenario.demand),
        )
    except (CatalogError, DemandError) as error:
        raise ScenarioError(f"{file}: {error}") from None


def _run_and_report(
    scenario_file: Path, trace_file: Path | None, overrides: tuple[str, ...], out: Path, *, overwrite: bool
) -> None:
    from scheduler.catalog import load_catalog
    from scheduler.replay import replay as run_replay
    from scheduler.report.summary import summary as render
    from scheduler.resources import check_speeds
    from scheduler.run import clear
    from traces.trace import Trace
    from workloads import generate as generate_trace

    scenario, stock, demand = _read(scenario_file, overrides)
    given = trace_file or (scenario.trace and scenario_file.parent / scenario.trace)
    trace = Trace.read(given) if given else generate_trace(demand)
    check_speeds(stock, trace.reference_device, load_catalog())
    clear(out, overwrite=overwrite)
    if not given:
        out.mkdir(parents=True, exist_ok=True)
        trace.write(out / "trace.parquet")
    with progress_bar(scenario.name, trace) as progress:
        run = run_replay(scenario, trace, out, progress=progress)
    click.echo(render(run))
    click.echo(f"\nlogs: {out}/{{jobs,attempts,states,spend}}.parquet and {out}/run.json")
