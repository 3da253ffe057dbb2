"""A study on a real Dask cluster of several processes: the same bytes, whoever dies, whatever is shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.study import Workers
from scheduler.study.sweep.study_cells import Study, lay_out
from scheduler.study.sweep.sweep import run_study
from tests.build import job, trace

pytest.importorskip("distributed", reason="the extra `dask` is not installed")

from scheduler.study.cells.dask import ClusterError, cluster

ROOT = Path(__file__).parents[1]

STUDY = """
name = "far"
seeds = 4
[axes.policy]
soon = "easy+after:1h"
never = "sjf+never"
[axes.trace]
made = {}
log = "log.parquet"
[scenario]
name = "tiny"
horizon_h = 24
pools = [{name = "own", device = "dojo-tile-case-study", devices = 12, pods = 2}]
demand = {days = 1, devices = 24, load = 1.0}
"""

SERVE = """
    import os, sys
    from distributed import LocalCluster

    if __name__ == "__main__":
        with LocalCluster(
            n_workers=3, threads_per_worker=1, dashboard_address=None, local_directory=sys.argv[1]
        ) as cluster:
            pids = [worker.pid for worker in cluster.workers.values()]
            print(cluster.scheduler_address, *pids, flush=True)
            sys.stdin.read()
"""


class Server(NamedTuple):
    """A scheduler's address, its workers' processes, and the folder in which they work."""

    address: str
    pids: list[int]
    scratch: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "serve.py").write_text(textwrap.dedent(SERVE))
    command = [sys.executable, str(folder / "serve.py"), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address, *pids = process.stdout.readline().split()
        yield Server(address, [int(pid) for pid in pids], folder)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    trace(*(job(60 * at, 600 + at, 1 + at % 24) for at in range(500))).write(folder / "log.parquet")
    (folder / "study.toml").write_text(STUDY)
    return lay_out(folder / "study.toml")


@pytest.fixture(scope="module")
def serial(study: Study, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """results.parquet of the study in this process, one cell after the other."""
    folder = tmp_path_factory.mktemp("serial")
    run_study(study, folder, Workers(lambda: ThreadPoolExecutor(1), 1))
    return (folder / "results.parquet").read_bytes()


def test_a_worker_killed_half_way_changes_nothing(
    study: Study, serial: bytes, server: Server, tmp_path: Path
) -> None:
    seen = []
    with cluster(server.address, tmp_path, study.cells) as workers:

        def kill_one(*heard: object) -> None:
            seen.append(heard)
            if len(seen) == 3:
                os.kill(server.pids[0], signal.SIGKILL)

        tally = run_study(study, tmp_path, workers, progress=kill_one)
    assert tally == (len(study.cells), 0, {})
    assert (tmp_path / "results.parquet").read_bytes() == serial
    assert not list(tmp_path.glob(".*")), "something is left behind"


def test_workers_that_do_not_share_our_files_send_results_back(
    study: Study, serial: bytes, server: Server, tmp_path: Path
) -> None:
    """Without the file by which they know the folder again, it is to them as if it were not there."""
    with cluster(server.address, tmp_path, study.cells) as workers:
        for probe in tmp_path.glob(".probe-*"):
            probe.unlink()
        tally = run_study(study, tmp_path, workers, keep=True)
        assert not (tmp_path / "traces").exists(), "a worker wrote where it should not see anything"
    assert tally.computed == len(study.cells)
    assert (tmp_path / "results.parquet").read_bytes() == serial
    assert len(list(tmp_path.glob("**/run.json"))) == len(study.cells)
    assert not list(server.scratch.glob("**/exaburst.probe-*")), "workers keep what they were sent"


def test_the_command_takes_the_address_of_a_cluster(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY.replace('log = "log.parquet"', "").replace("seeds = 4", "seeds = 1"))
    words = ["study", "run", str(file), "-o", str(tmp_path / "out"), "--dask", server.address]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("far: 2 cells = 2 computed + 0 reused + 0 failed\n")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_an_address_where_nobody_answers_is_one_line(address: str, tmp_path: Path) -> None:
    says = f"^--dask {address}: no Dask scheduler answers there: "
    with pytest.raises(ClusterError, match=says), cluster(address, tmp_path, []):
        pass
    assert list(tmp_path.iterdir()) == []


def test_without_dask_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "scheduler.study.cells.dask")
    file = tmp_path / "study.toml"
    file.write_text(STUDY.replace('log = "log.parquet"', ""))
    done = CliRunner().invoke(main, ["study", "run", str(file), "-o", str(tmp_path), "--dask", "tcp://a:1"])
    assert (done.exit_code, done.stderr) == (
        2,
        'exaburst: --dask needs Dask: pip install "exaburst[dask]"\n',
    )
