"""The page of a run."""

from __future__ import annotations

from string import Template

import msgspec

from scheduler.catalog import load_catalog
from scheduler.report.beside import held_beside
from scheduler.report.executions import executions
from scheduler.report.ledger import charges, use
from scheduler.report.page import tables
from scheduler.report.page.drawn import drawn
from scheduler.report.page.page import Page, text
from scheduler.report.page.parts import as_html
from scheduler.report.summary import title
from scheduler.report.work import headline, waits
from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_word, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.scenario import OfferSpec
from scheduler.stock.grounds import Grounds, price_sources
from scheduler.stock.stock import OfferStock
from scheduler.why.run_figures import by_cause
from scheduler.why.spans import Waits
from traces.trace import Trace


def run_page(run: Run, found: tuple[Waits, Trace] | None, other: Run | None = None) -> Page:
    """Return the page of a run, beside another one if given.

    `found` is what its jobs waited for, and the jobs.
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
    beside = "" if other is None else as_html(held_beside(run, other), _beside(other))
    return Page(
        title=heading,
        about=about,
        answer=" ".join(headline(levels, together).split()),
        cards=tables.cards(levels, together),
        beside=beside,
        sections=Template(text("run.html")).substitute({"causes": ""} | parts),
        grounds=_grounds(run),
        data=drawn(run, attempts, jobs, found),
        scripts=("gantt.js", "run.js"),
    )


def _beside(other: Run) -> str:
    return f"Main figures beside those of {other.folder.name}"


def _grounds(run: Run) -> Grounds:
    told = run.description
    specs = msgspec.convert(told["scenario"]["offers"], tuple[OfferSpec, ...], str_keys=True)
    offers = msgspec.convert(told["offers"], tuple[OfferStock, ...], str_keys=True)
    return Grounds(told["unsure"], price_sources(specs, offers, load_catalog()), told["prices_of"])
