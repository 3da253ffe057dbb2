"""The runs that are in a folder."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scheduler.report.documents.runs import RunsDocument
from scheduler.run.directory import Run, RunError, open_run
from scheduler.run.levels import DeviceLevels
from scheduler.run.spend import spend_figures
from traces.files import FINISHED
from traces.numbers import count, decimal, minute, percent
from traces.tables import table
from traces.times import DAY_S


def runs_document(folder: Path) -> RunsDocument:
    """Return the finished runs in a folder, however deep, by their names; raises RunError for no folder."""
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder")
    rows, unreadable = [], {}
    for file in sorted(folder.rglob(FINISHED)):
        try:
            rows.append(_row(open_run(file.parent)))
        except RunError as error:
            unreadable[str(file.parent)] = str(error)
    return RunsDocument(folder=str(folder), runs=rows, unreadable=unreadable)


def _row(run: Run) -> dict[str, Any]:
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    return {
        "run": str(run.folder),
        "scenario": run.description["scenario"]["name"],
        "jobs": run.description["trace"]["jobs"],
        "start": f"{epoch + timedelta(seconds=run.start_s):%Y-%m-%dT%H:%M:%SZ}",
        "days": run.length_s / DAY_S,
        "utilization": DeviceLevels(run).utilization(),
        "usd_total": spend_figures(run)["usd_total"],
    }


def listed_runs(found: RunsDocument) -> str:
    """Render the runs, and those that cannot be read."""
    rows = [
        [
            str(row["run"]),
            str(row["scenario"]),
            count(float(row["jobs"] or 0)),
            minute(datetime.fromisoformat(str(row["start"]))),
            decimal(float(row["days"] or 0), 1),
            percent(float(row["utilization"] or 0)),
            count(float(row["usd_total"] or 0)),
        ]
        for row in found.runs
    ]
    header = ["run", "scenario", "jobs", "start", "days", "utilization", "USD"]
    lines = [table(header, rows, numbers=(2, 4, 5, 6)) if rows else f"{found.folder}: no finished run"]
    return "\n".join([*lines, *found.unreadable.values()])
