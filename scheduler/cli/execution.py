"""How commands run what is prepared: one run, or a place for the many of a study.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scheduler.cli.preparation import Prepared
from scheduler.cli.terminal import progress_bar
from scheduler.replay import replay
from scheduler.run.directory import Run, clear
from scheduler.run.parts import DEMAND
from scheduler.study.cells.runner import StudyProgress
from scheduler.study.cells.workers import Workers
from traces.files import FINISHED, PathError, held
from traces.numbers import minute


@contextmanager
def new_run(prepared: Prepared, out: Path, *, overwrite: bool) -> Iterator[Run]:
    """Replay the jobs, and keep them beside the logs where they were generated.

    The folder is held until the run was read: nobody else replaces it meanwhile.
    """
    with held(out):
        clear(out, overwrite=overwrite)
        yield _replayed(prepared, out)


def _replayed(prepared: Prepared, out: Path) -> Run:
    setup, trace = prepared.setup, prepared.setup.trace
    look = {"total": len(trace), "unit": "job", "unit_scale": True, "desc": setup.scenario.name}
    with progress_bar(**look) as progress:
        if prepared.generated:
            trace.write(out / DEMAND)

        def show(jobs: int, second: int) -> None:
            date = minute(trace.instant(second))
            progress(setup.scenario.name, jobs, len(trace), date)

        return replay(setup, out, progress=show)


@contextmanager
def workplace(
    out: Path | None, workers: AbstractContextManager[Workers], **look: Any
) -> Iterator[tuple[Path, Workers, StudyProgress]]:
    """Give many runs a folder, made if absent and without `out` a passing one, workers, and a bar.

    `look` is that of the bar.
    """
    if out is not None and (out / FINISHED).exists():
        raise PathError(f"{out}: holds a finished run, which stays as it is; choose another folder")
    with (
        nullcontext(str(out)) if out else TemporaryDirectory(prefix="exaburst-") as folder,
        held(Path(folder)),
        workers as crew,
        progress_bar(**look) as progress,
    ):
        yield Path(folder), crew, progress
