"""What came of live sources, as tables: loops, what was sold, and the work of parked cars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.run.directory import Run
from scheduler.run.live_figures import ByName, live_figures
from traces.numbers import count, count_of, duration, percent, ratio, rounded_usd, significant
from traces.tables import TableCells


def _most_gb(gb_per_pflop: float) -> str:
    return "never" if gb_per_pflop < 0 else significant(gb_per_pflop)


def _of_million(per_usd: float) -> str:
    return significant(per_usd * 1e6)


def _usd(usd: float) -> str:
    return rounded_usd(usd) if usd else "0"


_Shown = tuple[tuple[Any, ...], ...]
"""Head, how it is written, and which figures it is."""

_LOOP: _Shown = (
    ("releases", count, "releases"),
    ("data to road p50", duration, "data_to_road_p50_s"),
    ("p95", duration, "data_to_road_p95_s"),
    ("age of model", duration, "model_age_s"),
    ("miles between interventions", count, "miles_between_interventions"),
    ("miles gained a PFLOP-day", significant, "gained_miles_per_pflop_day"),
    ("rent USD", _usd, "loop_rent_usd"),
    ("miles gained for 1M of it", _of_million, "gained_miles_per_rent_usd"),
    ("clips", count, "clips"),
)
_MARKET: _Shown = (
    ("bought", count_of, "bought", "customers"),
    ("device-h served", count_of, "served_device_h", "asked_device_h"),
    ("revenue USD", _usd, "revenue_usd"),
    ("paid back", _usd, "credit_usd"),
)
_EDGE: _Shown = (
    ("PFLOPS, mean", ratio, "edge_pflops"),
    ("of its work", percent, "edge_share"),
    ("shards late", percent, "edge_late_share"),
    ("USD", _usd, "edge_usd"),
    ("USD a reference device-h", ratio, "edge_usd_per_device_h"),
    ("an H100-h", ratio, "edge_usd_per_h100_h"),
    ("pays up to GB a PFLOP", _most_gb, "edge_most_gb_per_pflop"),
)


def live(run: Run) -> str:
    """Render the figures of each loop, of what was sold by segment, and of each fleet of parked cars."""
    return "\n\n".join(text for cells in live_tables(run).values() if (text := cells.text()))


def live_tables(run: Run) -> dict[str, TableCells]:
    """Return them as tables, under the names of `LiveFigures`; without rows where there were none."""
    figures = live_figures(run)
    return {
        "loops": _table("loop", _LOOP, figures.loops),
        "sales": _table("segment", _MARKET, figures.sales),
        "edge": _table("parked cars", _EDGE, figures.edge),
    }


def _table(head: str, shown: _Shown, figures: ByName) -> TableCells:
    rows = [
        [name, *(_written(write, [of[figure] for figure in asked]) for _, write, *asked in shown)]
        for name, of in figures.items()
    ]
    return TableCells([head, *(column[0] for column in shown)], rows, range(1, len(shown) + 1))


def _written(write: Callable[..., str], values: list[float | None]) -> str:
    return "-" if None in values else write(*values)
