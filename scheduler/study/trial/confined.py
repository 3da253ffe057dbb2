"""A policy over many worlds in a process of its own, with limits of CPU time and memory."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from scheduler.policy.errors import PolicyError
from scheduler.study.cells.cell import Cell
from scheduler.study.cells.compute import compute
from scheduler.study.trial.suites import World
from scheduler.study.trial.watch import watch
from traces.arrow_start import start_arrow_without_pandas
from traces.times import HOUR_S

MB = 2**20
WALL = 4
"""A policy that sleeps is stopped after so many times the CPU time that it has, and `START_S` more."""
START_S = 60
_STATUS = Path("/proc/self/status")


class TrialLimits(NamedTuple):
    """What a policy may take, over all its worlds."""

    cpu_s: int = 120
    memory_mb: int = 1_024


class ConfinedTask(NamedTuple):
    """A policy over worlds: a spec with its seam, or one in a file whose seam is not known yet."""

    spec: str
    file: Path | None
    worlds: Sequence[World]
    folder: Path
    """Keeps generated jobs."""
    limits: TrialLimits


class ConfinedResult(NamedTuple):
    """What came of it: the seam that the spec names, figures of each world, and what it took."""

    seam: str
    figures: list[dict[str, Any]]
    cpu_s: float
    memory_mb: float
    """The most that was resident, with the program."""


def run_confined(task: ConfinedTask) -> ConfinedResult:
    """Run a task; raises PolicyError in one line where the policy fails or goes beyond its limits."""
    ours, theirs = (context := get_context("spawn")).Pipe(duplex=False)
    process = context.Process(target=_attempt, args=(theirs, task), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv() if ours.poll(WALL * task.limits.cpu_s + START_S) else None
    except EOFError:
        process.join()
        raise PolicyError(f'policy "{task.spec}": {_death(process.exitcode, task.limits)}') from None
    finally:
        process.kill()
        process.join()
    if found is None:
        raise PolicyError(f'policy "{task.spec}": out of time: it sleeps, or waits for something')
    if isinstance(found, str):
        raise PolicyError(found if task.spec in found else f'policy "{task.spec}": {found}')
    return ConfinedResult(*found)


def _death(code: int | None, limits: TrialLimits) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"out of time: it takes more than {limits.cpu_s:,} s of CPU"
    return f"its process ended with code {code}"


def _attempt(pipe: Connection, task: ConfinedTask) -> None:
    """Run a task in this process, and send its result, or what was wrong with it as a text."""
    _silence()
    try:
        found: tuple[Any, ...] | str = tuple(_result(task))
    except MemoryError:
        found = f"out of memory: it takes more than {task.limits.memory_mb:,} MB"
    except PolicyError as error:
        found = str(error)
    except Exception as error:
        found = f"{type(error).__name__}: {error}".splitlines()[0]
    pipe.send(found)
    pipe.close()


def _silence() -> None:
    """Let nothing that a policy prints be seen."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _result(task: ConfinedTask) -> ConfinedResult:
    from scheduler.study.cells.policy_names import parse_policy

    start_arrow_without_pandas()  # it maps a gigabyte with its first array, which is not the policy's
    _limit(task.limits)
    began_s = time.process_time()
    if task.file is not None:
        watch(task.file)
    chosen = parse_policy(task.spec)
    cells = [world.under(chosen) for world in task.worlds]
    figures = [compute(cell, task.folder) for cell in cells]
    if task.file is not None:
        _check_pure(cells[0], figures[0], task.folder)
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return ConfinedResult("+".join(chosen), figures, time.process_time() - began_s, most_mb)


def _limit(limits: TrialLimits) -> None:
    """Bound this process; what it has by now does not count."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + HOUR_S))
    if not _STATUS.exists():  # other systems do not count what is mapped
        return
    with _STATUS.open() as lines:
        has_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmData"))
    most = has_kb * 1_024 + limits.memory_mb * MB
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _check_pure(cell: Cell, figures: dict[str, Any], folder: Path) -> None:
    """Raise PolicyError where the same world comes out otherwise the second time."""
    again = compute(cell, folder)
    for name, value in figures.items():
        if repr(again.get(name)) != repr(value):  # NaN is NaN
            raise PolicyError(f"the same world twice is not the same: {name} {value} and {again.get(name)}")
