"""Preemption against the slow scheduler that has it from the docs: every attempt, on random worlds."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build import Row, job, pool, rows, run, scenario, trace
from tests.examples import examples
from tests.preempting import PreemptingOracle, Rules, Tried
from tests.test_schedules import MEMORY

SHARES = {"ann": 3.0, "bob": 1.0}
KEYS: dict[str, Callable[[Row], float]] = {
    "fcfs": lambda row: float(row["submit_s"]),
    "sjf": lambda row: float(row["done_s"] + row["estimate_s"]),
    "srpt": lambda row: float(row["estimate_s"]),
    "smallest": lambda row: float(row["gang"]),
    "edf": lambda row: inf if row["deadline_s"] is None else float(row["deadline_s"]),
    "priority:0": lambda row: -float(row["priority"]),
    "priority:86400": lambda row: float(row["submit_s"] - row["priority"]),
    "las:0.01": lambda row: row["submit_s"] + 1e15 * second_queue(row),
    "fair_share": lambda row: 0.0,
}


def second_queue(row: Row) -> float:
    """0.01 device-hours are 36 device-seconds."""
    return float(row["attained_device_s"] >= 36)


class Contest(NamedTuple):
    """Jobs, the pods they are on, and the policy."""

    made: list[Row]
    size: int
    pods: int
    span: str
    policy: dict[str, str]
    rules: Rules


@st.composite
def contests(draw: st.DrawFn) -> Contest:
    """Up to 16 jobs, many of which could stop each other."""
    size, pods = draw(st.sampled_from([(5, 1), (3, 2), (4, 2), (2, 4), (3, 3), (4, 3)]))
    largest = draw(st.sampled_from([size, size, min(2 * size + 1, size * pods), size * pods]))
    submit_s, made = 0, []
    for _ in range(draw(st.integers(2, 16))):
        submit_s += draw(st.sampled_from([0, 0, 1, 1, 2, 5, 9]))
        runtime_s = draw(st.sampled_from([1, 2, 3, 5, 8, 13, 25, 40]))
        row = job(submit_s, runtime_s, draw(st.integers(1, largest)))
        row["estimate_s"] = draw(st.sampled_from([runtime_s, runtime_s, 1, 3, 8, 30]))
        row["priority"] = draw(st.integers(0, 3))
        row["owner"] = draw(st.sampled_from(["ann", "bob"]))
        row["deadline_s"] = draw(st.none() | st.integers(0, 80))
        row["checkpoint_s"] = draw(st.sampled_from([None, None, 1, 2, 4, 10]))
        made.append(row)
    policy = {
        "order": draw(st.sampled_from(sorted(KEYS))),
        "preempt": draw(st.sampled_from(["by_priority", "by_order"])),
        "backfill": draw(
            st.sampled_from(["none", "greedy", "easy", *(f"conservative:{n}" for n in (1, 2, 100))])
        ),
        "place": draw(st.sampled_from(["best_fit", "worst_fit", "first_fit"])),
    }
    rules = Rules(
        preempt=policy["preempt"],
        cost_s=draw(st.sampled_from([0, 0, 2, 3, 7])),
        restart_s=draw(st.sampled_from([0, 0, 3, 9])),
        min_run_s=draw(st.sampled_from([0, 0, 0, 5])),
        most_per_job=draw(st.sampled_from([None, None, None, 1, 2])),
        most_per_h=draw(st.sampled_from([None, None, None, 1, 3])),
        protected_share=draw(st.sampled_from([0.0, 0.0, 0.0, 0.3])),
    )
    return Contest(made, size, pods, draw(st.sampled_from(["1", "1", "0.9", "0.5"])), policy, rules)


def emulated(contest: Contest) -> list[Tried]:
    """What the engine does; without a horizon the run ends with its last job."""
    made, size, pods, span, policy, rules = contest
    protection = {name: getattr(rules, name) for name in Rules._fields[3:] if getattr(rules, name)}
    owned = scenario(
        [pool(size, pods, span_efficiency=float(span))],
        policy=policy | {"patience": "never"},
        checkpoints={"gb_per_device": 2.0 * rules.cost_s, "restart_s": rules.restart_s},
        preemption=protection,
        shares=SHARES,
    )
    columns = ("job_id", "alloc_s", "end_s", "outcome", "kept_s", "checkpointing_s", "lost_device_s", "pods")
    with TemporaryDirectory(dir=MEMORY) as folder:
        of = run(owned, trace(*made), Path(folder))
        found = [(*row[:7], tuple(row[7])) for row in rows(of, "attempts", *columns)]
    assert of.description["end_s"] == max(row[2] for row in found)
    return sorted(found)


@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contests())
def test_everybody_gives_way_as_the_docs_say(contest: Contest) -> None:
    made, size, pods, span, policy, rules = contest
    order = policy["order"]
    oracle = PreemptingOracle(
        made,
        rules,
        level=second_queue if order == "las:0.01" else None,
        shares=SHARES if order == "fair_share" else None,
        key=KEYS[order],
        size=size,
        pods=pods,
        span_efficiency=span,
        backfill=policy["backfill"],
        place=policy["place"],
    )
    found = emulated(contest)
    assert found == oracle.attempts()
    assert all(alloc_s < end_s for _, alloc_s, end_s, *_ in found)
    assert sorted(row[0] for row in found if row[3] == "finished") == list(range(len(made)))
