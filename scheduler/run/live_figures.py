"""Figures of live sources: of loops, of what was sold, and of parked cars, each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scheduler.run.directory import Run
from scheduler.run.edge_figures import edge_figures
from scheduler.run.loop_figures import loop_figures
from scheduler.run.market_figures import market_figures

ByName = dict[str, dict[str, float | None]]


class LiveFigures(NamedTuple):
    """Figures by loop, by segment or lease, and by fleet; empty where a run had none."""

    loops: ByName
    sales: ByName
    edge: ByName


def live_figures(run: Run) -> LiveFigures:
    """Return the figures of the live sources of a run."""
    return LiveFigures(_by_name(loop_figures(run)), market_figures(run), _by_name(edge_figures(run)))


def _by_name(figures: Mapping[str, float | None]) -> ByName:
    """Take `figure:name` apart."""
    found: ByName = {}
    for key, value in figures.items():
        figure, _, name = key.partition(":")
        found.setdefault(name, {})[figure] = value
    return found
