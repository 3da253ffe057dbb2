"""Demand through the years: dated points, stories, and the calendar that a scenario fixes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.replay import Setup
from scheduler.scenario import Scenario, ScenarioError, parse_scenario
from scheduler.study.plan.outlooks import grown
from scheduler.study.reference import reference_of
from tests.build import job, trace
from traces.dated import DatedError, earlier, points_of
from traces.interpolation import linear, log_interpolated
from traces.times import DAY_S, HOUR_S, YEAR_S
from workloads import Demand, DemandError, demand_of, generate

REFERENCE = reference_of()
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
OTHERS = {"cars": 0, "car_growth": 0, "robots": 0, "robot_growth": 0, "tenants": 0}
SCENARIO = {"name": "years", "pools": [{"name": "dojo", "pod": "exapod-case-study", "pods": 1}]}


def asked(**demand: Any) -> dict[str, Any]:
    """PFLOP of each workload, hour by hour."""
    return {name: units / 24 * a_day for name, (units, a_day) in demand_of(demand).asked().items()}


def test_points_are_flat_outside_and_linear_or_exponential_between() -> None:
    points = points_of([["2026-01-02", 2], [date(2026, 1, 4), 8.0]])
    assert points == (("2026-01-02", 2), ("2026-01-04", 8.0))
    at_s = np.array([-1e9, DAY_S, 1.5 * DAY_S, 2 * DAY_S, 3 * DAY_S, 1e9])
    assert linear(points, EPOCH, at_s).tolist() == [2, 2, 3.5, 5, 8, 8]
    between = log_interpolated(points, EPOCH, at_s)
    assert between == pytest.approx([2, 2, 2 * 4**0.25, 4, 8, 8])
    assert between[[0, 1, 4, 5]].tolist() == [2, 2, 8, 8]  # to the last digit
    assert points_of([["2026-01", 1]]) == (("2026-01-01", 1),)
    assert earlier(points, 365) == (("2025-01-02", 2), ("2025-01-04", 8.0))


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ([], "at least one"),
        ([["2026-01", 1], ["2026-01-01", 2]], "2026-01-01 after 2026-01-01: dates must ascend"),
        ([["soon", 1]], "'soon': must be a date, as 2026-01-05, or a month, as 2026-01"),
        ([["2026-01", "1"]], 'must be a point, as ["2026-01", 5.5]'),
        ([["2026-01"]], "must be a point"),
        ([[2026, 1]], "2026: must be a date"),
        ([["2026-01", float("nan")]], "must be a point"),
    ],
)
def test_what_is_no_series_is_one_line(raw: list[Any], wrong: str) -> None:
    with pytest.raises(DatedError, match=None) as error:
        points_of(raw)
    assert wrong in str(error.value)


def test_a_constant_series_asks_for_what_the_number_asks_for() -> None:
    number = {"days": 7, "robot_growth": 0, "car_growth": 0}
    series = {"cars": [["2020-01", 6e6]], "robots": [["2027-01", 2e4]]}
    assert (
        generate(demand_of(number), REFERENCE).sha256
        == generate(demand_of(number | series), REFERENCE).sha256
    )


def test_compute_follows_the_points_hour_by_hour() -> None:
    """Twice the cars with four times the network ask for eight times as much, and half-way 1.5 x 2.5."""
    cars, network = [["2026-01-05", 1e6], ["2026-01-15", 2e6]], [["2026-01-05", 1e9], ["2026-01-15", 4e9]]
    days = OTHERS | {"days": 20}
    now = asked(**days | {"cars": 1e6, "fleet": {"network_parameters": 1e9}})["fsd"][0]
    path = asked(**days | {"cars": cars, "fleet": {"network_parameters": network}})["fsd"] / now
    assert path[[0, -1]] == pytest.approx([1, 8], rel=0.02)
    assert path[119:121].mean() == pytest.approx(1.5 * 2.5, rel=1e-4)
    whole = demand_of(days | {"cars": cars, "fleet": {"network_parameters": network}}).budgets(REFERENCE)
    rate = REFERENCE.pflops["fsd.retrain"]
    assert sum(whole.values()) == pytest.approx(path.sum() * now / rate)


def test_a_task_is_learned_once_there_is_one() -> None:
    tasks = [["2026-01-05", 1], ["2026-02-02", 8]]
    made = generate(demand_of(OTHERS | {"robots": 2e5, "tasks": tasks, "days": 28}), REFERENCE)
    codes, owners = made.codes("owner")
    first: dict[str, int] = {}
    for code, submit_s in zip(codes.tolist(), made.numpy("submit_s").tolist(), strict=True):
        first.setdefault(owners[code], submit_s)
    for task in range(2, 9):  # there are so many from the day on at which their number passes task - 1
        assert first[f"optimus-task-{task}"] >= (task - 2) * 4 * DAY_S
    assert first["optimus-task-8"] < 28 * DAY_S


def test_a_plateau_keeps_everything_as_it_is_then() -> None:
    path = {"days": 60, "gang_growth": {"fsd": 4.0}, "cars": [["2026-01-05", 1e6], ["2026-03-06", 3e6]]}
    flat, going = demand_of(path | {"story": {"plateau": date(2026, 1, 25)}}), demand_of(path)
    for name, (units, a_day) in flat.asked().items():
        before, same = going.asked()[name]
        assert a_day == same
        assert units[: 20 * 24].tolist() == before[: 20 * 24].tolist()
        assert len(set(units[20 * 24 :].tolist())) == 1
    assert flat.path("fsd").hours[-1] == 20 * 24


def test_a_late_ramp_comes_so_much_later() -> None:
    path = {"days": 90, "robots": [["2026-01-05", 0], ["2026-04-05", 900]]}
    months = 24 * 30 / 730.5
    late = demand_of(path | {"story": {"late_months": {"optimus": months}}}).asked()
    on_time = demand_of(path).asked()
    assert late["optimus"][0][30 * 24 :] == pytest.approx(on_time["optimus"][0][: 60 * 24])
    assert late["optimus"][0][: 30 * 24].tolist() == [0.0] * 30 * 24
    assert late["fsd"][0].tolist() == on_time["fsd"][0].tolist()
    steady = demand_of({"days": 90, "story": {"late_months": {"optimus": months}}}).asked()["optimus"][0]
    assert steady[: 30 * 24].tolist() == [20_000.0] * 30 * 24
    assert steady[-1] == pytest.approx(20_000 + 50_000 * (60 - 0.5 / 24) / 365)


def test_a_surge_multiplies_what_is_asked_for_meanwhile() -> None:
    surge = {"since": "2026-01-12", "until": "2026-01-19", "factor": 3, "workload": "fsd"}
    surged, usual = asked(story={"surges": [surge]}), asked()
    ratio = surged["fsd"] / usual["fsd"]
    assert ratio.tolist() == pytest.approx([1] * 168 + [3] * 168 + [1] * 336)
    assert surged["optimus"].tolist() == usual["optimus"].tolist()
    del surge["workload"]
    assert asked(story={"surges": [surge]})["tenant"].tolist()[200] == 3 * usual["tenant"][200]


@pytest.mark.parametrize(
    ("demand", "wrong"),
    [
        ({"cars": [["2026-01", -1]]}, "cars = -1: must be a number from 0 to 1e+09 car"),
        ({"cars": [["2026-02", 1], ["2026-01", 1]]}, "cars: 2026-01-01 after 2026-02-01: dates must ascend"),
        ({"days": [["2026-02", 1]]}, "days = [['2026-02', 1]]: must be a whole number"),
        ({"fleet": {"training_passes": [["now", 1]]}}, "training_passes: 'now': must be a date"),
        ({"start": "tomorrow"}, "start = 'tomorrow': must be a date"),
        ({"story": {"plateau": "later"}}, "story.plateau = 'later': must be a date"),
        ({"story": {"late": 3}}, "must be a table of plateau, late_months, surges"),
        ({"story": {"late_months": {"robots": 3}}}, "'robots': must be one of fsd, optimus, tenant"),
        ({"story": {"late_months": {"fsd": -3}}}, "late_months.fsd = -3: must be a number from 0"),
        ({"story": {"surges": [{"since": "2026-01", "until": "2026-02"}]}}, "story.surges: needs factor"),
        (
            {"story": {"surges": [{"since": "2026-02", "until": "2026-01", "factor": 2}]}},
            "until = 2026-01-01: must be after since, 2026-02-01",
        ),
    ],
)
def test_bad_paths_and_stories_are_one_line(demand: dict[str, Any], wrong: str) -> None:
    with pytest.raises(DemandError) as error:
        demand_of(demand)
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


def test_a_year_on_fleets_are_further_along_their_points() -> None:
    later = demand_of(grown({"cars": [["2026-01-05", 1e6], ["2027-01-05", 2e6]]}, cars=1.0, robots=0.5))
    assert later.cars == (("2025-01-05", 1e6), ("2026-01-05", 2e6))
    assert later.robots == 45_000


def scenario(**keys: Any) -> Scenario:
    return parse_scenario(SCENARIO | keys)


def test_a_scenario_fixes_the_calendar_of_its_demand() -> None:
    """A Wednesday: releases still fall on Mondays, working hours on working days of Austin."""
    years = scenario(start=date(2023, 3, 1), horizon="14d")
    assert years.horizon_s == 14 * DAY_S
    demand = demand_of(years.demand)
    made = generate(demand, REFERENCE)
    assert (made.epoch, demand.days) == (datetime(2023, 3, 1, tzinfo=UTC), 14)
    assert Setup.of(years, made).start_s == 0
    kinds, words = made.codes("kind")
    due = [
        made.instant(second)
        for kind, second in zip(kinds.tolist(), made.numpy("deadline_s").tolist(), strict=True)
        if words[kind] == "fsd.retrain"
    ]
    assert {(at.weekday(), at.hour) for at in due} == {(0, 0)}
    busiest = made.numpy("submit_s")[kinds == words.index("tenant.train")]
    by_day = np.bincount([(made.epoch + timedelta(seconds=int(s) - 6 * HOUR_S)).weekday() for s in busiest])
    assert by_day[5:].sum() < by_day[:5].sum() / 2


def test_years_are_durations_and_a_demand_may_be_shorter() -> None:
    assert scenario(horizon="5y").horizon_s == 5 * YEAR_S
    assert scenario(horizon="5y").demand == {"days": 1827}
    assert scenario(horizon="5y", demand={"days": 7}).demand == {"days": 7}
    assert scenario(start="7d").demand == {}
    assert scenario(start=date(2023, 3, 1), trace="jobs.parquet").demand == {}


@pytest.mark.parametrize("horizon", [5, "soon", "0s", "5 years"])
def test_a_horizon_that_is_no_duration_is_one_line(horizon: Any) -> None:
    with pytest.raises(ScenarioError, match="must be a duration, as 28d or 5y"):
        scenario(horizon=horizon)
    with pytest.raises(ScenarioError, match="either horizon, a duration, or horizon_h, not both"):
        scenario(horizon="5y", horizon_h=3)


def test_a_start_that_contradicts_the_trace_is_one_line(tmp_path: Path) -> None:
    made = generate(Demand(days=1), REFERENCE)
    with pytest.raises(ScenarioError, match=r"the trace was generated from 2026-01-05 00:00 UTC on"):
        Setup.of(scenario(start="2023-03-01"), made)
    assert Setup.of(scenario(start="2026-01-05"), made).start_s == 0
    with pytest.raises(ScenarioError, match="must not be after the first job"):
        Setup.of(scenario(start="2026-03-01"), trace(job(0, 60, 1)))
