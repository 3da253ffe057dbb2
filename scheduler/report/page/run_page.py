"""The page of a run."""

from __future__ import annotations

from string import Template

from scheduler.report.beside import held_beside, names_apart
from scheduler.report.executions import executions
from scheduler.report.ledger import charges, use
from scheduler.report.page import tables
from scheduler.report.page.drawn import drawn
from scheduler.report.page.groups import time_steps
from scheduler.report.page.live import live_charts
from scheduler.report.page.page import Page, text
from scheduler.report.page.parts import as_html, section
from scheduler.report.page.quarters import QuarterCharts, by_quarter
from scheduler.report.summary import title
from scheduler.report.work import headline, waits
from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.grounds import grounds_of_run
from scheduler.run.job_figures import by_word, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.run.quarters import quarters_of_run
from scheduler.study.years.years_file import years_of_run
from scheduler.why.run_figures import RunFigures, by_cause
from scheduler.why.spans import Waits
from traces.trace import Trace


def run_page(
    run: Run,
    found: tuple[Waits, Trace] | None,
    other: Run | None = None,
    theirs: RunFigures | None = None,
) -> Page:
    """Return the page of a run, beside another one if given.

    `found` is what its jobs waited for, and the jobs; `theirs` is what those of the other run waited for.
    """
    levels, jobs = DeviceLevels(run), worked_jobs(run, DeviceTime(run))
    workloads, attempts = by_word(run, jobs), executions(run)
    *_, together = workloads.values()
    heading, *about = title(run).splitlines()
    told = {
        "waits": (waits(jobs, run.end_s, workloads), "Waits of all work"),
        "spend": (charges(run), "Spend of the whole run, in USD"),
        "use": (use(run, "workload"), "Who used the devices, in the whole run"),
        "bursts": (tables.bursts(run, attempts), "Jobs that were charged most for rented devices"),
    }
    if found is not None:
        told["causes"] = (tables.causes(by_cause(*found)), "Device-hours waited, in the whole run")
    parts = {name: as_html(*each) for name, each in told.items()}
    parts["bursts"] = section("Bursts", parts["bursts"])
    quarters, live = _by_quarter(run), live_charts(run, time_steps(run))
    data = live.beside(drawn(run, attempts, jobs, found))
    return Page(
        title=heading,
        about=about,
        answer=" ".join(headline(levels, together).split()),
        cards=tables.cards(levels, together),
        beside="" if other is None else _beside(run, other, found, theirs),
        sections=Template(text("run.html")).substitute(
            {"causes": "", "live": live.sections, "quarters": quarters.sections} | parts
        ),
        grounds=grounds_of_run(run),
        data=quarters.beside(data),
        scripts=("gantt.js", "run.js"),
    )


def _by_quarter(run: Run) -> QuarterCharts:
    """Return the section of a run by quarter, which is empty unless it is in several."""
    if len(quarters_of_run(run)) < 2:
        return QuarterCharts("", {}, {}, {})
    return by_quarter(years_of_run(run))


def _beside(run: Run, other: Run, found: tuple[Waits, Trace] | None, theirs: RunFigures | None) -> str:
    """Return what two runs came to, and where it is known of both what their jobs waited for."""
    names = names_apart(run, other)
    parts = as_html(held_beside(run, other), f"Main figures beside those of {names[1]}")
    if found is None or theirs is None:
        return parts
    cells = tables.causes_beside(by_cause(*found), theirs.by_cause, names)
    return parts + as_html(cells, f"Device-hours waited beside those of {names[1]}")
