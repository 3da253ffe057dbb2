"""What a command imports: nothing that it has no use for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_determinism import ROOT

SCENARIO = """
name = "small"
trace = "jobs.parquet"
horizon_h = 4
[[pools]]
name = "own"
device = "h100"
devices = 8
pods = 1
[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 8
[policy]
patience = "after:1h"
"""
CSV = "submit_s,runtime_s,gang\n0,7200,4\n60,7200,8\n"

HEAVY = ("pandas", "scipy", "pyarrow.acero", "pyarrow.dataset", "matplotlib", "tqdm", "dask")


def imported(folder: Path, *words: str) -> set[str]:
    """Run a command in a process of its own; return the modules that it has imported."""
    code = f"""
        import sys
        from scheduler.cli import main
        try:
            main({words!r}, prog_name="exaburst")
        except SystemExit as end:
            assert not end.code, end.code
        print("imported", *sys.modules)
    """
    command = [sys.executable, "-c", "\n".join(line[8:] for line in code.splitlines())]
    found = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    return set(found.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario, its jobs, and a run of them."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "small.toml").write_text(SCENARIO)
    (folder / "jobs.csv").write_text(CSV)
    imported(folder, "import", "csv", "jobs.csv", "-o", "jobs.parquet")
    imported(folder, "replay", "small.toml", "-o", "run")
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("import", "csv", "jobs.csv", "-o", "again.parquet"),
        ("check", "jobs.parquet"),
        ("check", "small.toml"),
        ("replay", "small.toml", "-o", "again"),
        ("summary", "run"),
        ("ledger", "run"),
        ("ledger", "run", "--by", "owner"),
        ("generate", "--days", "1", "--devices", "120", "-o", "made.parquet"),
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_no_command_imports_what_it_has_no_use_for(folder: Path, words: tuple[str, ...]) -> None:
    assert not {*HEAVY} & imported(folder, *words)


def test_importing_does_not_load_the_engine(folder: Path) -> None:
    found = imported(folder, "import", "csv", "jobs.csv", "-o", "third.parquet")
    assert "traces.trace" in found
    others = ("scheduler.engine", "scheduler.scenario", "simpy", "workloads")
    assert not {name for name in found if name.startswith(others)}


def test_a_replay_of_a_trace_loads_no_generator_and_no_workers(folder: Path) -> None:
    found = imported(folder, "replay", "small.toml", "-o", "fourth")
    loaded = {name for name in found if name.startswith(("workloads", "scheduler.study", "multiprocessing"))}
    assert not loaded


def test_help_imports_no_tables(folder: Path) -> None:
    assert not {"numpy", "pyarrow", "msgspec"} & imported(folder, "--help")


def test_pandas_is_there_for_who_asks(folder: Path) -> None:
    """After a start without it, a run gives its frames, and Arrow knows a series."""
    code = (
        "from traces.arrow_start import start_arrow_without_pandas as start; start(); import sys\n"
        "assert 'pandas' not in sys.modules\n"
        "from scheduler.run import open_run\n"
        "assert len(open_run('run').jobs) == 2\n"
        "import pandas as pd, pyarrow as pa\n"
        "assert pa.array(pd.Series([1.0, None])).null_count == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True)
