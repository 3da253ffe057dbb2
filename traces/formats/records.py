"""Logs that are no tables: records in JSON or of keys and values, made rows that a mapping reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from traces.errors import first_line
from traces.formats.decoding import text_blocks
from traces.formats.reader import RowTally
from traces.formats.text_table import TextRows
from traces.schema import TraceError, quoted

_LONGEST = 1 << 31
"""Bytes that a document on one line may have."""
_ITEMS = re.compile(r'"items"\s*:\s*\[')
_BLANKS = re.compile(r"[\s,]*")

Item = tuple[int, dict[str, Any]]
"""(line where it begins, object)."""
Row = tuple[int, Mapping[str, str]]
"""(line, cells by column)."""


def text_of(path: Path, tally: RowTally) -> str:
    """Return all of a file's text."""
    blocks = text_blocks(path, tally, _LONGEST)
    return b"".join(blocks).decode(errors="replace")


def json_items(text: str, tally: RowTally) -> Iterator[Item]:
    """Yield the objects of JSON: of a list, of the `items` of an object, or one after the other.

    What else stands there is skipped. Raises TraceError for what is not JSON.
    """
    begin = _BLANKS.match(text)
    at = begin.end() if begin else 0
    if text[at : at + 1] == "[":
        at += 1
    elif text[at : at + 1] == "{" and (found := _ITEMS.search(text)) and _has_items(text, at):
        at = found.end()
    decoder, line, counted = json.JSONDecoder(), 1, 0
    while at < len(text):
        gap = _BLANKS.match(text, at)
        at = gap.end() if gap else at
        if text[at : at + 1] in ("", "]"):
            return
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise TraceError(f"line {line}: not JSON that can be read: {first_line(error)}") from None
        if isinstance(value, dict):
            yield line, value
        else:
            tally.rows += 1
            tally.skip("not an object", 1, line, quoted(str(value))[1:-1])


def _has_items(text: str, at: int) -> bool:
    """Whether the first object has items of its own, which are meant; or is broken, which will be found."""
    try:
        whole, _ = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return True
    return isinstance(whole.get("items"), list)


def inner(value: Any, *path: str) -> Any:
    """Return what stands under keys within keys; None where it does not."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def cell(value: Any) -> str:
    """Return a value as a cell; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return re.sub(r"[\s\x1f]+", " ", value).strip() if isinstance(value, str) else repr(value)


def say_unread(items: Sequence[Item], known: Sequence[str], tally: RowTally, *path: str) -> None:
    """Note the keys of objects that nobody reads."""
    for line, item in items:
        within = inner(item, *path) if path else item
        for key in within if isinstance(within, dict) else ():
            if key not in known:
                tally.note(f"field {quoted('.'.join([*path, key]))}: not read", 1, line)


def rows_of(names: Sequence[str], rows: Sequence[Row], tally: RowTally) -> TextRows:
    """Return records as rows of a table; a cell that is not there is empty."""
    tally.rows += len(rows)
    cells = pa.array([[row.get(name, "") for name in names] for _, row in rows], pa.list_(pa.string()))
    return TextRows(list(names), cells, np.array([line for line, _ in rows], np.int64), tally)
