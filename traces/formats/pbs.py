"""Reader of the accounting logs of PBS Professional, OpenPBS and Torque: `date;type;id;key=value key=value`.

The records: the accounting chapter of the PBS Professional administrator's guide, and of Torque's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from traces.formats.decoding import text_blocks
from traces.formats.mapping.mapped import jobs_of
from traces.formats.mapping.spec import Changes, preset
from traces.formats.reader import Jobs, RowTally
from traces.formats.records import Row, rows_of

_PAIR = re.compile(r'([\w.]+)=("[^"]*"|\S*)')
_ENDS = {"E": "end", "R": "end of an attempt"}
_OTHERS = {"S": "start, with a record of its end", "Q": "queueing", "A": "abort", "D": "deletion"}
_OPEN = "start without an end"
_SERVER = re.compile(r"(\d+(?:\[\d*\])?)\.[\w.-]+")
_MOST = 10**7


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read a row a record; those of ends and of reruns are attempts of jobs."""
    records = list(_records(path, tally))
    ended = {row["id"] for _, row in records if row["type"] == "E"}
    for _, row in records:
        sort = row.pop("type")
        row["record"] = _ENDS.get(sort) or _OTHERS.get(sort, f"record of type {sort}")
        if sort == "S" and row["id"] not in ended:
            row["record"] = _OPEN
        row["gpus"] = _gpus(row)
    names = list(dict.fromkeys(name for _, row in records for name in row))
    rows: list[Row] = [(line, row) for line, row in records]
    return jobs_of([rows_of(["record", "id", *_but(names)], rows, tally)], tally, changes.over(preset("pbs")))


def _but(names: list[str]) -> list[str]:
    return [name for name in names if name not in ("record", "id")]


def _records(path: Path, tally: RowTally) -> Iterator[tuple[int, dict[str, str]]]:
    line = 0
    for block in text_blocks(path, tally):
        for text in block.decode(errors="replace").split("\n")[:-1]:
            line += 1
            if not text.strip():
                continue
            when, _, rest = text.partition(";")
            sort, _, rest = rest.partition(";")
            job, semicolon, message = rest.partition(";")
            if not semicolon:
                tally.rows += 1
                tally.skip("not a record: date;type;id;message", 1, line, text.strip())
                continue
            pairs = {key: value.strip('"') for key, value in _PAIR.findall(message)}
            if "depend" in pairs:
                pairs["depend"] = _SERVER.sub(r"\1", pairs["depend"])
            yield line, {"when": when, **pairs, "type": sort.strip(), "id": _SERVER.sub(r"\1", job.strip())}


def _gpus(row: dict[str, str]) -> str:
    """Return the GPUs requested: in all, by the chunks of select, or by Torque's nodes."""
    if "Resource_List.ngpus" in row:
        return row["Resource_List.ngpus"]
    chunks = row.get("Resource_List.select") or row.get("Resource_List.nodes") or ""
    total = 0
    for chunk in chunks.split("+"):
        found = re.search(r":(?:ngpus=|gpus=)(\d{1,7})", chunk)
        count = re.match(r"\d{1,7}(?=:|$)", chunk)
        total += (int(count[0]) if count else 1) * (int(found[1]) if found else 0)
    return str(min(total, _MOST)) if chunks else ""
