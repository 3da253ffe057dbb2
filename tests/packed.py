"""Worlds of small pods and small whole numbers, where much coincides, many are late, and pods are drained."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.build import Row, job
from tests.oracle import Outage
from tests.skies import line

LONGEST_S = 13


class Packed(NamedTuple):
    """Jobs at a load of 1 on pods of 2 to 5 devices; about half of the gangs are larger than a pod."""

    jobs: list[Row]
    size: int
    pods: int
    sky: list[Outage]
    """In order of their beginning; known for a while, and not always over when expected."""


def packed(seed: int, count: int) -> Packed:
    """So many jobs, two fifths of which have an estimate that is wrong."""
    rng = np.random.default_rng(seed)
    size, pods = int(rng.integers(2, 6)), int(rng.integers(3, 6))
    gang = rng.integers(1, np.where(rng.random(count) < 0.5, size, (pods - 1) * size) + 1)
    runtime_s, other_s = rng.integers(1, LONGEST_S + 1, (2, count))
    span_s = int((gang * runtime_s).sum()) // (size * pods) + 1
    submit_s = np.sort(rng.integers(0, span_s, count))
    estimate_s = np.where(rng.random(count) < 0.4, other_s, runtime_s)
    columns = np.column_stack([submit_s, runtime_s, gang, estimate_s]).tolist()
    jobs = [job(*row[:3], estimate_s=row[3]) for row in columns]
    return Packed(jobs, size, pods, [_outage(rng, at_s, size, pods) for at_s in range(5, span_s, 15)])


def _outage(rng: np.random.Generator, from_s: int, size: int, pods: int) -> Outage:
    first = int(rng.integers(size)) if rng.random() < 0.5 else 0
    lasts_s, expected_s, notice_s = (int(value) for value in rng.integers(1, LONGEST_S + 1, 3))
    return Outage(
        pod=int(rng.integers(pods)),
        first=first,
        devices=int(rng.integers(1, size - first + 1)),
        known_s=max(0, from_s - (notice_s if rng.random() < 0.8 else 0)),
        from_s=from_s,
        to_s=from_s + lasts_s,
        expected_s=from_s + (lasts_s if rng.random() < 0.5 else expected_s),
    )


def maintenance(outage: Outage) -> Row:
    """Return the row of a weather table."""
    told = {name: getattr(outage, name) for name in ("pod", "first", "devices", "expected_s")}
    notice_s = outage.from_s - outage.known_s
    return line("own", "maintenance", outage.from_s, outage.to_s, notice_s=notice_s, **told)
