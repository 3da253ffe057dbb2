"""The summary of what came of live sources: each figure again from the rows of the logs, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.report.documents.runs import summary_document
from scheduler.report.summary import summary
from scheduler.run.directory import Run
from scheduler.run.live_figures import live_figures
from tests.build import job, pool, scenario, trace
from tests.test_edge import cars as parked_cars
from tests.test_edge import parked
from tests.test_edge import run as run_of
from tests.test_loop import cars, looped
from tests.test_market import market, sales, segment, selling

JOBS = trace(job(0, 20_000, 2), job(30_000, 9_000, 3))


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two sorts of customers, of whom the second find the price too dear."""
    of = selling(4, market(segment(per_day=90), segment("poor", willingness_usd_per_device_h=0.01)))
    return run_of(of, JOBS, tmp_path_factory.mktemp("sold"))


def test_what_was_sold_is_summed_up_by_segment(sold: Run) -> None:
    figures, asked = live_figures(sold).sales, sales(sold)
    assert {*figures} == {"spot", "poor"} == {row["segment"] for row in asked}
    for name, of in figures.items():
        mine = [row for row in asked if row["segment"] == name]
        bought = [row for row in mine if row["answer"] == "bought"]
        assert (of["customers"], of["bought"]) == (len(mine), len(bought))
        assert of["asked_device_h"] == pytest.approx(
            sum(row["devices"] * row["run_s"] for row in mine) / 3_600
        )
        for figure in ("served_device_h", "revenue_usd", "credit_usd"):
            assert of[figure] == pytest.approx(sum(row[figure] for row in mine))
    assert figures["spot"]["bought"]
    assert not figures["poor"]["bought"]


def test_the_summary_shows_it_and_names_its_log(sold: Run) -> None:
    customers = len(sales(sold))
    (head, *lines), *_ = [
        part.splitlines() for part in summary(sold).split("\n\n") if part.startswith("segment")
    ]
    assert head.split("  ")[0] == "segment"
    assert sum(int(line.split(" of ")[1].split()[0]) for line in lines) == customers
    assert sold.logs == ["jobs", "attempts", "states", "spend", "sales"]
    assert summary_document(sold).sales == live_figures(sold).sales


def test_loops_and_parked_cars_stand_there_by_name(tmp_path: Path) -> None:
    loops = run_of(looped(2, cars(), cars(name="van")), trace(job(0, 9, 1)), tmp_path / "loops")
    assert {*live_figures(loops).loops} == {"car", "van"}
    assert "\nvan " in summary(loops)
    edge = run_of(parked(parked_cars()), trace(job(0, 9, 1)), tmp_path / "edge")
    (name,) = live_figures(edge).edge
    assert f"\n{name} " in summary(edge).partition("\nparked cars ")[2]


def test_without_live_sources_nothing_is_said(tmp_path: Path) -> None:
    plain = run_of(scenario([pool(4)]), JOBS, tmp_path)
    assert live_figures(plain) == ({}, {}, {})
    assert not {"loop", "segment", "parked"} & {line.split(" ")[0] for line in summary(plain).splitlines()}
