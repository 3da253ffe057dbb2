"""How many devices there are of the pools of a run: from delivery to retirement, to the second."""

from __future__ import annotations

import msgspec
import numpy as np

from scheduler.run.directory import Run
from scheduler.stock.pools import PoolStock
from traces.arrays import Ints
from traces.step_function import by_cell, from_changes


def owned_levels(run: Run, *pools: str) -> tuple[Ints, Ints]:
    """Return instants of a run, and the devices of some pools, by default of all, from each of them on.

    Where nothing comes or goes, that is one instant: the start of the run.
    """
    time_s, change = [run.start_s], [0]
    for pool in msgspec.convert(run.description["pools"], list[PoolStock]):
        for batch in pool.lots() if pool.name in (pools or run.pools) else ():
            from_s, to_s = batch.span(run.start_s, run.end_s)
            devices = batch.pods * pool.pod_devices
            time_s += [from_s] if to_s == run.end_s else [from_s, to_s]
            change += [devices] if to_s == run.end_s else [devices, -devices]
    instants, levels = from_changes(np.array(time_s), np.array(change))
    last = np.append(np.diff(instants) != 0, True)
    return instants[last], levels[last]


def owned_device_s(run: Run, *pools: str, window: tuple[int, int] | None = None) -> int:
    """Return the device-seconds of some pools, by default of all, in all of a run or a part of it."""
    return int(by_cell(*owned_levels(run, *pools), np.array(window or (run.start_s, run.end_s)))[0])
