"""Reader of Microsoft's Philly log as released: cluster_job_log, JSON with the attempts of each job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traces.formats.mapping.mapped import jobs_of
from traces.formats.mapping.spec import JobMapping
from traces.formats.reader import Jobs, RowTally
from traces.formats.records import cell, inner, json_items, objects, rows_of, say_unread

_COLUMNS = ("jobid", "user", "vc", "status", "submitted_time", "start_time", "end_time", "gpus", "machines")
_KEYS = ("jobid", "user", "vc", "status", "submitted_time", "attempts")


def read_attempts(text: str, tally: RowTally, mapping: JobMapping) -> Jobs:
    """Read a row an attempt; a job without one is a row without a start."""
    items = list(json_items(text, tally))
    say_unread(items, _KEYS, tally)
    attempts = [(line, each) for line, item in items for each in objects(item.get("attempts"))]
    say_unread(attempts, ("start_time", "end_time", "detail"), tally)
    rows = [(line, row) for line, item in items for row in _attempts(item)]
    return jobs_of([rows_of(_COLUMNS, rows, tally)], tally, mapping)


def _attempts(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    about = {name: cell(job.get(name)) for name in _COLUMNS[:5]}
    for attempt in objects(job.get("attempts")) or [{}]:
        machines = objects(attempt.get("detail"))
        gpus = [inner(machine, "gpus") for machine in machines]
        yield about | {
            "start_time": cell(attempt.get("start_time")),
            "end_time": cell(attempt.get("end_time")),
            "gpus": str(sum(len(each) for each in gpus if isinstance(each, list))),
            "machines": ",".join(cell(machine.get("ip")) for machine in machines),
        }
