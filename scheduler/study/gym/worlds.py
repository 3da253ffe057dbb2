"""Worlds to step through: those of the suites on which policies are tried, or a scenario over its jobs."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from scheduler.replay.setup import Setup
from scheduler.scenario import Scenario
from scheduler.study.compare.differences import CompareError
from scheduler.study.reference import reference_of
from scheduler.study.trial.suites import SUITES, drawn_scenario
from traces.errors import nearest
from traces.trace import Trace
from workloads import demand_of, generate


def suite_worlds(suite: str) -> Callable[[int], Setup]:
    """Return the worlds of a suite by their seeds, "synthetic" or "bad-weather"; raises CompareError."""
    drawn = [name for name in SUITES if name != "archive"]
    if suite not in drawn:
        raise CompareError(f'suite "{suite}": unknown{nearest(suite, drawn)} (allowed: {", ".join(drawn)})')
    scenario = drawn_scenario(suite)

    def world(seed: int) -> Setup:
        jobs = generate(demand_of({**scenario.demand, "seed": seed}), reference_of())
        return scenario_worlds(scenario, jobs)(seed)

    return world


def scenario_worlds(scenario: Scenario, jobs: Trace) -> Callable[[int], Setup]:
    """Return the worlds of a scenario over the same jobs; their seeds draw the weather."""

    def world(seed: int) -> Setup:
        return Setup.of(replace(scenario, seed=seed), jobs)

    return world
