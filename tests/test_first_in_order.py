"""For whom room is kept: who was first in order then, as the logs tell and as the engine had it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from scheduler.engine.simulation import Simulation
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from scheduler.why.first_in_order import first_in_order, goes_by_the_job
from scheduler.why.job_story import JobStory, WaitSpan
from scheduler.why.question import setup_of
from scheduler.why.waits import Inquiry
from tests import build
from tests.build import job, offer, pool, scenario
from tests.examples import examples
from tests.worlds import CATALOG, MEMORY, scenarios, traces
from traces import Trace

EASY = {"backfill": "easy", "patience": "never"}


def spans(run: Run, over: Trace, row: int) -> list[WaitSpan]:
    return JobStory(run, setup_of(run, over, CATALOG), row).spans


def told(of: Scenario, over: Trace, folder: Path, row: int) -> list[tuple[int, str, str | None]]:
    found = spans(build.run(of, over, folder / "run", CATALOG), over, row)
    return [(one.from_s, one.cause.word, one.first) for one in found]


@pytest.mark.parametrize(("backfill", "cause"), [("easy", "reserved"), ("none", "order")])
def test_room_is_kept_for_the_head_by_its_name(backfill: str, cause: str, tmp_path: Path) -> None:
    jobs = build.trace(job(0, 100, 2), job(10, 20, 4, name="big"), job(20, 500, 1))
    of = scenario([pool(4)], policy={"backfill": backfill, "patience": "never"})
    assert told(of, jobs, tmp_path, 2) == [(20, cause, "big"), (100, "too_few", None)]
    assert told(of, jobs, tmp_path / "head", 1) == [(10, "too_few", None)]


def test_the_order_says_who_is_first_and_not_who_came_first(tmp_path: Path) -> None:
    """Both wait for all of 4; the shorter is first, from its submission on."""
    jobs = build.trace(job(0, 100, 2), job(10, 90, 4), job(20, 500, 1), job(30, 80, 4), job(40, 500, 1))
    of = scenario([pool(4)], policy=EASY | {"order": "sjf"})
    assert told(of, jobs, tmp_path, 2)[:1] == [(20, "reserved", "1")]
    assert told(of, jobs, tmp_path / "late", 4)[:1] == [(40, "reserved", "3")]


def test_who_cannot_use_pods_is_not_first_for_them(tmp_path: Path) -> None:
    """The second may only be rented, where the first took all: nobody behind it waits for it."""
    jobs = build.trace(
        job(0, 100, 2), job(1, 50, 2, requires="pool:cloud"), job(2, 50, 2, requires="pool:cloud"),
        job(10, 20, 4), job(20, 500, 1),
    )  # fmt: skip
    of = scenario([pool(4)], [offer("cloud", 2)], policy={"backfill": "easy", "patience": "never"})
    assert ("reserved", "3") in {found[1:] for found in told(of, jobs, tmp_path, 4)}


@settings(max_examples=examples(150), deadline=None)
@given(scenarios(), traces())
def test_it_is_the_head_that_the_engine_had(of: Scenario, over: Trace) -> None:
    """At each second at which the engine made a pass, where the logs tell it."""
    heads: dict[int, str | None] = {}
    make_pass = Simulation.make_pass

    def noted(self: Simulation) -> None:
        make_pass(self)
        head = self.lineup.head()
        heads[int(self.env.now)] = None if head is None else str(head.job_id)

    with TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "make_pass", noted)
        run = build.run(of, over, Path(folder) / "run", CATALOG)
        setup = setup_of(run, over, CATALOG)
        told = first_in_order(run, Inquiry(run, setup), [*heads])
        rejected = "rejected" in run.table("jobs").column("state").to_pylist()
        again = 2 in run.table("attempts").column("attempt").to_pylist()
    for (second, head), name in zip(heads.items(), told, strict=True):
        assert name in (None, head), second
    if (
        goes_by_the_job(setup)
        and setup.policy.first is None
        and not (setup.scenario.queues or rejected or again)
    ):
        assert [*heads.values()] == told
