"""What the cap of a site costs, and what more power would be worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.catalog import load_catalog
from scheduler.run.figures import Metrics, measure
from scheduler.scenario import Scenario, ScenarioError
from scheduler.study.cells.workers import processes
from scheduler.study.power_worth import mean_and_halfwidth, power_worth
from tests.build import job, run, scenario, trace

TILE = "dojo-tile-case-study"
JOBS = trace(
    *(job(1_000 * at, 9_000, 1 + at % 3, kind="fsd.retrain") for at in range(40)), reference_device=TILE
)


def capped(cap_kw: float | None) -> Scenario:
    """A pod of 8 tiles of 15 kW busy and 5 idle; 60 kW are worth 2 of them, 100 kW 6."""
    here = {"name": "here", "pools": ["own"], "pue": 1.0} | ({} if cap_kw is None else {"cap_kw": cap_kw})
    tiles = {"name": "own", "pods": 1, "device": TILE, "devices": 8}
    cloud = {"name": "cloud", "offer": "nebius-h100-eu-north1", "quota": 64}
    return scenario([tiles], [cloud], policy={"patience": "after:4h"}, sites=[here], horizon_h=30)


def test_differences_are_those_of_the_runs(tmp_path: Path) -> None:
    JOBS.write(tmp_path / "jobs.parquet")
    with processes(1) as workers:
        place = tmp_path / "cells", workers, lambda *_: None
        (found,) = power_worth(capped(60.0), tmp_path / "jobs.parquet", 40.0, range(1, 2), place)

    def figures(cap_kw: float | None) -> Metrics:
        return measure(run(capped(cap_kw), JOBS, tmp_path / f"{cap_kw}", load_catalog()), JOBS)

    as_it_is, more, free = figures(60.0), figures(100.0), figures(None)
    delivered = "delivered_pflop_days:here"
    assert found.lost_pflop_days.tolist() == [free[delivered] - as_it_is[delivered]]
    assert found.lost_pflop_days[0] > 0
    assert found.cap_usd.tolist() == [as_it_is["usd_total"] - free["usd_total"]]
    assert found.pflop_days_per_kw.tolist() == [(more[delivered] - as_it_is[delivered]) / 40]
    assert found.usd_per_kw.tolist() == [(as_it_is["usd_total"] - more["usd_total"]) / 40]
    assert mean_and_halfwidth(found.usd_per_kw)[0] == found.usd_per_kw[0]


def test_without_a_cap_there_is_nothing_to_ask() -> None:
    with processes(1) as workers, pytest.raises(ScenarioError, match="no site has a cap"):
        power_worth(capped(None), None, 1.0, range(1, 2), (Path(), workers, lambda *_: None))
