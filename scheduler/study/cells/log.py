"""A log whose blocks each seed draws anew, in place of a demand that it generates."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from scheduler.catalog import load_catalog
from scheduler.scenario import Scenario
from scheduler.stock.reference import check_rates
from scheduler.study.cells.cell import Cell
from traces.confidence import BlocksDrawn
from traces.resample import BlockSort, LogBlocks, Resampling
from traces.schema import TraceError
from traces.trace import Trace

FEWEST_BLOCKS = 3
"""With fewer blocks next to nothing is known of how they differ."""


class LogWish(NamedTuple):
    """How a log is to be drawn from: by which blocks, how many times as many jobs, and as many a year on."""

    block: BlockSort = "week"
    scale: float = 1.0
    growth: float = 1.0


class LogDraws(NamedTuple):
    """A log, the file with its jobs, what it holds, and how replications of it are drawn."""

    name: str
    file: str
    sha256: str
    blocks: LogBlocks
    resampling: Resampling

    @property
    def drawn(self) -> BlocksDrawn:
        """How many blocks a replication is drawn from, and how many of the log's are free to vary."""
        return self.blocks.drawn_by(self.resampling)

    def drawn_within(self, seconds: int) -> BlocksDrawn:
        """Return likewise where so many seconds of a replication are measured."""
        whole = self.drawn
        return whole._replace(drawn=whole.drawn * seconds / self.resampling.length_s)

    def cell(self, scenario: Scenario, seed: int, **measured: Any) -> Cell:
        """Return the cell of a seed; `measured` are fields of it."""
        plain = msgspec.to_builtins(scenario)
        return Cell(plain, seed, self.file, self.sha256, resampling=self.resampling, **measured)


def log_draws(
    log: Path, trace: Trace, wish: LogWish, horizon_s: int | None = None, kept: Path | None = None
) -> LogDraws:
    """Return how a log is drawn from: as long as a horizon or, without, as all its whole blocks.

    `kept` is the file with its jobs, if these are a part of the log only.
    Raises TraceError for too few blocks, CatalogError for other rates.
    """
    block = wish.block
    check_rates(trace, load_catalog())
    try:
        blocks = LogBlocks.of(trace, block)
    except TraceError as error:
        raise TraceError(f"{log}: {error}") from None
    if blocks.whole < FEWEST_BLOCKS:
        raise TraceError(
            f"{log}: the log has {blocks.whole} whole {block}{'s' * (blocks.whole != 1)}, too few to draw "
            f"replications from: needs {FEWEST_BLOCKS} or more{'; --block day' * (block == 'week')}"
        )
    places = blocks.whole if horizon_s is None else ceil(horizon_s / blocks.length_s)
    resampling = Resampling(block, places, wish.scale, wish.growth)
    return LogDraws(str(log), str((kept or log).resolve()), trace.sha256, blocks, resampling)
