"""A run, a study, a plan, a roadmap or years as a page to send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, needs_extra

if TYPE_CHECKING:  # for start-up time
    from scheduler.report.page.page import Page
    from traces.submissions import TimeRange


_YEARS = "run of years"


@click.command(cls=ArrowCommand)
@click.argument("source", type=FILE, metavar="RUN|STUDY|PLAN|ROADMAP|YEARS")
@click.option("--beside", "other", type=FILE, help="Another of its kind to show the main figures beside.")
@options.trace(help="The trace that RUN was given, and perhaps the other, where the jobs are not in the run.")
@options.part
@options.out(required=True, help="File to write, as report.html.")
@options.catalog
@options.as_json
def report(
    source: Path,
    other: Path | None,
    trace: Path | None,
    part: TimeRange,
    out: Path,
    as_json: bool,
) -> None:
    """Write a finished run, a study, a plan, a roadmap or years as one HTML page that opens offline.

    Of a run it shows devices, waits and their causes, spend and every attempt, by workload, owner and time;
    of a study, what policies change, with intervals; of a plan, the answer and what would move it; of years
    that were run by months, each quarter.
    """
    from scheduler.report.documents.files import FileDocument
    from traces.outputs import check_document
    from traces.submissions import ALL_TIME

    with needs_extra("page"):
        from scheduler.report.page.page import BEGINNING, write_page

    kind = _kind(source)
    if other is not None and _kind(other) != kind:
        raise click.UsageError(f"--beside: {other} is a {_kind(other)}, and {source} is a {kind}")
    if kind != "run" and (trace is not None or part != ALL_TIME):
        raise click.UsageError(f"--trace, --from and --to go with a run, and {source} is a {kind}")
    check_document(out, BEGINNING, "a report")
    if kind == "run":
        page = _run_page(source, other, trace, part)
    else:
        pages = {"study": _study_page, "plan": _plan_page, "roadmap": _roadmap_page, _YEARS: _years_page}
        page = pages[kind](source, other)
    write_page(page, out)
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    written = FileDocument(file=str(out), holds=f"page of a {kind}", rows=None, says=[size])
    click.echo(written.text() if as_json else f"{out}: {size}")


def _kind(folder: Path) -> str:
    """Say what a folder holds, by the file that is written last; raises PathError."""
    from scheduler.report.roadmap_file import ROADMAP_FILE
    from scheduler.run.quarters import QUARTERS_FILE
    from scheduler.study.plan.plan_file import PLAN_FILE
    from scheduler.study.sweep.results import RESULTS_FILE
    from traces.files import FINISHED, PathError

    kinds = {
        FINISHED: "run",
        PLAN_FILE: "plan",
        ROADMAP_FILE: "roadmap",
        RESULTS_FILE: "study",
        QUARTERS_FILE: _YEARS,
    }
    for name, kind in kinds.items():
        if (folder / name).exists():
            return kind
    missing = "has no " + ", ".join(kinds) if folder.exists() else "is not there"
    raise PathError(
        f"{folder}: {missing}; a finished run, a study, a plan, a roadmap or years by months are needed"
    )


def _run_page(source: Path, other: Path | None, trace: Path | None, part: TimeRange) -> Page:
    from scheduler.cli.causes import figures_beside, waits_of
    from scheduler.report.page.run_page import run_page
    from scheduler.run.directory import open_run

    opened, beside = open_run(source), None if other is None else open_run(other)
    found = waits_of(opened, trace, part)
    theirs = None if beside is None or found is None else figures_beside(beside, trace, part)
    return run_page(opened, found, beside, theirs)


def _study_page(source: Path, other: Path | None) -> Page:
    from scheduler.report.page.study_page import study_page
    from scheduler.study.sweep.results import read_results

    results, beside = read_results(source), None if other is None else read_results(other)
    return study_page(results, beside, "" if other is None else other.name)


def _plan_page(source: Path, other: Path | None) -> Page:
    from scheduler.report.page.plan_page import plan_page
    from scheduler.study.plan.plan_file import read_plan

    kept, beside = read_plan(source), None if other is None else read_plan(other)
    return plan_page(kept, beside, "" if other is None else other.name)


def _roadmap_page(source: Path, other: Path | None) -> Page:
    from scheduler.report.page.roadmap_page import roadmap_page
    from scheduler.report.roadmap_file import read_roadmap

    kept, beside = read_roadmap(source), None if other is None else read_roadmap(other)
    return roadmap_page(kept, beside, "" if other is None else other.name)


def _years_page(source: Path, other: Path | None) -> Page:
    from scheduler.report.page.years_page import years_page
    from scheduler.study.years.years_file import read_years

    years, beside = read_years(source), None if other is None else read_years(other)
    return years_page(years, beside, "" if other is None else other.name)
