"""Pods kept by count: each answer is that of a column that is looked through, and no schedule is another."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from scheduler.engine.owned import pools
from scheduler.policy.frees import CountedFrees, fitting, most_of
from scheduler.policy.place import best_fit, first_fit, worst_fit
from tests.build import run
from tests.test_determinism import digests
from tests.test_lineup import crowded

NO_JOB: Any = None


@pytest.mark.parametrize("size", [1, 3, 8, 1_000])
def test_answers_are_those_of_a_plain_column(size: int) -> None:
    rng = random.Random(size)
    plain = [size] * 70
    counted = CountedFrees()
    counted += plain
    places = [best_fit(), worst_fit(), first_fit()]
    for _ in range(2_000):
        at = rng.randrange(len(plain))
        plain[at] = counted[at] = rng.choice([0, 0, 0, size, rng.randint(0, size)])
        devices = rng.randint(1, size)
        assert counted == plain
        assert [place(NO_JOB, devices, counted) for place in places] == [
            place(NO_JOB, devices, plain) for place in places
        ]
        assert sorted(fitting(counted, devices)) == list(fitting(plain, devices))
        assert most_of(counted) == most_of(plain)
        if rng.random() < 0.01:
            plain += [size]
            counted += [size]


@pytest.mark.parametrize("seed", range(12))
def test_schedules_are_the_same(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, jobs = crowded(seed)
    run(spec, jobs, tmp_path / "plain")
    monkeypatch.setattr(pools, "MANY", 0)
    run(spec, jobs, tmp_path / "counted")
    plain, counted = digests(tmp_path / "plain"), digests(tmp_path / "counted")
    assert plain == counted
