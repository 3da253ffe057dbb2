"""The same input gives the same bytes of every file of a run, in whatever process and Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.study.reference import reference_of
from tests.build import offer, pool, run, scenario
from traces import Trace
from workloads import Demand, generate

ROOT = Path(__file__).parents[1]
DEMO = [
    *("demo", "--set", "demand.days=2", "--set", "horizon_h=40", "--set", "pools.dojo.pods=1"),
    *("--set", "policy.order=fair_share", "--set", "policy.patience=after:10m", "-o"),
]
"""A crowded pod, with bursts, and with jobs cut off by the horizon."""

WRITERS = ("numpy", "pyarrow")
"""What decides the bytes besides us: the streams of random numbers, and the Parquet writer."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The digests of a shrunken demo, run in this process."""
    out = tmp_path_factory.mktemp("demo") / "run"
    assert CliRunner().invoke(main, [*DEMO, str(out)]).exit_code == 0
    found = digests(out)
    assert set(found) >= {"run.json", "trace.parquet", "spend.parquet/part-00000.parquet"}
    return found


def type_elsewhere(python: str, command: Sequence[str], **environment: str) -> None:
    """Run a command in another process."""
    code = "from scheduler.cli import main; main()"
    everything = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment
    typed = [python, "-c", code, *command]
    subprocess.run(typed, cwd=ROOT, env=everything, check=True, stdout=subprocess.DEVNULL)


def by(python: str, out: Path, hash_seed: str, **environment: str) -> dict[str, str]:
    """The digests of the same demo, run by another process."""
    type_elsewhere(python, [*DEMO, str(out)], PYTHONHASHSEED=hash_seed, **environment)
    return digests(out)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_with_another_hash_seed(demo: dict[str, str], hash_seed: str, tmp_path: Path) -> None:
    assert by(sys.executable, tmp_path / "run", hash_seed) == demo


@pytest.fixture
def older_processor() -> dict[str, str]:
    """The environment in which numpy and the C library compute as on a processor without AVX."""
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not features:
        pytest.skip("numpy knows no routines for this processor beyond those that all have")
    libc = "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-AVX512F"
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(features), "GLIBC_TUNABLES": libc}


def test_another_processor(demo: dict[str, str], older_processor: dict[str, str], tmp_path: Path) -> None:
    assert by(sys.executable, tmp_path / "run", "1", **older_processor) == demo


def test_weather_on_another_processor(older_processor: dict[str, str], tmp_path: Path) -> None:
    """Failures, reclaims, boots and wandering prices."""
    bad = str(ROOT / "scheduler" / "scenarios" / "bad_weather.toml")
    for name, environment in (("here", {}), ("there", older_processor)):
        command = ["weather", bad, "--set", "demand.days=2", "--set", "horizon_h=400", "-o"]
        type_elsewhere(sys.executable, [*command, str(tmp_path / name)], **environment)
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


@pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13"])
def test_another_python(demo: dict[str, str], python: str, tmp_path: Path) -> None:
    """Same libraries, another interpreter; `PATH` says which."""
    if python == "python{}.{}".format(*sys.version_info):
        pytest.skip(f"{python} runs this test")
    path = shutil.which(python)
    if path is None:
        pytest.skip(f"{python} is not on the PATH")
    needed = "import click, msgspec, numpy, pyarrow, simpy; print(numpy.__version__, pyarrow.__version__)"
    probe = subprocess.run([path, "-c", needed], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"{python} cannot import what exaburst needs: {probe.stderr.strip().splitlines()[-1]}")
    if (theirs := probe.stdout.split()) != (ours := [version(name) for name in WRITERS]):
        pytest.skip(f"{python} has other versions of {' and '.join(WRITERS)}: {theirs}, not {ours}")
    assert by(path, tmp_path / "run", "1") == demo


@pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative:4"])
@pytest.mark.parametrize("order", ["fcfs", "sjf", "smallest", "edf", "priority", "fair_share"])
def test_every_order_and_backfill_twice(order: str, backfill: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    trace = Trace.from_columns(
        {
            "submit_s": np.sort(rng.integers(0, 5_000, 300)),
            "runtime_s": rng.integers(1, 500, 300),
            "gang": rng.integers(1, 17, 300),
            "owner": rng.choice(["ann", "bob", "eve"], 300),
            "priority": rng.integers(0, 3, 300),
        }
    )
    policy = {"order": order, "backfill": backfill, "patience": "predicted:10m"}
    hybrid = scenario([pool(8, pods=2), pool(16, name="other")], [offer("cloud", 32)], policy=policy)
    runs = [run(hybrid, trace, tmp_path / name).folder for name in ("once", "again")]
    assert digests(runs[0]) == digests(runs[1])


def test_the_generators_trace(tmp_path: Path) -> None:
    reference = reference_of()
    for name in ("once", "again"):
        generate(Demand(days=3, seed=5), reference).write(tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()
    assert Trace.read(tmp_path / "once").sha256 != generate(Demand(days=3, seed=6), reference).sha256
