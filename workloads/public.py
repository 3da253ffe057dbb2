"""How large the described fleet and cluster are beside what is public of the company's own.

Public figures are those of quarterly decks, the press and a blog, read in November 2026.
"""

from __future__ import annotations

from typing import NamedTuple

from traces.numbers import count
from workloads.realism import Statistic

FAR = 3.0
"""Three times as much, or a third, is far."""


class PublicFigure(NamedTuple):
    """A figure that is public: from `low` to `high`, as far as the words go."""

    name: str
    low: float
    high: float
    published: str
    source: str

    def beside(self, here: float) -> Statistic:
        """Return a figure of the demand or the cluster beside the public one."""
        return Statistic(self.name, here, self.published, self.source)

    def sentence(self, here: float) -> str:
        """Say of such a figure whether it is above or below what is public, and whether far so."""
        ratio = here / self.high if here > self.high else here / self.low
        direction = "above" if ratio > 1 else "below"
        far = "far " if not 1 / FAR < ratio < FAR else ""
        place = "within" if self.low <= here <= self.high else far + direction
        return f"{count(here)} {self.name}: {place} what is public, {self.published} ({self.source})"


PUBLIC_ROBOTS = PublicFigure(
    "robots at work in January 2026", 100, 1_000, "a few hundred built by August 2025", "press"
)
PUBLIC_OWNED = PublicFigure(
    "H100-equivalents owned, by peak",
    67_000,
    83_000,
    "at Cortex 67,000 in mid 2025, then 16,000 H200 more",
    "quarterly deck and press",
)
PUBLIC_NETWORK = PublicFigure(
    "parameters of the driving network", 1e9, 1e10, "about 1e9 (v14), 1e10 announced (v15)", "a blog"
)
