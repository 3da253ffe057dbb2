"""Scenarios by name or file, and a new one of one's own."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from string import Template
from typing import Any

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand

SHIPPED = {
    name: Path(__file__).parents[1] / "scenarios" / f"{name.replace('-', '_')}.toml"
    for name in ("seven-exapods", "bad-weather", "shortage-2023", "dojo-ends-2025", "years")
}
"""Scenarios that a command takes by their name."""

TEMPLATE = """\
# A cluster of one's own, written by `exaburst init`; docs/scenario.md lists all keys.
name = $name
$trace
[[pools]]
name = "own"
device = $device       # `exaburst catalog devices` lists them
devices = $node_devices             # of a node: a gang that fits one stays inside
pods = $nodes               # nodes
span_efficiency = 1.0    # speed of a gang over several nodes, as a share of its speed in one
capital_usd = $node_usd  # of a node with its part of network and building; assumed: put your own

[policy]
order = "fcfs"
backfill = "easy"
patience = $patience  # how long a job waits for own nodes before it may rent; never: it does not
$offers"""
OFFER = """
[[offers]]
name = $name
offer = $offer  # `exaburst catalog offers` lists them; --catalog adds your own prices
quota = $quota             # devices at most
"""


class ScenarioPath(click.Path):
    """A file, or the name of a shipped scenario where there is no such file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file."""
        if str(value) in SHIPPED and not Path(value).exists():
            return SHIPPED[str(value)]
        return super().convert(value, param, ctx)


SCENARIO = ScenarioPath(path_type=Path)


class _Asked(click.Option):
    """An option that is asked for; where nobody answers, its default holds, or it is missing."""

    def prompt_for_value(self, ctx: click.Context) -> Any:
        """Ask for it."""
        if sys.stdin is not None:
            try:
                return super().prompt_for_value(ctx)
            except click.Abort as error:
                if not isinstance(error.__context__, EOFError):  # Ctrl-C ends it
                    raise
            click.echo()  # the question stands in a line that nobody ended
        if not isinstance(self.default, str | int):
            raise click.MissingParameter(ctx=ctx, param=self)
        return self.default


@click.command(cls=ArrowCommand)
@click.option("--name", cls=_Asked, prompt="Name", help="Name of the scenario.")
@click.option(
    "--device", cls=_Asked, prompt="Device", default="h100", show_default=True, help="Device of the catalog."
)
@click.option(
    "--nodes", cls=_Asked, prompt="Nodes", type=click.IntRange(1, 10**6), help="Nodes that you own."
)
@click.option(
    "--node-devices",
    cls=_Asked,
    prompt="Devices of a node",
    type=click.IntRange(1, 10**4),
    default=8,
    show_default=True,
    help="Devices of each.",
)
@click.option(
    "--node-usd",
    type=click.FloatRange(0, 1e12),
    default=300_000.0,
    show_default=True,
    help="Price of a node.",
)
@click.option("--offer", "offers", multiple=True, metavar="KEY=QUOTA", help="Offer to rent from; repeat.")
@click.option(
    "--patience", default="after:4h", show_default=True, help="How long jobs wait before they rent."
)
@click.option("--trace", type=FILE, help="Imported log, beside the scenario.")
@options.out(help="File to write.  [default: NAME.toml]")
@options.catalog
@options.as_json
def init(name: str, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Write a commented scenario for your own nodes, offers and log.

    What is not given is asked for.
    """
    from scheduler.report.documents.files import FileDocument
    from scheduler.scenario import ScenarioError
    from traces.files import written_whole

    file = out or Path(f"{name}.toml")
    text = _written(name, **asked)
    _check(text, file)
    if file.exists():
        raise ScenarioError(f"{file}: is there already; choose another file")
    with written_whole(file) as written:
        written.write(text.encode())
    says = f"{file}: a scenario of {asked['nodes']:,} nodes of {asked['node_devices']:,} {asked['device']}"
    said = FileDocument(file=str(file), holds="scenario", rows=None, says=[says])
    click.echo(said.text() if as_json else says)


def _check(text: str, file: Path) -> None:
    """Show now what `check` would find wrong with a scenario, and with the log that it names."""
    from scheduler.catalog import load_catalog
    from scheduler.cli.preparation import trace_file
    from scheduler.replay import Setup
    from scheduler.scenario import parse_scenario
    from scheduler.stock.checks import check_speeds
    from scheduler.stock.stock import stock_of
    from scheduler.study.reference import REFERENCE_DEVICE
    from traces.trace import Trace

    scenario, catalog = parse_scenario(tomllib.loads(text)), load_catalog()
    log = trace_file(scenario, file, None)
    if log is None:
        check_speeds(stock_of(scenario, catalog), REFERENCE_DEVICE, catalog)
    else:
        Setup.of(scenario, Trace.read(log), catalog)


def _written(name: str, **asked: Any) -> str:
    offers = ""
    for given in asked["offers"]:
        key, _, quota = given.partition("=")
        if not quota.isdecimal():
            raise click.BadParameter(f'"{given}": must be KEY=QUOTA, as aws-h100-us-east-1=256')
        words = {"name": key.partition("-")[0], "offer": key}
        offers += Template(OFFER).substitute({k: json.dumps(v) for k, v in words.items()}, quota=quota)
    trace = f"trace = {json.dumps(str(asked['trace']))}\n" if asked["trace"] else ""
    return Template(TEMPLATE).substitute(
        name=json.dumps(name),
        device=json.dumps(asked["device"]),
        patience=json.dumps(asked["patience"]),
        nodes=asked["nodes"],
        node_devices=asked["node_devices"],
        node_usd=f"{asked['node_usd']:.0f}",
        trace=trace,
        offers=offers,
    )


@click.command(cls=ArrowCommand)
@click.argument("folder", type=FILE, default=Path("runs"))
@options.as_json
def runs(folder: Path, as_json: bool) -> None:
    """List the finished runs in a folder, by default in runs."""
    from scheduler.report.runs import listed_runs, runs_document

    found = runs_document(folder)
    click.echo(found.text() if as_json else listed_runs(found))
