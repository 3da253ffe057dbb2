"""Years by a month a quarter: which days stand for it, what carries over, and that quarters add up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.cli.scenarios import SHIPPED
from scheduler.cli.years import demo_years
from scheduler.report.documents.years import YearsDocument
from scheduler.run.directory import open_run
from scheduler.run.levels import DeviceLevels
from scheduler.run.quarters import calendar_quarters, peaks_of, quarters_of_run, rows_of_run
from scheduler.run.spend import spend_figures
from scheduler.scenario import ScenarioError, read_scenario
from scheduler.stock.stock import stock_of
from scheduler.study.years.months import check_dated, month_in, month_of_years
from tests.test_documents import said
from tests.test_page import Shown, browser
from traces.files import PathError
from traces.times import HOUR_S

__all__ = ["browser"]

SMALL = """
name = "small"
start = 2026-01-05
horizon = "200d"

[demand]
devices = 24
load = 0.5
cars = [["2026-01", 1_000_000], ["2026-07", 2_000_000]]
robots = 2_000
robot_growth = 0

[[pools]]
name = "first"
device = "dojo-tile-case-study"
devices = 24
pods = 1
capital_usd = 10e6

[[pools]]
name = "second"
device = "h100"
devices = 256
pods = 0
capital_usd = 20e6
purchases = [{ ordered = 2026-02-01, lead = "90d", pods = 1 }]

[[closures]]
pool = "first"
at = 2026-06-01
resale_share = 0.1

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 512
surges = [{ from_h = 0, to_h = 960, factor = 3 }]

[[loops]]
name = "car"
units = [["2026-01", 1e6], ["2026-07", 2e6]]
miles_per_unit_day = 30
clips_per_mile = 0.0005
trigger_days = 7
device_h_per_clip = 0.001
gang = 4
evaluation_gang = 1
evaluation_h = 2
effect = { b = 0.1, c = 0.2 }
"""


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_quarters_are_those_of_the_calendar_and_cut_at_the_ends() -> None:
    quarters = calendar_quarters(at("2026-01-05"), at("2026-08-01"))
    assert [(each.name, each.since, each.until) for each in quarters] == [
        ("2026Q1", at("2026-01-05"), at("2026-04-01")),
        ("2026Q2", at("2026-04-01"), at("2026-07-01")),
        ("2026Q3", at("2026-07-01"), at("2026-08-01")),
    ]
    assert [month_in(each).isoformat()[:10] for each in quarters] == [
        "2026-02-02",
        "2026-05-04",
        "2026-07-01",
    ]


def test_a_month_has_what_is_there_then(tmp_path: Path) -> None:
    """In February there is no second pool, and the surge has 12 of its 40 days left; in July no first."""
    (tmp_path / "small.toml").write_text(SMALL)
    scenario = read_scenario(tmp_path / "small.toml")
    start = at("2026-01-05")
    pools = stock_of(scenario, load_catalog(), start).pools
    february = month_of_years(scenario, pools, start, at("2026-02-02"))
    july = month_of_years(scenario, pools, start, at("2026-07-04"))
    assert [[pool.name for pool in month.pools] for month in (february, july)] == [["first"], ["second"]]
    assert [(each.from_h, each.to_h) for each in february.offers[0].surges] == [(0, 288)]
    assert (july.offers[0].surges, july.closures) == ((), ())
    assert february.demand["start"] == "2026-02-02"
    assert 1e6 < february.loops[0].units < july.loops[0].units <= 2e6  # type: ignore[operator]


def test_gangs_move_in_the_order_that_a_closure_gives(tmp_path: Path) -> None:
    """A set of nine names would have that of their hashes, which differ between processes."""
    names = [f"pool-{at}" for at in (5, 2, 8, 1, 7, 4, 6, 3, 9)]
    pool = '[[pools]]\nname = "{}"\ndevice = "h100"\ndevices = 8\npods = 1\n'
    (tmp_path / "small.toml").write_text(
        SMALL.replace("resale_share = 0.1", f"resale_share = 0.1\nmoves_to = {names}")
        + "".join(map(pool.format, names))
    )
    scenario, start = read_scenario(tmp_path / "small.toml"), at("2026-01-05")
    pools = stock_of(scenario, load_catalog(), start).pools
    (closure,) = month_of_years(scenario, pools, start, at("2026-02-02")).closures
    assert closure.moves_to == tuple(names)


def test_the_story_of_years_closes_and_opens_what_it_says() -> None:
    scenario = read_scenario(SHIPPED["years"])
    start = at("2023-01-02")
    pools = stock_of(scenario, load_catalog(), start).pools
    before, after = (month_of_years(scenario, pools, start, at(day)) for day in ("2025-02-10", "2027-02-15"))
    assert [pool.name for pool in before.pools] == ["dojo"]
    assert [pool.name for pool in after.pools] == ["cortex", "blackwell"]
    assert (before.market, after.market is not None) == (None, True)


def test_moments_of_years_are_dates(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL.replace("2026-06-01", '"140d"'))
    with pytest.raises(ScenarioError, match='closures: at = "140d": must be a date'):
        check_dated(read_scenario(tmp_path / "small.toml"))


def test_years_by_months(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pods are paid and written off on their days; each month opens with those of the one before."""
    file, out = tmp_path / "small.toml", tmp_path / "years"
    file.write_text(SMALL)
    demo_years(file, out, (), full=False, as_json=False)
    printed = capsys.readouterr().out
    assert "each quarter by 28 days" in printed
    rows = pq.read_table(out / "quarters.parquet").to_pylist()
    assert [row["quarter"] for row in rows] == ["2026Q1", "2026Q2", "2026Q3"]
    assert [row["purchases_usd"] for row in rows] == [0, 20e6, 0]
    assert [row["resale_usd"] for row in rows] == [0, 1e6, 0]
    assert 0 < rows[1]["write_off_usd"] < 10e6
    assert [row["devices:second"] for row in rows] == [0, 256, 256]
    second = open_run(out / "2026Q2").description["trace"]
    assert second["source"]["carried"] > 0
    costs = [row["interventions_per_mile:car"] for row in rows]
    assert costs[0] > costs[1] > costs[2]


def test_a_last_quarter_of_less_than_a_day_is_left_out(tmp_path: Path) -> None:
    """Of 36 hours from the last day of March on, April has 12, with the pod that comes then."""
    file, out = tmp_path / "small.toml", tmp_path / "years"
    text = SMALL.replace("start = 2026-01-05", "start = 2026-03-31").replace('"200d"', '"36h"')
    file.write_text(text.replace('2026-02-01, lead = "90d"', '2026-03-31, lead = "30h"'))
    demo_years(file, out, (), full=False, as_json=True)
    (row,) = pq.read_table(out / "quarters.parquet").to_pylist()
    assert (row["quarter"], row["until"], row["month_days"]) == ("2026Q1", at("2026-04-01"), 1)
    assert row["purchases_usd"] == 0
    with pytest.raises(ScenarioError, match="horizon = 12 h: must be a day or more, as whole days are run"):
        demo_years(file, out, ('horizon="12h"',), full=False, as_json=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small story, run every day."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.toml").write_text(SMALL)
    demo_years(folder / "small.toml", folder / "run", (), full=True, as_json=True)
    return folder / "run"


def test_quarters_of_a_whole_run_add_up_to_it(whole: Path) -> None:
    run = open_run(whole)
    rows, levels, spent = rows_of_run(run, peaks_of(run), 0.07), DeviceLevels(run), spend_figures(run)
    assert len(rows) == len(quarters_of_run(run))

    def total(name: str) -> float:
        return float(sum(row[name] for row in rows))

    held_h = sum(levels.held_s(pool) for pool in run.pools) / HOUR_S
    assert total("held_device_h") == pytest.approx(held_h, rel=1e-12)
    assert total("rent_usd") == pytest.approx(spent["usd_rented"])
    once = ("capital", "write_off", "resale", "decommission")
    running = spent["usd_total"] - sum(spent.get(f"usd:{line}", 0) for line in once)
    parts = ("rent_usd", "energy_usd", "operations_usd", "other_usd")
    assert sum(map(total, parts)) == pytest.approx(running)
    assert total("write_off_usd") == pytest.approx(spent["usd:write_off"])
    summary = said(YearsDocument, "summary", whole, "--by", "quarter")
    assert summary.quarters[0]["jobs"] == rows[0]["jobs"]


def test_a_whole_run_has_its_quarters_in_its_page(browser: Any, whole: Path) -> None:
    run, page = open_run(whole), whole.parent / "page.html"
    rows = rows_of_run(run, peaks_of(run), 0.07)
    done = CliRunner().invoke(main, ["report", str(whole), "-o", str(page)])
    assert done.exit_code == 0, done.output
    shown = Shown(browser, page)
    releases = sum(row["releases:car"] for row in rows)
    assert shown.sum("quarters-releases") == releases > 0
    assert shown.sum("quarters-capacity") == pytest.approx(sum(row["owned_pflops"] for row in rows))
    assert shown.sum("held") > 0
    assert shown.page.get_by_role("heading", name="By quarter").count() == 1
    assert (shown.said, shown.asked) == ([], [page.as_uri()])
    shown.page.close()


def test_a_broken_table_of_quarters_is_said(tmp_path: Path) -> None:
    (tmp_path / "quarters.parquet").write_text("x")
    done = CliRunner().invoke(main, ["summary", str(tmp_path)])
    assert done.exit_code == 2
    assert "not the quarters that `demo years` writes" in done.stderr


def test_years_by_months_leave_a_finished_run_and_foreign_files_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    for name, complaint in (
        ("run.json", "holds a finished run"),
        ("quarters.parquet", "not of this program"),
    ):
        out = tmp_path / name.partition(".")[0]
        out.mkdir()
        (out / name).write_text("mine")
        with pytest.raises(PathError, match=complaint):
            demo_years(tmp_path / "small.toml", out, (), full=False, as_json=False)
        assert [(file.name, file.read_text()) for file in out.iterdir()] == [(name, "mine")]


def test_full_goes_with_years_alone() -> None:
    done = CliRunner().invoke(main, ["demo", "--full"])
    assert done.exit_code == 2
    assert "--full goes with years alone" in done.stderr
