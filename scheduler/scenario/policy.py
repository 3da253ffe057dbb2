"""The policy of a scenario: a name a seam, and the tables of those that take more than one argument."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from msgspec import Meta, structs

from scheduler.policy import SEAMS, Policy, resolve
from scheduler.policy.backfill import COMMITTED
from scheduler.policy.changing import Multifactor
from scheduler.policy.errors import PolicyError
from scheduler.policy.files import beside, file_digest, in_file
from scheduler.scenario.base import Model, Whole
from traces.times import DurationError, parse_seconds

Weight = Annotated[float, Meta(ge=-1e12, le=1e12)]


class MultifactorSpec(Model, frozen=True, kw_only=True):
    """Weights of the order `multifactor`, and how age and use are counted. All are assumed."""

    age: Weight = 1.0
    fair_share: Weight = 1.0
    size: Weight = 0.0
    """Below 0: small gangs first."""
    priority: Weight = 1.0
    max_age: str = "7d"
    """A job that has waited for so long has the age 1, and gets no older. Slurm's default."""
    half_life: str = "7d"
    """In this time a half of what an owner has had is forgotten. Slurm's default."""

    def __post_init__(self) -> None:
        self.factors()

    def factors(self) -> Multifactor:
        """Return the order."""
        return Multifactor(
            age=self.age,
            fair_share=self.fair_share,
            size=self.size,
            priority=self.priority,
            max_age_s=_seconds("max_age", self.max_age),
            half_life_s=_seconds("half_life", self.half_life),
        )


def _seconds(key: str, text: str) -> float:
    try:
        seconds = parse_seconds(text)
    except DurationError:
        seconds = 0.0
    if not seconds > 0:
        raise ValueError(f'{key} "{text}": must be a duration above 0, as 7d')
    return seconds


class PolicySpec(Model, frozen=True, kw_only=True):
    """One name a seam, each with at most one argument after a colon."""

    order: str = "fcfs"
    first: str = "owned"
    place: str = "best_fit"
    backfill: str = "easy"
    patience: str = "after:4h"
    offer: str = "cheapest"
    preempt: str = "nobody"
    repatriate: str = "stay"
    queue_most: Whole | None = None
    """So many may wait for owned devices alone: the last in order go to the cloud at once."""
    multifactor: MultifactorSpec | None = None

    def __post_init__(self) -> None:
        for seam, spec in self.choices.items():
            if in_file(spec) is None:  # else it is looked up when it is needed: a run is read without it
                try:
                    resolve(seam, spec)
                except PolicyError as error:
                    raise ValueError(str(error)) from None
        if self.backfill in COMMITTED and self.preempt != "nobody":
            raise ValueError(
                f'backfill "{self.backfill}": keeps its head, for whom nobody gives way; '
                "preempt must be nobody"
            )

    @property
    def choices(self) -> dict[str, str]:
        """What is chosen, by seam."""
        return {seam: getattr(self, seam) for seam in SEAMS}

    def beside(self, folder: Path) -> PolicySpec:
        """Return it with the files of policies, which are relative to a folder, by their whole paths."""
        return structs.replace(self, **{seam: beside(spec, folder) for seam, spec in self.choices.items()})

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of each file that has a policy, by its path; raises PolicyError."""
        found = filter(None, map(in_file, self.choices.values()))
        return {str(policy.path): file_digest(policy.path) for policy in found}

    def build(self) -> Policy:
        """Return the policy; raises PolicyError for one in a file that is not there, or wrong."""
        policy = Policy.build(**self.choices)
        if isinstance(policy.order, Multifactor):
            return replace(policy, order=(self.multifactor or MultifactorSpec()).factors())
        return policy
