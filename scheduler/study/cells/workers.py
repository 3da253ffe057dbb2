"""Who computes cells: an executor that is started when needed, by default of local processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import ParamSpec, TypeVar

from scheduler.run.figures import Metrics
from scheduler.study.cells.cell import Cell
from scheduler.study.cells.compute import Parcel, compute
from traces.arrow_start import start_arrow_without_pandas

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass
class Workers:
    """An executor that is started when needed, and anew after one of its processes died."""

    start: Callable[[], Executor]
    room: int
    """Cells handed out at once."""
    task: Callable[..., Metrics | Parcel] = compute
    """Called with a cell, the folder of the results and `keep`."""
    check: Callable[[], None] = lambda: None
    """Called now and then while cells are out; raises OSError where none of them will come back."""
    _executor: Executor | None = None

    def submit(self, cell: Cell, folder: Path, *, keep: bool) -> Future[Metrics | Parcel]:
        """Hand a cell to a worker."""
        if self._executor is None:
            self._executor = self.start()
        return self._executor.submit(self.task, cell, folder, keep=keep)

    def stop(self) -> None:
        """End the workers without waiting for what they do; they start again when needed."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def processes(count: int | None = None) -> Iterator[Workers]:
    """Give so many local processes, by default one a processor, which end with the `with` block."""
    number = count or os.cpu_count() or 1
    with TemporaryDirectory(prefix="exaburst-", ignore_cleanup_errors=True) as scratch:
        workers = Workers(partial(_Processes, number, scratch), 2 * number)
        try:
            yield workers
        finally:
            workers.stop()


class _Processes(ProcessPoolExecutor):
    """Local processes, started from a thread that holds signals to end back, which they inherit from it.

    So none is interrupted before `_begin`, when it would end in a traceback. Nor is the start of one cut
    off half-way, as Ctrl-C interrupts only the main thread, which merely waits for it.
    """

    def __init__(self, number: int, scratch: str) -> None:
        _start_tracker()
        spawn = multiprocessing.get_context("spawn")  # a fork would copy Arrow's threads half-way
        super().__init__(number, spawn, _begin, (scratch,))
        self._starter = ThreadPoolExecutor(1, initializer=_hold_signals)

    def submit(self, task: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Hand a task to a process, which is started if none is idle."""
        return self._starter.submit(super().submit, task, *args, **kwargs).result()


_ENDING = (signal.SIGINT, signal.SIGHUP)
"""What a terminal sends to all processes of a command; the one in front ends the others."""


def _start_tracker() -> None:
    """Start the process that clears up after processes, and outlives them: it ignores all but SIGHUP."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hold_signals() -> None:
    """Keep signals to end from this thread and from the processes it starts, until they let them through."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _begin(scratch: str) -> None:
    """Set a worker up: Ctrl-C, held back so far, ends it without a word; its parent clears up after it."""
    tempfile.tempdir = scratch
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    Thread(target=_end_with_parent, daemon=True).start()
    start_arrow_without_pandas()


def _end_with_parent() -> None:
    """End when the parent does: the pool's own processes outlive one that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
