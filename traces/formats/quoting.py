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

_Line = tuple[str, int]
"""(text with its end, number)."""
BETWEEN = "\x1f"
"""What stands between the cells of a line once its quotes are gone."""
_MOST_LINES = 100
"""Lines that one row may have; a quote that is open for longer was none."""


def joined(blocks: Iterator[LineBlock], separator: str, tally: RowTally) -> Iterator[LineBlock]:
    """Join lines that a quoted cell runs over into one, under the number of the first of them, and note it.

    A line whose quote is never closed, or is followed by text, is skipped.
    """
    rows = _Rows(separator, tally)
    left: list[_Line] = []
    for lines, numbers in blocks:
        if not left and not pc.any(pc.match_substring(lines, '"')).as_py():
            yield lines, numbers
            continue
        waiting = deque([*left, *zip(lines.to_pylist(), numbers.tolist(), strict=True)])
        whole, left = rows.cut(waiting, last=False)
        yield _block(whole)
    if left:
        yield _block(rows.cut(deque(left), last=True)[0])


class _Rows:
    """Cuts lines into rows, each one line or several."""

    def __init__(self, separator: str, tally: RowTally) -> None:
        between = re.escape(separator)
        quoted, bare = r'[ ]*+"(?:[^"]|"")*+"[ ]*+', rf"(?![ ]*+\")[^{between}\n]*+"
        cell = f"(?:{quoted}|{bare})"
        self._whole = re.compile(rf"{cell}(?:{between}{cell})*+\r?\n?")
        self._open = re.compile(rf'(?:{cell}{between})*+[ ]*+"(?:[^"]|"")*+')
        self._tally = tally

    def cut(self, waiting: deque[_Line], *, last: bool) -> tuple[list[_Line], list[_Line]]:
        """Return whole rows, and the lines at the end whose row may go on in the next block."""
        rows = []
        while waiting:
            taken = [waiting.popleft()]
            text, number = taken[0]
            while self._goes_on(text) and len(taken) <= _MOST_LINES:
                if not waiting:
                    break
                taken.append(waiting.popleft())
                text += taken[-1][0]
            if self._whole.fullmatch(text):
                rows.append((text, number))
                if len(taken) > 1:
                    self._tally.note("a cell in quotes that runs over lines", 1, number, taken[0][0].strip())
            elif self._goes_on(text) and len(taken) <= _MOST_LINES and not last:
                return rows, taken
            else:
                self._tally.rows += 1
                open_ = self._goes_on(text)
                reason = "a quote that is not closed" if open_ else "text after a closing quote"
                self._tally.skip(reason, 1, number, taken[0][0].strip())
                waiting.extendleft(reversed(taken[1:]))
        return rows, []

    def _goes_on(self, text: str) -> bool:
        """Whether a quote is open at the end of the text."""
        return '"' in text and self._open.fullmatch(text) is not None


def _block(rows: list[_Line]) -> LineBlock:
    texts, numbers = [text for text, _ in rows], [number for _, number in rows]
    return pa.array(texts, pa.string()), np.array(numbers, np.int64)


def unquoted(line: str, separator: str) -> str:
    """Return a line's cells without their quotes, with `BETWEEN` between them."""
    try:
        return BETWEEN.join(next(csv.reader([line], delimiter=separator, skipinitialspace=True), []))
    except csv.Error:
        return line
