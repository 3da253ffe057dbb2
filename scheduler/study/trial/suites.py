"""Suites of worlds on which a policy is tried, each in a part to improve on and a part held out.

Nobody who improves a policy should look at the second: what only the first shows has been learnt by heart.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from scheduler.scenario import Scenario, parse_scenario
from scheduler.study.cells.cell import Cell, cell_of
from scheduler.study.compare.differences import CompareError
from traces.times import HOUR_S
from traces.trace import ANY_DEVICE, Trace

TO_TRAIN, HELD_OUT = "train", "held-out"
HELD_OUT_FROM = 1_001
"""First seed of the part held out; that to train on has those from 1."""
SUITES = {
    "synthetic": "three days of generated demand on two pods of 24 devices, with offers",
    "bad-weather": "the same while devices fail, and spot ones are taken away",
    "archive": "the jobs of a trace, cut into spans of equal length, at a load of 0.9",
}
LOAD = 0.9
"""Of the trace, on the pod that it gets; assumed."""

_POOL: dict[str, Any] = {"name": "own", "device": "dojo-tile-case-study", "devices": 24, "pods": 2}
_OFFER: dict[str, Any] = {"name": "cloud", "offer": "aws-h100-us-east-1", "quota": 512}
_SPOT: dict[str, Any] = {"name": "spot", "offer": "aws-h100-us-east-1", "quota": 256, "spot": True}
_HORIZON_H = 120
_SYNTHETIC: dict[str, Any] = {
    "name": "synthetic",
    "horizon_h": _HORIZON_H,
    "demand": {"days": 3, "devices": 48, "load": 1.2},
    "pools": [_POOL],
    "offers": [_OFFER, _SPOT],
}
_FAILURES = [{"of": "device", "mtbf_h": 400, "repair_h": 12}, {"of": "pod", "mtbf_h": 200, "repair_h": 4}]
_BAD_WEATHER: dict[str, Any] = _SYNTHETIC | {
    "name": "bad-weather",
    "pools": [_POOL | {"failures": _FAILURES}],
    "offers": [_OFFER, _SPOT | {"reclaim": {"up_h": 3.34, "up_sigma": 1.48}}],
}


class World(NamedTuple):
    """A run without its policy."""

    scenario: Scenario
    seed: int
    trace: Path | None = None

    def under(self, policy: dict[str, str]) -> Cell:
        """Return the run under a policy for some of the seams."""
        scenario = replace(self.scenario, policy=replace(self.scenario.policy, **policy))
        return cell_of(scenario, self.seed, self.trace)


def worlds(suite: str, seeds: int, trace: Path | None, folder: Path) -> dict[str, list[World]]:
    """Return the worlds of a suite by part, so many in each; spans of a trace are kept in `folder`.

    Raises CompareError for an archive without a trace, or with too few jobs in it.
    """
    if suite == "archive":
        return _of_trace(seeds, trace, folder)
    scenario = drawn_scenario(suite)
    firsts = {TO_TRAIN: 1, HELD_OUT: HELD_OUT_FROM}
    return {part: [World(scenario, seed) for seed in range(at, at + seeds)] for part, at in firsts.items()}


def drawn_scenario(suite: str) -> Scenario:
    """Return the scenario of a suite whose jobs are generated."""
    return parse_scenario(_SYNTHETIC if suite == "synthetic" else _BAD_WEATHER)


def _of_trace(seeds: int, file: Path | None, folder: Path) -> dict[str, list[World]]:
    """Cut a trace into spans of equal length: the first half to train on, the second held out."""
    if file is None:
        raise CompareError("suite archive: needs the jobs of a trace: give --trace FILE")
    trace = Trace.read(file)
    submit_s = trace.numpy("submit_s")
    edges = np.linspace(submit_s.min(), submit_s.max() + 1, 2 * seeds + 1).astype(np.int64)
    spans = []
    for number, (from_s, to_s) in enumerate(pairwise(edges), 1):
        span = Trace(trace.table.filter((submit_s >= from_s) & (submit_s < to_s)))
        if not len(span):
            raise CompareError(f"{file}: no jobs in span {number} of {2 * seeds}: give fewer --seeds")
        part = folder / f"span-{number}.parquet"
        span.write(part)
        spans.append(World(_pod(trace, int(to_s - from_s), span), number, part))
    return {TO_TRAIN: spans[:seeds], HELD_OUT: spans[seeds:]}


def _pod(trace: Trace, length_s: int, span: Trace) -> Scenario:
    """Return one pod that the jobs of a span load as they should, and that holds every job of the trace."""
    work_s = float(np.dot(span.numpy("gang"), span.numpy("runtime_s")))
    devices = max(int(trace.numpy("gang").max()), ceil(work_s / (LOAD * max(length_s, HOUR_S))))
    device = "h100" if trace.reference_device == ANY_DEVICE else trace.reference_device
    pool = {"name": "own", "device": device, "devices": devices, "pods": 1}
    return parse_scenario({"name": "archive", "pools": [pool], "offers": [_OFFER | {"quota": devices}]})
