"""Sessions of pytest in forked processes, which are spared the import of large libraries."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

LIBRARIES = (
    "pytest",
    "hypothesis",
    "numba",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "simpy",
    "msgspec",
    "tqdm",
)
OPTIONS = ("-m", "not slow", "-p", "no:xdist", "-W", "ignore:Module already imported")
MEMORY_BYTES = 8 << 30
"""Some mutants never have enough."""
LONGEST_S = 1200
"""A session that takes longer waits for something."""
CODE = ("scheduler", "traces", "workloads", "tests", "benchmarks")


def prepare() -> None:
    """Import what all sessions use, none of which is changed."""
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "EXABURST_WORLDS": "unshrunk", "OPENBLAS_NUM_THREADS": "1"}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for name in LIBRARIES:
        importlib.import_module(name)


def session(tree: Path, log: Path, files: Sequence[str], plugin: Any) -> int:
    """Run test files of a tree in a process of its own; return its exit code, negative if a signal ended it.

    A file gets what it prints.
    """
    if (child := os.fork()) == 0:
        os._exit(_run(tree, log, files, plugin))
    try:
        return _ended(child)
    finally:
        _end(child)


def _run(tree: Path, log: Path, files: Sequence[str], plugin: Any) -> int:
    """Run pytest in this process, in a session that can be ended as a whole."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(tree)
    os.environ["PYTHONPATH"] = sys.path[0] = str(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in CODE]:
        del sys.modules[name]
    sys.modules["__main__"] = ModuleType("__main__")  # what processes that tests spawn would import anew
    pytest = importlib.import_module("pytest")
    try:
        return int(pytest.main([*OPTIONS, *files], plugins=[plugin]))
    except BaseException:  # noqa: BLE001, RUF100  what is raised here must not reach the parent's frames
        log.write_text(traceback.format_exc(), encoding="utf-8")
        return 1
    finally:
        sys.stdout.flush()


def _ended(child: int) -> int:
    """Wait for a process."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return -signal.SIGALRM


def _end(child: int) -> None:
    """End all that a process has started."""
    for end, argument in ((os.killpg, signal.SIGKILL), (os.waitpid, 0)):
        try:
            end(child, argument)
        except (ProcessLookupError, ChildProcessError):
            continue


def cpu_s(who: int = resource.RUSAGE_SELF) -> float:
    """Return how much time of a processor a process has taken so far, or those that it has waited for."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
