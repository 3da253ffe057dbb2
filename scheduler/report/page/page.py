"""Puts a page together in one file: the answer in a sentence, sections, what it rests on, and its scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from vl_convert import javascript_bundle

from scheduler.catalog.certainty import NOTED, prices_age
from scheduler.report.page.parts import as_html
from scheduler.stock.grounds import Grounds, PriceSource
from traces.files import written_whole
from traces.tables import TableCells

BEGINNING = b"<!doctype html>\n<!-- a page of exaburst"
_HERE = files("scheduler.report.page")
_COMMON = ("names.js", "charts.js")


class Page(NamedTuple):
    """What is said on a page; `sections` is HTML, all other words are plain."""

    title: str
    about: Sequence[str]
    answer: str
    cards: Sequence[tuple[str, str]]
    """Figures: what each is, and how it reads."""
    beside: str
    sections: str
    grounds: Grounds
    data: dict[str, Any]
    """What the scripts draw from: at least `specs`, the charts, and `units`, of those that have a table."""
    scripts: Sequence[str]


def write_page(page: Page, path: Path) -> None:
    """Write a page as one HTML file; raises OSError and PathError as `written_whole` does."""
    with written_whole(path) as file:
        file.write(html(page).encode("utf-8", "backslashreplace"))  # a folder has any bytes as its name


def html(page: Page) -> str:
    """Return the HTML of a page."""
    return Template(text("page.html")).substitute(
        beginning=f"{BEGINNING.decode()} -->",
        title=escape(page.title),
        about="".join(f"<p>{escape(line)}</p>" for line in page.about),
        answer=escape(page.answer),
        cards="".join(map(_card, page.cards)),
        beside=page.beside,
        sections=page.sections,
        unsure=_unsure(page.grounds),
        prices=as_html(_prices(page.grounds.prices), "Where prices come from, and from when"),
        style=text("page.css"),
        library=in_script(javascript_bundle()),
        scripts="\n".join(map(text, (*_COMMON, *page.scripts))),
        data=in_json_script(page.data),
    )


def in_script(code: str) -> str:
    """Return JavaScript that neither ends nor hides its script element."""
    return code.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def in_json_script(data: object) -> str:
    """Return JSON for a script element, which no name in it can end."""
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")


def text(name: str) -> str:
    """Return a file that lies beside this one."""
    return (_HERE / name).read_text(encoding="utf-8")


def _card(figure: tuple[str, str]) -> str:
    what, value = map(escape, figure)
    return f"<div><dt>{what}</dt><dd>{value}</dd></div>"


def _unsure(grounds: Grounds) -> str:
    """List what is assumed and of low certainty, as the summary does at its end."""
    items = "".join(
        f"<li>{escape(words)} <b>{escape(name)}</b>: {escape(figures)}</li>"
        for sure, words in NOTED.items()
        for name, figures in grounds.unsure.get(sure, {}).items()
    )
    age = f"<p>{escape(prices_age(grounds.prices_of))}</p>" if grounds.prices_of else ""
    return (f"<ul>{items}</ul>" if items else "<p>There is none.</p>") + age


def _prices(sources: Sequence[PriceSource]) -> TableCells:
    rows = [[one.name, one.offer, f"{one.usd_per_device_h:g}", one.of, one.source] for one in sources]
    return TableCells(["offer", "in the catalog", "USD/device-h at first", "of", "source"], rows, (2,))
