"""Figures that are not sure, as an output names them: what has no source, and what is of low certainty.

The certainties are defined at `Figure`. Whatever shows money ends with both kinds that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scheduler.catalog.models import Certainty, Entry, Figure
from traces.numbers import significant

NOTED: dict[Certainty, str] = {"assumed": "assumed of", "low": "low certainty of"}
"""Certainties that a footer names, and its words."""


def figures_of(entry: Entry, names: Iterable[str], sure: Certainty) -> list[str]:
    """Return those of the named figures of an entry that are of one certainty, as text."""
    found = ((name, entry.figures[name]) for name in names if name in entry.figures)
    return [written(name, figure) for name, figure in found if figure.sure == sure]


def written(name: str, figure: Figure) -> str:
    """Return a figure as a footer has it: name, value and the source, if any."""
    return f"{name} {significant(figure.value, 6)}{figure.source and f' ({figure.source})'}"


def footer(unsure: Mapping[Certainty, Mapping[str, str]]) -> str:
    """Return the lines that end an output with money, from figures by certainty and whose they are."""
    return "\n".join(
        f"{words} {name}: {figures}"
        for sure, words in NOTED.items()
        for name, figures in unsure.get(sure, {}).items()
    )
