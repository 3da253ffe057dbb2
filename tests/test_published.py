"""Published results done again: the inputs are what they say, and the orders hold on a part of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.published import __main__ as published
from benchmarks.published import backfill, batsim, helios, hybrid, shockwave, starburst
from benchmarks.published.inputs import DATA, FILES, public, replaced
from benchmarks.published.runs import Figures, Task, figures_of, replay_all
from benchmarks.published.tables import (
    above_zero,
    equal,
    fill,
    interval,
    overview,
    ratios,
    surely,
    switched,
    table,
)
from benchmarks.published.waiting import NAMES, beside, patiences
from scheduler.policy import resolve
from tests.build import job, trace
from traces import Trace
from traces.arrays import Array


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def of_file(format_name: str) -> Trace:
    if not (DATA / FILES[format_name]).exists():
        pytest.skip(f"{FILES[format_name]} is not at hand")
    return public(format_name)


def first(jobs: Trace, count: int) -> Trace:
    return Trace(jobs.table.slice(0, count))


def artifact_waits(jobs: Trace, nodes: int, key: Array) -> Array:
    """Waits by the artifact's own procedure, event by event: strict order, fullest server first."""
    submit_s, runtime_s, gang = (jobs.numpy(name).tolist() for name in ("submit_s", "runtime_s", "gang"))
    free = [helios.NODE_GPUS] * nodes
    arrivals, queue = list(range(len(jobs))), list[int]()
    running: list[tuple[int, list[tuple[int, int]]]] = []
    waits = np.full(len(jobs), -1)
    while arrivals or queue:
        now = min([end for end, _taken in running] + [submit_s[row] for row in arrivals[:1]])
        for end, taken in [ended for ended in running if ended[0] <= now]:
            for node, devices in taken:
                free[node] += devices
            running.remove((end, taken))
        while arrivals and submit_s[arrivals[0]] <= now:
            queue.append(arrivals.pop(0))
        queue.sort(key=lambda row: (key[row], row))
        while queue and (taken := fit(free, gang[queue[0]])):
            row = queue.pop(0)
            waits[row] = now - submit_s[row]
            running.append((now + runtime_s[row], taken))
            for node, devices in taken:
                free[node] -= devices
    return waits


def fit(free: list[int], gang: int) -> list[tuple[int, int]]:
    """Whole servers first, the rest on the fullest other that has it."""
    whole, rest = divmod(gang, helios.NODE_GPUS)
    empty = [node for node, devices in enumerate(free) if devices == helios.NODE_GPUS][:whole]
    if len(empty) < whole:
        return []
    others = [node for node, devices in enumerate(free) if devices >= rest and node not in empty]
    if rest and not others:
        return []
    tail = [(min(others, key=lambda node: (free[node], node)), rest)] if rest else []
    return [(node, helios.NODE_GPUS) for node in empty] + tail


@pytest.mark.parametrize("order", ["fcfs", "sjf"])
def test_strict_orders_are_those_of_the_artifact(order: str, tmp_path: Path) -> None:
    jobs = helios.crowded(first(helios.of_cluster(of_file("philly"), "2869ce"), 300), 2.0)
    file = tmp_path / "jobs.parquet"
    jobs.write(file)
    key = jobs.numpy("submit_s" if order == "fcfs" else "runtime_s")
    waits = artifact_waits(jobs, 16, key)
    assert waits.mean() > 0
    assert figures_of(Task(helios.strict(16, order), file)).wait_s == pytest.approx(waits.mean())


def test_sjf_waits_less_than_fifo_on_a_crowded_cluster(tmp_path: Path, executor: Executor) -> None:
    jobs = helios.crowded(first(helios.of_cluster(of_file("philly"), "11cb48"), 3_000), 8.0)
    file = tmp_path / "jobs.parquet"
    jobs.write(file)
    waits = replay_all({order: Task(helios.strict(16, order), file) for order in ("fcfs", "sjf")}, executor)
    assert waits["sjf"].wait_s < waits["fcfs"].wait_s


def test_compute_wait_rents_less_than_constant_wait_and_that_less_than_none(
    tmp_path: Path, executor: Executor
) -> None:
    jobs = starburst.resampled(of_file("philly"), load=1.2, jobs=6_000, seed=1)
    file = tmp_path / "jobs.parquet"
    jobs.write(file)
    waits = {"at_once": "at_once"} | patiences(jobs, 100)
    runs = replay_all(
        {way: Task(starburst.hybrid(64, patience), file) for way, patience in waits.items()}, executor
    )
    rent = {way: figures.rented_device_h for way, figures in runs.items()}
    assert rent["per_work"] < rent["after"] < rent["at_once"]
    assert runs["at_once"].wait_s == 0
    assert rent["at_once"] * 2.5 == pytest.approx(runs["at_once"].rent_usd)


def test_easy_waits_less_than_strict_order(tmp_path: Path, executor: Executor) -> None:
    file = tmp_path / "jobs.parquet"
    first(of_file("swf"), 1_200).write(file)
    runs = replay_all({name: Task(backfill.cluster(name), file) for name in ("none", "easy")}, executor)
    assert runs["easy"].wait_s < runs["none"].wait_s
    assert runs["easy"].slowdown < runs["none"].slowdown


JOBS = trace(job(0, 100, 1), job(60, 300, 4), job(90, 50, 8, residency="owned"), job(500, 1_000, 2))


@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("budget", [10, 25, 400])
def test_every_way_to_wait_spends_the_same_budget(way: str, budget: int) -> None:
    """Asked of each job that may leave, the patience is on average that share of their mean run time."""
    spec = patiences(JOBS, budget)[way]
    patience = resolve("patience", spec)
    free = [row for row in JOBS.table.to_pylist() if row["residency"] == "any"]
    waits = [patience(cast(Any, SimpleNamespace(**row)), cast(Any, None)) for row in free]
    mean_runtime_s = (100 + 300 + 1_000) / 3
    assert np.mean(waits) == pytest.approx(budget / 100 * mean_runtime_s)


def test_figures_count_only_the_jobs_they_should(tmp_path: Path) -> None:
    """One server: the second job waits for the first and the third rents at once, alone of those counted."""
    jobs = trace(job(0, 3_600, 8), job(0, 3_600, 8), job(10, 7_200, 8), job(20_000, 60, 1))
    file = tmp_path / "jobs.parquet"
    replaced(jobs, "estimate_s", np.array([10_000, 10_000, 1, 10_000])).write(file)
    scenario = starburst.hybrid(1, "per_runtime:0.5")
    assert figures_of(Task(scenario, file, (0.5, 0.75))) == Figures(
        jobs=1, wait_s=1.0, turnaround_s=7_201.0, slowdown=7_201 / 7_200, rented_device_h=16.0, rent_usd=40.0
    )
    assert figures_of(Task(scenario, file, (0.0, 0.5))).wait_s == 1_800


def test_crowding_keeps_the_jobs_and_scales_their_load() -> None:
    faster = helios.crowded(JOBS, 4.0)
    assert faster.numpy("submit_s").tolist() == [0, 15, 22, 125]
    for column in ("runtime_s", "gang", "job_id"):
        assert faster.numpy(column).tolist() == JOBS.numpy(column).tolist()


def test_predictions_without_error_order_by_gpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helios, "ERRORS", ((1.0, 0.0, 0.0),))
    assert helios.by_service(JOBS, seed=1).numpy("estimate_s").tolist() == [1, 3, 2, 4]


@pytest.mark.parametrize(("within", "share"), [(0.1, 0.1), (0.5, 0.5), (1, 0.7), (10, 0.9), (100, 1)])
def test_predictions_err_as_published(within: float, share: float) -> None:
    """The artifact says so of its own predictions: 10% of them are within 10%, half within 50%, and so on."""
    drawn = helios.errors(20_000, seed=2)
    assert np.mean(np.abs(drawn) <= within) == pytest.approx(share, abs=0.01)
    assert np.mean(drawn > 0) == pytest.approx(0.5, abs=0.01)


def test_drawn_estimates_lie_between_the_run_time_and_its_multiple() -> None:
    runtime_s = np.array([10.0, 1_000.0] * 500)
    drawn = backfill.inflated(runtime_s, 4, seed=1) / runtime_s
    assert drawn.min() >= 1
    assert drawn.max() <= 5
    assert drawn.mean() == pytest.approx(3, abs=0.15)


def test_ratios_beside_a_base_pair_the_seeds() -> None:
    def made(hours: float) -> Figures:
        return Figures(1, 0.0, 0.0, 1.0, hours, 0.0)

    figures = {("a", 1): made(2.0), ("a", 2): made(9.0), ("b", 1): made(1.0), ("b", 2): made(3.0)}
    assert beside(figures, "a", "b", "rented_device_h").tolist() == [2.0, 3.0]


def test_intervals_and_verdicts() -> None:
    values = np.array([9.0, 10.0, 11.0])  # t(0.975, 2) = 4.303, standard error 1 / sqrt(3)
    assert interval(values, ".2f") == "10.00 ± 2.48"
    assert above_zero(values)
    assert not above_zero(values - 8)
    assert surely([values]) == "holds"
    assert surely([values, values - 8]) == "holds on average, not surely"
    assert surely([values, values - 11]) == "does not hold"
    assert ratios("x", "y", 5.0, 4.1).verdict == "same order, close"
    assert ratios("x", "y", 5.0, 2.5).verdict == "same order, off by 2.0x"
    assert ratios("x", "y", 5.0, 0.9).verdict == "other order"


def test_a_table_goes_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table a -->\nold\n<!-- end -->\n<!-- table b -->\n<!-- end -->\nafter\n")
    rows = table(["x"], [["1"]])
    for _again in range(2):
        fill(page, {"a": rows})
        assert page.read_text() == (
            f"before\n<!-- table a -->\n{rows}<!-- end -->\n<!-- table b -->\n<!-- end -->\nafter\n"
        )
    with pytest.raises(KeyError, match="0 places for the table c"):
        fill(page, {"c": rows})


def test_the_page_shows_the_published_figures_that_the_code_holds() -> None:
    text = published.PAGE.read_text(encoding="utf-8")
    for name, paper in helios.PUBLISHED.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        fifo, sjf, qssf = paper.wait_s
        assert cells[2] == str(paper.nodes)
        assert [cells[5], cells[7], cells[9]] == [
            f"{fifo / paper.run_s:.2f}",
            f"{sjf / fifo:.2f}",
            f"{qssf / fifo:.2f}",
        ]
    assert "nan" not in text


def test_what_differs_by_a_known_rule_is_explained_and_counted() -> None:
    claims = [
        equal("A", "x", "1.50", "1.50"),
        equal("A", "y", "1.50", "1.51"),
        switched("A", "z", "1.50", "1.51", "1.51", "1.50", rule="so"),
        switched("A", "z", "1.50", "1.51", "1.52", "1.50", rule="so"),
    ]
    assert [claim.verdict for claim in claims] == ["equal", "differs", "explained: so", "differs"]
    assert overview(claims, {"A": "Paper A"}, {"Paper B": 7}).splitlines()[2:] == [
        "| Paper A | 4 | 1 | 1 | 2 |",
        "| Paper B | 0 | 0 | 0 | 7 |",
    ]


def there(folder: str) -> Path:
    if not (DATA / folder).exists():
        pytest.skip(f"{folder} is not at hand")
    return DATA


def test_starburst_and_batsim_come_out_to_the_last_digit() -> None:
    assert {claim.verdict for claim in hybrid.claims(there("peers"))} == {"equal"}
    of_batsim = {claim.text: claim for claim in batsim.claims(there("batsim"))}
    assert of_batsim["easy, mean wait, s"][2:] == ("9.516326", "8.672887", f"explained: {batsim.RULE}")
    assert {claim.verdict for claim in of_batsim.values()} == {"equal", f"explained: {batsim.RULE}"}


def test_the_band_of_shockwave_is_that_of_its_files() -> None:
    assert {claim.verdict for claim in shockwave.claims(there("shockwave"))} == {"equal"}


@pytest.mark.slow
def test_the_page_is_what_the_command_prints() -> None:
    there("peers"), of_file("philly"), of_file("swf")
    text = published.PAGE.read_text(encoding="utf-8")
    for name, content in published.redo(DATA).items():
        assert f"<!-- table {name} -->\n{content}<!-- end -->" in text
