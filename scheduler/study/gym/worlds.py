"""Worlds to step through: those of the suites on which policies are tried, or a scenario over its jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from scheduler.replay.setup import Setup
from scheduler.scenario import Scenario, parse_scenario
from scheduler.study.cells.compute import jobs_of_cell
from scheduler.study.compare.differences import CompareError
from scheduler.study.trial.suites import SUITES, World, drawn_scenario
from traces.errors import nearest
from traces.trace import Trace


def suite_worlds(suite: str) -> Callable[[int], Setup]:
    """Return the worlds of a suite by their seeds, "synthetic" or "bad-weather"; raises CompareError."""
    drawn = [name for name in SUITES if name != "archive"]
    if suite not in drawn:
        raise CompareError(f'suite "{suite}": unknown{nearest(suite, drawn)} (allowed: {", ".join(drawn)})')
    scenario = drawn_scenario(suite)

    def world(seed: int) -> Setup:
        cell = World(scenario, seed).under({})
        with TemporaryDirectory(prefix="exaburst-") as folder:
            jobs = jobs_of_cell(cell, Path(folder))
        return Setup.of(parse_scenario({**cell.scenario, "seed": seed}), jobs)

    return world


def scenario_worlds(scenario: Scenario, jobs: Trace) -> Callable[[int], Setup]:
    """Return the worlds of a scenario over the same jobs; their seeds draw the weather."""

    def world(seed: int) -> Setup:
        return Setup.of(replace(scenario, seed=seed), jobs)

    return world
