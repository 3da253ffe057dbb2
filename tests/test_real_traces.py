"""Public traces of real clusters, imported and replayed: every job once, nothing held twice."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from scheduler.catalog import load_catalog
from scheduler.run.directory import Run
from scheduler.run.metrics import device_seconds
from tests.build import Row, pool, run, scenario
from traces import Trace
from traces.formats.importing import import_trace

DATA = Path(__file__).parents[1].parent / "shared" / "data"
FILES = {
    "philly": "philly_gpu_jobs_2017.csv.gz",
    "swf": "HPC2N-2002-excerpt-alea.swf",
    "gavel": "gavel_msr_seed0_ee9e8c.trace",
}


def imported(format_name: str) -> Trace:
    path = DATA / FILES[format_name]
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand")
    return import_trace(format_name, path).trace


def offered(trace: Trace) -> int:
    """Device-seconds that the jobs ask for."""
    return int(np.dot(trace.numpy("gang").astype(np.int64), trace.numpy("runtime_s")))


def servers_at(load: float, trace: Trace, devices: int = 8) -> Row:
    """So many A100 servers that the jobs load them to `load` over the span of their submissions."""
    span = int(np.ptp(trace.numpy("submit_s")))
    return pool(devices, ceil(offered(trace) / (span * load * devices)), device="a100-80")


def replayed(trace: Trace, owned: Row, folder: Path, backfill: str = "easy") -> Run:
    spec = scenario([owned], policy={"backfill": backfill, "patience": "never"})
    done = run(spec, trace, folder, load_catalog())
    every_job_ran_once(done, trace)
    devices_are_conserved(done)
    no_pod_holds_more_than_it_has(done)
    return done


def every_job_ran_once(done: Run, trace: Trace) -> None:
    jobs = done.table("jobs", ["job_id", "submit_s", "start_s", "wait_s", "state"]).sort_by("job_id")
    assert jobs.column("job_id").equals(pa.chunked_array([np.sort(trace.numpy("job_id"))]))
    assert pc.unique(jobs.column("state").cast("string")).to_pylist() == ["finished"]
    assert (jobs.column("wait_s").to_numpy() >= 0).all()
    ids = done.table("attempts", ["job_id"]).column("job_id").to_numpy()
    assert np.array_equal(np.sort(ids), np.sort(trace.numpy("job_id")))


def devices_are_conserved(done: Run) -> None:
    """The step function of busy devices, the attempts and the ledger agree to the device-second."""
    attempts = done.table("attempts", ["devices", "alloc_s", "end_s"])
    devices, alloc, end = (column.to_numpy().astype(np.int64) for column in attempts.columns)
    states = done.table("states", ["time_s", "busy_own", "queued_jobs"])
    time, busy, queued = (column.to_numpy() for column in states.columns)
    assert device_seconds(time, busy, done.end_s) == np.dot(devices, end - alloc)
    wait = done.table("jobs", ["wait_s"]).column("wait_s").to_numpy()
    assert device_seconds(time, queued, done.end_s) == wait.sum()
    spend = done.table("spend", ["line", "quantity"])
    owned = spend.filter(pc.equal(spend.column("line").cast("string"), "capital"))
    capacity = done.pools["own"] * done.end_s
    assert round(pc.sum(owned.column("quantity")).as_py() * 3_600) == capacity
    assert busy.max() <= done.pools["own"]


def no_pod_holds_more_than_it_has(done: Run) -> None:
    """Gains and losses of each pod, in order of time and losses first, never sum to more than its size."""
    size = done.description["pools"][0]["pod_devices"]
    attempts = done.table("attempts", ["pods", "devices", "alloc_s", "end_s"])
    row = pc.list_parent_indices(attempts.column("pods").combine_chunks()).to_numpy()
    pod = attempts.column("pods").combine_chunks().flatten().to_numpy()
    devices, alloc, end = (attempts.column(name).to_numpy()[row] for name in ("devices", "alloc_s", "end_s"))
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    share = np.minimum(devices - rank * size, size)
    assert (share > 0).all()
    pods, times, change = np.tile(pod, 2), np.concatenate([alloc, end]), np.concatenate([share, -share])
    order = np.lexsort((change, times, pods))
    level = np.cumsum(change[order], dtype=np.int64)
    assert level.min() >= 0  # each pod ends at 0, where the next begins
    assert level.max() <= size
    last = np.flatnonzero(np.diff(pods[order], append=-1))
    assert not level[last].any()


@pytest.mark.slow
def test_philly_on_a100_servers_at_80_percent(tmp_path: Path) -> None:
    trace = imported("philly")
    assert len(trace) == 82_247
    done = replayed(trace, servers_at(0.8, trace), tmp_path)
    assert done.end_s * done.pools["own"] > offered(trace)


def test_gavel_on_servers_of_four(tmp_path: Path) -> None:
    trace = imported("gavel")
    assert len(trace) == 2_000
    replayed(trace, servers_at(0.8, trace, devices=4), tmp_path)


def test_hpc2n_waits_less_under_easy_than_in_strict_order(tmp_path: Path) -> None:
    """On 240 processors, as the log says: no gang is split, so the work is exactly what was asked."""
    trace = imported("swf")
    waits = {}
    for backfill in ("none", "easy"):
        done = replayed(trace, pool(240), tmp_path / backfill, backfill)
        waits[backfill] = done.jobs.wait_s.mean()
        held = done.attempts.devices * (done.attempts.end_s - done.attempts.alloc_s)
        assert held.sum() == offered(trace)
    assert waits["easy"] < waits["none"]
