"""The first jobs of a trace, for people who want to see whether a log was read as they meant it."""

from __future__ import annotations

from typing import Any

from traces.numbers import plural
from traces.schema import DEFAULTS
from traces.submissions import submissions
from traces.tables import table
from traces.trace import Trace

_JOBS, _WIDEST = 5, 60
_ALWAYS = ("job_id", "submit_s", "runtime_s", "gang")


def first_jobs(trace: Trace) -> str:
    """Return the first jobs as a table of the columns that say something, and when each is submitted."""
    jobs = trace.table.slice(0, _JOBS)
    columns = {name: jobs.column(name).to_pylist() for name in jobs.column_names}
    shown = {
        name: values for name, values in columns.items() if name in _ALWAYS or _says(name, values, columns)
    }
    header = ["submitted (UTC)", *shown]
    dates = [f"{trace.instant(second):%Y-%m-%d %H:%M:%S}" for second in columns["submit_s"]]
    rows = [[date, *map(_cell, cells)] for date, *cells in zip(dates, *shown.values(), strict=True)]
    numbers = [at for at, values in enumerate(shown.values(), 1) if not isinstance(values[0], str)]
    when = submissions(trace)
    return f"{plural(len(trace), 'job')}, {when}; nothing is written\n{table(header, rows, numbers)}"


def _says(name: str, values: list[Any], columns: dict[str, list[Any]]) -> bool:
    if name == "estimate_s":
        return values != columns["runtime_s"]
    return any(value != DEFAULTS.get(name) for value in values)


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_WIDEST])
