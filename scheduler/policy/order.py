"""Which waiting job first: `(job, view) -> float`, lowest first, ties to the lower job_id.

The key is taken when a job begins to wait, at its submission or after an interruption, and is fixed while it
waits. So such an order has no clock to look at, and the engine raises OrderError where one does. An order
whose keys change says so: it has `keys` (`changing.py`). One that is more than a function may also have

- `level(job) -> float`: what preemption by order compares, lower first; without it, the key of that moment;
- `turns_s(job, devices) -> float`: seconds of work on so many devices after which the level of a running job
  changes, inf if never; the engine asks then whether it has to give way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import NewType

from scheduler.policy.changing import CHANGING, Changing
from scheduler.policy.errors import PolicyError
from scheduler.policy.views import JobView, OrderView
from traces import portable
from traces.exact import as_decimal
from traces.times import DAY_S, HOUR_S

Order = Callable[[JobView, OrderView], float]

_LAST_S = 1e13
"""Later than any job is submitted, and whole seconds beyond it, in 900 queues, are exact in a float."""


class OrderError(PolicyError):
    """An order that looks at what it may not; says what to do."""


def fcfs() -> Order:
    """First come, first served."""
    return lambda job, view: job.submit_s


def sjf() -> Order:
    """Shortest job first, by its whole estimate, whatever part of it is done."""
    return lambda job, view: job.done_s + job.estimate_s


def srpt() -> Order:
    """Shortest remaining processing time, by what is left of the estimate.

    On one server, with preemption, no order has a lower mean turnaround (Schrage, Operations Research 1968).
    Until a job is interrupted its key is that of `sjf`.
    """
    return lambda job, view: job.estimate_s


def srsf() -> Order:
    """Shortest remaining service first: what is left of the estimate x gang (Gu et al., NSDI 2019)."""
    return lambda job, view: job.estimate_s * job.gang


Thresholds = NewType("Thresholds", tuple[float, ...])
"""Numbers that ascend; in a scenario with commas, as 1,8,64."""


@dataclass(frozen=True, slots=True)
class Las:
    """Least attained service, in queues: Tiresias (Gu et al., NSDI 2019), which needs no estimates.

    Jobs that have had fewer device-hours than a threshold go before all that have had as many; in each queue
    the first submitted goes first (in the paper, the first started). Nobody moves back up for starving, as an
    option of the paper has it. The default, two queues, is assumed: the paper leaves it to the operator.
    """

    thresholds_device_h: Thresholds = Thresholds((8.0,))

    def __call__(self, job: JobView, view: OrderView) -> float:
        """First come, first served, behind everybody in the queues before."""
        return job.submit_s + _LAST_S * self.level(job)

    def level(self, job: JobView) -> float:
        """The queue, from 0 on."""
        return float(sum(missing <= 0 for missing in self._missing_device_s(job)))

    def turns_s(self, job: JobView, devices: int) -> float:
        """Seconds of work on so many devices until it falls into the next queue."""
        return min([m / devices for m in self._missing_device_s(job) if m > 0], default=inf)

    def _missing_device_s(self, job: JobView) -> list[float]:
        """Return how much service is missing up to each threshold."""
        return [
            float(as_decimal(threshold) * HOUR_S - job.attained_device_s)
            for threshold in self.thresholds_device_h
        ]


def smallest() -> Order:
    """Smallest gang first."""
    return lambda job, view: job.gang


def edf() -> Order:
    """Earliest deadline first; jobs without one come last."""
    return lambda job, view: inf if job.deadline_s is None else job.deadline_s


def priority(per_day: float = 1.0) -> Order:
    """Priority with linear ageing: a waiting job gains `per_day` priority levels a day.

    All waiting jobs age alike, so `rate * submit - priority` orders them at every instant. It is a quotient
    of whole numbers, rounded once, so that jobs of equal rank tie.
    """
    levels, days = as_decimal(per_day).as_integer_ratio()
    per_level = days * DAY_S
    return lambda job, view: (levels * job.submit_s - per_level * job.priority) / per_level


def fair_share() -> Order:
    """Owners share the devices by weight: start-time fair queueing.

    The key is the virtual start tag max(virtual time, finish tag of the owner's previous job); a job's
    finish tag is its start tag plus estimated device-seconds over the owner's share
    (Goyal, Vin and Cheng, SIGCOMM 1996).
    """
    return lambda job, view: view.start_tag(job.owner)


def _log10(x: float) -> float:
    return portable.log_of(x) / log(10)


def _submit_log10(job: JobView) -> float:
    return _log10(job.submit_s or 0.1)


def f1() -> Order:
    """F1 of Carastan-Santos and de Camargo (SC 2017), learnt from simulations: log10(r) n + 870 log10(s).

    In all four r is the estimate, n the gang and s the submission in seconds of the trace, 0.1 for 0.
    """
    return lambda job, view: _log10(job.estimate_s) * job.gang + 870 * _submit_log10(job)


def f2() -> Order:
    """F2 of the same: sqrt(r) n + 25,600 log10(s)."""
    return lambda job, view: sqrt(job.estimate_s) * job.gang + 25_600 * _submit_log10(job)


def f3() -> Order:
    """F3 of the same: r n + 6,860,000 log10(s)."""
    return lambda job, view: job.estimate_s * job.gang + 6_860_000 * _submit_log10(job)


def f4() -> Order:
    """F4 of the same: r sqrt(n) + 530,000 log10(s)."""
    return lambda job, view: job.estimate_s * sqrt(job.gang) + 530_000 * _submit_log10(job)


ORDERS: dict[str, Callable[..., Order | Changing]] = {
    "fcfs": fcfs,
    "sjf": sjf,
    "srpt": srpt,
    "srsf": srsf,
    "las": Las,
    "smallest": smallest,
    "edf": edf,
    "priority": priority,
    "fair_share": fair_share,
    "f1": f1,
    "f2": f2,
    "f3": f3,
    "f4": f4,
    **CHANGING,
}
