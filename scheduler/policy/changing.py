"""Orders whose keys change while a job waits: `(jobs, view) -> keys`, lowest first, ties to the lower job_id.

The keys of all who wait are worked out at once, in numpy, in each pass in which one of them could start. What
a job waits from is its submission, and its estimate is what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from traces import portable
from traces.arrays import Floats, Ints
from traces.times import DAY_S

_FEW_OWNERS = 7
"""For so many one number at a time is quicker than an array of them, and adds up to the same."""
NO_DEADLINE = 2**63 - 1
"""Stands for the deadline of a job that has none."""


class JobColumns(NamedTuple):
    """Jobs that wait, a read-only column of int64 each, as `JobView` has them one by one."""

    job_id: Ints
    submit_s: Ints
    estimate_s: Ints
    done_s: Ints
    gang: Ints
    priority: Ints
    deadline_s: Ints
    """`NO_DEADLINE` where there is none."""
    attained_device_s: Ints
    owner: Ints
    """Its number in `ChangingView.owners`."""


class ChangingView(Protocol):
    """The moment, and what owners have had of the pods; read-only."""

    @property
    def now_s(self) -> int:
        """The present second."""

    @property
    def devices(self) -> int:
        """Owned devices, of all pools."""

    @property
    def owners(self) -> Sequence[str]:
        """All owners of the trace."""

    @property
    def shares(self) -> Floats:
        """Weight of each owner, from the scenario's `shares`."""

    @property
    def use(self) -> Floats:
        """Device-seconds that each owner has had of the pods, decayed by the order's `half_life_s`."""


@runtime_checkable
class Changing(Protocol):
    """An order whose keys change while a job waits."""

    def keys(self, jobs: JobColumns, view: ChangingView) -> Floats:
        """Return a key for each job, as it is at this moment; none is NaN."""


@runtime_checkable
class Decays(Protocol):
    """A changing order that looks at the use of owners says in which time it halves; inf: it never fades."""

    @property
    def half_life_s(self) -> float:
        """In seconds, above 0."""


@dataclass(frozen=True, slots=True)
class KeyOfColumns:
    """A changing order that goes by the jobs and the clock alone."""

    key: Callable[[JobColumns, Ints], Floats]
    """(jobs, seconds that each has waited) -> keys."""

    def keys(self, jobs: JobColumns, view: ChangingView) -> Floats:
        """Ask it."""
        return self.key(jobs, view.now_s - jobs.submit_s)


def wfp3() -> Changing:
    """WFP3: -(wait / estimate)^3 x gang (Tang et al., CLUSTER 2009)."""

    def key(jobs: JobColumns, wait_s: Ints) -> Floats:
        ratio: Floats = wait_s / jobs.estimate_s
        return -(ratio * ratio * ratio) * jobs.gang

    return KeyOfColumns(key)


def unicep() -> Changing:
    """UNICEP: -wait / (log2(gang) x estimate), 1e-15 beside wait and gang (Tang et al., CLUSTER 2009)."""

    def key(jobs: JobColumns, wait_s: Ints) -> Floats:
        gang = jobs.gang.astype(float) + 1e-15
        return -(wait_s + 1e-15) / (portable.log(gang) / log(2) * jobs.estimate_s)

    return KeyOfColumns(key)


def xfactor() -> Changing:
    """Expansion factor: (wait + estimate) / estimate, largest first; highest response ratio next."""

    def key(jobs: JobColumns, wait_s: Ints) -> Floats:
        keys: Floats = -(wait_s + jobs.estimate_s) / jobs.estimate_s
        return keys

    return KeyOfColumns(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multifactor:
    """A weighted sum of factors, largest first: the multifactor priority of Slurm.

    - Age: wait / `max_age_s`, at most 1.
    - Fair share: 2^(-use / share), Slurm's classic, both as parts of the sum over all owners; use fades with
      `half_life_s`.
    - Size: gang / owned devices; a weight below 0 favours small gangs.
    - Priority: that of the trace, as it stands there.
    """

    age: float = 1.0
    fair_share: float = 1.0
    size: float = 0.0
    priority: float = 1.0
    max_age_s: float = 7.0 * DAY_S
    half_life_s: float = 7.0 * DAY_S

    def keys(self, jobs: JobColumns, view: ChangingView) -> Floats:
        """Return minus the sum."""
        aged_s = np.minimum(view.now_s - jobs.submit_s, self.max_age_s)
        keys: Floats = aged_s * (-self.age / self.max_age_s)
        if self.fair_share:
            keys -= (self.fair_share * fair_factors(view.use, view.shares))[jobs.owner]
        if self.size:
            keys -= self.size / view.devices * jobs.gang
        if self.priority:
            keys -= self.priority * jobs.priority
        return keys


def fair_factors(use: Floats, shares: Floats) -> Floats:
    """Return 2^(-(use / all use) / (share / all shares)) of each owner: 1 for who has had nothing."""
    if len(use) <= _FEW_OWNERS:
        return np.array(_few_fair_factors(use.tolist(), shares.tolist()))
    total = use.sum()
    if not total:
        return np.ones(len(use))
    return portable.exp(use * (-log(2) * shares.sum() / total) / shares)


def _few_fair_factors(use: list[float], shares: list[float]) -> list[float]:
    total = sum(use)
    if not total:
        return [1.0] * len(use)
    rate = -log(2) * sum(shares) / total
    return [portable.exp_of(had * rate / share) for had, share in zip(use, shares, strict=True)]


def multifactor() -> Changing:
    """The weights are those of `[policy.multifactor]`."""
    return Multifactor()


CHANGING: dict[str, Callable[..., Changing]] = {
    "wfp3": wfp3,
    "unicep": unicep,
    "xfactor": xfactor,
    "multifactor": multifactor,
}
