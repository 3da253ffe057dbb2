"""Computing one cell: its jobs, its run, its figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from scheduler.replay import Setup, replay
from scheduler.replay.engines import expect_jobs
from scheduler.run.clearing import begin, clear
from scheduler.run.directory import Run
from scheduler.run.figures import Metrics, measure
from scheduler.run.parts import DEMAND
from scheduler.run.rent_levels import rent_levels
from scheduler.scenario import parse_scenario
from scheduler.study.cells.cell import Cell, CellError
from scheduler.study.reference import reference_of
from traces.files import FINISHED, passing_folder
from traces.resample import resample
from traces.schema import RESAMPLED
from traces.trace import Trace, TraceError
from workloads import generate

RESULT = "cell.json"
"""The figures of a cell, beside its run where that is kept."""
KNOWN = (RESULT, FINISHED)
"""Files in the folder of a cell, which is the study's own: they are made anew, damaged or not."""


class Parcel(NamedTuple):
    """The result of a worker that does not share the folder of the results: figures, and files if kept."""

    metrics: Metrics
    files: dict[str, bytes]

    def unpack(self, run: Path) -> None:
        """Write the files of the run; run.json, which makes it a finished one, as the last."""
        for name in sorted(self.files, key=FINISHED.__eq__):
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            (run / name).write_bytes(self.files[name])


def compute(cell: Cell, folder: Path, *, keep: bool = False) -> Metrics:
    """Run a cell and return its figures, those of `scheduler.run.figures`; `windows` are those of each.

    Generated jobs are kept under `folder`/traces for the cells that share them; the run directory only if
    `keep`, as the cell's place. Raises what reading the trace, generating and replaying raise.
    """
    expect_jobs(cell.study_jobs)
    trace = jobs_of_cell(cell, folder)
    scenario = parse_scenario({**cell.scenario, "seed": cell.seed})
    if not keep:
        with passing_folder() as scratch:
            return _measured(replay(Setup.of(scenario, trace), scratch), trace, cell)
    run = folder / cell.place
    clear(run, overwrite=True, known=KNOWN)
    begin(run)
    return _measured(replay(Setup.of(scenario, trace), run), trace, cell)


def _measured(run: Run, trace: Trace, cell: Cell) -> Metrics:
    if "live" in run.description["trace"]["source"]:
        trace = Trace.read(run.folder / DEMAND)  # more jobs came than were there
    if not cell.windows:
        return measure(run, trace, cell.waits_of, by=cell.by)
    of_windows = [measure(run, trace, cell.waits_of, window, cell.by) for window in cell.windows]
    if cell.rent_levels:
        for window, metrics in zip(cell.windows, of_windows, strict=True):
            metrics["rent_levels"] = {offer: rent_levels(run, offer, window) for offer in run.offers}
    return {"windows": of_windows}


def jobs_of_cell(cell: Cell, folder: Path) -> Trace:
    """Return the jobs of a cell: of its trace file, or drawn or generated, once for all that share them.

    Those are kept under `folder`/traces. Workers may race: each writes aside and renames, so a file is
    whole, and equal whoever wrote it.
    """
    if cell.trace is not None and cell.resampling is None:
        return _of_file(cell, folder)
    file = kept_jobs(folder, cell.jobs_key)
    if file.exists():
        try:
            trace = _read(file, cell.jobs_key)
        except TraceError:
            pass  # damaged: it is made anew
        else:
            if _is_of(trace, cell):
                return trace  # else it is another's
    if cell.resampling is not None:
        trace = resample(_of_file(cell, folder), cell.resampling, cell.seed)
    else:
        trace = generate(cell.demand, reference_of())
    file.parent.mkdir(parents=True, exist_ok=True)
    trace.write(file)
    return trace


def _of_file(cell: Cell, folder: Path) -> Trace:
    assert cell.trace is not None
    assert cell.trace_sha256 is not None
    file = kept_jobs(folder, cell.trace_sha256)
    trace = _read(file if file.exists() else Path(cell.trace), cell.trace_sha256)
    if trace.sha256 != cell.trace_sha256:
        raise CellError(f"{cell.trace}: has other jobs than when the study was laid out")
    return trace


def _is_of(trace: Trace, cell: Cell) -> bool:
    """Say whether kept jobs are those that the cell's seed draws or generates."""
    if cell.resampling is not None:
        told = trace.source.get(RESAMPLED, {})
        return bool(told.items() >= (cell.resampling._asdict() | {"seed": cell.seed}).items())
    return bool(trace.source.get("demand") == json.loads(json.dumps(asdict(cell.demand))))


def kept_jobs(folder: Path, jobs_key: str) -> Path:
    """Return the file in which jobs are kept for the cells that share them."""
    return folder / "traces" / f"{jobs_key}.parquet"


@lru_cache(maxsize=1)
def _read(file: Path, jobs_key: str) -> Trace:
    """Read jobs; a worker meets the cells that share them one after another."""
    return Trace.read(file)
