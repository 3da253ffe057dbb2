"""Markdown tables, intervals and verdicts, and putting them into a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from traces.arrays import Array
from traces.confidence import halfwidth

CLOSE = 1.25
"""A ratio within this factor of the published one is close."""

EQUAL, DIFFERS, EXPLAINED = "equal", "differs", "explained"
AS_PUBLISHED = (EQUAL, "holds", "same order, close")


class Claim(NamedTuple):
    """Something published, what came out here, and the verdict."""

    source: str
    text: str
    published: str
    here: str
    verdict: str


def verdicts(claims: Sequence[Claim]) -> str:
    """Return the table of all claims."""
    return table(["source", "claim", "published", "here", "verdict"], claims)


def ratios(source: str, text: str, published: float, here: float) -> Claim:
    """Compare two ratios of the same policies: whether the same one is better, and how near they are."""
    off = max(published / here, here / published)
    nearness = "close" if off <= CLOSE else f"off by {off:.1f}x"
    verdict = f"same order, {nearness}" if (published > 1) == (here > 1) else "other order"
    return Claim(source, text, f"{published:.2f}x", f"{here:.2f}x", verdict)


def plainly(holds: bool) -> str:
    """Return the verdict where nothing is drawn."""
    return "holds" if holds else "does not hold"


def equal(source: str, text: str, published: str, here: str) -> Claim:
    """Compare a number with the published one, to the last digit of it."""
    return Claim(source, text, published, here, EQUAL if here == published else DIFFERS)


def switched(
    source: str, text: str, published: str, here: str, ours: str, theirs: str, *, rule: str
) -> Claim:
    """Compare a number with the published one, and where they differ, with a rule written down anew.

    It is explained where the rule gives the published number, and with its switch, as `ours`, that of here.
    """
    claim = equal(source, text, published, here)
    if claim.verdict == DIFFERS and ours == here and theirs == published:
        return claim._replace(verdict=f"{EXPLAINED}: {rule}")
    return claim


def overview(claims: Sequence[Claim], papers: Mapping[str, str], beyond: Mapping[str, int]) -> str:
    """Return how many numbers of each paper were checked, are equal, differ by a known rule, or are open.

    `papers` are the sources with their rows' names, `beyond` those of which nothing can be said, with the
    number of figures that are at hand.
    """
    rows = []
    for source, paper in papers.items():
        said = [claim.verdict for claim in claims if claim.source == source]
        same = sum(verdict in AS_PUBLISHED for verdict in said)
        explained = sum(verdict.startswith(EXPLAINED) for verdict in said)
        rows.append(
            [paper, *(f"{count:,}" for count in (len(said), same, explained, len(said) - same - explained))]
        )
    rows += [[paper, "0", "0", "0", f"{count:,}"] for paper, count in beyond.items()]
    return table(["paper", "numbers checked", "equal", "explained", "open"], rows)


def surely(gains: Sequence[Array]) -> str:
    """Return the verdict on paired differences, one array a setting, that should all be above 0."""
    if all(above_zero(gain) for gain in gains):
        return "holds"
    return "holds on average, not surely" if all(np.mean(gain) > 0 for gain in gains) else "does not hold"


def interval(values: Array, form: str) -> str:
    """Render the mean of replications with half the width of its 95% t interval."""
    return f"{np.mean(values):{form}} ± {float(halfwidth(values)):{form.lstrip('+')}}"


def above_zero(differences: Array) -> bool:
    """Say whether the 95% t interval of paired differences lies above 0."""
    return bool(np.mean(differences) > halfwidth(differences))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def fill(page: Path, tables: dict[str, str]) -> None:
    """Put each table between its marks, `<!-- table NAME -->` and `<!-- end -->`; raises KeyError."""
    text = page.read_text(encoding="utf-8")
    for name, content in tables.items():
        between = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = between.subn(rf"\g<1>{content}\g<2>", text)
        if found != 1:
            raise KeyError(f"{page.name}: {found} places for the table {name}")
    page.write_text(text, encoding="utf-8")
