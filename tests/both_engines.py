"""What a test runs on SimPy's engine is run again on the fast one where that covers it, and logs the same.

So every story, oracle, law and random world checks both. They are run compiled where that was done before, as
a test of the fast engine has it; else as the Python that it is, and large ones not at all.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from scheduler.engine.fast.compiled import is_on_disk, numba_compiles
from scheduler.engine.log.part_files import PartFiles
from scheduler.money.ledger.meter import Meter
from scheduler.replay import Setup, engines
from scheduler.replay.assembly import Assembly
from scheduler.replay.engines import EngineChoice, covers, lane_of

_REPLAY: Any = import_module("scheduler.replay.replay")
INTERPRETED_MOST = 100
"""Jobs of a run on the fast engine where it is not compiled."""


def most_jobs() -> float:
    """Return how many jobs a run may have that is made again; settle whether numba is to compile."""
    if numba_compiles() and is_on_disk():
        return inf
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    return INTERPRETED_MOST


class Written(NamedTuple):
    """A part of a log, as `PartFiles.write` is given it."""

    log: str
    schema: pa.Schema
    columns: Mapping[str, Any]

    def table(self) -> pa.Table:
        """Return it as it is written."""
        return pa.table({name: self.columns[name] for name in self.schema.names}).cast(self.schema)


class Recorder(threading.local):
    """Stands in for the part files of a log; each thread has its own parts, as runs of some tests overlap."""

    def __init__(self) -> None:
        self.parts: list[Written] = []

    def write(self, log: str, columns_schema: pa.Schema, columns: Mapping[str, Any]) -> None:
        """Keep a part."""
        self.parts.append(Written(log, columns_schema, columns))


@contextmanager
def both_engines(most: float) -> Iterator[None]:
    """Make runs of so many jobs at most on both engines; none goes to the fast one for being large alone."""
    run, write, loaded = _REPLAY._run, PartFiles.write, engines.LOADED_PAYS_FROM
    simpys = Recorder()

    def run_twice(
        setup: Setup, folder: Path, choice: EngineChoice, progress: Any, live: Sequence[Any]
    ) -> Any:
        simpys.parts.clear()
        done = run(setup, folder, choice, progress, live)
        if choice.name == "simpy" and not live and len(setup.trace) <= most and covers(setup) is None:
            check(setup, folder, simpys.parts)
        return done

    def write_twice(self: PartFiles, log: str, schema: pa.Schema, columns: Mapping[str, Any]) -> None:
        simpys.write(log, schema, columns)
        write(self, log, schema, columns)

    _REPLAY._run, engines.LOADED_PAYS_FROM = run_twice, sys.maxsize
    PartFiles.write = write_twice  # type: ignore[method-assign, assignment]
    yield
    _REPLAY._run, engines.LOADED_PAYS_FROM = run, loaded
    PartFiles.write = write  # type: ignore[method-assign]


def check(setup: Setup, folder: Path, parts: Sequence[Written]) -> None:
    """Run a set-up on the fast engine, and assert that it writes the same parts, but for the files."""
    assembly = Assembly(setup)
    fit = cache(assembly.fit)
    log: Any = _REPLAY.log_of(setup, assembly, folder, Meter(setup.stock, setup.owning, setup.trace))
    log._parts = again = Recorder()
    lane_of(setup, assembly, fit).run(assembly.simulation(log, setup.trace))
    assert [part.log for part in parts] == [part.log for part in again.parts]
    for one, other in zip(parts, again.parts, strict=True):
        assert one.table().equals(other.table()), f"the fast engine writes other {one.log}"
