"""Tables as text: columns for a terminal, or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class TableCells(NamedTuple):
    """A table that is not laid out yet; `numbers` are the columns of numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]

    def text(self) -> str:
        """Return it aligned for a terminal; empty where it has no rows."""
        return table(*self) if self.rows else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] | None = ()) -> str:
    """Return columns aligned for a terminal, those of `numbers` to the right.

    With None each cell is aligned by itself: to the right if it begins with a digit.
    """
    lines = [header, *rows]
    widths, right = _widths(lines), None if numbers is None else set(numbers)

    def aligned(at: int, cell: str) -> str:
        is_number = cell[:1].isdigit() if right is None else at in right
        return cell.rjust(widths[at]) if is_number else cell.ljust(widths[at])

    return "\n".join("  ".join(map(aligned, range(len(line)), line)).rstrip() for line in lines)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table that is aligned for reading in a terminal too."""
    lines = [header, *rows]
    widths = _widths(lines)
    lines.insert(1, ["-" * width for width in widths])
    cells = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _widths(lines: Iterable[Sequence[str]]) -> list[int]:
    """Return the width of each column; raises ValueError where lines differ in their number of cells."""
    return [max(map(len, column)) for column in zip(*lines, strict=True)]
