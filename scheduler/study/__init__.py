"""Many runs: cells on a pool of workers, results kept so that what is done is not done again.

Read `cells` first; `sweep` runs a study file, `compare` sets policies side by side, `plan` counts pods.

cells = [cell_of(scenario, seed) for seed in range(1, 21)]
with processes(2) as workers:
    for outcome in run_cells(cells, Path("study"), workers):
        print(outcome.cell.seed, outcome.metrics["usd_total"])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scheduler.study.cells.cell import Cell, CellError, cell_of
    from scheduler.study.cells.compute import compute
    from scheduler.study.cells.runner import CellOutcome, run_cells
    from scheduler.study.cells.workers import Workers, processes
else:
    _HOME = {
        **dict.fromkeys(("Cell", "CellError", "cell_of"), "cell"),
        "compute": "compute",
        **dict.fromkeys(("CellOutcome", "run_cells"), "runner"),
        **dict.fromkeys(("Workers", "processes"), "workers"),
    }

    def __getattr__(name: str) -> Any:
        """Import what costs time only where it is asked for: a single run asks for the reference device."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"scheduler.study.cells.{_HOME[name]}"), name)


__all__ = ["Cell", "CellError", "CellOutcome", "Workers", "cell_of", "compute", "processes", "run_cells"]
