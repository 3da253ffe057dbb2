"""Sites: what power costs and gives off, the highest power of a month, and the logs that they rest on.

A device of the tests draws 3.6 kW busy and 0.36 kW idle: 0.001 and 0.0001 kWh a second.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.money.focus.table import write_focus
from scheduler.money.ledger.rates import Calendar
from scheduler.report.sites import sites
from scheduler.run.directory import Run
from scheduler.run.figures import measure
from scheduler.run.goodput import DeviceTime
from scheduler.run.site_figures import site_figures
from scheduler.scenario import Scenario, ScenarioError, SeriesFile, parse_scenario
from scheduler.stock.hourly_series import hour_of_year, read_hours
from scheduler.stock.price_series import PriceError
from tests.build import Row, job, pool, rows, run, scenario, trace
from tests.worlds import MEMORY, scenarios, traces

HOUR = 3_600
BARE = {"operations_share_per_year": 0.0, "usd_per_kwh": 0.0}


def site(**more: Any) -> Row:
    return {"name": "here", "pools": ["own"], "pue": 1.0, "usd_per_kwh": 0.0, **more}


def here(*jobs: Row, folder: Path, epoch: str = "2026-01-05", devices: int = 4, **more: Any) -> Run:
    """Jobs on one pod of a site; `more` are keys of the site, and the horizon."""
    horizon = {"horizon_h": more.pop("horizon_h")} if "horizon_h" in more else {}
    of = scenario([pool(devices)], sites=[site(**more)], money=BARE, policy={"patience": "never"}, **horizon)
    return run(of, trace(*jobs, epoch=epoch), folder)


def spent(of: Run) -> dict[tuple[str, str, str], tuple[float, float]]:
    sums = of.spend.groupby(["resource", "line", "charged_to"], observed=True)[["quantity", "usd"]].sum()
    pairs = zip(sums.index.tolist(), sums.round(6).itertuples(index=False, name=None), strict=True)
    return dict(pairs)


def year_file(path: Path, *columns: str, first: str = "2022-01-01T00:00", hours: int = 8_760) -> Path:
    """A series whose value in an hour of the year is the number of that hour, in all columns."""
    start, lines = datetime.fromisoformat(first), [",".join(["hour_utc", *columns])]
    for at in range(hours):
        hour = start + timedelta(hours=at)
        lines.append(",".join([f"{hour:%Y-%m-%dT%H:%M}Z", *[f"{hour_of_year(hour)}.0"] * len(columns)]))
    path.write_text("\n".join(lines) + "\n")
    return path


# Energy, carbon, demand


def test_energy_and_carbon_to_the_gram(tmp_path: Path) -> None:
    # 1,000 s of 3 devices: 3 kWh busy, 0.1 kWh idle, half as much again for the site. 2 USD and 500 g a kWh.
    of = here(job(0, 1_000, 3), folder=tmp_path, pue=1.5, usd_per_kwh=2.0, g_co2_per_kwh=500.0)
    assert {key[1:]: pair for key, pair in spent(of).items() if key[1] != "capital"} == {
        ("energy", "job"): (4.5, 9.0),
        ("energy", "idle"): (0.15, 0.3),
        ("carbon", "job"): (2.25, 0.0),
        ("carbon", "idle"): (0.075, 0.0),
    }
    assert rows(of, "jobs", "spend_usd") == [(pytest.approx(9.0),)]


def test_a_year_of_prices_repeats_by_the_hour(tmp_path: Path) -> None:
    # The price is the number of the hour, in USD a MWh. From 22:30 on 28 February 2028 to 01:30 on 1 March:
    # 29 February is as the 28th, of which hour 22 is 58 x 24 - 2. The job draws 3.6 kW, 1.8 in half an hour.
    prices = {"csv": str(year_file(tmp_path / "year.csv", "usd_per_mwh")), "column": "usd_per_mwh"}
    of = here(
        *(job(0, 27 * HOUR, 1),),
        folder=tmp_path / "run",
        devices=1,
        epoch="2028-02-28T22:30",
        usd_per_kwh=prices,
    )
    last_day = 58 * 24
    hours = [(0.5, last_day + 22), (1, last_day + 23), *((1, last_day + hour) for hour in range(24))]
    hours += [(1, last_day + 24), (0.5, last_day + 25)]
    assert sum(share for share, _ in hours) == 27
    usd = sum(3.6 * share * number / 1_000 for share, number in hours)
    assert spent(of)["own", "energy", "job"] == (round(27 * 3.6, 6), round(usd, 6))


def test_the_highest_quarter_of_an_hour_of_each_month_is_charged(tmp_path: Path) -> None:
    # One pod of 4, idle 1.44 kW. January's last half hour: 450 s of a quarter with 4 devices busy, on average
    # half of 12.96 kW more: 7.92 kW. February's first half hour: 2 devices in a whole quarter, 7.92 again,
    # then a third one in 300 s of it: 1/3 of 3.24 more, 9.0 kW. 31 USD for a month of 31 days is 1 USD a day,
    # 28 is that of February.
    of = here(
        job(0, 450, 4),
        job(1_800, 900, 2),
        job(2_400, 300, 1),
        folder=tmp_path,
        epoch="2026-01-31T23:30",
        horizon_h=1,
        demand_usd_per_kw_month=100.0,
    )
    january, february = 7.92 * 1_800 / (31 * 86_400), 9.0 * 1_800 / (28 * 86_400)
    quantity = january + february
    assert spent(of)["here", "demand_charge", "site"] == (round(quantity, 6), round(100 * quantity, 6))
    charged = of.spend[of.spend.line == "demand_charge"]
    assert charged.period_s.tolist() == [0, 1_800]
    assert charged.quantity.tolist() == pytest.approx([january, february])


def test_the_states_begin_with_the_run_and_hold_the_power(tmp_path: Path) -> None:
    of = here(job(100, 50, 3), folder=tmp_path, pue=2.0, horizon_h=1)
    assert rows(of, "states", "time_s", "busy_own", "site_kw_here") == [
        (0, 0, pytest.approx(2 * 4 * 0.36)),
        (100, 3, pytest.approx(2 * (3 * 3.6 + 0.36))),
        (150, 0, pytest.approx(2 * 4 * 0.36)),
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_energy_is_the_integral_of_states_to_the_joule(data: st.DataObject) -> None:
    of = data.draw(scenarios(bound="none").filter(lambda one: bool(one.pools)))
    names = [one.name for one in of.pools]
    cut = data.draw(st.integers(1, len(names)))
    parts = [part for part in (names[:cut], names[cut:]) if part]
    with TemporaryDirectory(dir=MEMORY) as folder:
        done = run(placed(of, parts), data.draw(traces()), Path(folder))
        for at, part in enumerate(parts):
            assert joules(done, f"site_kw_site{at}") == pytest.approx(billed_joules(done, part), abs=1)


def placed(of: Scenario, parts: list[list[str]], **more: Any) -> Scenario:
    """The scenario with its pools at sites."""
    sites = [
        {"name": f"site{at}", "pools": part, "pue": 1.0 + at, "demand_usd_per_kw_month": 5.0, **more}
        for at, part in enumerate(parts)
    ]
    return parse_scenario(msgspec.to_builtins(of) | {"sites": sites})


def joules(of: Run, column: str) -> float:
    """The integral of a column of states.parquet in kW."""
    if not of.length_s:
        return 0.0
    states = of.states[of.states.time_s < of.end_s]
    edges = np.append(states.time_s.to_numpy(), of.end_s)
    assert edges[0] == of.start_s
    return float((np.diff(edges) * states[column].to_numpy()).sum()) * 1_000


def billed_joules(of: Run, pools: list[str]) -> float:
    spend = of.spend
    energy = spend[spend.resource.isin(pools) & (spend.line == "energy")]
    return float(energy.quantity.sum()) * 3.6e6


def test_a_site_changes_no_schedule(tmp_path: Path) -> None:
    jobs = trace(job(0, 100, 3), job(10, 50, 2), job(20, 10, 1), epoch="2026-01-05")
    plain = run(scenario([pool(4)]), jobs, tmp_path / "plain")
    of = run(scenario([pool(4)], sites=[{"name": "here", "pools": ["own"]}]), jobs, tmp_path / "site")
    for log in ("jobs", "attempts", "spend"):
        files = [folder / f"{log}.parquet" / "part-00000.parquet" for folder in (plain.folder, of.folder)]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert "site_kw_here" not in plain.states.columns


def test_sites_in_focus(tmp_path: Path) -> None:
    of = here(
        job(0, 1_000, 3),
        folder=tmp_path / "run",
        usd_per_kwh=2.0,
        g_co2_per_kwh=500.0,
        demand_usd_per_kw_month=100.0,
    )
    write_focus(of, tmp_path / "out.parquet")
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert table.EffectiveCost.sum() == pytest.approx(of.spend.usd.sum())
    demand = table[table.SkuMeter == "Demand"].iloc[0]
    assert (demand.ResourceType, demand.ResourceName, demand.ConsumedUnit) == (
        "Site",
        "here",
        "Kilowatt-Months",
    )
    assert set(table[table.SkuMeter == "Emissions"].ConsumedUnit) == {"Kilograms"}


# Calendars


@pytest.mark.parametrize("epoch", ["2023-12-31T22:30:05", "2028-02-27T13:00:00", "1970-01-01T00:00:00"])
def test_hours_and_months_are_those_of_the_calendar(epoch: str) -> None:
    start = datetime.fromisoformat(epoch).replace(tzinfo=UTC)
    calendar, seconds = Calendar.of(start), np.arange(0, 80 * 86_400, 5_000)
    instants = [start + timedelta(seconds=int(second)) for second in seconds]
    assert calendar.hour_of_year(seconds).tolist() == [hour_of_year(instant) for instant in instants]
    first, following = calendar.month(seconds)
    for instant, begins_s, ends_s in zip(instants, first.tolist(), following.tolist(), strict=True):
        begins = instant.replace(day=1, hour=0, minute=0, second=0)
        assert start + timedelta(seconds=begins_s) == begins
        assert start + timedelta(seconds=ends_s) == (begins + timedelta(days=32)).replace(day=1)


# Series


def test_a_series_begins_at_any_hour_and_may_be_compressed(tmp_path: Path) -> None:
    plain = year_file(tmp_path / "a.csv", "usd_per_mwh")
    shifted = year_file(tmp_path / "b.csv", "usd_per_mwh", first="2022-12-31T23:00")
    leap = year_file(tmp_path / "c.csv", "usd_per_mwh", first="2024-01-01T00:00", hours=8_784)
    leap_day = year_file(tmp_path / "e.csv", "usd_per_mwh", first="2024-02-29T05:00")
    packed = tmp_path / "d.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    expected = tuple(hour / 1_000 for hour in range(8_760))
    for path in (plain, shifted, leap, leap_day, packed):
        assert read_hours(SeriesFile(csv=str(path), column="usd_per_mwh")) == pytest.approx(expected)
    euros = SeriesFile(csv=str(plain), column="usd_per_mwh", factor=1.1)
    assert read_hours(euros) == pytest.approx([1.1 * value for value in expected])


def test_a_blank_hour_is_filled_only_when_asked(tmp_path: Path) -> None:
    path = year_file(tmp_path / "a.csv", "g_per_kwh")
    lines = path.read_text().splitlines()
    lines[5] = lines[5].partition(",")[0] + ","
    del lines[9]
    path.write_text("\n".join(lines))
    with pytest.raises(PriceError, match="no value for 2022-01-01T04:00Z"):
        read_hours(SeriesFile(csv=str(path), column="g_per_kwh"))
    filled = read_hours(SeriesFile(csv=str(path), column="g_per_kwh", fill="previous"))
    assert filled[:10] == (0, 1, 2, 3, 3, 5, 6, 7, 7, 9)


def test_the_figures_of_a_site(tmp_path: Path) -> None:
    # Two tiles work for an hour and nobody for another one. A tile of the catalog makes 9 PFLOPS at an MFU of
    # 0.45 on fsd jobs, and draws 15 kW busy and 5 idle: 2 x 9 x 0.45 / 24 PFLOP-days for 40 kWh of 0.1 USD.
    tiles = {"name": "own", "pods": 1, "device": "dojo-tile-case-study", "devices": 2}
    here = site(usd_per_kwh=0.1, g_co2_per_kwh=300.0, demand_usd_per_kw_month=31.0)
    of = scenario([tiles], sites=[here], money=BARE, horizon_h=2)
    jobs = trace(job(0, HOUR, 2, kind="fsd.retrain"), reference_device="dojo-tile-case-study")
    done = run(of, jobs, tmp_path, load_catalog())
    days, usd = 2 * 9 * 0.45 / 24, 4.0 + 30.0 * 2 / 24
    expected = {
        "kwh": 40.0,
        "peak_kw": 30.0,
        "load_factor": 20 / 30,
        "co2_kg": 12.0,
        "power_usd": usd,
        "delivered_pflop_days": days,
        "power_usd_per_pflop_day": usd / days,
        "co2_g_per_pflop_day": 12_000 / days,
    }
    assert site_figures(done, DeviceTime(done))["here"] == pytest.approx(expected)
    found = measure(done, jobs, window=(HOUR, 2 * HOUR))
    assert (found["kwh:here"], found["delivered_pflop_days:here"]) == (10.0, 0.0)
    shown = ["here", "40", "30", "66.7%", "12", "6", "0", f"{usd / days:.2f}", f"{12_000 / days:,.0f}"]
    assert sites(done, DeviceTime(done)).splitlines()[1].split() == shown


def broken() -> Iterator[tuple[str, str, str]]:
    """(text of the file, column, what is said)."""
    yield "hour_utc,usd_per_mwh\n", "usd_per_mwh", "no rows"
    yield "hour,usd_per_mwh\n2022-01-01T00:00Z,1\n", "usd_per_mwh", 'no column "hour_utc"'
    yield "hour_utc,eur_per_mwh\n2022-01-01T00:00Z,1\n", "usd_per_mwh", 'no column "usd_per_mwh"'
    yield "hour_utc,price\n2022-01-01T00:00Z,1\n", "price", "must end in _per_mwh or _per_kwh"
    yield "hour_utc,usd_per_mwh\n2022-01-01T00:30Z,1\n", "usd_per_mwh", "line 2: hour_utc: must be a full"
    yield "hour_utc,usd_per_mwh\nyesterday,1\n", "usd_per_mwh", "line 2: hour_utc: must be ISO 8601"
    yield "hour_utc,usd_per_mwh\n2022-01-01T00:00Z,dear\n", "usd_per_mwh", "line 2: usd_per_mwh: must be a"
    twice = "2022-01-01T00:00Z,1\n" * 2
    yield f"hour_utc,usd_per_mwh\n{twice}", "usd_per_mwh", "must be later than the row before"
    yield (
        "hour_utc,usd_per_mwh\n2022-01-01T00:00Z,1\n2024-01-01T00:00Z,1\n",
        "usd_per_mwh",
        "more than a year",
    )
    yield "hour_utc,usd_per_mwh\n2022-01-01T00:00Z,1\n", "usd_per_mwh", "no value for 2022-01-01T01:00Z"


@pytest.mark.parametrize(("text", "column", "said"), [*broken()])
def test_a_broken_series_is_told_in_a_line(tmp_path: Path, text: str, column: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[[pools]]\nname = "own"\npod = "exapod-case-study"\npods = 1\n'
        f'[[sites]]\nname = "here"\npools = ["own"]\nusd_per_kwh = {{ csv = "a.csv", column = "{column}" }}\n'
    )
    for command in (["check"], ["replay", "-o", str(tmp_path / "run")]):
        result = CliRunner().invoke(main, [*command, str(tmp_path / "s.toml")])
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
        assert "a.csv: " in result.stderr


# What a scenario may say


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([site(pools=["other"])], 'site here: "other" is no pool of the scenario'),
        ([site(), site(name="there")], 'site there: the pool "own" is at here already'),
        ([site(pools=["own", "own"])], 'site here: the pool "own" is at here already'),
        ([site(name="own")], 'the name "own" stands for a site and something else'),
        ([site(pools=[])], "pools"),
        ([site(usd_per_kwh=[1.0, 2.0])], "usd_per_kwh"),
        ([site(colour="red")], "colour"),
    ],
)
def test_what_is_wrong_with_a_site_is_said(wrong: list[Row], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario([pool(4)], sites=wrong)
