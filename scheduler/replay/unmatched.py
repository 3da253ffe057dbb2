"""What the jobs of a trace require or exclude, and the scenario does not have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scheduler.engine.places import Places
from scheduler.replay.setup import Setup
from traces.numbers import count_of


def about_places(setup: Setup) -> Iterator[str]:
    """Say, for each place that no pool or offer is, how many jobs name it."""
    stock = setup.stock
    devices = {part.device for part in stock.pools} | {part.device for part in stock.offers}
    known = {f"pool:{name}" for name in stock.names} | {f"device:{device}" for device in devices}
    for column in Places._fields:
        codes, words = setup.trace.codes(column)
        jobs = np.bincount(codes[codes >= 0], minlength=len(words)).tolist()
        unknown = {place for word in words for place in word.split(",")} - known
        for place in sorted(unknown):
            if count := sum(jobs[at] for at, word in enumerate(words) if place in word.split(",")):
                yield f"{place}: no pool or offer is that; `{column}` of {count_of(count, len(codes))} jobs"
