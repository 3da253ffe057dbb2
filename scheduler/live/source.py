"""A source of jobs that lives in the run: what it asks for, and what it hears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Ask(NamedTuple):
    """A job that a live source submits: columns of a trace, and the source's own `tag` for it."""

    tag: int
    runtime_s: int
    gang: int
    estimate_s: int
    workload: str
    kind: str
    owner: str
    queue: str = "live"
    priority: int = 0
    residency: str = "owned"
    input_tb: float = 0.0
    output_tb: float = 0.0
    checkpoint_s: int | None = None


class LiveSource(Protocol):
    """Submits jobs as the run goes on.

    What it hears of a start may bring jobs from the next second on, what it hears of an end at that instant.
    What it draws comes from streams keyed by (seed, what, whose), never from what it hears, so that two
    policies meet the same customers and campaigns.
    """

    most: int
    """How many jobs it may submit in the run; rows for so many are set aside."""
    owners: Sequence[str]
    """Whose jobs they may be."""

    def next_s(self) -> int | None:
        """Return the next instant at which it has something to do; None for never, as far as it knows."""

    def take(self, now_s: int) -> list[Ask]:
        """Return the jobs of this instant, which it has named by `next_s`; there may be none."""

    def started(self, tag: int, now_s: int) -> None:
        """An attempt of a job has its devices."""

    def ended(self, tag: int, outcome: int, now_s: int) -> None:
        """A job has ended for good: FINISHED, REJECTED or KILLED of the engine's `log.outcomes`."""
