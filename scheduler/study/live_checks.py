"""Live sources of a scenario beside the jobs that they would meet, before anything is run."""

from __future__ import annotations

from scheduler.catalog import load_catalog
from scheduler.replay.live_checks import check_live
from scheduler.scenario import Scenario
from scheduler.study.reference import REFERENCE_DEVICE
from traces.trace import Trace
from workloads.campaigns import KIND_NAMES


def check_live_sources(scenario: Scenario, jobs: Trace | None) -> None:
    """Raise ScenarioError for what could never be; without jobs, those that a demand generates are meant.

    A kind that the generator knows may be absent from a trace, which may be a part of one.
    """
    if jobs is not None and "live" in jobs.source:
        return  # the jobs came of such a run, in which cars have taken theirs
    reference = REFERENCE_DEVICE if jobs is None else jobs.reference_device
    kinds = KIND_NAMES if jobs is None else (*KIND_NAMES, *jobs.words("kind"))
    check_live(scenario, load_catalog(), reference, kinds)
