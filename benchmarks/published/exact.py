"""Everything that is held number by number and takes seconds, in one go."""

from __future__ import annotations

from pathlib import Path

from benchmarks.published import batsim, hybrid, kueue, shockwave, shortest
from benchmarks.published.tables import Claim


def claims(data: Path) -> list[Claim]:
    """Redo what is held number by number."""
    return [
        *batsim.claims(data),
        *hybrid.claims(data),
        *shortest.tiresias(data),
        *shortest.muri(data),
        *shockwave.claims(data),
        *kueue.claims(data),
    ]
