"""A log beside its simulation: nothing differs where the record is the simulation, and each rule is found."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli import main
from scheduler.fidelity.answer import FidelityAnswer, fidelity
from scheduler.fidelity.comparison import FidelityError, compare
from scheduler.fidelity.habits import overtaking
from scheduler.fidelity.recorded import REASONS, RecordedJobs, Timeline, account
from scheduler.fidelity.rules import toml
from scheduler.fidelity.trials import Trial
from scheduler.replay import Setup, replay
from scheduler.replay.as_recorded import RecordError
from scheduler.report.documents.fidelity import FidelityDocument, fidelity_document
from scheduler.report.fidelity import fidelity as render
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from tests import build
from tests.build import CATALOG, job, pool, rows, scenario
from tests.examples import examples
from tests.worlds import MEMORY
from traces import Trace, TraceError
from traces.record import Record
from traces.times import DAY_S, HOUR_S

Row = dict[str, Any]
ANN_HAS_TWO = [
    {"name": "ann", "owners": ["ann"], "quota": 2},
    {"name": "others", "owners": ["bob"], "quota": 8},
]
EIGHT = scenario([pool(8)], policy={"patience": "never"})


def was(submit_s: int, start_s: int | None, end_s: int | None, gang: int = 1, **more: Any) -> Row:
    """A job of a record that runs for as long as it ran."""
    runtime_s = 10 if start_s is None or end_s is None else end_s - start_s
    return job(submit_s, runtime_s, gang, recorded_start_s=start_s, recorded_end_s=end_s, **more)


def log_of(of: Scenario, *jobs: Row) -> Trace:
    """Jobs with the starts and ends that they have under a scenario, as their record."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        run = build.run(of, build.trace(*jobs), Path(folder))
        times = rows(run, "jobs", "start_s", "end_s")
    recorded = [
        each | {"recorded_start_s": a, "recorded_end_s": b} for each, (a, b) in zip(jobs, times, strict=True)
    ]
    return build.trace(*recorded)


def beside(of: Scenario, log: Trace) -> FidelityAnswer:
    with TemporaryDirectory(dir=MEMORY) as folder:
        return fidelity(Setup.of(of, log, CATALOG), Path(folder), lambda *_: None)


def starts(log: Trace) -> list[int]:
    return [int(second) for second in log.numpy("recorded_start_s")]


def rule(answer: FidelityAnswer, name: str) -> Trial:
    return next(trial for trial in answer.trials if trial.rule.name == name)


def test_a_log_that_is_our_schedule_has_no_error_at_all() -> None:
    """Eight devices, EASY: job 1 waits for 0, job 2 for 1, job 3 goes before them; no rule is looked for."""
    jobs = [job(0, 100, 6), job(5, 100, 8), job(6, 50, 8), job(7, 90, 2)]
    log = log_of(EIGHT, *jobs)
    assert starts(log) == [0, 100, 200, 7]
    answer = beside(EIGHT, log)
    found = answer.comparison
    assert (found.same_starts, found.start_error_s, found.wasserstein_s) == (4, 0, 0)
    assert (found.use.rmse, found.use.bias, found.use.recorded) == (0, 0, found.use.simulated)
    groups = [group for of in found.by.values() for group in of.values()]
    assert {(group.bias_mean_s, group.bias_p95_s) for group in (found.all, *groups)} == {(0.0, 0.0)}
    assert found.all.recorded_mean_s == (95 + 194) / 4
    # Jobs 1 and 2 have no room up to 200 but that of the two devices before job 3 comes, which is no room.
    assert answer.reason_s["no_room"] == 95 + 194
    assert (sum(answer.reason_s.values()), answer.trials, answer.together) == (289, (), None)
    assert render("eight", answer).endswith(
        "\n\nevery job that started did so when it does in the simulation"
    )


def test_errors_by_hand() -> None:
    """Two jobs of one device for an hour each; the second waits from 1:00 to 3:00, and would not.

    Starts differ by 0 and 2 h, so by 1 h on average, waits likewise. Of eight devices an eighth is held: by
    the record in hours 0 and 3, simulated in hours 0 and 1; so two of four hours differ by an eighth.
    """
    log = build.trace(was(0, 0, HOUR_S), was(HOUR_S, 3 * HOUR_S, 4 * HOUR_S, 8, owner="ann"))
    found = beside(EIGHT, log).comparison
    assert (found.same_starts, found.start_error_s, found.wasserstein_s) == (1, HOUR_S, HOUR_S)
    assert (found.all.recorded_mean_s, found.all.simulated_mean_s) == (HOUR_S, 0)
    assert found.all.recorded_p95_s == pytest.approx(0.95 * 2 * HOUR_S)
    assert found.by["gang"]["2-8"].bias_mean_s == found.by["owner"]["ann"].bias_mean_s == -2 * HOUR_S
    assert found.by["hour"]["01"].recorded_p95_s == found.by["hour"]["01"].recorded_mean_s == 2 * HOUR_S
    assert found.by["hour"]["00"] == (1, 0, 0, 0, 0)
    assert found.use.recorded_by_hour[:5] == [1 / 8, 0, 0, 1, 0]
    assert found.use.simulated_by_hour[:5] == [1 / 8, 1, 0, 0, 0]
    assert found.use.rmse == pytest.approx(np.sqrt(2 / 4))


def test_a_limit_of_an_owner_is_found_and_explains_all() -> None:
    """Ann may hold two of eight: her second job waits 100 s though six are free. Without, nobody waits."""
    jobs = [job(0, 100, 2, owner="ann"), job(0, 100, 2, owner="ann"), job(10, 50, 2, owner="bob")]
    log = log_of(scenario([pool(8)], queues=ANN_HAS_TWO), *jobs)
    assert starts(log) == [0, 100, 10]
    answer = beside(EIGHT, log)
    assert answer.reason_s["owner_devices"] == 100
    limit = answer.trials[0]
    assert (limit.rule.name, limit.rule.waited_s, limit.closed) == ("owner limit", 100, 1)
    assert limit.change == (
        'queues=[{name = "limit-0", owners = ["ann"], quota = 2}, '
        '{name = "limit-1", owners = ["bob"], quota = 8}]',
    )
    assert limit.comparison is not None
    assert (limit.comparison.same_starts, limit.comparison.start_error_s) == (3, 0)
    assert "consistent with owner limit, which closes 100% of that; 3 of 3 starts" in render("eight", answer)


def test_owners_are_no_patterns() -> None:
    """An owner called a* is limited, and abe is not."""
    jobs = [job(0, 100, 4, owner="a*"), job(0, 100, 4, owner="a*"), job(10, 50, 2, owner="abe")]
    queues = [{"name": "a", "owners": ["a[*]"], "quota": 4}, {"name": "b", "owners": ["abe"], "quota": 8}]
    limit = rule(beside(EIGHT, log_of(scenario([pool(8)], queues=queues), *jobs)), "owner limit")
    assert (limit.closed, limit.change[0].count("a[*]")) == (1, 1)


def test_a_limit_of_a_queue_is_found_where_owners_have_one() -> None:
    """Ann and bob share a queue that may hold four; alone each holds two at most when cem's job waits."""
    queues = [
        {"name": "slow", "owners": ["ann", "bob"], "quota": 4},
        {"name": "fast", "owners": ["cem"], "quota": 8},
    ]
    jobs = [
        *(job(0, 100, 2, owner=owner, queue="slow") for owner in ("ann", "bob")),
        *(job(1, 100, 2, owner=owner, queue="slow") for owner in ("ann", "bob")),
        job(5, 10, 1, owner="cem", queue="fast"),
    ]
    log = log_of(scenario([pool(8)], queues=queues), *jobs)
    assert starts(log) == [0, 0, 100, 100, 5]
    limit = rule(beside(EIGHT, log), "queue limit")
    assert (limit.rule.waited_s, limit.closed) == (198, 1)
    assert '["ann", "bob"], quota = 4' in limit.change[0]
    mixed = build.trace(*({**each, "owner": "ann"} for each in log.table.to_pylist()))
    assert "several queues" in rule(beside(EIGHT, mixed), "queue limit").rule.cannot


def test_a_downtime_of_two_days_is_found_and_explains_all() -> None:
    """From 2:00 on day 0 all is down for two days; jobs of 3:00 and 4:00 wait 47 h each, and would not.

    The first waits 47 h while nothing runs, the second 46 h of that and an hour for room.
    """
    window = {"from_h": 2, "to_h": 50, "drain_h": 1}
    jobs = [job(0, HOUR_S, 8), job(3 * HOUR_S, HOUR_S, 8), job(4 * HOUR_S, HOUR_S, 2)]
    log = log_of(scenario([pool(8, maintenance=[window])]), *jobs)
    assert starts(log) == [0, 50 * HOUR_S, 51 * HOUR_S]
    answer = beside(EIGHT, log)
    assert answer.reason_s["stopped"] == (47 + 46) * HOUR_S
    assert answer.reason_s["no_room"] == HOUR_S
    down = answer.trials[0]
    assert (down.rule.name, down.closed) == ("downtime", 1)
    assert down.comparison is not None
    assert down.comparison.same_starts == 3
    assert down.rule.evidence == "stopped 1 time, 47.0 h, though someone waited: 47.0 h from 1970-01-01 03:00"


def test_a_drain_before_a_downtime_is_part_of_it() -> None:
    """Drained from 1:00, down from 2:00 to 5:00: the job of 1:30 would run on the free half."""
    window = {"from_h": 2, "to_h": 5, "drain_h": 1}
    jobs = [job(0, 2 * HOUR_S, 4), job(HOUR_S * 3 // 2, HOUR_S, 4)]
    log = log_of(scenario([pool(8, maintenance=[window])]), *jobs)
    assert starts(log) == [0, 5 * HOUR_S]
    down = rule(beside(EIGHT, log), "downtime")
    assert (down.closed, down.rule.waited_s) == (1, 3 * HOUR_S)


def test_what_runs_in_the_simulation_is_set_aside_for_a_downtime_and_loses_nothing() -> None:
    """The first job runs from 0:30 to 1:30 by the record; simulated it starts at 0:00 and ends at 1:00.

    The third, of 1:00, waits for the downtime from 1:30 to 4:00; the second is submitted then.
    """
    log = build.trace(
        was(0, HOUR_S // 2, 3 * HOUR_S // 2, 8),
        was(3 * HOUR_S // 2, 4 * HOUR_S, 5 * HOUR_S, 8),
    )
    down = rule(beside(EIGHT, log), "downtime")
    assert down.comparison is not None
    assert down.comparison.all.simulated_mean_s == 2.5 * HOUR_S / 2
    assert 'checkpoints.interval="1s"' in down.change


def test_kills_at_the_limit_are_found() -> None:
    """The first job would run for 100 s, asked for 50, and was killed; so the second started at 50."""
    first = job(0, 100, 8, estimate_s=50, recorded_start_s=0, recorded_end_s=50)
    killed = rule(beside(EIGHT, build.trace(first, was(0, 50, 60, 8))), "killed at the limit")
    assert (killed.change, killed.closed) == (('kill="estimate"',), 1)
    assert killed.rule.evidence.startswith("2 jobs ended within 60 s of what they asked for, 0 later")


def test_another_order_is_found() -> None:
    """Shortest first: the job of 10 s overtakes the one of 100 s, which was ready before it."""
    jobs = [job(0, 50, 8), job(1, 10, 8), job(2, 100, 8), job(3, 10, 8)]
    assert rule(
        beside(EIGHT, build.trace(was(0, 0, 50, 8), was(1, 60, 70, 8), was(2, 50, 60, 8))), "another order"
    )
    log = log_of(scenario([pool(8)], policy={"order": "sjf"}), *jobs)
    assert starts(log) == [0, 50, 70, 60]
    answer = beside(EIGHT, log)
    assert [trial.rule.name for trial in answer.trials] == []  # it asks for less: nobody was overtaken
    fair = [job(0, 50, 8), job(1, 20, 4, owner="a"), job(2, 20, 8, owner="a"), job(3, 40, 8, owner="b")]
    longer = log_of(scenario([pool(8)], policy={"order": "fair_share"}), *fair, job(200, 40, 8, owner="a"))
    assert starts(longer) == [0, 50, 110, 70, 200]
    fair[3] |= {"estimate_s": 20}
    order = rule(
        beside(EIGHT, log_of(scenario([pool(8)], policy={"order": "fair_share"}), *fair)), "another order"
    )
    assert order.change == ('policy.order="fair_share"',)
    assert order.closed == 1


def test_another_backfill_is_found() -> None:
    """Without backfilling the job of 2 devices waits for that of 8, though there is room for it."""
    jobs = [job(0, 100, 6), job(5, 10, 8), job(6, 50, 2)]
    log = log_of(scenario([pool(8)], policy={"backfill": "none"}), *jobs)
    assert starts(log) == [0, 100, 110]
    answer = beside(EIGHT, log)
    assert answer.reason_s["reserved"] == 94
    found = rule(answer, "another backfill")
    assert (found.change, found.closed, found.rule.waited_s) == (('policy.backfill="none"',), 1, 94)


def test_waits_without_a_reason_are_said_unless_a_rule_explains_every_start() -> None:
    """Two pods of four, half of each free: a gang of three has no room, and blocks others.

    In the second log a job waits 50 s for an empty cluster, and nothing says why.
    """
    jobs = [*(job(0, 100, 2) for _ in range(2)), job(5, 50, 3), job(6, 10, 4), job(7, 10, 1)]
    apart = scenario([pool(4, 2)], policy={"place": "worst_fit"})
    strict = scenario([pool(4, 2)], policy={"place": "worst_fit", "backfill": "none"})
    answer = beside(apart, log_of(strict, *jobs))
    assert answer.reason_s["other"] > 0
    assert "none of the reasons above" not in render("apart", answer)
    held = beside(EIGHT, build.trace(was(0, 50, 60, 2), was(100, 100, 110, 8)))
    assert render("held", held).endswith("100% of the record's waits had room, and none of the reasons above")


def test_fewer_devices_are_found() -> None:
    """Four devices wrote the log, eight are simulated: the second job waits 100 s for room."""
    log = log_of(scenario([pool(4)]), job(0, 100, 4), job(0, 100, 4))
    fewer = rule(beside(EIGHT, log), "fewer devices")
    assert (fewer.change, fewer.closed, fewer.rule.waited_s) == (("pools.own.devices=4",), 1, 100)
    pods = rule(beside(scenario([pool(2, 4, span_efficiency=1.0)]), log), "fewer devices")
    assert (pods.change, pods.closed) == (("pools.own.pods=2",), 1)


def test_a_simulation_that_rents_where_the_record_did_not_is_told() -> None:
    """The second job waits 100 s for the first by the record, and rents at once in the simulation."""
    log = log_of(EIGHT, job(0, 100, 8), job(0, HOUR_S, 8))
    renting = scenario([pool(8)], [build.offer("cloud")], policy={"patience": "at_once"})
    trial = beside(renting, log).trials[0]
    assert (trial.rule.name, trial.change) == ("nothing rented", ('policy.patience="never"',))
    assert trial.rule.evidence == "the record rented nothing, the simulation 8 device-h"
    assert (trial.closed, trial.nearer) == (1, 1)
    rows = log.table.to_pylist()
    rented = build.trace(rows[0], rows[1] | {"recorded_where": "cloud", "recorded_start_s": 50})
    assert "nothing rented" not in [each.rule.name for each in beside(renting, rented).trials]


def test_a_gang_that_a_pool_slows_again_is_told() -> None:
    """By the record a gang over two pods holds them for 90 s; at 0.9 it would for 100, and the next waits."""
    two = [pool(4, 2, span_efficiency=0.9)]
    log = build.trace(was(0, 0, 90, 8), was(0, 90, 180, 8))
    trial = beside(scenario(two), log).trials[0]
    assert (trial.rule.name, trial.closed) == ("gangs not slowed", 1)
    assert trial.change == ("pools.own.span_efficiency=1.0",)
    assert trial.rule.evidence.startswith("2 of 2 jobs are larger than a pod")


def test_what_no_scenario_says_is_named() -> None:
    """Ann runs one job at a time, though she has had three devices; numbers 2 to 9 lack."""
    log = build.trace(
        was(0, 5, 100, 2, owner="ann", name="1"),
        was(0, 100, 200, 1, owner="ann", name="10"),
        was(300, 305, 310, 1, owner="bob", name="11"),
        was(400, 405, 410, 3, owner="ann", name="12"),
    )
    answer = beside(EIGHT, log)
    jobs, missing, lag = [rule(answer, name) for name in ("owner's jobs", "jobs not in the log", "start-up")]
    assert "ann 1 jobs" in jobs.rule.evidence
    assert missing.rule.evidence.startswith("of the job numbers 1 to 12 the trace lacks 8 (67%)")
    assert lag.rule.evidence.startswith(
        "2 jobs came to an empty queue and found room, and half of them waited for 5 s"
    )
    assert all(trial.rule.cannot and trial.comparison is None for trial in (jobs, missing, lag))
    assert answer.reason_s == dict.fromkeys(REASONS, 0) | {"owner_jobs": 95, "other": 5 + 5 + 5 + 5}


def test_hours_in_which_nothing_starts_are_named() -> None:
    """For eight days a job comes at 6:00 and starts at 8:00; no job starts in the hours from 0 to 7."""
    jobs = [
        was(day * DAY_S + 6 * HOUR_S, day * DAY_S + 8 * HOUR_S, day * DAY_S + 32 * HOUR_S, 1)
        for day in range(9)
    ]
    closed = rule(beside(EIGHT, build.trace(*jobs)), "closed hours")
    assert closed.rule.evidence.startswith("no start in the hours 00, 01, 02, 03, 04, 05, 06, 07, 09")
    assert closed.rule.waited_s == 8 * 2 * HOUR_S  # on the first day nothing ran: it had stopped


def test_hours_of_the_day_are_those_of_the_zone_of_the_trace() -> None:
    """Second 0 is midnight UTC, and 5:30 in India: jobs come then, and start at 6:30 for 1 h or for 26 h."""
    short, long = (
        [was(at, at + HOUR_S, at + HOUR_S + run_s) for at in range(0, 9 * DAY_S, DAY_S)]
        for run_s in (HOUR_S, 26 * HOUR_S)
    )
    found = beside(EIGHT, build.trace(*short, epoch="1970-01-01T05:30+05:30")).comparison
    assert list(found.by["hour"]) == ["05"]
    assert np.flatnonzero(found.use.recorded_by_hour).tolist() == [6, 7]
    assert np.flatnonzero(found.use.simulated_by_hour).tolist() == [5, 6]
    answer = beside(EIGHT, build.trace(*long, epoch="1970-01-01T05:30+05:30"))
    said = f"no start in the hours {', '.join(f'{hour:02}' for hour in range(24) if hour != 6)} of any day"
    assert rule(answer, "closed hours").rule.evidence == said


def test_two_rules_are_tried_at_once() -> None:
    """A limit and a downtime together write the log, and only together explain it.

    Ann's second job waits 1 h for the first; two jobs of 12:00 wait 8 h for 20:00, and one of them 1 h more,
    which it does anyhow. So of 17 h that nobody waits in the simulation 16 are for the downtime.
    """
    window = {"from_h": 10, "to_h": 20, "drain_h": 1}
    jobs = [
        *(job(0, HOUR_S, 2, owner="ann"), job(0, HOUR_S, 2, owner="ann"), job(60, HOUR_S, 2, owner="bob")),
        *(job(12 * HOUR_S, HOUR_S, 8, owner="bob"), job(12 * HOUR_S, HOUR_S, 2, owner="bob")),
    ]
    log = log_of(scenario([pool(8, maintenance=[window])], queues=ANN_HAS_TWO), *jobs)
    answer = beside(EIGHT, log)
    assert answer.together is not None
    assert (answer.together.closed, answer.together.rule.evidence) == (1, "downtime, owner limit")
    assert [trial.closed for trial in answer.trials[:2]] == [pytest.approx(16 / 17), pytest.approx(1 / 17)]


def test_a_change_is_what_set_takes(tmp_path: Path) -> None:
    """What is printed as --set gives, by hand, the run that was tried."""
    jobs = [job(0, 100, 4, owner="ann"), job(0, 100, 4, owner='b"]'), job(0, 100, 4, owner="ann")]
    queues = [{"name": "ann", "owners": ["ann"], "quota": 4}, {"name": "rest", "owners": ["b*"], "quota": 8}]
    log = log_of(scenario([pool(8)], queues=queues), *jobs)
    log.write(tmp_path / "log.parquet")
    (tmp_path / "own.toml").write_text(
        'name = "own"\npools = [{name = "own", device = "h100", devices = 12, pods = 1}]\n'
    )
    files = [str(tmp_path / "log.parquet"), str(tmp_path / "own.toml")]
    told = msgspec.json.decode(typed("fidelity", *files, "--json"), type=FidelityDocument)
    change = [word for each in told.rules[0]["set"] for word in ("--set", each)]
    again = msgspec.json.decode(typed("fidelity", *files, *change, "--json"), type=FidelityDocument)
    assert (told.rules[0]["name"], told.rules[0]["closed"], told.same_starts) == ("owner limit", 1, 2)
    assert (again.same_starts, again.start_error_s, again.rules) == (3, 0, [])


def typed(*words: str) -> str:
    done = CliRunner().invoke(main, list(words), prog_name="exaburst")
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_wrong_input_is_one_line() -> None:
    with pytest.raises(TraceError, match="recorded_start_s: empty in every row"):
        beside(EIGHT, build.trace(job(0, 10, 1)))
    with pytest.raises(
        RecordError, match="for which there is no room: 9 are in use with it, and the pools have 8"
    ):
        beside(EIGHT, build.trace(was(0, 0, 10, 8), was(0, 5, 10, 1)))
    with pytest.raises(FidelityError, match=r"no job started both by the record \(0 did\)"):
        beside(scenario([pool(8)], horizon_h=1), build.trace(was(0, 2 * HOUR_S, 3 * HOUR_S)))
    with pytest.raises(FidelityError, match='bound "owned_only"'):
        beside(scenario([pool(8)], bound="owned_only"), build.trace(was(0, 0, 10)))
    with pytest.raises(FidelityError, match="no pools"):
        beside(scenario([], [build.offer("cloud")]), build.trace(was(0, 0, 10)))


def test_the_command_ends_with_two_on_wrong_input(tmp_path: Path) -> None:
    build.trace(job(0, 10, 1)).write(tmp_path / "log.parquet")
    (tmp_path / "own.toml").write_text(
        'name = "own"\npools = [{name = "a", device = "h100", devices = 8, pods = 1}]\n'
    )
    done = CliRunner().invoke(main, ["fidelity", str(tmp_path / "log.parquet"), str(tmp_path / "own.toml")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "the trace does not say when its jobs ran" in done.stderr


def test_jobs_that_started_on_one_side_alone_are_counted_apart() -> None:
    """Within an hour the third job starts in the simulation alone; the gang of nine never does."""
    log = build.trace(was(0, 0, 10), was(0, None, None), was(0, 2 * HOUR_S, 3 * HOUR_S))
    found = beside(scenario([pool(8)], horizon_h=1), log).comparison
    assert (found.all.jobs, found.only_recorded, found.only_simulated) == (1, 0, 2)


def test_rules_that_the_scenario_cannot_take_say_why() -> None:
    own = [{"name": "all", "owners": ["*"], "quota": 8}]
    log = build.trace(*(was(0, at * 2 * HOUR_S, at * 2 * HOUR_S + 60, 4, owner="ann") for at in range(3)))
    answers = {
        "the scenario has queues of its own": scenario([pool(8)], queues=own),
        "queues need policy.preempt nobody": scenario([pool(8)], policy={"preempt": "by_priority"}),
    }
    assert {why: rule(beside(of, log), "owner limit").rule.cannot for why, of in answers.items()} == {
        why: why for why in answers
    }
    failing = pool(8, failures=[{"mtbf_h": 1e6, "repair_h": 1}])
    assert "fair_weather" in rule(beside(scenario([failing], fair_weather=True), log), "downtime").rule.cannot
    calm = rule(beside(scenario([pool(8)], fair_weather=True), log), "downtime")
    assert "fair_weather=false" in calm.change


def test_values_are_written_as_toml() -> None:
    value = [{"a": 'x"\\', "b": [1, 2.5, True]}, {"c": {"d": "é"}}]
    assert tomllib.loads(f"value = {toml([*value, {'gone': None}])}")["value"] == [*value, {}]


@st.composite
def records(draw: st.DrawFn) -> Trace:
    """Up to eight jobs that started within a minute of being submitted, at most at once."""
    jobs = []
    for _ in range(draw(st.integers(1, 8))):
        submit = draw(st.integers(0, 60))
        start, length = submit + draw(st.integers(0, 60)), draw(st.integers(1, 60))
        gang, owner = draw(st.integers(1, 4)), draw(st.sampled_from(["ann", "bob"]))
        jobs.append(
            was(submit, start, start + length, gang, owner=owner, estimate_s=draw(st.integers(1, 80)))
        )
    return build.trace(*sorted(jobs, key=lambda each: each["submit_s"]))


def recorded(log: Trace, devices: int, folder: Path) -> Run:
    return replay(Setup.of(scenario([pool(devices)]), log, CATALOG), folder, engine="record")


@given(records(), st.integers(0, 8))
@settings(max_examples=examples(60), deadline=None)
def test_nothing_differs_just_where_all_starts_are_the_same(log: Trace, more: int) -> None:
    of = scenario([pool(Record.of(log).peak().devices + more)])
    with TemporaryDirectory(dir=MEMORY) as first, TemporaryDirectory(dir=MEMORY) as second:
        setup = Setup.of(of, log, CATALOG)
        runs = replay(setup, Path(first), engine="record"), replay(setup, Path(second))
        found = compare(*runs, log.past_midnight_s)
        same = [a == b for a, b in zip(*(rows(run, "jobs", "start_s") for run in runs), strict=True)]
    assert found.same_starts == sum(same)
    assert (found.start_error_s == 0) == all(same)
    errors = [
        found.wasserstein_s,
        found.use.rmse,
        found.use.bias,
        found.all.bias_mean_s,
        found.all.bias_p95_s,
    ]
    assert not all(same) or not any(errors)
    assert abs(found.all.bias_mean_s) <= found.wasserstein_s + 1e-9
    assert found.wasserstein_s <= found.start_error_s + 1e-9


@given(records(), st.integers(0, 8))
@settings(max_examples=examples(60), deadline=None)
def test_each_second_of_a_wait_has_one_reason(log: Trace, more: int) -> None:
    """The reasons add up to the waits; and second by second a slow look at who waits finds the same."""
    devices = Record.of(log).peak().devices + more
    with TemporaryDirectory(dir=MEMORY) as folder:
        jobs = RecordedJobs.of(recorded(log, devices, Path(folder)))
    found = account(Timeline(jobs, devices)).reason_s
    assert (np.sum(list(found.values()), axis=0) == jobs.waited_s).all()
    for row in range(len(jobs.ready_s)):
        reasons = [slow_reason(jobs, devices, row, at) for at in range(jobs.ready_s[row], jobs.start_s[row])]
        assert {name: seconds[row] for name, seconds in found.items() if name in ("no_room", "reserved")} == {
            name: reasons.count(name) for name in ("no_room", "reserved")
        }


def slow_reason(jobs: RecordedJobs, devices: int, row: int, second: int) -> str:
    runs = (jobs.start_s <= second) & (second < jobs.end_s)
    free = devices - jobs.devices[runs].sum()
    waits = (jobs.ready_s <= second) & (second < jobs.start_s)
    if jobs.devices[row] > free:
        return "no_room"
    return "reserved" if (jobs.devices[waits] > free).any() else "with room"


@given(records())
@settings(max_examples=examples(100), deadline=None)
def test_who_overtakes_is_who_a_look_at_all_pairs_finds(log: Trace) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        jobs = RecordedJobs.of(recorded(log, 40, Path(folder)))
    ids = range(len(jobs.ready_s))
    past = [
        any(
            jobs.ready_s[other] < jobs.ready_s[one]
            and jobs.start_s[other] > jobs.start_s[one]
            and jobs.devices[other] <= jobs.devices[one]
            and jobs.asked_s[other] <= jobs.asked_s[one]
            for other in ids
        )
        for one in ids
    ]
    assert overtaking(Timeline(jobs, 40)) == sum(past)


def test_the_document_has_what_is_printed() -> None:
    log = log_of(scenario([pool(4)]), job(0, 100, 4), job(0, 100, 4))
    answer = beside(EIGHT, log)
    told = fidelity_document("log.parquet", "eight", answer)
    assert msgspec.json.decode(told.text(), type=FidelityDocument) == told
    shown = render("eight", answer)
    assert all(each["evidence"] in shown and each["name"] in shown for each in told.rules)
    assert told.waits["bias_mean_s"] == -50
    assert told.reasons_s["other"] + told.reasons_s["owner_devices"] == 100
