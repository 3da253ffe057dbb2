"""Places that jobs name, and the scenario does not have, are said once each."""

from __future__ import annotations

from scheduler.replay.setup import Setup
from scheduler.replay.unmatched import about_places
from tests.build import CATALOG, job, offer, pool, scenario, trace


def test_places_that_nothing_is_are_counted_by_the_jobs_that_name_them() -> None:
    jobs = trace(
        job(0, 1, 1, requires="device:a100,pool:own"),
        job(0, 1, 1, requires="device:a100"),
        job(0, 1, 1, requires="pool:cloud", excludes="device:unit,pool:old"),
        job(0, 1, 1),
    )
    setup = Setup.of(scenario([pool(1)], [offer("cloud")]), jobs, CATALOG)
    assert list(about_places(setup)) == [
        "device:a100: no pool or offer is that; `requires` of 2 of 4 jobs",
        "pool:old: no pool or offer is that; `excludes` of 1 of 4 jobs",
    ]
    assert list(about_places(Setup.of(scenario([pool(1)]), trace(job(0, 1, 1)), CATALOG))) == []
