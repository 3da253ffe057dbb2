"""Pools and their pods in the memory of a lane, and when pods come and go."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scheduler.engine.fast.layout import Layout, level_lengths
from scheduler.engine.fast.memory import (
    ABSENT,
    ARMED_S,
    AT,
    BRANCHES,
    CHANGE,
    CHANGE_SIZE,
    CHANGES_END,
    DRAINS,
    DUE_LIST,
    DUES,
    EMPTIES,
    EMPTIES_LEVELS,
    EMPTIES_TOP,
    EMPTY,
    END_POD,
    ENDS_BY,
    FIRST_POD,
    FREE,
    GOES,
    LEAVES,
    LENGTH,
    LOST_LINES,
    LOST_LINES_END,
    MOST,
    NUMBER_OF_POD,
    POD_SIZE,
    PODS,
    PODS_END,
    POOL,
    POOL_SIZE,
    SIZE,
    STARTS_BEFORE,
    TREE_LEVELS,
    TREE_TOP,
    TREES,
)
from scheduler.engine.need import Need
from scheduler.engine.owned.pools import PodNeed, Pool
from scheduler.policy.frees import MANY
from scheduler.stock.batches import FOR_EVER_S
from traces.arrays import Ints


class PodChange(NamedTuple):
    """Pods come or go at a second; of one instant, those that come are first."""

    at_s: int
    goes: bool
    pool: int
    first: int
    end: int


class PodTables:
    """Pools, and all pods behind each other; `places` is where each pool begins.

    With `dues` there is room for all gangs of each pod, and in pools that are `spanned`, by number, for a
    tree of when each is empty.
    """

    def __init__(
        self, layout: Layout, pools: Sequence[Pool], start_s: int, *, dues: bool, spanned: Container[int]
    ) -> None:
        self._layout, self._pools, self._start_s = layout, pools, start_s
        self.places: list[int] = []
        self._changes: list[PodChange] = []
        for pool in pools:
            pods, first = layout.table(len(pool.pods), POD_SIZE)
            pods[:, FREE], pods[:, NUMBER_OF_POD] = pool.size, np.arange(len(pods))
            pods[:, [ENDS_BY, STARTS_BEFORE]] = ABSENT
            due = self._plan(pods, first, pool)
            if dues:
                self._put_dues(pods, due, pool.size)
            record, place = layout.table(1, POOL_SIZE)
            record[0, [SIZE, PODS, PODS_END]] = pool.size, first, first + pods.size
            stay = pods[pods[:, ENDS_BY] > 0][:, [ENDS_BY, STARTS_BEFORE]]
            record[0, [LEAVES, DRAINS]] = stay.min(axis=0, initial=ABSENT)
            if len(pods) > MANY:
                self._plant_counts(record[0], pods[:, FREE], pool.size)
            if dues and pool.index in spanned:
                self._plant_empties(record[0], np.where(pods[:, ENDS_BY] > 0, due, ABSENT))
            self.places.append(place)

    def _plan(self, pods: Ints, first: int, pool: Pool) -> Ints:
        """Note when the pods of a pool come and go, as `engine/assets.py` does; return when each comes.

        That is EMPTY for those that are there, or never will be.
        """
        due, at = np.full(len(pods), EMPTY), 0
        for batch in pool.stock.batches:
            some = slice(at, at + batch.pods)
            at += batch.pods
            where = pool.index, first + POD_SIZE * some.start, first + POD_SIZE * some.stop
            came_s, left_s = batch.span(self._start_s, FOR_EVER_S)
            if left_s <= self._start_s:
                pods[some, FREE] = pods[some, ENDS_BY] = pods[some, STARTS_BEFORE] = 0
                continue
            if came_s > self._start_s:
                pods[some, FREE], due[some] = 0, came_s
                self._changes.append(PodChange(came_s, False, *where))
            if batch.retired_s is not None:
                self._changes.append(PodChange(left_s, True, *where))
                column, limit_s = (STARTS_BEFORE, batch.drained_s) if batch.closed else (ENDS_BY, left_s)
                assert limit_s is not None
                pods[some, column] = limit_s
        return due

    def _put_dues(self, pods: Ints, due: Ints, size: int) -> None:
        """Let there be room for when the devices of each pod should be free, which those to come know."""
        lists, first = self._layout.table(len(pods), 2 * size)
        pods[:, DUE_LIST] = first + 2 * size * np.arange(len(pods))
        pods[:, DUES] = due != EMPTY
        lists[:, 0], lists[:, 1] = due, size

    def _plant_counts(self, record: Ints, frees: Ints, size: int) -> None:
        begins = level_lengths(len(frees))
        ends = np.cumsum(begins)
        trees = np.zeros((size + 1, int(ends[-1])), np.int64)
        for level, end in enumerate(ends.tolist()):
            record[TREE_LEVELS + level] = begin = end - begins[level]
            nodes = np.arange(len(frees)) // BRANCHES**level
            np.add.at(trees, (frees, begin + nodes), 1)
        record[[TREES, LENGTH]] = self._layout.put(trees), ends[-1]
        record[[TREE_TOP, MOST]] = len(begins) - 1, frees.max()

    def _plant_empties(self, record: Ints, empties: Ints) -> None:
        lengths = level_lengths(len(empties))
        record[[EMPTIES, EMPTIES_TOP]] = 1, len(lengths) - 1
        for level, length in enumerate(lengths):
            nodes = np.full(length, ABSENT)
            nodes[: len(empties)] = empties
            record[EMPTIES_LEVELS + level] = self._layout.put(nodes)
            empties = nodes[: length - length % BRANCHES].reshape(-1, BRANCHES).min(axis=1)

    def put_changes(self, lines: Sequence[tuple[int, Sequence[Need]]]) -> None:
        """Put when pods come and go; `lines` are those of who waits for pods, by where they begin."""
        self._changes.sort()
        table, first = self._layout.table(len(self._changes), CHANGE_SIZE)
        self._layout.run[[CHANGE, CHANGES_END, ARMED_S]] = first, first + table.size, self._start_s
        most = {pool.index: pool.stock.most_pods(self._start_s) for pool in self._pools}
        for record, change in zip(table, self._changes, strict=True):
            record[[AT, GOES, FIRST_POD, END_POD]] = change.at_s, change.goes, change.first, change.end
            record[POOL] = self.places[change.pool]
            if change.goes:
                most[change.pool] = self._pools[change.pool].stock.most_pods(change.at_s)
                lost = [line for line, needs in lines if not any(_can_be_met(need, most) for need in needs)]
                record[LOST_LINES] = at = self._layout.put(np.array(lost, np.int64))
                record[LOST_LINES_END] = at + len(lost)


def _can_be_met(need: Need, most_pods: Mapping[int, int]) -> bool:
    """Say whether there will be enough pods again, by how many there are at most of each pool."""
    assert isinstance(need, PodNeed)
    return need.pods_taken <= most_pods[need.pool.index]
