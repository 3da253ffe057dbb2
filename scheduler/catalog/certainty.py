"""Figures that are not sure, as an output names them: what has no source, and what is of low certainty.

The certainties are defined at `Figure`. Whatever shows money ends with both kinds that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from scheduler.catalog.models import Certainty, Entry, Figure
from traces.dated import months_between
from traces.numbers import significant

Noted = Certainty | Literal["undated"]
"""Why a figure is worth a note: its certainty, or a price that nobody can tell the age of."""
UNSURE: tuple[Certainty, ...] = ("assumed", "low")
"""Certainties on which nothing should rest unsaid."""
NOTED: dict[Noted, str] = {
    "assumed": "assumed of",
    "low": "low certainty of",
    "undated": "prices without a date of",
}
"""What a footer names, and its words."""


def figures_of(entry: Entry, names: Iterable[str], noted: Noted) -> list[str]:
    """Return those of the named figures of an entry that are of one certainty, or undated, as text."""
    found = ((name, entry.figures[name]) for name in names if name in entry.figures)
    return [
        written(name, figure)
        for name, figure in found
        if (not figure.as_of if noted == "undated" else figure.sure == noted)
    ]


def written(name: str, figure: Figure) -> str:
    """Return a figure as a footer has it: name, value and the source, if any."""
    return f"{name} {significant(figure.value, 6)}{figure.source and f' ({figure.source})'}"


def footer(unsure: Mapping[Noted, Mapping[str, str]], prices_of: str) -> str:
    """Return the lines that end an output with money, from figures by certainty and whose they are.

    The last one says how old the oldest of its prices is; `prices_of` is their month, empty where the catalog
    has none of them.
    """
    lines = [
        f"{words} {name}: {figures}"
        for sure, words in NOTED.items()
        for name, figures in unsure.get(sure, {}).items()
    ]
    return "\n".join([*lines, prices_age(prices_of)] if prices_of else lines)


def prices_age(prices_of: str) -> str:
    """Say of which month prices are, and how old that is today."""
    months = months_between(prices_of, date.today())
    return f"prices of {prices_of}, {months} month{'s' * (months != 1)} old"


def oldest(figures: Iterable[Figure | None]) -> str:
    """Return the month of the oldest of some figures; empty where none is dated."""
    return min((figure.as_of for figure in figures if figure is not None and figure.as_of), default="")
