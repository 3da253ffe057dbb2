"""Which waiting job first: `(job, view) -> float`, lowest first, ties to the lower job_id.

The key is taken once, when the job is submitted, and never changes while it waits.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from scheduler.policy.views import JobView, View

Order = Callable[[JobView, View], float]


def fcfs() -> Order:
    """First come, first served."""
    return lambda job, view: job.submit_s


def sjf() -> Order:
    """Shortest job first, by its estimate."""
    return lambda job, view: job.estimate_s


def smallest() -> Order:
    """Smallest gang first."""
    return lambda job, view: job.gang


def edf() -> Order:
    """Earliest deadline first; jobs without one come last."""
    return lambda job, view: inf if job.deadline_s is None else job.deadline_s


def priority(per_day: float = 1.0) -> Order:
    """Priority with linear ageing: a waiting job gains `per_day` priority levels a day.

    All waiting jobs age alike, so `rate * submit - priority` orders them at every instant.
    """
    rate = per_day / 86_400
    return lambda job, view: rate * job.submit_s - job.priority


def fair_share() -> Order:
    """Owners share the devices by weight: start-time fair queueing.

    The key is the virtual start tag max(virtual time, finish tag of the owner's previous job); a job's
    finish tag is its start tag plus estimated device-seconds over the owner's share
    (Goyal, Vin and Cheng, SIGCOMM 1996).
    """
    return lambda job, view: view.start_tag(job.owner)


ORDERS: dict[str, Callable[..., Order]] = {
    "fcfs": fcfs,
    "sjf": sjf,
    "smallest": smallest,
    "edf": edf,
    "priority": priority,
    "fair_share": fair_share,
}
