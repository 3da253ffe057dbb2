"""The market: what is spare is sold, own jobs come first, and customers are the same whoever serves them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from math import factorial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.replay import Setup, replay
from scheduler.run.directory import Run
from scheduler.run.quarters import calendar_quarters
from scheduler.run.spend import adds_up
from scheduler.scenario import MarketSpec, Scenario, ScenarioError, parse_scenario
from scheduler.study.compare.statistics import Interval
from scheduler.study.price.search import PriceAnswer, QuarterOutcome
from tests.build import job, pool, rows, scenario, trace
from tests.examples import examples
from tests.storms import Tale, tales, weather
from tests.test_live import NOBODY
from tests.worlds import CATALOG, MEMORY, scenarios, traces
from traces.confidence import halfwidth
from traces.trace import Trace

LAWS = settings(max_examples=examples(100), deadline=None)
Row = dict[str, Any]


def segment(name: str = "spot", **more: Any) -> Row:
    """Customers of one device at any price, at once or not at all, an hour each in the mean."""
    return {"name": name, "per_day": 24, "run_h": 1, "willingness_usd_per_device_h": 9} | more


def market(*segments: Row, usd: float = 2.0, **more: Any) -> Row:
    return {"price": {"usd_per_device_h": usd}, "segments": list(segments), **more}


def selling(devices: int, spec: Row, pods: int = 1, **more: Any) -> Scenario:
    keys: Row = {"policy": {"patience": "never", "backfill": "none"}, "horizon_h": 24} | more
    return scenario([pool(devices, pods)], market=spec, **keys)


def run(of: Scenario, over: Trace, folder: Path) -> Run:
    return replay(Setup.of(of, over, CATALOG), folder)


def sales(of: Run) -> list[Row]:
    found: list[Row] = of.table("sales").to_pylist()
    return found


def guest(submit_s: int, runtime_s: int, gang: int, kind: str = "market.spot", **more: Any) -> Row:
    return job(submit_s, runtime_s, gang, workload="market", kind=kind, owner="spot", **more)


def replayed(of: Scenario, folder: Path, *jobs: Row) -> Run:
    """A run over a trace that came of one with a market, whose customers are in it."""
    return run(of, trace(*jobs).from_source({"live": {"start_s": 0}}), folder)


# guests


def test_a_guest_gives_way_at_once_and_starts_anew(tmp_path: Path) -> None:
    """A pod of 2: the guest uses both from 0; job 1 takes one at 50, so it runs again from 80 to 180."""
    run = replayed(selling(2, market(segment())), tmp_path, guest(0, 100, 2), job(50, 30, 1))
    assert rows(run, "attempts", "job_id", "alloc_s", "end_s", "outcome", "kept_s", "lost_device_s") == [
        *((0, 0, 50, "preempted", 0, 100), (0, 80, 180, "finished", 100, 0)),
        (1, 50, 80, "finished", 30, 0),
    ]
    assert rows(run, "jobs", "job_id", "start_s", "end_s", "attempts") == [(0, 0, 180, 2), (1, 50, 80, 1)]


def test_with_checkpoints_it_goes_on_from_the_last(tmp_path: Path) -> None:
    """Checkpoints each 36 s: at 50 it keeps 36 s of 100, and has 64 left from 80 on."""
    of = selling(2, market(segment(checkpoint_h=0.01)))
    run = replayed(of, tmp_path, guest(0, 100, 2), job(50, 30, 1))
    assert rows(run, "attempts", "job_id", "alloc_s", "end_s", "kept_s", "lost_device_s")[:2] == [
        *((0, 0, 50, 36, 28), (0, 80, 144, 64, 0)),
    ]


def test_the_last_to_start_is_the_first_to_go(tmp_path: Path) -> None:
    """Three guests of a pod of 3; job 3 takes two devices."""
    jobs = (guest(0, 100, 1), guest(1, 100, 1), guest(2, 100, 1), job(50, 10, 2))
    run = replayed(selling(3, market(segment())), tmp_path, *jobs)
    assert rows(run, "attempts", "job_id", "end_s", "outcome")[:5] == [
        *((0, 100, "finished"), (1, 50, "preempted"), (1, 160, "finished")),
        *((2, 50, "preempted"), (2, 160, "finished")),
    ]


def test_a_firm_guest_stays_and_starts_only_where_nobody_waits(tmp_path: Path) -> None:
    """A pod of 2: job 1 waits for the firm guest until 100; the second, of 1 device, waits for job 1."""
    of = selling(2, market(segment("firm", preemptible=False)))
    jobs = (guest(0, 100, 1, "market.firm"), job(10, 50, 2), guest(20, 5, 1, "market.firm"))
    run = replayed(of, tmp_path, *jobs)
    assert rows(run, "jobs", "job_id", "start_s") == [(0, 0), (1, 100), (2, 150)]


def test_a_lease_is_called_back_where_an_own_job_waits(tmp_path: Path) -> None:
    """A pod of 4, leased in two parts from 0 to 20:00 with 2 hours of notice; a job of 2 comes at 3:00.

    The part that started last ends at 5:00, and the job has its devices from 5:00 to 7:00; the other part
    stays. The customer of one device, who comes meanwhile, has to wait for the head.
    """
    lease = {"name": "bulk", "devices": 4, "each": 2, "from_h": 0, "to_h": 20, "usd_per_device_h": 3}
    hour, noted = 3_600, market(leases=[lease | {"notice_h": 2}])
    jobs = trace(job(3 * hour, 2 * hour, 2))
    of = selling(4, noted, policy={"patience": "never", "backfill": "easy"})
    made = run(of, jobs, tmp_path / "a")
    assert rows(made, "attempts", "job_id", "alloc_s", "end_s", "outcome", "kept_s") == [
        (0, 5 * hour, 7 * hour, "finished", 2 * hour),
        (1, 0, 20 * hour, "finished", 20 * hour),
        (2, 0, 5 * hour, "preempted", 5 * hour),
    ]
    assert rows(made, "jobs", "job_id", "state", "reason")[2] == (2, "unfinished", "called back")
    assert [row["revenue_usd"] for row in sales(made)] == [2 * 20 * 3, 2 * 5 * 3]
    again = run(of, Trace.read(made.folder / "trace.parquet"), tmp_path / "again")
    for log in ("attempts", "states", "jobs"):
        assert again.table(log).equals(made.table(log)), log


def test_notice_is_given_once_and_to_no_more_than_the_head_needs(tmp_path: Path) -> None:
    """Three parts of a device: the head needs two; who has an hour left anyhow ends at its own end."""
    leases = [
        {"name": name, "devices": 1, "each": 1, "from_h": 0, "to_h": to_h, "usd_per_device_h": 3}
        | {"notice_h": 2}
        for name, to_h in (("a", 20), ("b", 4), ("c", 20))
    ]
    hour = 3_600
    made = run(selling(3, market(leases=leases)), trace(job(3 * hour, hour, 2)), tmp_path)
    assert rows(made, "attempts", "job_id", "alloc_s", "end_s", "outcome") == [
        (0, 5 * hour, 6 * hour, "finished"),
        (1, 0, 20 * hour, "finished"),
        (2, 0, 4 * hour, "finished"),
        (3, 0, 5 * hour, "preempted"),
    ]


def test_the_reserve_stays_free_as_a_guest_starts(tmp_path: Path) -> None:
    """Of 4 devices, 2 are kept free of guests: the one of 3 never starts, that of 2 does."""
    jobs = (guest(0, 10, 3), guest(0, 10, 2))
    run = replayed(selling(4, market(segment(), reserve_devices=2)), tmp_path, *jobs)
    assert rows(run, "jobs", "start_s", "reason") == [(None, "still waiting"), (0, None)]


# own jobs come first


@LAWS
@given(scenarios(horizon_h=400 / 3_600), traces(), st.sampled_from([0.0, 9.0]))
def test_own_jobs_run_as_if_nothing_were_sold(of: Scenario, over: Trace, willingness: float) -> None:
    own_jobs_are_the_same(of, over, willingness)


@LAWS
@given(tales(horizon_h=400 / 3_600), st.sampled_from([0.0, 9.0]))
def test_in_storms_too(tale: Tale, willingness: float) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        file = f"{folder}/weather.parquet"
        weather(tale.scenario, tale.outages).write(file)
        own_jobs_are_the_same(replace(tale.scenario, weather=file), tale.trace, willingness)


def test_a_head_asks_as_soon_as_somebody_is_safe_no_more(tmp_path: Path) -> None:
    """Job 1 is safe until 100, the very second at which a guest ends: job 2 takes its devices then."""
    of = selling(
        3,
        market(segment()),
        policy={"order": "priority", "preempt": "by_priority", "patience": "never", "backfill": "none"},
        preemption={"min_run_s": 100},
    )
    jobs = (job(0, 500, 2), job(10, 50, 2, priority=1))
    starts = [(1, 0), (2, 100), (1, 150)]
    beside = replayed(of, tmp_path / "beside", guest(0, 100, 1), *jobs)
    assert rows(beside, "attempts", "job_id", "alloc_s")[1:] == sorted(starts)
    alone = run(replace(of, market=None), trace(*jobs), tmp_path / "alone")
    assert rows(alone, "attempts", "job_id", "alloc_s") == sorted((at - 1, second) for at, second in starts)


def own_jobs_are_the_same(of: Scenario, over: Trace, willingness: float) -> None:
    """Where nobody pays anything, not a bit of any log is another; else nothing of our own jobs is.

    And the trace that comes of it gives the same run again.
    """
    assume(of.pools)
    crowd = segment(per_day=24 * 900, run_h=0.02, devices=(1, 2), start_within_h=0.01)
    crowd["willingness_usd_per_device_h"] = willingness
    spec = _spec(market(crowd))
    with TemporaryDirectory(dir=MEMORY) as folder:
        alone = run(of, over, Path(folder) / "alone")
        sells = run(replace(of, market=spec), over, Path(folder) / "sells")
        if willingness == 0:
            assert all(sells.table(log).equals(alone.table(log)) for log in ("states", "spend"))
        for log in ("jobs", "attempts"):
            mine, own = sells.table(log), pa.array(over.numpy("job_id"))
            mine = mine.filter(pc.is_in(mine.column("job_id"), own))
            assert _plain(mine) == _plain(alone.table(log)), log
        came = Trace.read(sells.folder / "trace.parquet")
        again = run(replace(of, market=spec), came, Path(folder) / "again")
        for log in ("attempts", "states", "jobs"):
            assert again.table(log).equals(sells.table(log)), log


def _plain(table: pa.Table) -> list[Row]:
    keys = [(name, "ascending") for name in ("job_id", "attempt") if name in table.column_names]
    found: list[Row] = table.sort_by(keys).to_pylist()
    return found


def _spec(spec: Row) -> MarketSpec:
    found = scenario([pool(1)], horizon_h=1, market=spec).market
    assert found is not None
    return found


def test_no_headroom_no_revenue(tmp_path: Path) -> None:
    """One job fills the pod; on the other hand all of it is kept free."""
    full = run(selling(2, market(segment())), trace(job(0, 86_400, 2)), tmp_path / "a")
    kept = run(selling(2, market(segment(), reserve_devices=2)), NOBODY, tmp_path / "b")
    for each in (full, kept):
        assert {row["answer"] for row in sales(each)} == {"too late"}
        assert sum(row["revenue_usd"] for row in sales(each)) == 0


def test_two_policies_meet_the_same_customers(tmp_path: Path) -> None:
    spec = market(segment(devices=[1, 3], start_within_h=2), segment("other", willingness_sigma=1.0))
    jobs = trace(*(job(3_000 * at, 9_000, 1 + at % 3) for at in range(25)))
    asked = [
        [
            (row["asked_s"], row["segment"], row["devices"], row["run_s"])
            for row in sales(run(of, jobs, folder))
        ]
        for of, folder in (
            (selling(4, spec), tmp_path / "a"),
            (selling(6, spec, policy={"order": "sjf"}), tmp_path / "b"),
        )
    ]
    assert asked[0] == asked[1]


def test_own_jobs_that_waited_stand_beside_the_firm_customer(tmp_path: Path) -> None:
    """A lease has the pod of 2 from 2:00 to 6:00. The second job waits for it, the third for the second."""
    lease = {"name": "bulk", "devices": 2, "each": 2, "from_h": 2, "to_h": 6, "usd_per_device_h": 3}
    of = selling(2, market(leases=[lease]))
    hour = 3_600
    jobs = (job(0, hour, 2), job(3 * hour, 2 * hour, 2), job(7 * hour, hour, 2))
    made = run(of, trace(*jobs), tmp_path)
    starts = dict(rows(made, "jobs", "job_id", "start_s"))
    assert [starts[at] // hour for at in range(3)] == [0, 6, 8]
    assert [row["displaced_jobs"] for row in sales(made)] == [1]
    spot = sales(run(selling(2, market(segment(per_day=400))), trace(*jobs), tmp_path / "spot"))
    assert any(row["stops"] for row in spot)
    assert {row["displaced_jobs"] for row in spot} == {0}


# money


def test_revenue_is_what_was_served_at_its_price(tmp_path: Path) -> None:
    """Each row of the sales adds up to the ledger's; what was cut off at the horizon is paid, too."""
    made = run(selling(3, market(segment(devices=[1, 2], per_day=200))), NOBODY, tmp_path)
    found = sales(made)
    assert all(row["revenue_usd"] == pytest.approx(2.0 * row["served_device_h"]) for row in found)
    spent = made.table("spend").to_pylist()
    revenue = sum(row["usd"] for row in spent if row["line"] == "revenue")
    assert -revenue == pytest.approx(sum(row["revenue_usd"] for row in found))
    assert revenue < 0


def test_a_promise_that_is_broken_pays_a_credit(tmp_path: Path) -> None:
    """A lease of both devices from 10:00 on; a job, which is not asked, holds one of them until 12:00."""
    lease = {"name": "bulk", "devices": 2, "each": 2, "from_h": 10, "to_h": 20, "usd_per_device_h": 3}
    of = selling(2, market(leases=[lease], credit_share=0.1))
    made = run(of, trace(job(9 * 3_600, 3 * 3_600, 1)), tmp_path)
    assert adds_up(made)
    row = sales(made)[0]
    assert (row["promised_s"], row["start_s"]) == (36_000, 43_200)
    assert (row["revenue_usd"], row["credit_usd"]) == (2 * 10 * 3, pytest.approx(0.1 * 2 * 10 * 3))


def test_pools_of_a_site_with_a_cap_sell_nothing(tmp_path: Path) -> None:
    """Of two pools of a device each one is behind a capped meter: of two guests at once one waits."""
    of = scenario(
        [pool(1, name="free"), pool(1, name="capped")],
        market=market(segment()),
        sites=[{"name": "hall", "pools": ["capped"], "cap_kw": 1_000.0}],
        policy={"patience": "never"},
        horizon_h=1,
    )
    found = replayed(of, tmp_path, guest(0, 100, 1), guest(0, 100, 1))
    assert rows(found, "attempts", "alloc_s", "where") == [(0, "free"), (100, "free")]
    with pytest.raises(ScenarioError, match="all pools are on sites with a cap, which sell nothing"):
        parse_scenario(
            {**to_builtins(of), "sites": [{"name": "s", "pools": ["free", "capped"], "cap_kw": 9}]}
        )


@pytest.mark.parametrize(
    ("price", "usd"),
    [
        ({"usd_per_device_h": 2}, [2, 2]),
        ({"usd_per_device_h": [1.0] * 12 + [4.0] * 12}, [1, 4]),
        ({"usd_per_device_h": 2, "rise": 1.0}, [2 * 1.5, 2 * 1.5]),
        ({"index": "cloud", "share": 0.5}, [1.8, 1.8]),
    ],
)
def test_what_a_customer_is_asked(tmp_path: Path, price: Row, usd: list[float]) -> None:
    """A job holds half of the pod; before noon and after. The offer costs 3.60 USD."""
    of = scenario(
        [pool(2)],
        [{"name": "cloud", "offer": "plain", "quota": 1}],
        market={"price": price, "segments": [segment(per_day=2_000, willingness_usd_per_device_h=0)]},
        horizon_h=24,
    )
    found = sales(run(of, trace(job(0, 86_400, 1)), tmp_path))
    early = [row["usd_per_device_h"] for row in found if row["asked_s"] < 43_200]
    late = [row["usd_per_device_h"] for row in found if row["asked_s"] >= 43_200]
    assert [early[-1], late[0]] == pytest.approx(usd)


def test_the_window(tmp_path: Path) -> None:
    found = sales(run(selling(2, market(segment(), window={"from_h": 8, "to_h": 9})), NOBODY, tmp_path))
    bought = [row["asked_s"] / 3_600 for row in found if row["answer"] == "bought"]
    assert bought
    assert all(8 <= hour < 9 for hour in bought)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"price": {}}, "give either `usd_per_device_h` or `index`"),
        (market(segment()) | {"price": {"index": "moon"}}, 'index "moon" is no offer'),
        (market(segment(), segment()), 'the name "spot" stands for two'),
        (market(segment(devices=[1, 2], weights=[1.0])), "weights: must be as many as devices, 2"),
        (market(segmants=[]), "segmants"),
    ],
)
def test_what_is_wrong_is_said(spec: Row, error: str) -> None:
    with pytest.raises(ScenarioError, match=error):
        selling(2, spec)


def test_a_market_needs_a_horizon() -> None:
    with pytest.raises(ScenarioError, match="market: needs horizon_h"):
        scenario([pool(1)], market=market(segment()))


# theory


def erlang_b(devices: int, offered: float) -> float:
    """The share of customers that find all devices taken (Erlang 1917)."""
    terms = [offered**n / factorial(n) for n in range(devices + 1)]
    return terms[-1] / sum(terms)


def test_who_comes_at_once_or_not_at_all_is_lost_as_erlang_says() -> None:
    """Five devices, 4 Erlang, exponential run times: blocked in the mean of 12 seeds of 40 days each."""
    spec, blocked = market(segment(per_day=96)), []
    for seed in range(12):
        with TemporaryDirectory(dir=MEMORY) as folder:
            of = selling(5, spec, horizon_h=960, seed=seed)
            found = sales(run(of, NOBODY, Path(folder)))[200:]  # once the empty start is forgotten
        blocked.append(np.mean([row["answer"] == "too late" for row in found]))
    half = float(halfwidth(np.array(blocked), 0.99))
    assert np.mean(blocked) == pytest.approx(erlang_b(5, 4.0), abs=half)
    assert half < 0.02


@pytest.mark.slow
def test_the_best_reserve_is_that_of_dynamic_programming() -> None:
    """Eight devices; class 1 pays 5 and class 2 pays 1 USD an hour (trunk reservation: Miller 1969)."""
    gains = {reserve: [_gain(reserve, seed) for seed in range(6)] for reserve in range(6)}
    best = max(gains, key=lambda reserve: float(np.mean(gains[reserve])))
    assert best == _dynamic_programme(8, (5.0, 5.0), (5.0, 1.0))


def _gain(reserve: int, seed: int) -> float:
    dear = segment("dear", per_day=120, price={"usd_per_device_h": 5})
    cheap = segment("cheap", per_day=120, price={"usd_per_device_h": 1}, reserve_devices=reserve)
    of = selling(8, market(dear, cheap), horizon_h=480, seed=seed)
    with TemporaryDirectory(dir=MEMORY) as folder:
        return float(sum(row["revenue_usd"] for row in sales(run(of, NOBODY, Path(folder)))))


def _dynamic_programme(devices: int, per_h: tuple[float, float], pays: tuple[float, float]) -> int:
    """Return for how few free devices class 2 is refused: relative value iteration, services of rate 1."""
    value, rate = np.zeros(devices + 1), sum(per_h) + devices
    busy = np.arange(devices + 1)
    for _ in range(5_000):
        down = value[np.maximum(busy - 1, 0)]
        up = [np.where(busy < devices, np.append(value[1:], -np.inf) + usd, -np.inf) for usd in pays]
        admitted = sum(often * np.maximum(value, more) for often, more in zip(per_h, up, strict=True))
        value = (admitted + busy * down + (devices - busy) * value) / rate
        value -= value[0]
    refused = [n for n in range(devices) if value[n + 1] + pays[1] < value[n]]
    return devices - min(refused, default=devices)


def test_the_best_price_is_found_on_common_seeds(tmp_path: Path) -> None:
    """Nobody pays more than 3 USD: 2 earns twice what 1 does, and 4 earns nothing.

    Customers cost energy: 3.24 kW more a device that is busy, at 0.0861 USD a kWh and a PUE of 1.2.
    """
    file = tmp_path / "market.toml"
    file.write_text(
        """
name = "small"
horizon_h = 240
demand = { days = 10, devices = 8, load = 0.2 }
policy = { patience = "never" }
pools = [{ name = "own", pods = 1, device = "h100", devices = 64, capital_usd = 0 }]
[market]
price = { usd_per_device_h = 2 }
[[market.segments]]
name = "spot"
per_day = 40
run_h = 2
devices = [1, 4]
willingness_usd_per_device_h = 3
"""
    )
    tried = [word for factor in ("0.5", "1", "2") for word in ("--factor", factor)]
    rest = ["--seeds", "2", "--workers", "1", "--json"]
    done = CliRunner().invoke(main, ["price", str(file), *tried, *rest])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [row["factor"] for row in found["prices"]] == [1.0, 0.5, 2.0]
    best, half, none = found["prices"]
    assert found["opens"]
    assert best["revenue_usd_low"] == pytest.approx(2 * half["revenue_usd_low"])
    assert (none["revenue_usd_high"], none["mean_margin_usd"]) == (0, pytest.approx(0, abs=1e-6))
    assert best["mean_margin_usd"] < best["revenue_usd_high"]


def test_what_own_jobs_wait_more_is_priced_at_the_rent_that_would_have_saved_it(tmp_path: Path) -> None:
    """Firm customers let own jobs wait, which may not rent: an offer changes nothing but what waits cost.

    A tile is worth 362 x 25 / 989 H100 at their usual shares of the peak, which are alike.
    """
    text = """
name = "firm"
horizon_h = 96
demand = { days = 4, devices = 8, load = 0.5 }
policy = { patience = "never" }
pools = [{ name = "own", pods = 1, device = "dojo-tile-case-study", devices = 8, capital_usd = 0 }]
[market]
price = { usd_per_device_h = 20 }
[[market.segments]]
name = "held"
per_day = 20
run_h = 8
devices = [4]
preemptible = false
willingness_usd_per_device_h = 30
"""
    found = []
    for offers in ("", 'offers = [{ name = "aws", offer = "aws-h100-us-east-1", quota = 8 }]\n'):
        file = tmp_path / "firm.toml"
        file.write_text(text.replace("[market]", f"{offers}[market]", 1))
        asked = ["price", str(file), "--factor", "1", "--seeds", "2", "--workers", "1", "--json"]
        done = CliRunner().invoke(main, asked)
        assert done.exit_code == 0, done.output
        found += json.loads(done.stdout)["prices"]
    free, priced = found
    waits = (free["own_waits_device_h_low"] + free["own_waits_device_h_high"]) / 2
    catalog = load_catalog()
    rates = [catalog.device(name).rate_pflops("default") for name in ("dojo-tile-case-study", "h100")]
    rent = load_catalog().offer("aws-h100-us-east-1").usd_per_device_h * rates[0] / rates[1]
    assert waits > 10
    assert free["mean_margin_usd"] - priced["mean_margin_usd"] == pytest.approx(waits * rent)


def test_the_window_opens_with_the_first_pod_that_sells(tmp_path: Path) -> None:
    """Until July 2026 the only pod is on a capped site, which sells nothing; the own window is ignored.

    The lease of 24 hours in November is in the month of its quarter, and in no other.
    """
    file = tmp_path / "long.toml"
    file.write_text(
        """
name = "long"
start = 2026-01-01
horizon = "365d"
demand = { devices = 8, load = 0.1, tenants = 0 }
policy = { patience = "never" }
sites = [{ name = "hall", pools = ["old"], cap_kw = 60_000 }]
[[pools]]
name = "old"
device = "h100"
devices = 64
pods = 1
capital_usd = 0
[[pools]]
name = "new"
device = "h100"
devices = 64
pods = 0
capital_usd = 0
purchases = [{ ordered = 2026-07-01, lead = "0d", pods = 1 }]
[market]
price = { usd_per_device_h = 2 }
window = { from_h = 8_700, to_h = 8_760 }
[[market.segments]]
name = "spot"
per_day = 5
run_h = 2
willingness_usd_per_device_h = 3
[[market.leases]]
name = "let"
from_h = 7_560 # 2026-11-12
to_h = 7_584
devices = 8
each = 8
usd_per_device_h = 1_000
"""
    )
    asked = ["price", str(file), "--factor", "1", "--seeds", "2", "--workers", "1"]
    done = CliRunner().invoke(main, [*asked, "-o", str(tmp_path / "kept"), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [row["sells"] for row in found["quarters"]] == [False, False, True, True]
    assert [row["open"] for row in found["quarters"]] == [False, False, True, True]
    assert found["window_opens"] == "2026-07-01"
    third, fourth = (row["revenue_usd_low"] for row in found["quarters"][2:])
    assert 0 < third < 24 * 8 * 1_000 < fourth
    said = CliRunner().invoke(main, [*asked, "-o", str(tmp_path / "kept")]).stdout
    assert "the window opens in 2026Q3 (2026-07-01), and is open in each quarter since" in said


def test_a_window_opens_where_it_stays_open() -> None:
    """The margin is sure in the second quarter, not in the third, and again from the fourth on."""
    quarters = calendar_quarters(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))

    def answer(*lows: float) -> PriceAnswer:
        rows = zip(quarters, lows, strict=True)
        return PriceAnswer(
            [], 2, [QuarterOutcome(q, 0.5, True, Interval(0, 9), Interval(low, 9)) for q, low in rows]
        )

    found = answer(0, 1, -1, 1, 1).opening
    assert found is not None
    assert found.quarter.name == "2026Q4"
    assert answer(1, 1, 1, 1, 0).opening is None


def test_without_a_market_there_is_nothing_to_price(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    file.write_text('name = "none"\npools = [{ name = "own", pods = 1, device = "h100", devices = 8 }]\n')
    done = CliRunner().invoke(main, ["price", str(file)])
    assert done.exit_code == 2
    assert done.stderr == "exaburst: none: has no [market], so there is nothing to price\n"
