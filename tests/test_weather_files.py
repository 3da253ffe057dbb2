"""Weather files, what they come to, what the offers of a run owe to the weather, and the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.catalog import CatalogError, load_catalog
from scheduler.catalog.models import Figure
from scheduler.cli import main
from scheduler.scenario import Scenario, ScenarioError, parse_scenario
from scheduler.stock.assumed import assumed_weather, unsure_figures
from scheduler.weather import WEATHER, Weather, WeatherError, intervals, weather_of
from scheduler.weather.availability import Factors, availability, factors, happenings
from tests import build
from tests.build import job, offer, pool, scenario
from tests.examples import examples
from tests.skies import CATALOG, DAY_S, HOUR_S, Row, by_hand, drawn, line, price, stock_for, storm
from tests.test_docs import column
from tests.test_docs import table as described

SOME = settings(max_examples=examples(60), deadline=None)

# measures


def test_what_happens_is_counted_by_place_and_sort() -> None:
    of = scenario([pool(10)], [offer("cloud", 10)])
    weather = by_hand(
        of,
        [
            line("own", "device", 0, 100),
            line("cloud", "refused", 10, 40, devices=0),
            line("own", "device", 50, 350, 3),
            line("own", "pod", 60, 70, devices=10),
            price("cloud", 100, 600, 3.0),
        ],
        1_000,
    )
    assert [tuple(one) for one in happenings(weather)] == [
        ("own", "device", 2, 400, 400),
        ("own", "pod", 1, 10, 100),
        ("cloud", "refused", 1, 30, 0),
    ]
    assert availability(weather, "own") == 1 - (400 + 80) / 10_000
    assert availability(weather, "cloud") == 1.0
    assert factors(weather, "own") is None
    assert factors(weather, "cloud") == Factors(1.0, 2.0, 3.0)


@SOME
@given(
    st.lists(
        st.builds(
            lambda pod, at, long, first, devices: line(
                "own", "device", at, at + long, first, min(devices, 6 - first), pod=pod
            ),
            st.integers(0, 1),
            st.integers(0, 20),
            st.integers(1, 9),
            st.integers(0, 5),
            st.integers(1, 6),
        ),
        max_size=12,
    )
)
def test_device_time_out_for_two_reasons_is_counted_once(lines: list[Row]) -> None:
    weather = by_hand(scenario([pool(6, 2)]), sorted(lines, key=lambda row: int(row["from_s"])), 30)
    out = np.zeros((2, 6, 30), bool)
    for row in lines:
        out[row["pod"], row["first"] : row["first"] + row["devices"], row["from_s"] : row["to_s"]] = True
    assert availability(weather, "own") == pytest.approx(1 - out.mean())


# files


def valid_lines() -> list[Row]:
    return [
        line("own", "device", 5, 9, 2, pod=1),
        line("cloud", "reclaim", 6, 30, 8, 8, notice_s=120),
        line("cloud", "slow_boot", 10, 20, devices=0, value=2.0),
        line("cloud", "slow_boot", 20, 30, devices=0, value=3.0),
    ]


def small() -> Scenario:
    return scenario([pool(4, 2)], [offer("cloud", 20, key="nodes")])


def written(folder: Path, lines: Sequence[Row]) -> Path:
    path = folder / "weather.parquet"
    by_hand(small(), lines, 100).write(path)
    return path


BROKEN_ROWS: list[tuple[int, Row, str]] = [
    (0, {"from_s": -1}, "row 0: from_s is -1; allowed is 0 or more"),
    (0, {"to_s": 5}, "row 0: to_s is 5; allowed is after from_s"),
    (1, {"to_s": 3}, "row 1: to_s is 3"),
    (1, {"to_s": 101}, "row 1: to_s is 101; allowed is up to 100"),
    (1, {"from_s": 2}, "row 1: from_s is 2; allowed is what the row before has, or more"),
    (2, {"from_s": 5}, "row 2: from_s is 5"),
    (0, {"where": "elsewhere"}, 'row 0: where is "elsewhere"; allowed is own, cloud'),
    (0, {"what": "flood"}, 'row 0: what is "flood"; allowed is device, '),
    (0, {"pod": None}, "row 0: pod is null"),
    (0, {"pod": -1}, "row 0: pod is -1"),
    (1, {"pod": 0}, "row 1: pod is 0; allowed is null"),
    (0, {"first": -1}, "row 0: first is -1"),
    (2, {"first": 8}, "row 2: first is 8"),
    (1, {"devices": 0}, "row 1: devices is 0; allowed is 1 or more"),
    (1, {"devices": 1_000_000}, "row 1: devices is 1,000,000; allowed is what 16 have"),
    (2, {"devices": 8}, "row 2: devices is 8; allowed is 0"),
    (1, {"notice_s": -1}, "row 1: notice_s is -1"),
    (1, {"expected_s": 5}, "row 1: expected_s is 5"),
    (1, {"expected_s": 2**60}, "row 1: expected_s is"),
    (2, {"value": None}, "row 2: value is null; allowed is 1 to 1e+12"),
    (2, {"value": 0.5}, "row 2: value is 0.5"),
    (2, {"value": float("nan")}, "row 2: value is nan"),
    (2, {"value": float("inf")}, "row 2: value is inf"),
    (1, {"value": 1.0}, "row 1: value is 1.0; allowed is null"),
    (2, {"to_s": 21}, "row 3: from_s is 20; allowed is the end of the slow_boot before it"),
]


@pytest.mark.parametrize(("at", "change", "said"), BROKEN_ROWS, ids=lambda part: str(part)[:40])
def test_a_broken_row_is_named(at: int, change: Row, said: str, tmp_path: Path) -> None:
    lines = valid_lines()
    lines[at] |= change
    with pytest.raises(WeatherError) as error:
        Weather.read(written(tmp_path, lines))
    assert str(error.value).startswith(f"{tmp_path / 'weather.parquet'}: {said}")
    assert "\n" not in str(error.value)


def test_the_valid_rows_are_valid(tmp_path: Path) -> None:
    weather = Weather.read(written(tmp_path, valid_lines()))
    weather.check(stock_for(small()))
    assert weather.table.to_pylist() == [{name: row[name] for name in WEATHER.names} for row in valid_lines()]


@pytest.mark.parametrize(
    ("at", "change", "said"),
    [
        (0, {"where": "cloud"}, "row 0: what is"),
        (1, {"where": "own"}, "row 1: what is"),
        (0, {"pod": 2}, "row 0: pod is 2; allowed is 0 to 1"),
        (0, {"first": 4}, "row 0: devices is 1; allowed is what a pod of 4 has"),
        (0, {"devices": 3}, "row 0: devices is 3"),
        (1, {"first": 16}, "row 1: devices is 8; allowed is what a quota of 20 has"),
        (1, {"first": 4}, "row 1: devices is 8; allowed is multiples of 8"),
        (1, {"devices": 4}, "row 1: devices is 4; allowed is multiples of 8"),
    ],
)
def test_a_row_for_more_than_the_run_has_is_named(at: int, change: Row, said: str) -> None:
    lines = valid_lines()
    lines[at] |= change
    with pytest.raises(WeatherError, match=f"^{said}"):
        by_hand(small(), lines, 100).check(stock_for(small()))


def test_a_file_for_another_run_is_refused(tmp_path: Path) -> None:
    of = scenario([pool(4, 2)], [offer("rented", 20)], weather=str(written(tmp_path, valid_lines())))
    with pytest.raises(
        WeatherError, match=r'weather\.parquet: row 1: where is "cloud"; allowed is own, rented'
    ):
        weather_of(of, stock_for(of), build.trace(job(0, 1, 1)))


def test_other_files_are_not_weather(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    with pytest.raises(WeatherError, match="no such file"):
        Weather.read(path)
    path.write_text("no Parquet")
    with pytest.raises(WeatherError, match="not a readable Parquet file"):
        Weather.read(path)
    build.trace(job(0, 1, 1)).write(path)
    with pytest.raises(WeatherError, match="not a weather file"):
        Weather.read(path)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("{", "metadata exaburst.weather: must be a JSON object"),
        ("[]", "metadata exaburst.weather: must be a JSON object"),
        ({"version": "2"}, "metadata exaburst.weather: version"),
        ({"until_s": 0}, "metadata exaburst.weather: until_s = 0"),
        ({"until_s": 10**18}, "metadata exaburst.weather: until_s"),
        ({"devices": {"own": -1}}, "metadata exaburst.weather: devices"),
        ({"colour": 1}, "metadata exaburst.weather: unknown key colour"),
    ],
    ids=str,
)
def test_a_broken_head_is_named(head: str | Row, said: str, tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path, valid_lines()))
    true = json.loads(table.schema.metadata[b"exaburst.weather"])
    text = head if isinstance(head, str) else json.dumps(true | head)
    pq.write_table(table.replace_schema_metadata({"exaburst.weather": text}), tmp_path / "changed.parquet")
    with pytest.raises(WeatherError) as error:
        Weather.read(tmp_path / "changed.parquet")
    assert str(error.value).startswith(f"{tmp_path / 'changed.parquet'}: {said}")


def test_columns_are_those_of_the_table(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path, valid_lines()))
    wrong = {
        'column "notice_s": must be there once': table.drop_columns("notice_s"),
        'column "colour": unknown': table.append_column("colour", table.column("first")),
        'column "from_s": must be int64': table.set_column(0, "from_s", pa.array(["a"] * 4)),
        "row 2: what is null": table.set_column(6, "what", pa.array(["device", "reclaim", None, None])),
    }
    for said, changed in wrong.items():
        pq.write_table(changed, tmp_path / "changed.parquet")
        with pytest.raises(WeatherError, match=said):
            Weather.read(tmp_path / "changed.parquet")


def test_the_page_has_the_columns_of_the_file() -> None:
    assert described("weather.md", "## The file") == [column(field) for field in WEATHER]


def test_plain_words_and_wide_numbers_will_do(tmp_path: Path) -> None:
    """As other programs write them."""
    table = pq.read_table(written(tmp_path, valid_lines()))
    for name in table.column_names:
        plain = pa.string() if name in ("where", "what") else pa.float64() if name == "value" else pa.int64()
        table = table.set_column(table.column_names.index(name), name, table.column(name).cast(plain))
    pq.write_table(table, tmp_path / "plain.parquet")
    read = Weather.read(tmp_path / "plain.parquet")
    assert read.table.schema.equals(WEATHER)
    assert read.table.to_pylist() == Weather.read(tmp_path / "weather.parquet").table.to_pylist()


# bad input, and resources


@pytest.mark.parametrize("pods", [[2], [0, 7]])
def test_maintenance_of_a_pod_that_is_not_there_is_named(pods: list[int]) -> None:
    of = scenario([pool(4, 2, maintenance=[{"from_h": 1, "to_h": 2, "pods": pods}])])
    with pytest.raises(WeatherError, match=f"own: maintenance.pods has {pods[-1]}: must be from 0 to 1"):
        drawn(of, DAY_S)


@pytest.mark.parametrize(
    "of",
    [
        scenario([pool(1_000, failures=[{"mtbf_h": 1e-6, "repair_h": 1e-6}])]),
        scenario([pool(1, maintenance=[{"from_h": 0, "to_h": 1e-6, "every_h": 1e-6}])]),
        scenario(offers=[offer("cloud", refusals={"probability": 0.1, "slot_s": 1})]),
        scenario(offers=[offer("cloud", boots={"slow_probability": 0.1, "slot_s": 1})]),
        scenario(offers=[offer("cloud", drift={"volatility": 0.1, "step_h": 1e-6})]),
    ],
    ids=["failures", "maintenance", "refusals", "boots", "drift"],
)
def test_too_much_weather_is_refused_before_it_is_drawn(of: Scenario) -> None:
    with pytest.raises(WeatherError, match="more than 10,000,000 intervals"):
        drawn(of, 20_000_000)


@pytest.mark.parametrize(
    ("of", "until_s"),
    [
        (scenario([pool(10, failures=[{"mtbf_h": 0.5, "repair_h": 0.5}])], seed=3), 18_330),
        (scenario([pool(1, 2, maintenance=[{"from_h": 0, "to_h": 0.5, "every_h": 1}])]), 90_000),
        (scenario(offers=[offer("cloud", refusals={"probability": 0.1, "slot_s": 60})]), 3_000),
        (scenario(offers=[offer("cloud", boots={"slow_probability": 0.1, "slot_s": 60})]), 3_000),
        (scenario(offers=[offer("cloud", drift={"volatility": 0.1, "step_h": 1 / 60})]), 3_000),
    ],
    ids=["failures", "maintenance", "refusals", "boots", "drift"],
)
def test_weather_is_drawn_up_to_the_limit_and_no_further(
    monkeypatch: pytest.MonkeyPatch, of: Scenario, until_s: int
) -> None:
    """Of 50 rows. Failures are expected to be 50.9, which may be fewer; 51.5 are refused for sure."""
    monkeypatch.setattr(intervals, "MOST_ROWS", 50)
    assert len(drawn(of, until_s).table) > 0
    with pytest.raises(WeatherError, match="more than 50 intervals"):
        drawn(of, until_s + (217 if of.pools and of.pools[0].failures else 1))


def test_what_there_is_none_of_is_always_in_service() -> None:
    weather = drawn(scenario([pool(4)]), DAY_S)
    assert availability(replace(weather, devices={"own": 0}), "own") == 1


@pytest.mark.parametrize("repair_h", [1.0, 1e9])
def test_so_many_pods_that_failures_take_long_are_refused_before_any_is_drawn(
    monkeypatch: pytest.MonkeyPatch, repair_h: float
) -> None:
    monkeypatch.delattr("scheduler.weather.pool_weather.streams")
    of = scenario([pool(1, 20_001, failures=[{"mtbf_h": 1e9, "repair_h": repair_h}])])
    with pytest.raises(WeatherError, match="own: pods = 20,001: must be at most 20,000, as they may fail"):
        drawn(of, DAY_S)
    of = scenario([pool(1_000, 20_000, failures=[{"mtbf_h": 24, "repair_h": 1e-6}])])
    with pytest.raises(WeatherError, match="own: device: the weather has more than 10,000,000 intervals"):
        drawn(of, DAY_S)


def test_a_weather_of_ages_is_refused() -> None:
    with pytest.raises(WeatherError, match="must be at most"):
        drawn(storm(), 10**12)


def test_spot_is_rented_at_the_spot_price() -> None:
    of = scenario(offers=[offer("spot", key="cheap", spot=True), offer("full", key="cheap")])
    spot, full = stock_for(of).offers
    assert (spot.spot, spot.prices) == (True, ((0, 1.2),))
    assert (full.spot, full.prices) == (False, ((0, 3.6),))
    own = stock_for(scenario(offers=[offer("spot", spot=True, usd_per_device_h=0.5)])).offers[0]
    assert (own.spot, own.prices) == (True, ((0, 0.5),))
    with pytest.raises(CatalogError, match='spot: the offer "plain" has no spot price'):
        stock_for(scenario(offers=[offer("spot", spot=True)]))


def test_what_is_assumed_names_the_price_that_is_paid() -> None:
    of = scenario(offers=[offer("spot", key="cheap", spot=True), offer("full", key="cheap")])
    figures = {"usd_per_device_h": Figure(3.6), "spot_usd_per_device_h": Figure(1.2)}
    cheap = msgspec.structs.replace(CATALOG.offer("cheap"), figures=figures)
    catalog = msgspec.structs.replace(CATALOG, offers={**CATALOG.offers, "cheap": cheap})
    said = unsure_figures(of, stock_for(of, catalog), catalog)["assumed"]
    assert said == {"spot": "quota 100, spot_usd_per_device_h 1.2", "full": "quota 100, usd_per_device_h 3.6"}


def test_low_certainty_is_named_with_its_source_unless_the_scenario_states_the_figure() -> None:
    catalog = load_catalog()
    pools = [
        {"name": "dojo", "pods": 1, "pod": "exapod-article-34"},
        {"name": "own", "pods": 1, "pod": "exapod-public", "capital_usd": 3e7},
    ]
    of = scenario(pools, [offer("cloud", key="gcp-h200-us-east4")])
    unsure = unsure_figures(of, stock_for(of, catalog), catalog)
    low = unsure["low"]
    assert "capital_usd 30,000,000 (stated in the scenario)" in unsure["assumed"]["own"]
    assert "capital_usd" not in unsure["assumed"]["dojo"]
    assert low == {
        "dojo": "busy_kw 250 (article-34), capital_usd 400,000,000 (article-34)",
        "cloud": "usd_per_device_h 10.4942 (skypilot-host), boot_s 600 (rented-start)",
    }


def test_fair_weather_has_no_surges() -> None:
    surge = {"from_h": 1, "to_h": 2, "factor": 3}
    for fair, steps in ((False, 3), (True, 1)):
        of = scenario(offers=[offer("cloud", surges=[surge])], fair_weather=fair)
        assert len(stock_for(of).offers[0].prices) == steps


def test_assumed_defaults_are_named_where_they_count() -> None:
    of = storm()
    said = assumed_weather(of, stock_for(of))
    assert said["cloud"] == "refusals.slot_s 900, boots.slot_s 900, drift.reversion_h 24, drift.spike_h 6"
    given = scenario(
        offers=[offer("cloud", refusals={"probability": 0.1, "slot_s": 60}, drift={"volatility": 0.1})]
    )
    assert assumed_weather(given, stock_for(given)) == {"cloud": "drift.reversion_h 24"}


# the command

TOML = """
name = "windy"
horizon_h = 240
[[pools]]
name = "own"
device = "h100"
devices = 8
pods = 4
failures = [{mtbf_h = 100, repair_h = 10}]
[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 64
refusals = {probability = 0.25}
drift = {volatility = 0.2, spikes_per_day = 1}
[demand]
days = 1
devices = 8
"""


def type_in(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["weather", *map(str, words)], prog_name="exaburst")


@pytest.fixture
def windy(tmp_path: Path) -> Path:
    path = tmp_path / "windy.toml"
    path.write_text(TOML)
    return path


def test_the_command_says_what_the_weather_comes_to(windy: Path, tmp_path: Path) -> None:
    out = tmp_path / "weather.parquet"
    done = type_in(windy, "-o", out)
    assert done.exit_code == 0, done.output
    weather = Weather.read(out)
    assert done.stdout.splitlines()[0] == "windy: weather of 10.0 days, seed 1; afterwards it is fair"
    for one in happenings(weather):
        (found,) = [
            line.split()
            for line in done.stdout.splitlines()
            if line.startswith(one.where) and f" {one.what} " in line
        ]
        assert found[2] == str(one.times)
        assert float(found[3]) == pytest.approx(one.length_s / one.times / HOUR_S, abs=0.005)
    assert f"{availability(weather, 'own'):.2%}" in done.stdout
    assert "assumed: cloud: refusals.slot_s 900, drift.reversion_h 24, drift.spike_h 6" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{out}: {len(weather.table):,} rows"
    again = type_in(out)
    assert again.stdout.splitlines()[:8] == done.stdout.splitlines()[:8]
    replayed = type_in(windy, "--set", f"weather={out}")
    assert replayed.stdout.splitlines()[:8] == done.stdout.splitlines()[:8]


def test_the_command_draws_for_the_trace_that_is_given(windy: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.parquet"
    build.trace(job(0, 10, 1), job(10 * DAY_S, 10, 1), reference_device="h100").write(trace)
    text = TOML.replace("horizon_h = 240\n", "")
    windy.write_text(text)
    done = type_in(windy, "--trace", trace, "--set", "seed=7")
    assert done.stdout.startswith("windy: weather of 48.0 days, seed 7;")


def test_fair_weather_is_one_line_and_no_file(windy: Path, tmp_path: Path) -> None:
    done = type_in(windy, "--set", "fair_weather=true", "-o", tmp_path / "none.parquet")
    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.startswith("windy: fair weather")
    assert not (tmp_path / "none.parquet").exists()


def test_the_command_complains_in_one_line(windy: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("no Parquet")
    for words, said in (
        ([tmp_path / "bad.parquet"], "bad.parquet: not a readable Parquet file"),
        ([windy, "--set", "weather=none.parquet"], "none.parquet: no such file"),
        ([windy, "--set", "offers.cloud.reclaim={recording='none.json'}"], "none.json: no such file"),
        (
            [windy, "--set", "pools.own.maintenance=[{from_h=1,to_h=2,pods=[4]}]"],
            "own: maintenance.pods has 4",
        ),
    ):
        done = type_in(*words)
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.output
        assert said in done.stderr
    refused = type_in(tmp_path / "bad.parquet", "--set", "seed=2")
    assert refused.exit_code == 2
    assert "only read" in refused.stderr


def test_a_spec_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ScenarioError, match="by_hour"):
        parse_scenario(
            {
                "name": "t",
                "offers": [offer("spot", reclaim={"up_h": 1, "up_sigma": 1, "by_hour": [1.0] * 24})],
            }
        )
