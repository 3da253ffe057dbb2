"""Traces: generate and import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, warn
from traces.formats import FORMATS

if TYPE_CHECKING:  # for start-up time
    from traces.submissions import TimeRange


class _GenerateCommand(ArrowCommand):
    """Takes its options from the generator's own parameters, so that they are declared once."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from workloads.demand import Demand
        from workloads.parameters import parameters

        own = super().get_params(ctx)
        given = {option.name for option in own}
        plain = [_option(name, each) for name, each in parameters(Demand) if name not in given]
        return [*plain, *own]


def _option(name: str, parameter: Any) -> click.Option:
    from dataclasses import fields

    from workloads.demand import Demand

    default = next(field.default for field in fields(Demand) if field.name == name)
    takes = type(default) if isinstance(default, int | str) else float
    unit = f" ({parameter.unit})" if parameter.unit else ""
    shown = "what the fleets ask" if default is None else default if takes is str else f"{default:,}"
    return click.Option(
        [f"--{name.replace('_', '-')}"],
        type=takes,
        help=f"{parameter.meaning}{unit}  [default: {shown}]",
    )


@click.command(cls=_GenerateCommand)
@click.option(
    "--mix",
    metavar="NAME=SHARE,...",
    callback=options.numbers,
    help="shares of compute, as fsd=0.6,optimus=0.3,tenant=0.1",
)
@click.option(
    "--gang-growth",
    metavar="NAME=FACTOR,...",
    callback=options.numbers,
    help="factor a year on the gangs of a kind or workload, as fsd.foundation=2",
)
@options.overrides(callback=options.numbers, help="a figure of the fleet, as clips_per_mile=0.01")
@options.out(required=True, help="trace to write (Parquet)")
@options.catalog
@options.as_json
def generate(out: Path, overrides: dict[str, float] | None, as_json: bool, **asked: Any) -> None:
    """Write synthetic demand as a trace, and compare it with published statistics."""
    from scheduler.report.documents.files import trace_document
    from scheduler.study.reference import reference_of
    from traces.numbers import plural
    from traces.outputs import check_output
    from traces.schema import TRACE_SCHEMA
    from workloads import demand_of
    from workloads import generate as generate_trace
    from workloads.realism import comparison, describe

    check_output(out, TRACE_SCHEMA.names)
    given = {name: value for name, value in {**asked, "fleet": overrides}.items() if value is not None}
    trace = generate_trace(demand_of(given), reference_of())
    trace.write(out)
    beside = comparison(describe(trace))
    if as_json:
        click.echo(trace_document(str(out), trace, beside).text())
    else:
        click.echo(f"{out}: {plural(len(trace), 'job')}, SHA-256 {trace.sha256}\n\n{beside}")


@click.command("import", cls=ArrowCommand, epilog=f"FORMAT is one of {', '.join(FORMATS)}.")
@click.argument("format", type=click.Choice(FORMATS), metavar="FORMAT")
@click.argument("file", type=FILE)
@options.out(help="Trace to write (Parquet).")
@options.part
@click.option("--device", default="any", show_default=True, help="What one device of the file stands for.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="COLUMN=TERM",
    help="A column of the trace from the file's, as submit_s=Submit or runtime_s='End - Start'.",
)
@click.option("--unit", "units", multiple=True, metavar="COLUMN=UNIT", help="As runtime_s=min, submit_s=ms.")
@click.option(
    "--tz", "zone", default="", help="Zone of times that name none, as Europe/Berlin.  [default: UTC]"
)
@click.option("--epoch", default="", metavar="WHEN", help="Second 0: a moment, 1970 or midnight.")
@click.option("--sep", "separator", default="", help="What stands between cells: a character, tab or blanks.")
@click.option("--mapping", "mapping_file", type=FILE, help="A mapping kept as TOML; options go over it.")
@click.option("--dry-run", is_flag=True, help="Show the first jobs as they are read, and write nothing.")
@options.as_json
def import_(
    format: str,  # noqa: A002
    file: Path,
    out: Path | None,
    part: TimeRange,
    device: str,
    mapping_file: Path | None,
    dry_run: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Read a foreign trace, say what was read, skipped and changed, and write it as Parquet."""
    from scheduler.cli.submissions import kept
    from scheduler.report.documents.files import trace_document
    from traces.formats.importing import import_trace
    from traces.formats.mapping.spec import Changes
    from traces.formats.preview import first_jobs
    from traces.numbers import plural
    from traces.outputs import check_output
    from traces.schema import TRACE_SCHEMA
    from traces.submissions import about_trace, submissions

    if out is None and not dry_run:
        raise click.UsageError("Missing option '-o' / '--out'; --dry-run shows the first jobs without it.")
    check_output(None if dry_run else out, TRACE_SCHEMA.names)
    imported = import_trace(format, file, device=device, changes=Changes(file=mapping_file, **said))
    trace = kept(imported.trace, part)
    if dry_run or out is None:
        done = f"\n{first_jobs(trace)}"
    else:
        trace.write(out)
        done = f"{out}: {plural(len(trace), 'job')}, {submissions(trace)}, SHA-256 {trace.sha256}"
    if as_json:
        written = None if dry_run or out is None else str(out)
        click.echo(trace_document(written, trace, str(imported.report)).text())
    else:
        click.echo(f"{imported.report}\n{done}")
    warn(about_trace(trace))
