"""Studies: many runs from one file."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, Listing


@click.group(cls=Listing)
def study() -> None:
    """Compare policies, scenarios and traces over many seeds."""


@study.command(cls=ArrowCommand, epilog="Example: exaburst study run both.toml -o runs/both")
@click.argument("file", metavar="STUDY", type=FILE)
@options.out(required=True, help="Folder of the results, made if absent.")
@options.workers(help="Local processes.  [default: one a processor]")
@options.dask
@options.keep(help="Keep the logs of each run too.")
@options.catalog
@options.as_json
@click.pass_context
def run(
    ctx: click.Context,
    file: Path,
    out: Path,
    workers: int | None,
    address: str | None,
    keep: bool,
    as_json: bool,
) -> None:
    """Run the cells of a study that are not done yet, and gather their figures in results.parquet.

    Stopped and started again, it goes on where it was.
    """
    from scheduler.cli.many_runs import crew, workplace
    from scheduler.report.documents.studies import study_document
    from scheduler.report.study import means
    from scheduler.study.sweep.results import read_results
    from scheduler.study.sweep.study_cells import lay_out
    from scheduler.study.sweep.sweep import run_study

    laid = lay_out(file)
    hands = crew(workers, address, out, laid.cells)
    with workplace(out, hands, total=len(laid.cells), unit="cell", desc=laid.name) as place:
        tally = run_study(laid, *place, keep=keep)
    if as_json:
        click.echo(study_document(read_results(out), str(out), tally).text())
    else:
        _tell(laid.name, *tally)
        click.echo(f"\n{means(read_results(out))}\n\nresults: {out}/results.parquet")
    ctx.exit(1 if tally.failures else 0)


@study.command(cls=ArrowCommand, epilog="Example: exaburst study show runs/both --baseline easy")
@click.argument("folder", metavar="DIR", type=FILE)
@options.baseline(metavar="NAME", help="Policy that the others are held against.  [default: the first]")
@options.as_json
def show(folder: Path, baseline: str | None, as_json: bool) -> None:
    """Print what a study found: means over its seeds, and paired differences between its policies."""
    from scheduler.report.documents.studies import study_document
    from scheduler.report.study import compared, means
    from scheduler.study.sweep.results import read_results

    results = read_results(folder)
    if as_json:
        click.echo(study_document(results, str(folder), None, baseline).text())
        return
    told = compared(results, baseline)
    click.echo(f"{means(results)}\n\n{told}" if told else means(results))


def _tell(name: str, computed: int, reused: int, failures: dict[str, list[str]]) -> None:
    """Say what became of the cells, and why some have failed."""
    failed = sum(map(len, failures.values()))
    counts = f"{computed:,} computed + {reused:,} reused + {failed:,} failed"
    click.echo(f"{name}: {computed + reused + failed:,} cells = {counts}")
    for reason, (first, *others) in failures.items():
        more = f" and {len(others):,} more" if others else ""
        click.echo(f"exaburst: {first}{more}: {reason}", err=True)
