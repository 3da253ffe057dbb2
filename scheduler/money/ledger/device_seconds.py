"""Device-seconds of step functions of devices, by cell of time: exact, in whole numbers."""

from __future__ import annotations

import numpy as np

from traces.arrays import Ints


def per_cell(time_s: Ints, level: Ints, edges: Ints) -> Ints:
    """Integrate a step function between edges; it is 0 before its first row, and the last row holds on."""
    area = np.concatenate([[0], np.cumsum(level[:-1] * np.diff(time_s))])
    row = np.searchsorted(time_s, edges, "right") - 1
    known = np.maximum(row, 0)
    return np.diff(np.where(row < 0, 0, area[known] + level[known] * (edges - time_s[known])))


def since_per_cell(time_s: Ints, devices: Ints, edges: Ints) -> Ints:
    """Sum up the device-seconds between edges of devices that are held from their time on, for ever."""
    cell = np.searchsorted(edges, time_s, "right") - 1
    joined, missed = np.zeros((2, len(edges)), np.int64)
    np.add.at(joined, cell, devices)
    np.add.at(missed, cell, devices * (time_s - edges[cell]))
    return np.cumsum(joined[:-1]) * np.diff(edges) - missed[:-1]


def shared_per_cell(start_s: Ints, end_s: Ints, devices: Ints, most: int, edges: Ints) -> Ints:
    """Sum up the device-seconds of spans between edges, of at most so many devices at once."""
    if not len(devices):
        return np.zeros(len(edges) - 1, np.int64)
    time_s = np.concatenate([start_s, end_s])
    order = np.argsort(time_s, kind="stable")
    level = np.cumsum(np.concatenate([devices, -devices])[order])
    return per_cell(time_s[order], np.minimum(level, most), edges)
