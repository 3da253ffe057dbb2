"""The same cells on a Dask distributed cluster, whose workers may or may not share our files.

A worker that sees the folder of the results writes there; another one computes in a folder of its own and
sends back what it found. Trace files are sent once to each worker, also to those that join later. A worker
that dies leaves its cells to the others.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from distributed import Client, Worker, WorkerPlugin, get_worker
from distributed.cfexecutor import ClientExecutor
from distributed.comm.addressing import get_address_host_port

from scheduler.run.figures import Metrics
from scheduler.study.cells.cell import Cell, CellError, program
from scheduler.study.cells.compute import Parcel, compute, kept_jobs
from scheduler.study.cells.workers import Workers

PATIENCE_S = 10
"""How long the scheduler, and then a first worker, may take to answer."""
ROOM = 1_000
"""Cells handed out at once: a cluster queues them itself, and may grow to meet them."""


class ClusterError(ValueError):
    """A cluster that cannot be used; says why."""


@contextmanager
def cluster(address: str, folder: Path, cells: Iterable[Cell]) -> Iterator[Workers]:
    """Give the workers of the Dask cluster whose scheduler listens at `address`.

    Raises ClusterError where it cannot be used; computing raises ConnectionError once it is lost.
    `folder`, which is there, is where results go; `cells` are those whose trace files are to be at hand.
    """
    probe = folder.resolve() / f".probe-{uuid4().hex}"
    files = {cell.jobs_key: Path(cell.trace) for cell in cells if cell.trace is not None}
    probe.touch()
    try:
        with _client(address) as client:
            outpost = Outpost(probe, {key: file.read_bytes() for key, file in files.items()})
            client.register_plugin(outpost, name=probe.name)
            task = partial(compute_there, probe, program())
            workers = Workers(partial(_Executor, client, pure=False), ROOM, task, partial(_check, client))
            try:
                yield workers
            finally:
                if client.status == "running":
                    workers.stop()
                    client.unregister_worker_plugin(probe.name)
    finally:
        probe.unlink(missing_ok=True)


def compute_there(
    probe: Path, version: str, cell: Cell, folder: Path, *, keep: bool = False
) -> Metrics | Parcel:
    """Compute a cell on a worker: in `folder` if that worker sees the file `probe`, or far from it."""
    if program() != version:
        raise CellError(f"the worker's exaburst is another one: {program()}, not {version}")
    if probe.exists():
        return compute(cell, folder.resolve(), keep=keep)
    home = _home(get_worker(), probe)
    metrics = compute(cell, home, keep=keep)
    run = home / cell.place
    files = {file.relative_to(run).as_posix(): file.read_bytes() for file in run.rglob("*") if file.is_file()}
    shutil.rmtree(run, ignore_errors=True)
    return Parcel(metrics, files)


class Outpost(WorkerPlugin):  # type: ignore[misc]
    """What a worker that does not share our files has of them while the study runs."""

    def __init__(self, probe: Path, traces: dict[str, bytes]) -> None:
        self.probe = probe
        self.traces = traces

    def setup(self, worker: Worker) -> None:
        """Put the traces where `compute` finds them."""
        if self.probe.exists():
            return
        for key, content in self.traces.items():
            file = kept_jobs(_home(worker, self.probe), key)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def teardown(self, worker: Worker) -> None:
        """Leave nothing behind."""
        shutil.rmtree(_home(worker, self.probe), ignore_errors=True)


def _home(worker: Worker, probe: Path) -> Path:
    """Return a worker's own folder for the study."""
    return Path(worker.local_directory) / f"exaburst{probe.name}"


def _check(client: Client) -> None:
    """Dask's futures wait for ever once the client has given the scheduler up."""
    if client.status in ("closing", "closed"):
        raise ConnectionError("the cluster is gone; the same command goes on from what is done")


def _client(address: str) -> Client:
    """Connect, and wait for a first worker."""
    try:
        socket.create_connection(get_address_host_port(address), PATIENCE_S).close()
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"--dask {address}: no Dask scheduler answers there: {error}") from None
    try:
        client.wait_for_workers(1, PATIENCE_S)
    except TimeoutError:
        client.close()
        raise ClusterError(f"--dask {address}: no worker has joined within {PATIENCE_S} s") from None
    return client


class _Executor(ClientExecutor):  # type: ignore[misc]
    """Dask's executor, which calls what is left of a study off like those of the standard library."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=wait and not cancel_futures)
