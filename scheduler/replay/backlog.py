"""What the jobs ask of the pools beside what these can do meanwhile: the load, and when it outgrows them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.replay.setup import Setup
from traces.arrays import Floats, Ints
from traces.times import DAY_S


class Backlog(NamedTuple):
    """The pools as one server that does all work as it comes and never idles while there is some (Lindley).

    Pods count while they are there. From the start of the run to its horizon or, without one, to the end of
    the day, from the start, of the last submission.
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
        end_s = start_s + DAY_S * (max(0, trace.last_submit_s - start_s) // DAY_S + 1)
    submit_s = np.maximum(trace.numpy("submit_s"), start_s)
    submit_s = submit_s[submit_s < end_s]
    asked_s = _seconds_of_all_pools(setup)[: len(submit_s)]
    if not asked_s.any():
        return Backlog(0.0, 0.0, start_s, 0.0)
    can_s = _can_s(setup, np.append(submit_s, end_s))
    done_before_s = np.cumsum(asked_s) - asked_s
    behind_s = done_before_s - can_s[:-1]
    at = len(behind_s) - 1 - int(np.argmin(behind_s[::-1]))
    since_s, since_asked_s = int(submit_s[at]), float(asked_s[at:].sum())
    since_can_s = float(can_s[-1] - can_s[at])
    return Backlog(
        load=float(asked_s.sum()) / max(1.0, float(can_s[-1])),
        left_s=max(0.0, since_asked_s - since_can_s),
        since_s=since_s,
        load_since=since_asked_s / max(1.0, since_can_s),
    )


def _can_s(setup: Setup, time_s: Ints) -> Floats:
    """Return for how long all pods that there ever are could have worked up to instants."""
    start_s = setup.start_s
    can_s = (time_s - start_s).astype(np.float64)
    pools = setup.stock.pools
    if any(pool.batches for pool in pools):
        there = np.zeros(len(time_s))
        for pool in pools:
            for batch in pool.lots():
                from_s, to_s = batch.span(start_s, int(time_s[-1]))
                there += batch.pods * pool.pod_devices * (np.clip(time_s, from_s, to_s) - from_s)
        can_s = there / sum(pool.pods * pool.pod_devices for pool in pools)
    return can_s


def _seconds_of_all_pools(setup: Setup) -> Floats:
    """Return how long each job would take on all pods that there ever are, each as fast as it is."""
    pools, trace = setup.stock.pools, setup.trace
    if not pools or any(pool.endless for pool in pools):
        return np.zeros(len(trace))
    codes, kinds = trace.codes("kind")
    pace = [
        sum(pool.pods * pool.pod_devices * setup.rate(pool.device, kind) for pool in pools) for kind in kinds
    ]
    seconds: Floats = trace.numpy("gang") * trace.numpy("runtime_s") / np.array(pace)[codes]
    return seconds
