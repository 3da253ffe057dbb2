"""Jobs told apart by the words of owners and queues: shares by hand, bills that add up, metrics."""

from __future__ import annotations

from math import fsum, isclose, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.cli.ledger import KEYS
from scheduler.money.ledger.bills import bills
from scheduler.report.shares import shares
from scheduler.run.directory import Run
from scheduler.run.fairness import Served, fairness, jain_index, max_min, served, share_error
from scheduler.run.figures import measure
from scheduler.run.goodput import DeviceTime
from scheduler.run.groups import GroupError, columns_of, group_of, named
from scheduler.run.job_figures import by_word, worked_jobs
from scheduler.run.spend import cost, spend_figures
from tests.build import job, offer, pool, run, scenario, trace
from traces.trace import Trace
from traces.words import BY

H = 3_600
D = 24 * H


def type_in(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


def jobs() -> Trace:
    """Three owners on four devices until hour 10: ann asks for 40 device-hours, bob for 30, cy for 4."""
    return trace(
        job(0, 10 * H, 4, owner="ann", queue="day", workload="chips"),
        job(0, 10 * H, 3, owner="bob", queue="day", workload="chips"),
        job(0, 4 * H, 1, owner="cy", queue="night", workload="wafers"),
    )


def story(folder: Path, **more: Any) -> Run:
    cluster = scenario([pool(4)], horizon_h=10, policy={"order": "fcfs", "backfill": "none"}, **more)
    return run(cluster, jobs(), folder)


def test_words_are_those_of_the_user(tmp_path: Path) -> None:
    of = story(tmp_path)
    assert {by: list(by_word(of, by=by)) for by in BY} == {
        "workload": ["chips", "wafers", "all"],
        "kind": ["other"],
        "owner": ["ann", "bob", "cy", "all"],
        "queue": ["day", "night", "all"],
    }


def test_what_is_due_is_divided_by_shares_and_to_nobody_more_than_asked(tmp_path: Path) -> None:
    """All 40 device-hours are ann's. Alike, cy has her 4 and the others 18 each: 22 were others'."""
    of = story(tmp_path / "alike")
    groups = served(of, worked_jobs(of, DeviceTime(of)), "owner")
    assert [(who, each.asked_h, each.had_h, each.due_h) for who, each in groups.items()] == [
        ("ann", 40, 40, 18),
        ("bob", 30, 0, 18),
        ("cy", 4, 0, 4),
    ]
    found = fairness(groups)
    assert found["jain_due"] == pytest.approx(1 / 3)  # one of three has all
    assert found["share_error"] == pytest.approx(22 / 40)
    assert found["jain_speed"] == 1  # of the one whose job finished
    weighed = story(tmp_path / "weighed", shares={"ann": 3.0})
    due = [
        each.due_h for each in served(weighed, worked_jobs(weighed, DeviceTime(weighed)), "owner").values()
    ]
    assert due == pytest.approx([27, 9, 4])  # of the 36 that cy leaves, three to one


def test_where_all_is_done_all_is_as_due(tmp_path: Path) -> None:
    of = run(scenario([pool(8)]), jobs(), tmp_path)
    found = fairness(served(of, worked_jobs(of, DeviceTime(of)), "owner"))
    assert found == {"jain_due": 1, "jain_speed": 1, "share_error": 0}


def test_jains_index_is_that_of_the_paper() -> None:
    """Of k users of n with alike and the others with nothing it is k / n (Jain, Chiu & Hawe, 1984)."""
    assert [jain_index(np.array([5.0] * k + [0.0] * (4 - k))) for k in (1, 2, 3, 4)] == [0.25, 0.5, 0.75, 1]
    assert isnan(jain_index(np.zeros(3)))
    assert isnan(share_error(np.zeros(2), np.zeros(2)))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 20)), min_size=1, max_size=6), st.floats(0, 1))
def test_nobody_has_more_than_asked_while_others_have_less_for_their_share(
    asked: list[tuple[int, int]], part: float
) -> None:
    share, most = (np.array([pair[at] for pair in asked], float) for at in (0, 1))
    due = max_min(part * most.sum(), share, most)
    assert due.sum() == pytest.approx(part * most.sum())
    assert (due <= most + 1e-9).all()
    hungry = due < most - 1e-6
    assert (due[hungry] / share[hungry] >= (due / share).max() - 1e-6).all()


def test_a_word_alone_is_a_kind() -> None:
    assert [group_of(text) for text in ("all", "a.b", "kind=all", "owner=a=b@c")] == [
        ("all", ""),
        ("kind", "a.b"),
        ("kind", "all"),
        ("owner", "a=b@c"),
    ]
    assert [named(text) for text in ("all", "a.b", "owner=x")] == ["all jobs", "a.b jobs", "jobs of owner x"]
    assert columns_of(["a@owner=x@y", "b@owner", "c:d", "e@queue=z"]) == ("owner", "queue")
    with pytest.raises(GroupError, match="workload, kind, owner, queue"):
        group_of("user=x")
    with pytest.raises(GroupError, match="workload, kind, owner, queue"):
        columns_of(["a@user"])


def test_figures_by_word_are_those_of_their_jobs(tmp_path: Path) -> None:
    of = story(tmp_path)
    found = measure(of, jobs(), ("owner=bob", "all"), by=("owner", "queue"))
    assert [found[f"waited_mean_s@owner={who}"] for who in ("ann", "bob", "cy")] == [0, 10 * H, 10 * H]
    assert [found[f"jobs@queue={name}"] for name in ("day", "night")] == [2, 1]
    assert found["share_error@owner"] == pytest.approx(22 / 40)
    assert (found["waiting_s:owner=bob"], found["waits_s:all"]) == ([10 * H], [0])


def billed(folder: Path) -> Run:
    """The last day of January, when ann fills the pool and bob rents, and the next, when bob has a device."""
    cluster = scenario(
        [pool(4, capital_usd=0.0, name="own")], [offer("cloud")], horizon_h=48, policy={"patience": "at_once"}
    )
    jobs = trace(
        job(0, D, 4, owner="ann", queue="x"),
        job(0, D, 2, owner="bob", queue="y"),
        job(D, D, 1, owner="bob", queue="y"),
        epoch="2026-01-31",
    )
    return run(cluster, jobs, folder)


@pytest.mark.parametrize("idle", [None, "use", "share"])
def test_bills_add_up_to_what_pools_and_offers_cost(tmp_path: Path, idle: str | None) -> None:
    of = billed(tmp_path)
    total = spend_figures(of)["usd_total"]
    assert isclose(total, cost(of))
    for keys in (("owner", "month"), ("week",), ("queue", "line"), ("month", "resource", "workload"), KEYS):
        found = bills(of, keys, idle)  # type: ignore[arg-type]
        assert isclose(fsum(bill.usd for bill in found), total), keys
        assert len({bill.of for bill in found}) == len(found)


def test_idle_is_shared_out_in_its_month_and_resource(tmp_path: Path) -> None:
    """In January ann fills the pool and bob rents; in February bob is alone, with three idle devices."""
    of = billed(tmp_path)
    apart = {bill.of: bill for bill in bills(of, ["owner", "month"])}
    assert list(apart) == [("ann", "2026-01"), ("bob", "2026-01"), ("bob", "2026-02"), ("(idle)", "2026-02")]
    idle_usd = apart["(idle)", "2026-02"].shared_usd
    assert idle_usd > 0
    by_use = {bill.of: bill.shared_usd for bill in bills(of, ["owner", "month"], "use")}
    assert by_use["bob", "2026-02"] == pytest.approx(idle_usd)
    by_share = {bill.of: bill.shared_usd for bill in bills(of, ["owner", "month"], "share")}
    assert [by_share[who, "2026-02"] for who in ("ann", "bob")] == pytest.approx([idle_usd / 2] * 2)


def test_weeks_begin_on_mondays(tmp_path: Path) -> None:
    """2026-01-31 is a Saturday."""
    assert [bill.of for bill in bills(billed(tmp_path), ["week"])] == [("2026-01-26",)]


def test_commands_tell_jobs_apart(tmp_path: Path) -> None:
    story(tmp_path / "run")
    shown = type_in("summary", tmp_path / "run", "--by", "owner").stdout
    assert "owner  jobs" in shown
    assert "Jain's index: 0.33 of what was due, 1.00 of speed; share error 55.0%" in shown
    shown = type_in("ledger", tmp_path / "run", "--by", "owner,month", "--idle", "use").stdout
    assert "no job's, by use" in shown
    assert "ann    1970-01" in shown


def test_an_even_index_says_so_where_all_was_done() -> None:
    done = {"ann": Served(1, 10, 10, 10, 1.0), "bob": Served(1, 5, 5, 5, 2.0)}
    told = "; all that was asked for was done, so all had what was due"
    assert shares(done, "owner").endswith(f"share error 0.0%{told}")
    assert told not in shares(done | {"bob": Served(1, 6, 5, 5, 2.0)}, "owner")


def test_wrong_words_are_one_line(tmp_path: Path) -> None:
    story(tmp_path / "run")
    for words in (
        ("ledger", tmp_path / "run", "--by", "user"),
        ("ledger", tmp_path / "run", "--by", "owner,owner"),
        ("ledger", tmp_path / "run", "--idle", "use"),
        ("summary", tmp_path / "run", "--by", "user"),
        ("plan", "--target", "user=a:p95:1h"),
    ):
        done = type_in(*words)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), words
        assert "owner" in done.stderr
