"""Parts of a page in HTML: sections, charts with their captions, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from traces.tables import TableCells


def section(heading: str, *parts: str) -> str:
    """Return a section under a heading; nothing where it has no parts."""
    within = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(heading)}</h2>\n{within}\n</section>" if within else ""


def figure(name: str, caption: str) -> str:
    """Return the place of a chart, with its caption."""
    label = f'<figcaption id="{name}-caption">{escape(caption)}</figcaption>'
    return f'<figure>{label}<div class="chart" id="{name}"></div></figure>'


def paragraph(words: str) -> str:
    """Return plain words as a paragraph."""
    return f"<p>{escape(words)}</p>"


def as_html(cells: TableCells, caption: str, place: str = "") -> str:
    """Return a table with its caption, which may be of one place alone; nothing where it has no rows."""
    if not cells.rows:
        return ""
    numbers = set(cells.numbers)
    kinds = [' class="number"' if at in numbers else "" for at in range(len(cells.header))]
    pairs = zip(kinds, cells.header, strict=True)
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for kind, name in pairs)
    rows = "".join(f"<tr>{_row(row, kinds)}</tr>" for row in cells.rows)
    of = f' data-place="{escape(place)}"' if place else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"{of}><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def choice(name: str, label: str, words: str) -> str:
    """Return a form with one filter, whose options a script fills in; `words` is that of all of them."""
    return (
        f'<form id="filters" aria-label="Filters of the charts"><label>{escape(label)} <select id="{name}">'
        f'<option value="">{escape(words)}</option></select></label></form>'
    )


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = (f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds[1:], row[1:], strict=True))
    return f'<th scope="row"{kinds[0]}>{escape(row[0])}</th>{"".join(cells)}'
