"""What queues used of their quotas over time: held, borrowed, lent and due, exactly, at each instant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from scheduler.policy.quota_tree import QuotaNode
from scheduler.run.admissions import ALL_POOLS, waited_until_s
from scheduler.run.directory import Run
from scheduler.scenario import Scenario
from scheduler.scenario.queues import nodes_of, resources_of
from traces.arrays import Floats, Ints, is_word
from traces.step_function import from_changes, row_at


class QuotaLevels(NamedTuple):
    """Levels of one resource, a row a queue and a column an instant, of which each holds until the next."""

    resource: str
    nodes: Sequence[QuotaNode]
    at: int
    """Number of the resource in the nodes."""
    time_s: Ints
    """Ascending, from the start of the run to its end."""
    used: Floats
    """By the jobs of a queue, and of others what its children use above what they lend to nobody."""
    asked: Floats
    """Asked for and not admitted."""

    @property
    def leaves(self) -> list[int]:
        """The queues that have jobs: those without children."""
        return [at for at, node in enumerate(self.nodes) if not node.children]

    @property
    def seconds(self) -> Ints:
        """For how long each instant's levels hold."""
        return np.diff(self.time_s, append=self.time_s[-1:])

    @property
    def borrowed(self) -> Floats:
        """What each uses above its own and its children's."""
        return np.maximum(0, self.used - self._of_nodes("subtree"))

    @property
    def lent(self) -> Floats:
        """What others use of its own and its children's; of several who lend, by what each could."""
        subtree, local = self._of_nodes("subtree"), self._of_nodes("local")
        could = np.clip(subtree - self.used, 0, subtree - local)
        lent, borrowed = np.zeros(self.used.shape), self.borrowed
        for row, node in self._from_the_top():
            children = [self.nodes.index(child) for child in node.children]
            if not children:
                continue
            taken = borrowed[children].sum(axis=0) - borrowed[row] + lent[row]
            rest = np.maximum(0, taken - node.quota[self.at])
            total = could[children].sum(axis=0)
            part = np.divide(rest, total, where=total > 0, out=np.zeros(len(rest)))
            lent[children] = could[children] * part
        return lent

    def _from_the_top(self) -> list[tuple[int, QuotaNode]]:
        return sorted(enumerate(self.nodes), key=lambda each: len(each[1].path))

    def _of_nodes(self, name: str) -> Floats:
        return np.array([getattr(node, name)[self.at] for node in self.nodes], np.float64)[:, np.newaxis]

    @property
    def due(self) -> Floats:
        """What each queue without children would have of all that is used, were it divided fairly.

        Its own first, as far as it asks for so much, then of the rest alike by weight, to nobody more than it
        asks for: max-min, twice.
        """
        leaves = self.leaves
        own = self._of_nodes("subtree")[leaves]
        weight = np.array([self.nodes[at].weight for at in leaves])
        most = self.used[leaves] + self.asked[leaves]
        first = np.minimum(own, most)
        total = self.used[leaves].sum(axis=0)
        due = np.zeros(self.used.shape)
        mine = max_min_over(np.minimum(total, first.sum(axis=0)), own[:, 0], first)
        due[leaves] = mine + max_min_over(total - mine.sum(axis=0), weight, most - mine)
        return due


def quota_levels(run: Run) -> list[QuotaLevels]:
    """Return the levels of each resource of which there are quotas; none without queues."""
    if not run.has("admissions"):
        return []
    scenario = msgspec.convert(run.description["scenario"], Scenario, str_keys=True)
    pools, table = [*run.pools], run.table("admissions")
    resources, found = resources_of(scenario.queues, pools), list[QuotaLevels]()
    for at, resource in enumerate(resources):
        nodes = nodes_of(scenario.queues, pools)
        rows = table.filter(pa.array(is_word(table.column("resource"), resource or ALL_POOLS)))
        found.append(_levels(run, rows, nodes, at, resource or ALL_POOLS))
    return found


def _levels(run: Run, rows: pa.Table, nodes: Sequence[QuotaNode], at: int, resource: str) -> QuotaLevels:
    asked_s, until_s, devices = (rows.column(name).to_numpy() for name in ("asked_s", "until_s", "devices"))
    had_s = waited_until_s(rows)
    times = np.concatenate([[run.start_s, run.end_s], asked_s, had_s, until_s])
    time_s = np.unique(times[(times >= run.start_s) & (times <= run.end_s)])
    used, asked = np.zeros((2, len(nodes), len(time_s)))
    for row, node in enumerate(nodes):
        mine = is_word(rows.column("queue"), node.name)
        used[row] = _level(time_s, had_s[mine], until_s[mine], devices[mine])
        asked[row] = _level(time_s, asked_s[mine], had_s[mine], devices[mine])
    for row, node in sorted(enumerate(nodes), key=lambda each: -len(each[1].path)):
        if node.parent is not None:
            used[[*nodes].index(node.parent)] += np.maximum(0, used[row] - node.local[at])
    return QuotaLevels(resource, nodes, at, time_s, used, asked)


def _level(time_s: Ints, from_s: Ints, to_s: Ints, devices: Ints) -> Any:
    """Return how many devices spans have at each instant."""
    at_s, level = from_changes(np.append(from_s, to_s), np.append(devices, -devices))
    return np.where(time_s < at_s[0], 0, level[row_at(at_s, time_s)]) if len(at_s) else 0


def max_min_over(total: Floats, share: Floats, most: Floats) -> Floats:
    """Divide a total at each instant by shares such that no row has more than its most; max-min.

    Who has no share has what all others leave.
    """
    share = np.maximum(share, 1e-12)
    order = np.argsort(most / share[:, np.newaxis], axis=0, kind="stable")
    due, left, instants = np.zeros(most.shape), total.astype(float), np.arange(most.shape[1])
    open_ = np.cumsum(share[order][::-1], axis=0)[::-1]
    for place, row in enumerate(order):
        given = np.minimum(most[row, instants], left * (share[row] / open_[place]))
        due[row, instants] = given
        left = np.maximum(0, left - given)
    return due
