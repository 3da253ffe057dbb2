"""Many runs: what a cell is known by, what is kept of it, and that nothing stops the others or is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scheduler.run.figures import measure
from scheduler.run.metrics import chained
from scheduler.scenario import parse_scenario
from scheduler.study import Cell, CellOutcome, Workers, cell_of, compute, processes, run_cells
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.cells.runner import DIED, read_result
from tests.build import job, offer, pool, run, scenario, trace

ROOT = Path(__file__).parents[1]

TINY: dict[str, Any] = {
    "name": "tiny",
    "horizon_h": 24,
    "demand": {"days": 1, "devices": 24, "load": 1.0},
    "pools": [
        {"name": "own", "device": "dojo-tile-case-study", "devices": 12, "pods": 2, "capital_usd": 1e6}
    ],
    "offers": [{"name": "cloud", "offer": "nebius-h100-eu-north1", "quota": 512}],
}


def tiny(seed: int = 1, **changed: Any) -> Cell:
    """A day of small demand."""
    return cell_of(parse_scenario(TINY | changed), seed)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with processes(2) as crew:
        yield crew


def test_what_means_the_same_has_the_same_key() -> None:
    spelled_out = {**TINY, "name": "other", "seed": 7, "policy": {"patience": "after:4h"}, "bound": "none"}
    spelled_out["demand"] = {**TINY["demand"], "seed": 9}
    assert tiny().key == cell_of(parse_scenario(spelled_out), 1).key
    assert Cell(TINY, 1).key == tiny().key


@pytest.mark.parametrize(
    "other",
    [
        tiny(seed=2),
        tiny(demand=TINY["demand"] | {"load": 1.1}),
        tiny(policy={"patience": "never"}),
        tiny(money={"pue": 1.3}),
        tiny(offers=[TINY["offers"][0] | {"usd_per_device_h": 9}]),
        tiny(offers=[TINY["offers"][0] | {"offer": "aws-h100-us-east-1"}]),
        cell_of(parse_scenario(TINY), 1, waits_of=("fsd.label",)),
    ],
    ids=["seed", "demand", "policy", "money", "price", "offer", "what is kept"],
)
def test_what_differs_has_another_key(other: Cell) -> None:
    assert other.key != tiny().key


def test_a_trace_file_counts_by_its_jobs(tmp_path: Path) -> None:
    spec = parse_scenario({name: TINY[name] for name in ("name", "pools")})
    one, same, more = (tmp_path / name for name in ("one.parquet", "same.parquet", "more.parquet"))
    trace(job(0, 10, 1)).write(one)
    trace(job(0, 10, 1)).write(same)
    trace(job(0, 11, 1)).write(more)
    assert cell_of(spec, 1, one).key == cell_of(spec, 1, same).key != cell_of(spec, 1, more).key


def test_over_a_trace_the_seed_counts_where_it_draws_the_weather(tmp_path: Path) -> None:
    jobs, recording = tmp_path / "jobs.parquet", tmp_path / "recording.json"
    trace(job(0, 10, 1)).write(jobs)
    plain = {name: TINY[name] for name in ("name", "pools", "offers")}

    def keys(scenario: dict[str, Any]) -> list[str]:
        return [cell_of(parse_scenario(scenario), seed, jobs).key for seed in (1, 2)]

    def recorded(nodes: int) -> dict[str, Any]:
        recording.write_text(f'{{"metadata": {{"gap_seconds": 60}}, "data": [0, {nodes}]}}')
        return plain | {"offers": [TINY["offers"][0] | {"reclaim": {"recording": str(recording)}}]}

    fair = keys(plain)
    assert fair[0] == fair[1]
    once, more = keys(recorded(1)), keys(recorded(2))
    assert len({*fair, *once, *more}) == 5
    calm = keys(recorded(1) | {"fair_weather": True})
    assert calm[0] == calm[1]


def test_cells_of_a_seed_share_their_jobs_whatever_the_policy(tmp_path: Path) -> None:
    one, other = tiny(), tiny(policy={"patience": "never"})
    digest = jobs_of_cell(one, tmp_path).sha256
    (file,) = (tmp_path / "traces").iterdir()
    written = file.stat().st_mtime_ns
    assert jobs_of_cell(other, tmp_path).sha256 == digest
    assert file.stat().st_mtime_ns == written
    file.write_bytes(file.read_bytes()[:-100])  # damaged: made anew
    assert jobs_of_cell(one, tmp_path).sha256 == digest == jobs_of_cell(one, tmp_path).sha256
    assert jobs_of_cell(tiny(seed=2), tmp_path).sha256 != digest


def test_figures_of_a_story(tmp_path: Path) -> None:
    """Four devices for 100 s. B waits for A by arriving, C by coming after B, D bursts, E fits nowhere."""
    day = 86_400
    jobs = trace(
        job(0, 60, 4, kind="a"),
        job(10, 40, 4, kind="b", residency="owned"),
        job(20, 5 * day, 4, kind="c", after=1, residency="owned"),
        job(30, 70, 2, kind="d"),
        job(40, 10, 5, kind="e", residency="owned"),
        job(50, 3_600, 4, kind="b", residency="owned"),
        job(60, 60, 4, kind="c", after=5, residency="owned"),
    )
    spec = scenario(
        [pool(4)], [offer("cloud")], policy={"patience": "after:5s", "backfill": "none"}, horizon_h=72
    )
    done = run(spec, jobs, tmp_path)
    found = measure(done, jobs, ("b", "c", "e"))
    assert [found[name] for name in ("jobs", "finished", "unfinished", "rejected")] == [7, 3, 3, 1]
    # A runs until 60 and B until 100; then C, to the end, so that the second B never starts. D bursts at 35.
    assert found["waits_s:b"] == [50]
    assert found["waiting_s:b"] == [3 * day - 50]
    assert found["waits_s:c"] == [50]  # its own is 0, and B's 50
    assert found["waiting_s:c"] == [3 * day - 50]  # it follows the second B, and is not ready
    assert (found["waits_s:e"], found["waiting_s:e"]) == ([], [None])
    later = measure(done, jobs, ("b", "c"), window=(20, 50))  # of B's only what C waited for it
    assert [later[f"{name}:{kind}"] for kind in "bc" for name in ("waits_s", "waiting_s")] == [
        [],
        [],
        [50],
        [],
    ]
    assert found["wait_p50_s:d"] == 5
    assert found["jobs:c"] == 2
    assert found["burst_jobs"] == 1
    assert found["rented_device_h"] == pytest.approx(2 * 70 / 3_600)
    assert found["utilization:own"] == pytest.approx((3 * day) / (3 * day))
    # Turned away: E. Still waiting a day after: the second B. Not asked for: what is not ready.
    assert found["stranded_device_h"] == pytest.approx((5 * 10 + 4 * 3_600) / 3_600)
    assert found["asked_device_h"] == pytest.approx(
        (4 * 60 + 4 * 40 + 4 * 5 * day + 2 * 70 + 5 * 10 + 4 * 3_600) / 3_600
    )
    assert found["usd_rented"] == found["usd_rent"] == pytest.approx(2 * 70 * 0.001)
    assert found["usd_total"] == pytest.approx(found["usd_owned"] + found["usd_rented"])


def test_waits_add_up_along_a_chain() -> None:
    import numpy as np

    from traces.trace import Predecessors

    own = np.array([1, 10, 100, 1_000, 5, 7])
    after = Predecessors(np.array([0, 0, 1, 2, 2, 5, 6]), np.array([0, 1, 0, 2, 3, 4]))
    assert chained(own, after).tolist() == [1, 11, 111, 1_000, 1_005, 1_012]


def test_what_is_done_is_not_done_again(tmp_path: Path, workers: Workers) -> None:
    cells = [tiny(seed) for seed in (1, 2, 3)]
    first = outcomes(run_cells(cells[:2], tmp_path, workers))
    files = kept(tmp_path)
    again = list(run_cells([*cells, cells[0]], tmp_path, workers))
    assert [one.reused for one in again] == [True, True, False]
    assert {one.cell.key: one.metrics for one in again[:2]} == first
    assert {name: kept(tmp_path)[name] for name in files} == files


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-40],
        lambda text: text.replace('"finished": ', '"finished": 1'),
        lambda text: text.replace('"key": "', '"key": "0'),
        lambda text: "[]",
        lambda text: "\0" * len(text),
    ],
    ids=["cut short", "another figure", "another cell's", "other data", "zeros"],
)
def test_a_damaged_result_is_computed_anew(tmp_path: Path, workers: Workers, damage: Any) -> None:
    outcomes(run_cells([tiny()], tmp_path, workers))
    ((name, text),) = kept(tmp_path).items()
    (tmp_path / name).write_text(damage(text))
    (one,) = run_cells([tiny()], tmp_path, workers)
    assert not one.reused
    assert kept(tmp_path) == {name: text}


def test_a_failed_cell_stops_no_other(tmp_path: Path, workers: Workers) -> None:
    file = tmp_path / "jobs.parquet"
    trace(job(0, 10, 1)).write(file)
    bad = cell_of(parse_scenario({name: TINY[name] for name in ("name", "pools")}), 1, file)
    trace(job(0, 11, 1)).write(file)
    found = {one.cell.key: one for one in run_cells([tiny(1), bad, tiny(2)], tmp_path, workers)}
    assert [found[cell.key].failure for cell in (tiny(1), tiny(2))] == [None, None]
    assert found[bad.key].failure == f"{file}: has other jobs than when the study was laid out"
    assert read_result(tmp_path, bad) is None


def test_a_worker_that_dies_takes_only_its_cell_with_it(
    tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's own policy ends the process."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lethal.py").write_text("import os\n\ndef order():\n    return lambda *_: os._exit(1)\n")
    about = tmp_path / "lethal-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lethal\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[exaburst.order]\nlethal = lethal:order\n")
    lethal = tiny(policy={"order": "lethal"})
    cells = [tiny(1), lethal, *(tiny(seed) for seed in range(2, 7))]
    workers.stop()  # workers started from here on find the policy
    found = {one.cell.key: one.failure for one in run_cells(cells, tmp_path, workers)}
    assert found == {cell.key: DIED if cell is lethal else None for cell in cells}


def test_a_study_killed_half_way_goes_on(tmp_path: Path, workers: Workers) -> None:
    """Killed without warning, it leaves whole results only, and no worker behind."""
    cells = [tiny(seed) for seed in range(1, 9)]
    code = f"""
        from pathlib import Path
        from scheduler.study import processes, run_cells
        from tests.test_study import tiny
        if __name__ == "__main__":
            cells = [tiny(seed) for seed in range(1, 9)]
            with processes(2) as workers:
                for one in run_cells(cells, Path({str(tmp_path / "a")!r}), workers):
                    print("done", flush=True)
    """
    script = tmp_path / "study.py"
    script.write_text(textwrap.dedent(code))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True) as study:
        assert study.stdout is not None
        for _ in range(3):
            assert study.stdout.readline() == b"done\n"
        study.kill()
    until = time.monotonic() + 30
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(study.pid, 0)
            time.sleep(0.05)
    resumed = list(run_cells(cells, tmp_path / "a", workers))
    assert 3 <= sum(one.reused for one in resumed) < len(cells)
    outcomes(run_cells(cells, tmp_path / "b", workers))
    assert kept(tmp_path / "a") == kept(tmp_path / "b")


def test_run_directories_are_kept_if_told_to(tmp_path: Path) -> None:
    from scheduler.run.directory import open_run

    cell = tiny()
    metrics = compute(cell, tmp_path, keep=True)
    opened = open_run(tmp_path / cell.place)
    assert measure(opened, jobs_of_cell(cell, tmp_path)) == metrics
    assert compute(cell, tmp_path) == metrics


def test_a_kept_run_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    from scheduler.run.directory import open_run

    cell, workers = tiny(), Workers(lambda: ThreadPoolExecutor(1), 1)
    first = outcomes(run_cells([cell], tmp_path, workers, keep=True))
    part = tmp_path / cell.place / "jobs.parquet" / "part-00000.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert outcomes(run_cells([cell], tmp_path, workers, keep=True)) == first
    assert open_run(tmp_path / cell.place)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_all_ends_workers_without_a_word(tmp_path: Path, number: signal.Signals) -> None:
    """As Ctrl-C in a terminal does, and one that is closed."""
    scenario_file = tmp_path / "tiny.toml"
    scenario_file.write_text(
        'name = "tiny"\nhorizon_h = 24\n[demand]\ndays = 1\ndevices = 24\nload = 1.0\n'
        '[[pools]]\nname = "own"\ndevice = "dojo-tile-case-study"\ndevices = 12\npods = 2\n'
    )
    code = "import sys; from scheduler.cli import main; main(sys.argv[1:])"
    words = [
        "plan",
        str(scenario_file),
        "--target",
        "fsd.label:p90:1h",
        "--seeds",
        "200",
        "-o",
        str(tmp_path / "p"),
    ]
    heeded = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` has it ignored, here and there
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True
    ) as study:
        signal.signal(signal.SIGHUP, heeded)
        until = time.monotonic() + 60
        while not any((tmp_path / "p").glob("cells/*/cell.json")) and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(study.pid, number)
        _, said = study.communicate(timeout=60)
    assert said == b"exaburst: interrupted\n"
    assert study.returncode == 128 + number


def outcomes(found: Iterator[CellOutcome]) -> dict[str, Any]:
    """The figures of each cell, none of which may have failed."""
    metrics = {}
    for one in found:
        assert one.failure is None, one.failure
        metrics[one.cell.key] = one.metrics
    return metrics


def kept(folder: Path) -> dict[str, str]:
    """The text of each result."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.glob("cells/*/*")}
