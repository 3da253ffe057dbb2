"""Sources that live in a run, what they hear, and the trace that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scheduler.engine.log.outcomes import FINISHED, REJECTED
from scheduler.live.source import Ask
from scheduler.live.sources import LiveError
from scheduler.replay import Setup, replay
from scheduler.replay.engines import EngineError
from scheduler.run.directory import Run, open_run
from scheduler.scenario import Scenario
from tests.build import job, pool, rows, scenario, trace
from tests.examples import examples
from tests.storms import Tale, tales, weather
from tests.worlds import CATALOG, MEMORY, scenarios, traces
from traces.trace import Trace

LAWS = settings(max_examples=examples(60), deadline=None)
LOGS = ("jobs", "attempts", "states", "spend")
NOBODY = Trace.from_columns({"submit_s": [], "runtime_s": [], "gang": []})


@dataclass
class Scripted:
    """Submits jobs at fixed seconds, and another at the end, or the second after the start, of each.

    A job is (gang, run time); `links` are how many follow each other in answer to one.
    """

    at_s: list[int]
    gang: int = 1
    runtime_s: int = 10
    links: int = 2
    after_start: bool = False
    heard: list[tuple[str, int, int]] = field(default_factory=list)
    due: list[tuple[int, int]] = field(default_factory=list)
    most: int = 0
    asked: int = 0
    owners: Sequence[str] = ("loop",)

    def __post_init__(self) -> None:
        self.due = [(at_s, 0) for at_s in sorted(self.at_s)]
        self.most = len(self.due) * (self.links + 1)

    def next_s(self) -> int | None:
        return min(self.due)[0] if self.due else None

    def take(self, now_s: int) -> list[Ask]:
        now = [link for at_s, link in sorted(self.due) if at_s == now_s]
        self.asked += len(now)
        self.due = [due for due in self.due if due[0] > now_s]
        return [Ask(link, self.runtime_s, self.gang, self.runtime_s, "loop", "loop", "loop") for link in now]

    def started(self, tag: int, now_s: int) -> None:
        self.heard.append(("started", tag, now_s))
        if self.after_start:
            self._answer(tag, now_s + 1)

    def ended(self, tag: int, outcome: int, now_s: int) -> None:
        self.heard.append((str(outcome), tag, now_s))
        if not self.after_start:
            self._answer(tag, now_s)

    def _answer(self, tag: int, at_s: int) -> None:
        if tag < self.links and self.asked + len(self.due) < self.most:  # one that starts again answers again
            self.due.append((at_s, tag + 1))


def lived(of: Scenario, over: Trace, live: Sequence[Scripted], folder: Path) -> Run:
    return replay(Setup.of(of, over, CATALOG), folder, live=live)


def own(devices: int) -> Scenario:
    policy = {"patience": "never", "backfill": "none"}
    return scenario([pool(devices)], policy=policy, horizon_h=1)


def test_a_source_answers_at_the_second_it_hears(tmp_path: Path) -> None:
    """Two devices: job 0 holds one until 100; of the source's jobs each follows the end of the one before."""
    source = Scripted([5])
    run = lived(own(2), trace(job(0, 100, 1)), [source], tmp_path)
    assert rows(run, "jobs", "job_id", "submit_s", "start_s", "end_s") == [
        *((0, 0, 0, 100), (1, 5, 5, 15), (2, 15, 15, 25), (3, 25, 25, 35))
    ]
    done = str(FINISHED)
    assert source.heard == [
        *(("started", 0, 5), (done, 0, 15), ("started", 1, 15)),
        *((done, 1, 25), ("started", 2, 25), (done, 2, 35)),
    ]


def test_an_answer_may_come_before_what_the_source_had_in_mind(tmp_path: Path) -> None:
    """Job 1 is planned for 50; the answer to job 0, which ends at 10, comes first."""
    run = lived(own(1), NOBODY, [Scripted([0, 50], links=1)], tmp_path)
    assert [row[0] for row in rows(run, "jobs", "submit_s")] == [0, 10, 50, 60]


def test_a_source_hears_of_the_rejected_at_once(tmp_path: Path) -> None:
    source = Scripted([7], gang=3, links=1)
    run = lived(own(2), trace(job(0, 5, 1)), [source], tmp_path)
    assert source.heard == [(str(REJECTED), 0, 7), (str(REJECTED), 1, 7)]
    assert [row[0] for row in rows(run, "jobs", "state")] == ["finished", "rejected", "rejected"]


def test_jobs_of_the_trace_that_never_come_are_in_the_trace_that_comes_of_it(tmp_path: Path) -> None:
    """The horizon is an hour; job 1 would come after it."""
    run = lived(own(1), trace(job(0, 5, 1), job(3_601, 5, 1)), [Scripted([10], links=0)], tmp_path)
    assert rows(run, "jobs", "job_id", "submit_s", "reason") == [
        *((0, 0, None), (1, 3_601, "not yet submitted"), (2, 10, None))
    ]
    assert Trace.read(tmp_path / "trace.parquet").numpy("job_id").tolist() == [0, 2, 1]
    open_run(tmp_path)


@LAWS
@given(scenarios(horizon_h=400 / 3_600), traces(), st.booleans(), st.integers(1, 4))
def test_the_trace_that_comes_of_a_run_gives_the_same_run(
    of: Scenario, over: Trace, after_start: bool, gang: int
) -> None:
    assert_same_again(of, over, after_start, gang)


@LAWS
@given(tales(horizon_h=400 / 3_600), st.booleans(), st.integers(1, 4))
def test_in_a_storm_too(tale: Tale, after_start: bool, gang: int) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        file = f"{folder}/weather.parquet"
        weather(tale.scenario, tale.outages).write(file)
        assert_same_again(replace(tale.scenario, weather=file), tale.trace, after_start, gang)


def assert_same_again(of: Scenario, over: Trace, after_start: bool, gang: int) -> None:
    start_s = Setup.of(of, over, CATALOG).start_s
    live = [
        Scripted([start_s + at for at in (0, 30, 30, 77)], gang, 30, after_start=after_start),
        Scripted([start_s + at for at in (11, 60)], 1, 45),
    ]
    with TemporaryDirectory(dir=MEMORY) as folder:
        first = lived(of, over, live, Path(folder) / "first")
        came = Trace.read(Path(folder) / "first" / "trace.parquet")
        again = replay(Setup.of(of, came, CATALOG), Path(folder) / "again", engine="simpy")
        for log in LOGS:
            assert again.table(log).equals(first.table(log)), log
        assert again.description["trace"] == first.description["trace"]
        assert again.start_s == first.start_s


def test_what_a_live_source_cannot_do_is_said(tmp_path: Path) -> None:
    """It needs a horizon, SimPy's engine, and jobs that come after earlier ones alone."""
    jobs = trace(job(0, 5, 1, job_id=0, after=1), job(1, 5, 1, job_id=1))
    with pytest.raises(LiveError, match="horizon_h: needed beside live sources"):
        lived(replace(own(1), horizon_h=None), NOBODY, [Scripted([1])], tmp_path / "a")
    with pytest.raises(LiveError, match='row 0: column "after"'):
        lived(own(1), jobs, [Scripted([1])], tmp_path / "b")
    with pytest.raises(EngineError, match="does not cover live sources"):
        replay(Setup.of(own(1), NOBODY, CATALOG), tmp_path / "c", engine="fast", live=[Scripted([1])])
