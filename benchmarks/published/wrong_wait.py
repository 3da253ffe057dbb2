"""WFP3 and UNICEP as RLScheduler's simulator has them: the wait counts from a start time that is still -1.

So w = -1 - s, whatever the hour, and the keys do not change while a job waits.
"""

from __future__ import annotations

from math import log2

from scheduler.policy.order import Order


def wfp3() -> Order:
    """Return -(w / r)^3 n with that wait."""
    return lambda job, _view: -(((-1 - job.submit_s) / job.estimate_s) ** 3) * job.gang


def unicep() -> Order:
    """Return -(w + 1e-15) / (log2(n + 1e-15) r) with that wait."""
    return lambda job, _view: -((-1 - job.submit_s) + 1e-15) / (log2(job.gang + 1e-15) * job.estimate_s)
