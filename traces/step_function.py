"""Step functions: `value[i]` holds from `time_s[i]` until the next row, the last one for ever.

Rows ascend in time; of several at one instant the last one holds. Whole numbers give exact integrals.
"""

from __future__ import annotations

import numpy as np

from traces.arrays import Array, Floats, Ints


def row_at(time_s: Array, instant_s: Array) -> Ints:
    """Return the number of the row that holds at each instant; before the first row it is the first."""
    return np.maximum(np.searchsorted(time_s, instant_s, "right") - 1, 0)


def over(time_s: Array, value: Array, start_s: Array, end_s: Array) -> Array:
    """Return the integral over each span, without the rounding of a difference of long integrals.

    Before the first row its value holds.
    """
    if len(value) == 1:
        return np.asarray(value[0] * (end_s - start_s))
    whole = np.concatenate([[0], np.cumsum(value[:-1] * np.diff(time_s))])
    first, last = row_at(time_s, start_s), row_at(time_s, end_s)
    following = np.minimum(first + 1, len(value) - 1)
    across = value[first] * (time_s[following] - start_s) + (whole[last] - whole[following])
    across += value[last] * (end_s - time_s[last])
    return np.asarray(np.where(first == last, value[first] * (end_s - start_s), across))


def by_cell(time_s: Array, level: Array, edges: Array) -> Array:
    """Return the integral of a level between edges, in whole numbers; before its first row it is 0."""
    if not len(time_s):
        return np.zeros(len(edges) - 1, np.int64)
    whole = np.concatenate([[0], np.cumsum(level[:-1] * np.diff(time_s))])
    row = row_at(time_s, edges)
    return np.diff(np.where(edges < time_s[0], 0, whole[row] + level[row] * (edges - time_s[row])))


def means(time_s: Array, level: Array, edges: Array) -> Floats:
    """Return the mean of a level between edges; before its first row it is 0."""
    return np.asarray(by_cell(time_s, level, edges) / np.diff(edges))


def from_changes(time_s: Array, change: Array) -> tuple[Array, Array]:
    """Return the times and levels of what is 0 at first and changes at instants, given in any order."""
    order = np.argsort(time_s, kind="stable")
    return time_s[order], np.cumsum(change[order])
