"""Puts a page together: the answer in a sentence, tables, charts and what they add up, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from vl_convert import javascript_bundle

from scheduler.catalog.certainty import NOTED
from scheduler.report.beside import held_beside
from scheduler.report.executions import executions
from scheduler.report.ledger import charges, use
from scheduler.report.page import tables
from scheduler.report.page.drawn import drawn
from scheduler.report.summary import title
from scheduler.report.work import headline, waits
from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_word, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.why.run_figures import by_cause
from scheduler.why.waits import Waits
from traces.files import written_whole
from traces.trace import Trace

BEGINNING = b"<!doctype html>\n<!-- a run of exaburst, as a page -->"
_HERE = files("scheduler.report.page")
_SCRIPTS = ("page.js", "gantt.js")


def write_page(run: Run, path: Path, found: tuple[Waits, Trace] | None, other: Run | None = None) -> None:
    """Write the page of a run, beside another one if given; `found` is what jobs waited for, and the jobs.

    Raises OSError and PathError as `written_whole` does.
    """
    text = page(run, found, other)
    with written_whole(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # a folder has any bytes as its name


def page(run: Run, found: tuple[Waits, Trace] | None, other: Run | None = None) -> str:
    """Return the HTML of the page."""
    levels, jobs = DeviceLevels(run), worked_jobs(run, DeviceTime(run))
    workloads, attempts = by_word(run, jobs), executions(run)
    *_, together = workloads.values()
    heading, *about = title(run).splitlines()
    told = {
        "waits": (waits(jobs, run.end_s, workloads), "Waits of all work"),
        "spend": (charges(run), "Spend of the whole run, in USD"),
        "use": (use(run, "workload"), "Who used the devices, in the whole run"),
        "bursts": (tables.bursts(run, attempts), "Jobs that were charged most for rented devices"),
        "prices": (tables.prices(run), "Where prices come from, and from when"),
    }
    if found is not None:
        told["causes"] = (tables.causes(by_cause(*found)), "Device-hours waited, in the whole run")
    if other is not None:
        told["beside"] = (held_beside(run, other), f"Main figures beside those of {other.folder.name}")
    parts = {name: tables.as_html(*each) for name, each in told.items()}
    return Template(_text("page.html")).substitute(
        {"causes": "", "beside": ""} | parts,
        beginning=BEGINNING.decode(),
        title=escape(heading),
        about="".join(f"<p>{escape(line)}</p>" for line in about),
        answer=escape(" ".join(headline(levels, together).split())),
        cards="".join(map(_card, tables.cards(levels, together))),
        unsure=_unsure(run),
        style=_text("page.css"),
        library=in_script(javascript_bundle()),
        scripts="\n".join(map(_text, _SCRIPTS)),
        data=in_json_script(drawn(run, attempts, jobs, found)),
    )


def in_script(text: str) -> str:
    """Return JavaScript that neither ends nor hides its script element."""
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def in_json_script(data: object) -> str:
    """Return JSON for a script element, which no name in it can end."""
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")


def _card(figure: tuple[str, str]) -> str:
    what, value = map(escape, figure)
    return f"<div><dt>{what}</dt><dd>{value}</dd></div>"


def _unsure(run: Run) -> str:
    """List what is assumed and of low certainty, as the summary does at its end."""
    unsure: Mapping[Any, Mapping[str, str]] = run.description["unsure"]
    items = "".join(
        f"<li>{escape(words)} <b>{escape(name)}</b>: {escape(figures)}</li>"
        for sure, words in NOTED.items()
        for name, figures in unsure.get(sure, {}).items()
    )
    month = run.description["prices_of"]
    age = f"<p>Prices of {month}.</p>" if month else ""
    return (f"<ul>{items}</ul>" if items else "<p>There is none.</p>") + age


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
