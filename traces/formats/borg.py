"""Reader of Google's Borg cells of 2019: instance events as BigQuery exports them, one JSON object a line.

The fields: clusterdata_trace_format_v3.proto, https://github.com/google/cluster-data (Tirmazi et al., EuroSys
2020, CC BY 4.0). Integers may be text. Times are microseconds of the trace, which begins at 600 s; 0 is
before it, 2^63 - 1 after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from traces.formats.decoding import text_blocks
from traces.formats.mapping.mapped import jobs_of
from traces.formats.mapping.spec import Changes, preset
from traces.formats.reader import Jobs, RowTally
from traces.formats.records import Row, inner, rows_of
from traces.schema import TraceError, quoted

_COLUMNS = (
    *("instance", "submit", "start", "end", "cpus", "memory"),
    *("priority", "scheduling_class", "machine", "ended", "state"),
)
_NAMES = ("SUBMIT", "QUEUE", "ENABLE", "SCHEDULE", "EVICT", "FAIL", "FINISH", "KILL", "LOST")
_SUBMIT, _SCHEDULE, _EVICT, _LOST = 0, 3, 4, 8
_UPDATES = ("UPDATE_PENDING", "UPDATE_RUNNING")
_TYPES = {name: at for at, name in enumerate((*_NAMES, *_UPDATES))}
_ALLOC_SET = 1
_AFTER = 2**63 - 1
_READ = {"time", "type", "collection_id", "collection_type", "instance_index", "priority"}
_READ |= {"scheduling_class", "resource_request", "missing_type", "machine_id"}


class Event(NamedTuple):
    """What happened to an instance, in microseconds of the trace."""

    time: int
    type: int
    line: int
    fields: dict[str, Any]


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read a row a run of an instance; a mapping adds them up to collections."""
    instances, unread = defaultdict(list), Counter[str]()
    first: dict[str, int] = {}
    for line, fields in _objects(path, tally):
        for name in fields.keys() - _READ:
            unread[name] += 1
            first.setdefault(name, line)
        event = Event(_number(fields, "time"), _type(fields), line, fields)
        instances[_number(fields, "collection_id"), _number(fields, "instance_index")].append(event)
    for name in sorted(unread):
        tally.note(f"field {quoted(name)}: not read", unread[name], first[name])
    rows = [row for instance, events in instances.items() for row in _runs(instance, sorted(events), tally)]
    rows.sort(key=_line)
    return jobs_of([rows_of(_COLUMNS, rows, tally)], tally, changes.over(preset("borg-2019")))


def _line(row: Row) -> int:
    return row[0]


def _objects(path: Path, tally: RowTally) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder, line = msgspec.json.Decoder(), 0
    for block in text_blocks(path, tally):
        for text in block.splitlines():
            line += 1
            if not text.strip():
                continue
            try:
                fields = decoder.decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                raise TraceError(f"line {line}: not JSON that can be read: {error}") from None
            if isinstance(fields, dict):
                yield line, fields
            else:
                tally.rows += 1
                tally.skip("not an object", 1, line)


def _number(fields: dict[str, Any], name: str) -> int:
    """Return a whole number, which may be text; -1 for none."""
    try:
        return int(fields.get(name) or 0)
    except (TypeError, ValueError, OverflowError):
        return -1


def _type(fields: dict[str, Any]) -> int:
    return _TYPES.get(str(fields.get("type")), _number(fields, "type"))


def _runs(instance: tuple[int, int], events: list[Event], tally: RowTally) -> Iterator[Row]:
    """Yield a row from each start to the end after it, or one without a start; other events are counted."""
    submitted = next((event for event in events if event.type == _SUBMIT), events[0])
    row = {"instance": "{}/{}".format(*instance), "submit": _second(submitted.time)}
    started: Event | None = None
    latest, runs = events[0].fields, 0
    for event in events:
        latest = event.fields if "resource_request" in event.fields else latest
        if event.type == _SCHEDULE and started is None:
            started, runs = event, runs + 1
        elif _EVICT <= event.type <= _LOST and started is not None:
            yield started.line, row | _about(latest) | _run(started, event)
            started = None
    if started is not None:
        yield started.line, row | _about(latest) | _run(started, None)
    elif not runs:
        yield events[0].line, row | _about(latest) | {"state": _state(events[0], None)}
    if more := len(events) - max(runs, 1):
        tally.rows += more
        tally.skip("an event beside the start of a run", more, events[0].line)


def _run(start: Event, end: Event | None) -> dict[str, str]:
    known = end is not None and end.time < _AFTER
    return {
        "start": _second(start.time),
        "machine": str(start.fields.get("machine_id") or ""),
        "end": _second(end.time) if known and end is not None else "",
        "ended": _NAMES[end.type] if end is not None else "",
        "state": _state(start, end),
    }


def _state(start: Event, end: Event | None) -> str:
    if _number(start.fields, "collection_type") == _ALLOC_SET:
        return "alloc set"
    if start.time <= 0:
        return "before the trace"
    return "after the trace" if end is None or end.time >= _AFTER else "whole"


def _about(fields: dict[str, Any]) -> dict[str, str]:
    request = fields.get("resource_request")
    return {
        "cpus": str(inner(request, "cpus") or 0),
        "memory": str(inner(request, "memory") or 0),
        "priority": str(_number(fields, "priority")),
        "scheduling_class": str(_number(fields, "scheduling_class")),
    }


def _second(microseconds: int) -> str:
    return repr(microseconds / 1e6) if 0 <= microseconds < _AFTER else ""
