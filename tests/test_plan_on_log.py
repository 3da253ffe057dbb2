"""A plan on a log: replications by its own weeks, the same for all candidates, with the width of so few."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.scenario import read_scenario
from scheduler.study import processes
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.cells.log import LogWish
from scheduler.study.plan.candidates import Candidate, target_of
from scheduler.study.plan.evaluations import TODAY, Bench
from scheduler.study.plan.outlooks import LATE_RAMP, YEAR_ON, log_outlooks
from scheduler.study.plan.plan_file import read_plan
from scheduler.study.plan.question import over_log
from tests import build
from tests.build import job
from traces import Trace
from traces.confidence import BlocksDrawn
from traces.resample import resample
from traces.times import DAY_S, HOUR_S

WEEK_S = 7 * DAY_S
OURS = """
name = "ours"

[[pools]]
name = "own"
device = "h100"
devices = 4
pods = 2
capital_usd = 1e5

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 8
"""


def log() -> Trace:
    """Three weeks: a gang of 4 for 3 hours every 4, 2 or 6 hours, by week; every third hour's is cem's."""
    rows = []
    for week, step_h in enumerate((4, 2, 6)):
        for at in range(0, 7 * 24, step_h):
            owner = "cem" if at % 3 == 0 else "ann"
            rows.append(job(week * WEEK_S + at * HOUR_S, 3 * HOUR_S, 4, owner=owner))
    return build.trace(*rows, job(3 * WEEK_S + 60, 60, 1), epoch="2026-01-07T00:00+01:00")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log")
    log().write(path / "log.parquet")
    (path / "ours.toml").write_text(OURS)
    return path


@pytest.fixture(scope="module")
def bench(folder: Path) -> Iterator[Bench]:
    spec, draws = over_log(
        read_scenario(folder / "ours.toml"), "owner=cem", folder / "log.parquet", LogWish()
    )
    assert spec.horizon_h == 21 * 24, "three whole weeks; the job after them is in none"
    with processes(2) as workers:
        target = target_of("owner=cem:p90:1h", 0.01)
        yield Bench(spec, "own", target, folder / "cells", workers, lambda *_: None, log=draws)


def test_all_candidates_meet_the_same_replications(bench: Bench) -> None:
    """The jobs are kept once a seed, and are those that the seed draws of the log.

    What is asked for counts up to a day before the end.
    """
    evaluate = bench.evaluator(TODAY)
    asked = {
        tuple(sample.asked_device_h for sample in evaluate(Candidate(pods, "never"), 3).samples)
        for pods in (2, 3)
    }
    assert bench.log is not None
    drawn = [resample(log(), bench.log.resampling, seed) for seed in (1, 2, 3)]
    for seed, jobs in zip((1, 2, 3), drawn, strict=True):
        cell = bench.log.cell(bench.scenario, seed)
        assert jobs_of_cell(cell, bench.folder).sha256 == jobs.sha256
    assert len(list((bench.folder / "traces").glob("*.parquet"))) == 3
    assert asked == {tuple(12.0 * (jobs.numpy("submit_s") <= 20 * DAY_S).sum() for jobs in drawn)}


def test_intervals_are_of_three_weeks_however_many_seeds(bench: Bench) -> None:
    """Two of three weeks are free to vary; waits and sureness are those of the replications."""
    found = bench.evaluator(TODAY)(Candidate(1, "never"), 6)
    assert found.drawn == BlocksDrawn(3, 2)
    usd = np.array([sample.usd for sample in found.samples])
    low, high = found.usd_interval()
    assert (high - low) / 2 == pytest.approx(4.302653 * usd.std(ddof=1) * np.sqrt(3 / 2 + 1 / 6))
    assert high < inf
    each = [float(np.quantile(one.wait_s, 0.9, method="inverted_cdf")) for one in found.samples]
    assert found.wait_interval(0.9) == (min(each), max(each))
    met = sum(
        wait <= HOUR_S and one.stranded_device_h <= 0.01 * one.asked_device_h
        for wait, one in zip(each, found.samples, strict=True)
    )
    assert found.confidence(bench.target) == met / 6


def test_a_log_is_held_against_more_and_fewer_jobs_and_its_growth(bench: Bench) -> None:
    steady = bench.log
    assert steady is not None
    growing = steady._replace(resampling=steady.resampling._replace(growth=4.0))
    scales = {each.name: each.changes["log"].resampling.scale for each in log_outlooks(growing)}
    assert scales == {"0.5x": 0.5, "2x": 2.0, YEAR_ON: 4.0, LATE_RAMP: 2.0}
    assert [each.name for each in log_outlooks(steady)] == ["0.5x", "2x"]
    fewer = bench.evaluator("0.5x", log_outlooks(steady)[0].changes["log"])(Candidate(2, "never"), 2)
    today = bench.evaluator(TODAY)(Candidate(2, "never"), 2)
    for less, all_of_it in zip(fewer.samples, today.samples, strict=True):
        assert 0.3 < less.asked_device_h / all_of_it.asked_device_h < 0.7


def test_the_command_says_what_it_draws_from(folder: Path) -> None:
    words = ["plan", str(folder / "ours.toml"), "--trace", str(folder / "log.parquet"), "--seeds", "4"]
    words += ["--target", "owner=cem:p90:1h", "--patience", "never", "--first", "owned", "--max-pods", "4"]
    words += ["-o", str(folder / "plan"), "--workers", "2"]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    for part in (
        "4 common seeds from 1 on, 21 days each, drawn from log.parquet",
        "3 weeks in a row, with replacement, of the 3 whole ones that the log has;",
        "intervals are as wide as 3 weeks make them",
        "intervals are of the draws of\nthe log alone",
        "half as many jobs",
        "cheapest plan that meets it: ",
    ):
        assert part in first.output, part
    again = CliRunner().invoke(main, [*words, "--json"])
    assert again.exit_code == 0, again.output
    told = json.loads(again.stdout)
    assert told["log"] | {"file": ""} == {
        "file": "", "of_blocks": 3, "block": "week", "places": 3, "scale": 1.0, "growth": 1.0
    }  # fmt: skip
    assert told["runs"] == 0
    assert told["best"]["usd_low"] < told["best"]["usd"] < told["best"]["usd_high"]
    kept = read_plan(folder / "plan").plan
    assert kept.log is not None
    assert kept.best is not None
    assert kept.best.drawn == kept.log.drawn == BlocksDrawn(3, 2)


def test_a_plan_for_a_growing_log_is_held_against_its_growth(folder: Path) -> None:
    words = ["plan", str(folder / "ours.toml"), "--trace", str(folder / "log.parquet"), "--seeds", "2"]
    words += ["--target", "owner=cem:p90:6h", "--patience", "never", "--first", "owned", "--max-pods", "4"]
    words += ["--growth", "1.5", "-o", str(folder / "growing"), "--workers", "2"]
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    for part in ("1.5 times as many a year on;", "a year on ", "late ramp ", "plateau: demand stays"):
        assert part in found.output, part


def test_a_scenario_that_names_a_trace_is_planned_on_it(folder: Path) -> None:
    (folder / "named.toml").write_text('trace = "log.parquet"\n' + OURS)
    words = ["plan", str(folder / "named.toml"), "--seeds", "2", "--patience", "never", "--first", "owned"]
    words += ["--max-pods", "2", "--block", "day", "--set", "horizon_h=48", "-o", str(folder / "named")]
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    assert "95% of all jobs wait at most 12.0 h" in found.output
    assert "2 days each" in found.output
    assert "2 days in a row, with replacement, of the 22 whole ones" in found.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--target", "owner=cim:p90:1h"], 'log.parquet has no owner "cim"; did you mean cem?'),
        (["--target", "nope:p90:1h"], 'log.parquet has no kind "nope"'),
        (["--trace", "short.parquet"], "the log has 2 whole weeks, too few to draw replications from"),
        (["--trace", "day.parquet"], "day.parquet: its jobs are submitted within 1 day, less"),
        (["--scale", "0"], "Invalid value for '--scale'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn_is_one_line(
    folder: Path, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    build.trace(job(0, 1, 1), job(14 * DAY_S - 1, 1, 1)).write(folder / "short.parquet")
    build.trace(job(0, 1, 1)).write(folder / "day.parquet")
    found = CliRunner().invoke(main, ["plan", "ours.toml", "--trace", "log.parquet", *words, "-o", "none"])
    assert found.exit_code == 2
    assert says in found.output
    assert "Traceback" not in found.output
    assert not (folder / "none").exists()


def test_what_is_said_of_a_log_needs_one(folder: Path) -> None:
    found = CliRunner().invoke(main, ["plan", str(folder / "ours.toml"), "--growth", "2"])
    assert found.exit_code == 2
    assert "--growth is for a log: give --trace as well" in found.output
