"""Text tables, read in blocks of lines: every reader sees columns, and each row remembers its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Array, Bools, Floats, Ints
from traces.formats.decoding import text_blocks
from traces.formats.quoting import BETWEEN, LineBlock, joined, unquoted
from traces.formats.reader import RowTally
from traces.schema import TraceError
from traces.validate import LIMITS

_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"


class TextRows:
    """A block of rows of equal width; those skipped stay in the arrays and leave with `kept`."""

    def __init__(self, names: Sequence[str], fields: pa.ListArray, lines: Array, tally: RowTally) -> None:
        self.names = names
        self._fields = fields
        self._lines = lines
        self._tally = tally
        self._keep = np.ones(len(lines), bool)

    def __len__(self) -> int:
        return len(self._lines)

    def require(self, *names: str) -> None:
        """Raise TraceError where the file's header lacks one of `names`."""
        for name in names:
            if name not in self.names:
                raise TraceError(f'line 1: no column "{name}"; there must be {", ".join(names)}')

    def words(self, name: str) -> pa.StringArray:
        """Return a column as text without the blanks around it."""
        return pc.utf8_trim_whitespace(pc.list_element(self._fields, self.names.index(name)))

    def numbers(self, name: str, *, optional: bool = False) -> Floats:
        """Return a column as numbers; rows with anything else are skipped, and hold NaN.

        An empty cell is NaN without being skipped where `optional`.
        """
        text = self.words(name)
        numbers = as_numbers(text)
        wrong = ~np.isfinite(numbers)
        if optional:
            wrong &= pc.not_equal(text, "").to_numpy(zero_copy_only=False)
        self.skip(wrong, f"{name}: not a number", text)
        return numbers

    def skip(self, where: Bools, reason: str, text: pa.Array | None = None) -> None:
        """Leave out the rows `where`; `text` is the column that shows the first one's value."""
        if (where := where & self._keep).any():
            self._tally.skip(reason, *self._first(where, text))
            self._keep &= ~where

    def skip_many(self, where: Bools, more: int, reason: str, text: pa.Array) -> None:
        """Leave out the rows `where`, which stand for so many more jobs than they are, each a row."""
        if where.any():
            rows, line, value = self._first(where, text)
            self._tally.rows += more
            self._tally.skip(reason, rows + more, line, value)
            self._keep &= ~where

    def note(self, where: Bools, reason: str, text: pa.Array | None = None) -> None:
        """Say that the rows `where`, as far as they are kept, were changed or are out of the ordinary."""
        if (where := where & self._keep).any():
            self._tally.note(reason, *self._first(where, text))

    def _first(self, where: Bools, text: pa.Array | None) -> tuple[int, int, str]:
        row = int(where.argmax())
        value = "" if text is None else text[row].as_py()
        return int(where.sum()), int(self._lines[row]), value

    def limit(self, values: Floats, name: str, column: str) -> None:
        """Skip the rows whose value, read from column `name`, a trace does not allow in `column`."""
        low, high = LIMITS[column]
        within = (values >= low) & (values <= high)
        self.skip(~within, f"{name}: not {low:,} to {high:,}", self.words(name))

    def kept(self, **columns: Any) -> pa.Table:
        """Return the rows that were not skipped of `columns`, with the line of each."""
        return pa.table({**columns, "line": self._lines}).filter(pa.array(self._keep))

    def with_columns(self, columns: Mapping[str, pa.StringArray], order: Ints) -> TextRows:
        """Return the rows that were not skipped in an order, with other columns."""
        kept = order[self._keep[order]]
        table = pa.table(dict(columns)).take(pa.array(kept))
        cells = pa.concat_arrays([column.combine_chunks() for column in table.columns])
        by_row = np.arange(len(cells)).reshape(len(columns), -1).T.ravel()
        offsets = pa.array(np.arange(len(kept) + 1) * len(columns), pa.int32())
        fields = pa.ListArray.from_arrays(offsets, cells.take(pa.array(by_row)))
        return TextRows(list(columns), fields, self._lines[kept], self._tally)


def read_rows(
    path: Path,
    tally: RowTally,
    *,
    separator: str | None,
    names: Sequence[str] | None = None,
    comments: list[str] | None = None,
    remark: str = ";",
    more: bool = False,
) -> Iterator[TextRows]:
    """Yield the rows of a text file as `text_blocks` reads it, block after block, at least one block.

    `separator` is a character, or several, of which the one counts that the first line has most of, or None
    for any run of blanks. `names` are the columns, by default those in the first line. Where `comments` is
    given, lines that start with `remark` go there. Blank lines are passed over. Between characters, cells may
    be in quotes. Rows with another number of fields are skipped; where `more` may be, it is left out and
    noted. Raises TraceError for a file that cannot be read as text at all.
    """
    blocks = _numbered(text_blocks(path, tally))
    if separator is not None:
        lines, numbers = next(blocks)
        separator = max(separator, key=lines[0].as_py().count)
        blocks = joined(chain([(lines, numbers)], blocks), separator, tally)
    for all_lines, all_numbers in blocks:
        wanted = pc.not_equal(pc.utf8_trim_whitespace(all_lines), "")
        if comments is not None:
            remarks = pc.starts_with(pc.utf8_ltrim_whitespace(all_lines), remark)
            comments += all_lines.filter(remarks).to_pylist()
            wanted = pc.and_not(wanted, remarks)
        lines, numbers = all_lines.filter(wanted), all_numbers[wanted.to_numpy(zero_copy_only=False)]
        fields = _split(lines, separator)
        if names is None and len(fields):
            names = [name.strip() for name in fields[0].as_py()]
            fields, numbers = fields[1:], numbers[1:]
        if more:
            fields = _without_more(names or [], fields, numbers, tally)
        yield _of_width(names or [], fields, numbers, tally)


def found_rows(say: Callable[..., None], reason: str, where: Bools, line: Ints, value: str = "") -> None:
    """Tell a tally of the rows `where`, if there are any."""
    if where.any():
        say(reason, int(where.sum()), int(line[where.argmax()]), value)


def as_numbers(text: pa.StringArray) -> Floats:
    """Return text as numbers, NaN where it is none."""
    try:
        values = text.cast(pa.float64())
    except pa.ArrowInvalid:
        is_number = pc.match_substring_regex(text, _NUMBER)
        values = pc.if_else(is_number, text, None).cast(pa.float64())
    return np.array(values.fill_null(np.nan))


def _numbered(blocks: Iterator[bytes]) -> Iterator[LineBlock]:
    first = 1
    for block in blocks:
        lines = _lines(block)
        yield lines, np.arange(first, first + len(lines))
        first += len(lines)


def _lines(block: bytes) -> pa.StringArray:
    """Return the lines of a block that ends in a line end, without copying it."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))


def _without_more(names: Sequence[str], fields: pa.ListArray, lines: Array, tally: RowTally) -> pa.ListArray:
    longer = np.asarray(pc.list_value_length(fields)) > len(names)
    if longer.any():
        line = int(lines[longer.argmax()])
        tally.note(f"more than {len(names)} fields: those after them left out", int(longer.sum()), line)
        fields = pc.list_slice(fields, 0, len(names))
    return fields


def _of_width(names: Sequence[str], fields: pa.ListArray, lines: Array, tally: RowTally) -> TextRows:
    tally.rows += len(lines)
    widths = np.asarray(pc.list_value_length(fields))
    wrong = widths != len(names)
    if wrong.any():
        row = int(wrong.argmax())
        value = " ".join(fields[row].as_py()).strip()
        tally.skip(f"not {len(names)} fields", int(wrong.sum()), int(lines[row]), value)
    return TextRows(names, fields.filter(pa.array(~wrong)), lines[~wrong], tally)


def _split(lines: pa.StringArray, separator: str | None) -> pa.ListArray:
    if separator is None:
        return pc.utf8_split_whitespace(pc.utf8_trim_whitespace(lines))
    if pc.any(pc.match_substring(lines, '"')).as_py():
        lines = pa.array([unquoted(line, separator) for line in lines.to_pylist()], pa.string())
        separator = BETWEEN
    return pc.split_pattern(lines, separator)
