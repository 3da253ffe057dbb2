"""Where jobs come from: what a source that listens hears of its jobs."""

from __future__ import annotations

from importlib import import_module

import pytest

from scheduler.engine.log.outcomes import FINISHED, KILLED, REJECTED
from scheduler.engine.source import TraceSource
from tests.build import job
from tests.test_storm_stories import broken, owned, replay

Heard = list[tuple[int, int, int]]
"""(row, outcome, second)."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What the sources of this test's runs hear."""
    ends: Heard = []

    class Listening(TraceSource):
        hears = True

        def ended(self, row: int, outcome: int, now_s: int) -> None:
            ends.append((row, outcome, now_s))

    monkeypatch.setattr(import_module("scheduler.replay.replay"), "TraceSource", Listening)
    return ends


def test_a_source_hears_when_jobs_finish(heard: Heard) -> None:
    """A pod of 2: job 1 starts at once beside job 0, job 2 when job 1 has ended."""
    replay(owned(), [], job(0, 100, 1), job(0, 40, 1), job(10, 20, 1))
    assert heard == [(1, FINISHED, 40), (2, FINISHED, 60), (0, FINISHED, 100)]


def test_a_source_hears_of_the_killed_and_of_those_who_wait_for_them(heard: Heard) -> None:
    """The only try of job 0 fails at 40; job 1 comes after it, and job 2 after that."""
    jobs = (job(0, 100, 2, job_id=0), job(0, 10, 1, job_id=1, after=0), job(0, 10, 1, job_id=2, after=1))
    replay(owned(retries={"limit": 0}), [broken(40, 60)], *jobs)
    assert heard == [(0, KILLED, 40), (1, REJECTED, 40), (2, REJECTED, 40)]


def test_a_source_hears_of_the_rejected(heard: Heard) -> None:
    """Job 0 fits no pod of 2; job 1 comes after it."""
    replay(owned(), [], job(0, 100, 3, job_id=0), job(5, 10, 1, job_id=1, after=0))
    assert heard == [(0, REJECTED, 0), (1, REJECTED, 5)]
