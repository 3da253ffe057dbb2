"""A run over a trace that opens warm: who runs already holds devices before anything happens."""

from __future__ import annotations

import numpy as np

from scheduler.engine.jobs import Fit, rows_of
from scheduler.engine.simulation import Simulation
from scheduler.engine.source import RestOf, Source
from scheduler.engine.warm_start import Running
from traces.trace import Trace
from traces.warm import runs_already


def opened_source(trace: Trace, fit: Fit, simulation: Simulation, source: Source) -> Source:
    """Let the simulation open with those who run already; return the source of all others.

    That is the source itself unless the trace opens warm. Raises OpeningError where somebody finds no room.
    """
    if trace.opens_s is None:
        return source
    already = runs_already(trace)
    jobs = rows_of(trace, fit, np.array([one.row for one in already], np.int64))
    places = zip(jobs, already, strict=True)
    simulation.open(Running(job, one.since_s, one.where, one.pods) for job, one in places)
    return RestOf(source, frozenset(one.row for one in already))
