"""Figures of a market: who asked for what was spare, what was sold, and for how much."""

from __future__ import annotations

import numpy as np

from scheduler.run.directory import Run
from traces.arrays import is_word
from traces.times import HOUR_S


def market_figures(run: Run) -> dict[str, dict[str, float | None]]:
    """Return them by segment and lease; none where nobody asked."""
    if not run.has("sales"):
        return {}
    sales = run.table("sales")
    names = sales.column("segment").cast("string").unique().to_pylist()
    asked = sales.column("devices").to_numpy() * (sales.column("run_s").to_numpy() / HOUR_S)
    bought = is_word(sales.column("answer"), "bought")
    paid = [sales.column(name).to_numpy() for name in ("served_device_h", "revenue_usd", "credit_usd")]
    figures = dict[str, dict[str, float | None]]()
    for name in names:
        ours = is_word(sales.column("segment"), name)
        served_h, revenue, credit = (float(np.sum(column[ours])) for column in paid)
        figures[name] = {
            "customers": float(ours.sum()),
            "bought": float((ours & bought).sum()),
            "asked_device_h": float(asked[ours].sum()),
            "served_device_h": served_h,
            "revenue_usd": revenue,
            "credit_usd": credit,
        }
    return figures
