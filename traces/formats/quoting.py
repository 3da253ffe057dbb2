"""Cells in quotes, in which separators and line breaks are text (RFC 4180)."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Ints
from traces.formats.reader import RowTally

LineBlock = tuple[pa.StringArray, Ints]
"""(lines with their ends, the number of each)."""

BETWEEN = "\x1f"
"""What stands between the cells of a line once its quotes are gone."""
_MOST_LINES = 100
"""Lines that one row may have; a quote that is open for longer was none."""


def joined(blocks: Iterator[LineBlock], separator: str, tally: RowTally) -> Iterator[LineBlock]:
    """Join lines that a quoted cell runs over into one, under the number of the first of them.

    A line whose quote is never closed is skipped.
    """
    left: list[tuple[str, int]] = []
    for lines, numbers in blocks:
        if not left and not pc.any(pc.match_substring(lines, '"')).as_py():
            yield lines, numbers
            continue
        waiting = deque([*left, *zip(lines.to_pylist(), numbers.tolist(), strict=True)])
        whole, left = _whole(waiting, separator, tally, last=False)
        yield _block(whole)
    if left:
        whole, _ = _whole(deque(left), separator, tally, last=True)
        yield _block(whole)


def _whole(
    waiting: deque[tuple[str, int]], separator: str, tally: RowTally, *, last: bool
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return whole rows, and the lines at the end whose row may go on in the next block."""
    closed = re.compile(rf'(?:^|(?<={re.escape(separator)}))[ ]*"(?:[^"]|"")*"')
    opened = re.compile(rf'(?:^|{re.escape(separator)})[ ]*"')
    rows = []
    while waiting:
        opening, number = waiting.popleft()
        text = opening
        more: list[tuple[str, int]] = []
        while '"' in text and opened.search(closed.sub("", text)) and len(more) < _MOST_LINES:
            if not waiting:
                break
            more.append(waiting.popleft())
            text += more[-1][0]
        else:
            if len(more) < _MOST_LINES:
                rows.append((text, number))
                continue
        if not last and len(more) < _MOST_LINES:
            return rows, [(opening, number), *more]
        tally.rows += 1
        tally.skip("a quote that is not closed", 1, number, opening.strip())
        waiting.extendleft(reversed(more))
    return rows, []


def _block(rows: list[tuple[str, int]]) -> LineBlock:
    texts, numbers = [text for text, _ in rows], [number for _, number in rows]
    return pa.array(texts, pa.string()), np.array(numbers, np.int64)


def unquoted(line: str, separator: str) -> str:
    """Return a line's cells without their quotes, with `BETWEEN` between them."""
    try:
        return BETWEEN.join(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return line
