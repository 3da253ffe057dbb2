"""Replications of a log: its own weeks or days, drawn with replacement.

This is the block bootstrap with blocks that do not overlap (Carlstein, Annals of Statistics 1986): arrivals
stay as they were within a block, and what links two blocks is lost. Where the log has two of each weekday, a
day is drawn among those of its own (the seasonal block bootstrap: Dudek, Leskow, Paparoditis and Politis,
Journal of Time Series Analysis 2014).
"""

from __future__ import annotations

from math import ceil
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Bools, Floats, Ints, lists_of, with_columns
from traces.confidence import BlocksDrawn
from traces.numbers import plural
from traces.portable import exp, log
from traces.schema import EXACT, RESAMPLED, TraceError
from traces.streams import streams
from traces.submissions import derived_source, numbered_from, without_lost
from traces.times import DAY_S, WEEK_S, YEAR_S
from traces.trace import Trace

BlockSort = Literal["week", "day"]
BLOCKS_S: dict[BlockSort, int] = {"week": WEEK_S, "day": DAY_S}
_NEVER_RAN = ("recorded_start_s", "recorded_end_s", "recorded_where")
"""What is recorded of a job is so of the log, not of a replication."""


class Resampling(NamedTuple):
    """How a replication is drawn: so many blocks in a row, with `scale` times as many jobs.

    `growth` is the factor by which these are more a year later, growing steadily from the first block on.
    """

    block: BlockSort
    places: int
    scale: float = 1.0
    growth: float = 1.0

    @property
    def length_s(self) -> int:
        """Seconds of a replication."""
        return self.places * BLOCKS_S[self.block]

    @property
    def layers(self) -> int:
        """How many blocks lie over each other at most, so that there are jobs enough."""
        return ceil(float(np.max(self.factor(np.array([0, self.length_s])))))

    def factor(self, from_first_s: Ints) -> Floats:
        """Return how many times as many jobs there are so many seconds after the start of the first block."""
        return self.scale * exp(log(self.growth) * (from_first_s / YEAR_S))


class LogBlocks(NamedTuple):
    """The whole blocks of a log, the first of which begins at its first midnight, in its own zone."""

    block: BlockSort
    from_s: int
    whole: int

    @classmethod
    def of(cls, trace: Trace, block: BlockSort) -> LogBlocks:
        """Return the blocks of a log, whose first and last day count as whole; raises TraceError for none."""
        from_s = trace.first_midnight_s
        days = (trace.last_submit_s - from_s) // DAY_S + 1 if len(trace) else 0
        count = days * DAY_S // BLOCKS_S[block]
        if not count:
            raise TraceError(f"its jobs are submitted within {plural(days, 'day')}, less than a {block}")
        return cls(block, from_s, count)

    @property
    def length_s(self) -> int:
        """Seconds of a block."""
        return BLOCKS_S[self.block]

    @property
    def until_s(self) -> int:
        """The second at which the last block ends; later jobs are in no replication."""
        return self.from_s + self.whole * self.length_s

    @property
    def seasons(self) -> int:
        """Sorts of blocks, each drawn for its own places: weekdays, if the log has two of each or more."""
        return 7 if self.block == "day" and self.whole >= 2 * 7 else 1

    def drawn_by(self, asked: Resampling) -> BlocksDrawn:
        """Return how many blocks a replication has, and how many of the log's are free to vary.

        A layer of which only a part is kept counts as far as it lessens the variance of the sum.
        """
        middle = float(asked.factor(np.array([asked.length_s // 2]))[0])
        layers = np.clip(middle - np.arange(asked.layers), 0, 1)
        alike = float(layers.sum() ** 2 / (layers**2).sum())
        return BlocksDrawn(asked.places * alike, self.whole - self.seasons)

    def draw(self, stream: np.random.Generator, count: int) -> Ints:
        """Return the numbers of so many blocks, drawn with replacement for places in a row."""
        season = np.arange(count) % self.seasons
        known = -((season - self.whole) // self.seasons)  # so many blocks of that season are there
        return season + self.seasons * stream.integers(known)


def resample(trace: Trace, asked: Resampling, seed: int) -> Trace:
    """Return a replication of a log, in seconds of the same epoch.

    It begins where the log's first block does. More jobs than there were come of several draws that lie over
    each other; of the last, chains of jobs are left out at random. The jobs of a smaller scale are among
    those of a larger one. The id of a job is its own plus a multiple of a number above all ids, which tells
    its draws apart; where that may be too large for an id, its row in the log stands for its own, which
    becomes its name if it has none. It follows whom it did, if that is in the same block. Raises TraceError
    for a log without a whole block.
    """
    blocks, stream = LogBlocks.of(trace, asked.block), streams(seed, "resample", "log")
    edges_s = blocks.from_s + blocks.length_s * np.arange(blocks.whole + 1)
    edges = np.searchsorted(trace.numpy("submit_s"), edges_s)
    chains = _Chains(trace, asked, blocks.from_s)
    drawn = []
    for layer in range(asked.layers):
        numbers = blocks.draw(stream(f"blocks {layer}"), asked.places).tolist()
        for place, number in enumerate(numbers):
            rows = np.arange(edges[number], edges[number + 1])
            later_s = (place - number) * blocks.length_s
            rows = rows[chains.kept(rows, later_s, layer, stream(f"jobs {layer} {place}"))]
            drawn.append(_Drawn(rows, later_s, layer * asked.places + place))
    source = asked._asdict() | {"seed": seed, "start_s": blocks.from_s, "of_blocks": blocks.whole}
    return _joined(trace, drawn, source)


class _Drawn(NamedTuple):
    """Rows of a block, how much later they are submitted now, and which of all the draws it is."""

    rows: Ints
    later_s: int
    number: int


class _Chains:
    """Which jobs of a block are kept, where not all are: chains of jobs that follow each other as one."""

    def __init__(self, trace: Trace, asked: Resampling, from_s: int) -> None:
        self._asked, self._from_s = asked, from_s
        self._submit_s = trace.numpy("submit_s")
        self._chain = _chains(trace)

    def kept(self, rows: Ints, later_s: int, layer: int, stream: np.random.Generator) -> Bools:
        """Say which rows of a block to keep in a layer: of each chain all, by the instant of its first."""
        first, chain = np.unique(self._chain[rows], return_index=True, return_inverse=True)[1:]
        since_s = self._submit_s[rows[first]] + later_s - self._from_s
        return np.asarray(stream.random(len(first)) < self._asked.factor(since_s) - layer)[chain]


def _chains(trace: Trace) -> Ints:
    """Return for each job a number that it shares with those before and after it, and with no others."""
    rows, offsets = trace.after.rows, trace.after.offsets
    if not len(rows):
        return np.arange(len(trace))
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = csr_array((np.ones(len(rows), np.int8), rows, offsets), (len(trace), len(trace)))
    return np.asarray(connected_components(graph, directed=False)[1])


def _numbered(trace: Trace, draws: int) -> pa.Table:
    """Return the jobs of a log, by row where multiples of their own ids would be too large."""
    largest = int(trace.numpy("job_id").max())
    return trace.table if (largest + 1) * draws <= EXACT else numbered_from(trace.table, 0)


def _joined(trace: Trace, drawn: list[_Drawn], source: dict[str, Any]) -> Trace:
    """Return the jobs that were drawn, in order of submission, with ids of their own."""
    sizes = [len(one.rows) for one in drawn]
    rows = np.concatenate([one.rows for one in drawn])
    later_s = np.repeat([one.later_s for one in drawn], sizes)
    table = _numbered(trace, len(drawn))
    ids = table.column("job_id").to_numpy()
    more = np.repeat([one.number for one in drawn], sizes) * (int(ids.max()) + 1)
    order = np.argsort(trace.numpy("submit_s")[rows] + later_s, kind="stable")
    rows, later_s, more = rows[order], later_s[order], more[order]
    jobs = table.take(pa.array(rows)).combine_chunks()
    after = jobs.column("after").combine_chunks()
    lists = pc.list_parent_indices(after).to_numpy()
    earlier = pc.list_flatten(after).to_numpy() + more[lists]
    deadline_s = pc.max_element_wise(
        pc.add(jobs.column("deadline_s"), pa.array(later_s)), 0, skip_nulls=False
    )
    changed = {
        "job_id": pa.array(ids[rows] + more),
        "submit_s": pa.array(trace.numpy("submit_s")[rows] + later_s),
        "deadline_s": deadline_s,
        "after": lists_of(lists, earlier, len(rows)),
        **{name: pa.nulls(len(rows), jobs.schema.field(name).type) for name in _NEVER_RAN},
    }
    jobs, _ = without_lost(with_columns(jobs, changed))
    return Trace.from_columns(
        dict(zip(jobs.column_names, jobs.columns, strict=True)),
        epoch=trace.epoch_in_its_zone,
        reference_device=trace.reference_device,
        source=derived_source(trace, {RESAMPLED: source}),
    )
