"""What the jobs of a trace require or exclude, and the scenario does not have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.replay.setup import Setup


def about_places(setup: Setup) -> Iterator[str]:
    """Say, for each place that no pool or offer is, how many jobs name it."""
    stock = setup.stock
    known = {f"pool:{part.name}" for part in (*stock.pools, *stock.offers)}
    known |= {f"device:{part.device}" for part in (*stock.pools, *stock.offers)}
    for verb, column in (("require", "requires"), ("exclude", "excludes")):
        codes, words = setup.trace.codes(column)
        jobs = np.bincount(codes[codes >= 0], minlength=len(words)).tolist()
        unknown = {place for word in words for place in word.split(",")} - known
        for place in sorted(unknown):
            if count := sum(jobs[at] for at, word in enumerate(words) if place in word.split(",")):
                yield f"{count:,} jobs {verb} {place}, which no pool or offer is"
