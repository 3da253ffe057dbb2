"""How commands run what is prepared.

It costs to import, so a command imports it once it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scheduler.cli.preparation import Prepared
from scheduler.cli.terminal import progress_bar
from scheduler.replay.replay import check_beginning, replay
from scheduler.run.clearing import begin, clear
from scheduler.run.directory import Run
from scheduler.run.parts import DEMAND
from traces.files import held
from traces.numbers import minute
from traces.outputs import check_outside


@contextmanager
def new_run(
    prepared: Prepared,
    out: Path,
    *,
    overwrite: bool,
    inputs: Sequence[Path | None] = (),
    engine: str = "auto",
) -> Iterator[Run]:
    """Replay the jobs, and keep them beside the logs where they were generated.

    `inputs` are the files that they come from, none of which may be in the folder. That is held until the run
    was read: nobody else replaces it meanwhile.
    """
    check_outside(out)
    check_beginning(prepared.setup, engine)  # before anything is removed
    with held(out):
        clear(out, overwrite=overwrite, inputs=[path for path in inputs if path is not None])
        begin(out)
        yield _replayed(prepared, out, engine)


def _replayed(prepared: Prepared, out: Path, engine: str) -> Run:
    setup, trace = prepared.setup, prepared.setup.trace
    look = {"total": len(trace), "unit": "job", "unit_scale": True, "desc": setup.scenario.name}
    with progress_bar(**look) as progress:
        if prepared.generated:
            trace.write(out / DEMAND)

        def show(jobs: int, second: int) -> None:
            date = minute(trace.instant(second))
            progress(setup.scenario.name, jobs, len(trace), date)

        return replay(setup, out, engine=engine, progress=show)
