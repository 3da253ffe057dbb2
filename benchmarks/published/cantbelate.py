"""One job with a deadline on spot and on-demand devices: Wu et al., "Can't Be Late" (NSDI 2024).

48 h of work, a deadline, and recordings of when a spot V100 could be had, in ticks of 600 s. Costs of the
simple strategies come from the simulator's rules written down anew; uniform progress, the paper's own, is the
policy `uniform_progress` here. Deadlines and the time that a change of devices takes are assumed, and no
published cost is at hand.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from math import ceil, floor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.published.runs import Task, figures_of
from benchmarks.published.tables import Claim, equal, interval, table
from traces.times import HOUR_S
from traces.trace import Trace

PAPER = "Can't Be Late"
TICK_S, TASK_S, CHANGE_S = 600, 48 * HOUR_S, 720
DEADLINES_H = (52, 70)
USD_PER_H = {"spot": 0.9731, "on-demand": 3.06}
ONE_V100 = "v100_1_"
"""The recordings of what the prices are for."""
UNIFORM = "uniform progress, here"


class Tick(NamedTuple):
    """What a strategy sees: whether spot is there, what it was on, and three counts of ticks."""

    spot: bool
    on: str | None
    left: int
    """To the deadline."""
    needed: int
    """Of work and one change."""
    needed_twice: int
    """Of work and two changes."""


Strategy = Callable[[Tick], str | None]


def _greedy(tick: Tick) -> str | None:
    if tick.needed >= tick.left:
        return "on-demand"
    if tick.needed_twice >= tick.left:
        return "spot" if tick.on == "spot" and tick.spot else "on-demand"
    return "spot" if tick.spot else None


STRATEGIES: dict[str, Strategy] = {
    "always on-demand": lambda _tick: "on-demand",
    "spot, else on-demand": lambda tick: "spot" if tick.spot else "on-demand",
    "spot, else wait": lambda tick: "spot" if tick.spot else None,
    "greedy": _greedy,
}


def cost(available: list[int], deadline_s: int, strategy: Strategy) -> float:
    """Return what a strategy pays, in USD, with the guarantee that all of them have."""
    done_s = overhead_s = 0
    on: str | None = None
    usd = 0.0
    for at, spot in enumerate(available):
        left_s = TASK_S - done_s
        left = floor((deadline_s - at * TICK_S) / TICK_S)
        counts = (ceil((left_s + times * CHANGE_S) / TICK_S) for times in (1, 2))
        wanted = strategy(Tick(bool(spot), on, left, *counts))
        if ceil((left_s + CHANGE_S) / TICK_S) >= left:
            wanted = "spot" if on == "spot" and not overhead_s else "on-demand"
        if wanted == "spot" and not spot:
            wanted = None
        if wanted not in (None, on):
            overhead_s = CHANGE_S
        on = wanted
        if on:
            usd += USD_PER_H[on] * TICK_S / HOUR_S
            done_s += max(TICK_S - overhead_s, 0)
            overhead_s = max(overhead_s - TICK_S, 0)
        if done_s >= TASK_S:
            return usd
    raise ValueError("the recording ends before the work is done")


Costs = dict[tuple[str, int], list[float]]
"""USD of each recording, by strategy and deadline in hours."""


def redo(data: Path, folder: Path) -> Costs:
    """Return what each strategy pays, by the rules or here."""
    costs: Costs = {}
    for deadline_h in DEADLINES_H:
        for number, available in enumerate(recordings(data)):
            for name, strategy in STRATEGIES.items():
                paid = cost(available, deadline_h * HOUR_S, strategy)
                costs.setdefault((name, deadline_h), []).append(paid)
            recording = folder / f"spot-{number}.json"
            recording.write_text(json.dumps({"metadata": {"gap_seconds": TICK_S}, "data": available}))
            for name, offers in (("always on-demand, here", []), (UNIFORM, [_spot(recording)])):
                costs.setdefault((name, deadline_h), []).append(_here(offers, deadline_h, folder))
    return costs


def recordings(data: Path) -> list[list[int]]:
    """Return the recordings of one V100, in order of their names."""
    with tarfile.open(data / "peers" / "cantbelate" / "traces.tar.gz") as archive:
        names = sorted(name for name in archive.getnames() if ONE_V100 in name)
        files = [archive.extractfile(name) for name in names]
        texts = [file.read().decode() for file in files if file is not None]
    return [[int(line.partition(",")[2]) for line in text.splitlines()[1:]] for text in texts]


def _spot(recording: Path) -> dict[str, Any]:
    reclaim = {"recording": str(recording), "notice_s": 120}
    return {"name": "spot", "offer": "v100", "quota": 1, "spot": True, "reclaim": reclaim}


def _here(offers: list[dict[str, Any]], deadline_h: int, folder: Path) -> float:
    policy = {"offer": "uniform_progress" if offers else "cheapest", "patience": "at_once"}
    on_demand = {"name": "on-demand", "offer": "v100", "quota": 1}
    scenario = {"name": "late", "offers": [*offers, on_demand], "policy": policy}
    columns = {"runtime_s": TASK_S, "estimate_s": TASK_S, "gang": 1, "deadline_s": deadline_h * HOUR_S}
    file = folder / f"late-{deadline_h}.parquet"
    Trace.from_columns({"submit_s": [0], **{name: [value] for name, value in columns.items()}}).write(file)
    return figures_of(Task(scenario | {"checkpoints": {"interval": f"{TICK_S}s"}}, file)).rent_usd


def claims(costs: Costs) -> list[Claim]:
    """Hold the cost without spot against the rule's, which does not depend on the recording."""
    return [
        equal(
            PAPER,
            f"always on-demand, {hours} h, USD",
            *(
                f"{np.mean(costs[name, hours]):.2f}"
                for name in ("always on-demand", "always on-demand, here")
            ),
        )
        for hours in DEADLINES_H
    ]


def page(costs: Costs) -> str:
    """Return the mean cost of each strategy over the recordings, under each deadline."""
    rows = [
        [name, *(interval(np.array(costs[name, hours]), ".2f") for hours in DEADLINES_H)]
        for name in [*STRATEGIES, UNIFORM]
    ]
    return table(["strategy", *(f"{hours} h, USD" for hours in DEADLINES_H)], rows)
