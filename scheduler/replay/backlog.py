"""What the jobs ask of the pools beside what these can do meanwhile: the load, and when it outgrows them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.replay.setup import Setup
from traces.arrays import Floats
from traces.times import DAY_S


class Backlog(NamedTuple):
    """The pools as one server that does all work as it comes and never idles while there is some (Lindley).

    From the start of the run to its horizon or, without one, to the end of the day, from the start, of
    the last submission.
    """

    load: float
    """The work submitted over what the pools can do; 0 where there are none, or no end of them."""
    left_s: float
    """Seconds that all pools still need in the end for what was submitted."""
    since_s: int
    """Second of the last submission that found nothing left; from there on there always is some."""
    load_since: float
    """The work submitted from then on over what the pools can do."""


def backlog(setup: Setup) -> Backlog:
    """Return what the jobs ask of the pools."""
    trace, start_s = setup.trace, setup.start_s
    end_s = setup.horizon_ends_s
    if end_s is None:
        end_s = start_s + DAY_S * ((trace.last_submit_s - start_s) // DAY_S + 1)
    submit_s = trace.numpy("submit_s")
    submit_s = submit_s[submit_s < end_s]
    asked_s = _seconds_of_all_pools(setup)[: len(submit_s)]
    if not asked_s.any():
        return Backlog(0.0, 0.0, start_s, 0.0)
    done_before_s = np.cumsum(asked_s) - asked_s
    behind_s = done_before_s - submit_s
    at = len(behind_s) - 1 - int(np.argmin(behind_s[::-1]))
    since_s, since_asked_s = int(submit_s[at]), float(asked_s[at:].sum())
    return Backlog(
        load=float(asked_s.sum()) / (end_s - start_s),
        left_s=max(0.0, since_asked_s - (end_s - since_s)),
        since_s=since_s,
        load_since=since_asked_s / (end_s - since_s),
    )


def _seconds_of_all_pools(setup: Setup) -> Floats:
    """Return how long each job would take on all pools at once, each as fast with its kind as it is."""
    pools, trace = setup.stock.pools, setup.trace
    if not pools or any(pool.endless for pool in pools):
        return np.zeros(len(trace))
    codes, kinds = trace.codes("kind")
    pace = [
        sum(pool.pods * pool.pod_devices * setup.rate(pool.device, kind) for pool in pools) for kind in kinds
    ]
    seconds: Floats = trace.numpy("gang") * trace.numpy("runtime_s") / np.array(pace)[codes]
    return seconds
