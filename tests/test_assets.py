"""Pods that are bought, delivered, retired and closed: stories, laws on random histories, and bad input."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from msgspec.structs import replace

from scheduler.catalog import CatalogError
from scheduler.cli import main
from scheduler.replay import Setup
from scheduler.replay.stranded import about_closures
from scheduler.run.capacity import owned_device_s, owned_levels
from scheduler.run.directory import Run, open_run
from scheduler.run.levels import DeviceLevels
from scheduler.scenario import ScenarioError
from tests import build
from tests.build import job, pool, rows, scenario, trace
from tests.examples import examples
from tests.storms import Tale, endure, endured
from tests.test_invariants import device_s, held_s
from tests.test_why import adds_up, waits_of
from tests.turnover import coming, lives, turned_away
from tests.worlds import MEMORY, Row, World

LAWS = settings(max_examples=examples(240), deadline=None)

PATIENT = {"patience": "never"}
OWN = "own"


def bought(ordered: str, lead: str | Row, pods: int = 1, **more: Any) -> Row:
    return {"ordered": ordered, "lead": lead, "pods": pods, **more}


def attempts(run: Run) -> list[tuple[Any, ...]]:
    return rows(run, "attempts", "job_id", "alloc_s", "end_s", "outcome", "pods")


# stories


def test_a_delivery_lets_the_next_job_start(tmp_path: Path) -> None:
    """One pod of 4 is there, another comes at 10 + 40; a job of 4 that waits starts then."""
    of = scenario([pool(4, purchases=[bought("10s", "40s")])], policy=PATIENT)
    run = build.run(of, trace(job(0, 90, 4), job(5, 60, 4)), tmp_path)
    assert attempts(run) == [(0, 0, 90, "finished", [0]), (1, 50, 110, "finished", [1])]
    assert rows(run, "states", "time_s", "busy_own", "owned_own", "queued_jobs") == [
        (0, 4, 4, 0),
        (5, 4, 4, 1),
        (50, 8, 8, 0),
        (90, 4, 8, 0),
        (110, 0, 8, 0),
    ]
    assert [part.tolist() for part in owned_levels(run)] == [[0, 50], [4, 8]]
    assert owned_device_s(run) == 4 * 50 + 8 * 60
    assert DeviceLevels(run).utilization() == (4 * 90 + 4 * 60) / (4 * 50 + 8 * 60)


def test_a_pool_may_start_with_no_pods(tmp_path: Path) -> None:
    """A gang of 5 over two pods of 4 waits for the second."""
    of = scenario([pool(4, 0, purchases=[bought("0s", "30s"), bought("0s", "70s")])], policy=PATIENT)
    run = build.run(of, trace(job(0, 9, 5), job(1, 20, 1)), tmp_path)
    assert [row[:3] for row in attempts(run)] == [(0, 70, 80), (1, 30, 50)]


def test_easy_reserves_on_pods_that_are_on_their_way(tmp_path: Path) -> None:
    """The head of 8 gets its two pods at 50: a job of 40 s may pass it at 5, one of 50 s may not."""
    of = scenario([pool(4, purchases=[bought("0s", "50s")])], policy=PATIENT)
    jobs = trace(job(0, 20, 8), job(5, 50, 2), job(5, 40, 2))
    assert [row[1] for row in attempts(build.run(of, jobs, tmp_path))] == [50, 73, 5]


def test_nothing_starts_on_a_pod_that_would_outlive_it(tmp_path: Path) -> None:
    """Pod 0, the older one, leaves at 100: at 50 a job of 51 s waits for pod 1, and one of 50 s does not."""
    retires = [{"at": "100s", "pods": 1}]
    of = scenario([pool(4, 2, retirements=retires)], policy=PATIENT | {"backfill": "none"})
    jobs = trace(job(0, 120, 4, estimate_s=130), job(50, 51, 4), job(51, 49, 4, priority=1))
    run = build.run(of, jobs, tmp_path / "a")
    assert attempts(run)[0] == (0, 0, 120, "finished", [1])
    assert [row[1] for row in attempts(run)] == [0, 120, 171]
    jobs = trace(job(0, 120, 4, estimate_s=130), job(50, 50, 4))
    assert attempts(build.run(of, jobs, tmp_path / "b"))[1] == (1, 50, 100, "finished", [0])


def test_nothing_is_reserved_for_a_head_that_no_pod_will_hold(tmp_path: Path) -> None:
    """The head of 200 s waits for pods that leave at 150, and holds up nobody; then it is turned away."""
    of = scenario([pool(4, 2, retirements=[{"at": "150s", "pods": 2}])], policy=PATIENT)
    jobs = (job(at, 20, 3, estimate_s=25) for at in (6, 7, 8, 9))
    run = build.run(of, trace(job(0, 40, 2), job(1, 40, 2), job(5, 200, 4), *jobs), tmp_path)
    assert [row[1] for row in attempts(run)] == [0, 1, 6, 26, 41, 46]
    assert rows(run, "jobs", "state")[2] == ("rejected",)


def test_who_outlives_its_pod_stops_with_a_checkpoint_and_goes_on(tmp_path: Path) -> None:
    """It said 20 s and takes 70: stopped after 50, which it keeps, it goes on at 60 on the other pod."""
    of = scenario([pool(4, 2, retirements=[{"at": "50s", "pods": 1}])], policy=PATIENT)
    jobs = trace(job(0, 60, 4), job(0, 70, 4, estimate_s=20, checkpoint_s=40))
    run = build.run(of, jobs, tmp_path)
    assert attempts(run) == [
        (0, 0, 60, "finished", [1]),
        (1, 0, 50, "preempted", [0]),
        (1, 60, 80, "finished", [1]),
    ]
    assert rows(run, "attempts", "kept_s", "lost_device_s") == [(60, 0), (50, 0), (20, 0)]
    assert rows(run, "states", "time_s", "busy_own", "owned_own", "queued_jobs")[1:3] == [
        (50, 4, 4, 1),
        (60, 4, 4, 0),
    ]


def test_who_fits_nowhere_any_more_is_turned_away(tmp_path: Path) -> None:
    """A gang of 8 waits for both pods; when one leaves, it is rejected, as is one that comes later."""
    of = scenario([pool(4, 2, retirements=[{"at": "50s", "pods": 1}])], policy=PATIENT)
    run = build.run(of, trace(job(0, 80, 4), job(5, 60, 8), job(60, 60, 8)), tmp_path)
    reason = "own has too few pods left, and it may go nowhere else"
    assert rows(run, "jobs", "state", "reason")[1:] == [("rejected", reason)] * 2
    assert rows(run, "states", "time_s", "queued_jobs", "queued_devices")[:3] == [
        (0, 0, 0),
        (5, 1, 8),
        (50, 0, 0),
    ]


def test_the_books_of_a_purchase_and_a_retirement(tmp_path: Path) -> None:
    """A pod of 1,000 USD and a life of 1,000 s serves 300 s: 300 of capital, 700 written off, 250 back."""
    money = {"life_years": 1_000 / 31_557_600, "operations_share_per_year": 0.0}
    one = bought("50s", "50s", usd_per_pod=1_000.0)
    retires = [{"at": "400s", "pods": 1, "resale_share": 0.25}]
    of = scenario([pool(4, 0, purchases=[one], retirements=retires)], horizon_h=0.25, money=money)
    run = build.run(of, trace(job(0, 60, 4)), tmp_path)
    usd = run.spend.groupby("line", observed=True).usd.sum()
    assert usd.capital == pytest.approx(300)
    assert usd.write_off == pytest.approx(700)
    assert usd.resale == -250
    assert [tuple(row) for row in run.assets[["time_s", "event", "pods", "usd"]].itertuples(index=False)] == [
        (50, "ordered", 1, 0.0),
        (100, "delivered", 1, 1_000.0),
        (400, "retired", 1, 0.0),
        (400, "sold", 1, -250.0),
    ]
    assert run.assets.book_usd.tolist() == pytest.approx([0, 1_000, 700, 0])
    assert run.assets.date.dt.strftime("%H:%M:%S").tolist()[-1] == "00:06:40"
    assert open_run(run.folder).assets.equals(run.assets)


def test_a_price_that_falls_with_volume(tmp_path: Path) -> None:
    steps = [{"pods": 2, "usd_per_pod": 90.0}, {"pods": 5, "usd_per_pod": 80.0}]
    batches = [bought("0s", "10s", pods, usd_per_pod=100.0, volume_discount=steps) for pods in (1, 2, 4, 5)]
    run = build.run(scenario([pool(1, 0, purchases=batches)]), trace(job(0, 60, 1)), tmp_path)
    delivered = run.assets[run.assets.event == "delivered"]
    assert sorted((delivered.usd / delivered.pods).tolist()) == [80, 90, 90, 100]


def test_a_purchase_at_once_is_a_plain_pool(tmp_path: Path) -> None:
    """Byte for byte: jobs, attempts, states and spend."""
    jobs = trace(*(job(at, 50 + at, 1 + at % 6) for at in range(40)))
    late = scenario([pool(4, 1, capital_usd=1e6, purchases=[bought("0s", "0s", 2)])], policy=PATIENT)
    plain = scenario([pool(4, 3, capital_usd=1e6)], policy=PATIENT)
    one, other = build.run(late, jobs, tmp_path / "late"), build.run(plain, jobs, tmp_path / "plain")
    assert one.description["parts"] == other.description["parts"]
    assert one.description["pools"] == other.description["pools"]


def test_a_lead_is_drawn_for_each_order_by_the_seed_alone(tmp_path: Path) -> None:
    """The same under other policies and beside other orders; the mean over seeds is that of the scenario."""
    lead: Row = {"mean": "100s", "sigma": 0.5}

    def delivered(seed: int, policy: str = "fcfs", **more: Any) -> list[int]:
        of = scenario(
            [pool(1, 1, purchases=[bought("0s", lead), *more.get("others", [])])],
            policy={"order": policy},
            seed=seed,
            horizon_h=1.0,
        )
        run = build.run(of, trace(job(0, 60, 1)), tmp_path / f"{seed}{policy}{len(more)}")
        return [int(at) for at in run.assets.time_s[run.assets.event == "delivered"]]

    first = delivered(1)
    assert first == delivered(1, "sjf")
    assert first[0] in delivered(1, others=[bought("5s", lead)])
    drawn = [delivered(seed)[0] for seed in range(2, 42)]
    assert len({*drawn}) > 30
    assert sum(drawn) / len(drawn) == pytest.approx(100, abs=3 * 100 * 0.53 / 40**0.5)


def test_check_says_which_jobs_a_closure_strands(tmp_path: Path) -> None:
    """Of three jobs that may not leave one comes before the end; one that may leave has an offer."""
    at_60 = [{"pool": "own", "at": "60s"}]
    of = scenario([pool(4)], [build.offer("cloud")], closures=at_60)
    jobs = (job(at, 10, 4, residency="owned", kind="fsd.label") for at in (0, 60, 70))
    setup = Setup.of(of, trace(*jobs, job(80, 10, 4)), build.CATALOG)
    assert [*about_closures(setup)] == [
        "own closes at 1970-01-01 00:01 UTC: 2 of 4 jobs come later and may go nowhere else, "
        "of fsd.label; they will be rejected"
    ]
    run = build.run(of, setup.trace, tmp_path)
    assert [row[0] for row in rows(run, "jobs", "state")] == ["finished", "rejected", "rejected", "finished"]
    assert rows(run, "jobs", "reason")[1] == ("own has closed, and it may go nowhere else",)


def test_a_pool_that_closes_takes_nobody_from_its_drain_on(tmp_path: Path) -> None:
    """It closes at 100 and drains 30 s: who came at 50 stops at 100 and goes on on the other, at 110."""
    closes = [{"pool": "own", "at": "100s", "drain": "30s", "decommission_usd_per_kw": 2.0}]
    pools = [pool(4), pool(4, name="other")]
    of = scenario(pools, closures=closes, policy=PATIENT | {"place": "first_fit"})
    jobs = trace(job(0, 40, 4), job(1, 109, 4), job(50, 80, 4, checkpoint_s=10), job(75, 5, 4))
    run = build.run(of, jobs, tmp_path)
    assert rows(run, "attempts", "job_id", "where", "alloc_s", "end_s", "outcome") == [
        (0, "own", 0, 40, "finished"),
        (1, "other", 1, 110, "finished"),
        (2, "own", 50, 100, "preempted"),
        (2, "other", 110, 140, "finished"),
        (3, "other", 140, 145, "finished"),
    ]
    usd = run.spend.groupby("line", observed=True).usd.sum()
    assert usd.decommission == pytest.approx(4 * 3.6 * 2.0)


def test_another_pool_takes_over_who_asks_for_one_that_closes(tmp_path: Path) -> None:
    """From 50 on `other` takes who asks for `own` by name or device; who excludes it is turned away."""
    closes = [{"pool": "own", "at": "50s", "moves_to": ["other"]}]
    of = scenario([pool(4), pool(4, name="other", device="double")], closures=closes, policy=PATIENT)
    jobs = trace(
        job(0, 40, 4, requires="pool:own"),
        job(1, 80, 4, requires="pool:own", checkpoint_s=5),
        job(60, 10, 4, requires="device:unit"),
        job(61, 10, 4, requires="pool:own", excludes="device:double"),
        reference_device="unit",
    )
    run = build.run(of, jobs, tmp_path)
    assert rows(run, "attempts", "job_id", "where", "alloc_s", "end_s", "outcome") == [
        (0, "own", 0, 40, "finished"),
        (1, "own", 40, 50, "preempted"),
        (1, "other", 50, 120, "finished"),
        (2, "other", 60, 70, "finished"),
    ]
    assert rows(run, "jobs", "state")[3] == ("rejected",)


def test_a_kind_of_job_is_ported_once(tmp_path: Path) -> None:
    """The device comes at 20 and takes 30 to port to: b starts there at 20, a waits until 50."""
    ports = [
        {"kind": "a", "device": "double", "port_s": 30, "port_usd": 5.0},
        {"kind": "b", "device": "double", "port_usd": 7.0},
        {"kind": "c", "device": "double", "port_usd": 9.0},
    ]
    of = scenario([pool(4, 0, device="double", purchases=[bought("0s", "20s")])], ports=ports, policy=PATIENT)
    jobs = trace(job(0, 60, 4, kind="a"), job(1, 10, 2, kind="b"), job(2, 60, 2, kind="a"))
    run = build.run(of, jobs, tmp_path)
    assert [row[1] for row in attempts(run)] == [50, 20, 110]
    usd = run.spend[run.spend.line == "porting"]
    assert usd.usd.sum() == 12.0
    assert set(usd.charged_to) == {"assets"}


def test_rented_devices_are_ported_to_from_the_start(tmp_path: Path) -> None:
    ports = [{"kind": "a", "device": "unit", "port_s": 30, "port_usd": 5.0}]
    of = scenario([], [build.offer("cloud")], ports=ports)
    run = build.run(of, trace(job(0, 60, 4, kind="a"), job(1, 60, 4, kind="b")), tmp_path)
    assert [row[1] for row in attempts(run)] == [30, 1]
    assert run.spend.usd[run.spend.line == "porting"].tolist() == [5.0]


def test_pods_are_not_delivered_before_their_device_is_sold() -> None:
    device = replace(build.CATALOG.device("unit"), available_to_buy="1970-01-03")
    catalog = replace(build.CATALOG, devices={"unit": device})
    of = scenario([pool(4, 0, purchases=[bought("0s", "1d")])], horizon_h=72.0)
    with pytest.raises(CatalogError, match="1 pods are delivered on 1970-01-02"):
        Setup.of(of, trace(job(0, 60, 4)), catalog)


# laws


@settings(LAWS, max_examples=examples(90))
@given(coming())
def test_causes_of_waiting_add_up_while_pods_come_and_go(tale: Tale) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        world = endured(tale, Path(folder))
        if not turned_away(world):
            adds_up(world, waits_of(world.run, tale.trace))


@LAWS
@given(coming())
def test_laws_hold_while_pods_come_and_go(tale: Tale) -> None:
    world = endure(tale)
    gangs_are_on_pods_that_are_there(world)
    nothing_starts_that_would_outlive_its_pod(world)
    nothing_starts_before_it_is_ported(world)
    states_count_what_is_there(world)
    devices_are_conserved(world)
    the_price_is_written_off(world)
    nobody_waits_for_ever(world)


def gangs_are_on_pods_that_are_there(world: World) -> None:
    for attempt in world.attempts:
        spans = lives(world, attempt["where"]) if attempt["pods"] else []
        for pod in attempt["pods"]:
            came_s, left_s = spans[pod]
            assert came_s <= attempt["alloc_s"] <= attempt["end_s"] <= left_s
    for time_s in world.instants():
        assert all(min(world.free(name, time_s), default=0) >= 0 for name in world.pools)


def nothing_starts_that_would_outlive_its_pod(world: World) -> None:
    for attempt in world.attempts:
        job = world.jobs[attempt["job_id"]]
        for number in attempt["pods"]:
            batches = world.pools[attempt["where"]]["batches"]
            batch = [one for one in batches for _ in range(one["pods"])][number] if batches else {}
            if batch.get("closed"):
                assert attempt["alloc_s"] < batch["drained_s"]
            elif batch.get("retired_s") is not None:
                done_s = sum(one["kept_s"] for one in job["attempts"][: attempt["attempt"] - 1])
                left = job | {"estimate_s": max(1, job["estimate_s"] - done_s)}
                need = world.takes(left, attempt["where"], "estimate_s")
                assert need is not None
                assert attempt["alloc_s"] + need[2] <= batch["retired_s"]


def nothing_starts_before_it_is_ported(world: World) -> None:
    for port in world.scenario.ports:
        there = {name: one for name, one in world.resources.items() if one["device"] == port.device}
        came = [came for name in there if name in world.pools for came, _ in lives(world, name)]
        at_hand_s = world.start_s if set(there) & set(world.offers) else min(came, default=0)
        ours = [one for one in world.attempts if one["where"] in there]
        assert all(one["alloc_s"] >= at_hand_s + port.port_s for one in ours)
        paid = sum(row["usd"] for row in world.spend if row["line"] == "porting")
        assert paid == port.port_usd * bool(ours)


def states_count_what_is_there(world: World) -> None:
    for time_s in world.instants():
        for name, own in world.pools.items():
            there = sum(came <= time_s < left for came, left in lives(world, name)) * own["pod_devices"]
            if own["batches"]:
                assert world.level(f"owned_{name}", time_s) == there
            held = sum(attempt["devices"] for attempt in world.holding(name, time_s))
            assert world.level(f"busy_{name}", time_s) == held
            assert 0 <= world.level(f"down_{name}", time_s) <= there - held
        if not turned_away(world):
            waiting = world.waiting(time_s)
            assert world.level("queued_jobs", time_s) == len(waiting)
            assert world.level("queued_devices", time_s) == sum(job["gang"] for job in waiting)


def devices_are_conserved(world: World) -> None:
    """Busy, down and idle, as the ledger has them, are what there is, to the device-second."""
    for name, own in world.pools.items():
        spans = [(min(came, world.end_s), min(left, world.end_s)) for came, left in lives(world, name)]
        there = sum(max(0, left - came) for came, left in spans)
        busy, down, idle = (device_s(world, name, "capital", who) for who in ("job", "down", "idle"))
        assert busy == held_s(world, name)
        assert busy + down + idle == there * own["pod_devices"] == owned_device_s(world.run, name)


def the_price_is_written_off(world: World) -> None:
    """Of a pool all of whose pods came and left: capital and write-off are the price, resale comes back."""
    for name, own in world.pools.items():
        gone = [one for one in own["batches"] if one["delivered_s"] is not None]
        if not own["batches"] or len(gone) < len(own["batches"]):
            continue
        if any(one["retired_s"] is None or one["retired_s"] >= world.end_s for one in gone):
            continue
        usd = dict.fromkeys(("capital", "write_off", "resale", "decommission"), 0.0)
        for row in world.spend:
            if row["resource"] == name and row["line"] in usd:
                usd[row["line"]] += row["usd"]
        price = sum(one["pods"] * one["usd_per_pod"] for one in gone)
        sold = sum(one["pods"] * one["resale_usd_per_pod"] for one in gone)
        assert usd["capital"] + usd["write_off"] == pytest.approx(price, rel=1e-9)
        assert usd["resale"] == pytest.approx(-sold)


def nobody_waits_for_ever(world: World) -> None:
    """Who may not leave finds pods, or is turned away."""
    left = [job for job in world.jobs.values() if job["state"] == "unfinished"]
    assert world.scenario.horizon_h is not None or not any(job["residency"] == "owned" for job in left)


# bad input


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            {"retirements": [{"at": "9d", "pods": 3}]},
            "3 pods at 9d: must be at most the 2 ",
        ),
        (
            {"purchases": [bought("5d", "5d")], "retirements": [{"at": "9d", "pods": 3}]},
            "must be at most the 2 that there are then",
        ),
        (
            {"purchases": [bought("5d", "-1d")]},
            'lead = "-1d": pods are not delivered before',
        ),
        ({"purchases": [bought("soon", "1d")]}, "must be a date"),
        ({"pods": 0}, "a pool without purchases needs at least 1"),
        (
            {"purchases": [bought("1d", "1d", volume_discount=[{"pods": 2, "usd_per_pod": 1.0}] * 2)]},
            "must ascend in pods",
        ),
        ({"purchases": [bought("1d", "1d", oops=1)]}, "oops"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, raw: Row, said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        build.run(scenario([pool(4, 2) | raw]), trace(job(0, 60, 4)), tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_line_on_pods_that_cannot_retire_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'name = "own"\n[demand]\n[[pools]]\nname = "own"\ndevice = "dojo-tile-case-study"\ndevices = 12\n'
        'pods = 1\nretirements = [{ at = "9d", pods = 3 }]\n'
    )
    done = CliRunner().invoke(main, ["check", str(file)], prog_name="exaburst")
    assert done.exit_code == 2
    assert done.stderr == (
        f"exaburst: {file}: own: retirements: 3 pods at 9d: must be at most the 1 that there are then\n"
    )
