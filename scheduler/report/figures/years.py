"""Years by quarter: what there is and is asked for, what waits, and what it costs."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scheduler.report.colours import BLACK, BLUE, GREEN, GREY, ORANGE, PALETTE, SKY, VERMILION
from scheduler.report.figures.style import from_zero, legend_above, panels, stack
from traces.arrays import Array
from traces.numbers import TICK
from traces.times import HOUR_S

_MILLION = 1e6


def capacity(quarters: pd.DataFrame) -> Figure:
    """Devices of each pool that are there, a panel each, and device-hours asked for, owned and rented."""
    pools = [name for name in quarters if str(name).startswith("devices:")]
    figure, axes = panels(len(pools) + 1, height=1.3 * len(pools) + 2.2, sharex=True)
    edges = _edges(quarters)
    for each, pool, colour in zip(axes[:, 0], pools, cycle(PALETTE)):  # as many as there are pools
        name = str(pool).removeprefix("devices:")
        stack(each, edges, quarters[[pool]].rename(columns={pool: name}), {name: colour})
        each.set_ylabel("devices")
        from_zero(each)
    last, hours = axes[-1, 0], np.diff(edges) / np.timedelta64(HOUR_S, "s")
    last.stairs(quarters.asked_device_h / hours, edges, color=BLACK, label="asked for, on reference devices")
    last.set_ylabel("devices, mean")
    legend_above(last)
    from_zero(last)
    last.set_xlabel("UTC")
    figure.align_ylabels()
    return figure


def service(quarters: pd.DataFrame) -> Figure:
    """Utilization, and the wait at p95."""
    figure, axes = panels(2, height=3.6, sharex=True)
    edges = _edges(quarters)
    axes[0, 0].stairs(100 * quarters.utilization.astype(float), edges, color=BLUE, fill=True)
    axes[0, 0].set_ylabel("% of peak used")
    axes[1, 0].stairs(quarters.wait_p95_s.astype(float) / HOUR_S, edges, color=VERMILION, fill=True)
    axes[1, 0].set_ylabel("h, wait p95")
    axes[1, 0].set_xlabel("UTC")
    from_zero(axes[0, 0], axes[1, 0])
    figure.align_ylabels()
    return figure


def cash(quarters: pd.DataFrame) -> Figure:
    """What comes in and what is paid in each quarter, and the present value of all so far."""
    figure, axes = panels(2, height=4.6, sharex=True)
    edges, above = _edges(quarters), axes[0, 0]
    paid = {
        "purchases": (quarters.purchases_usd, GREY),
        "rent": (quarters.rent_usd, ORANGE),
        "energy, operations, other": (
            quarters.energy_usd + quarters.operations_usd + quarters.other_usd + quarters.decommission_usd,
            SKY,
        ),
    }
    below = np.zeros(len(quarters))
    for name, (usd, colour) in paid.items():
        lower = below - usd.to_numpy() / _MILLION
        above.stairs(lower, edges, baseline=below, color=colour, fill=True, label=name)
        below = lower
    earned = (quarters.revenue_usd + quarters.resale_usd) / _MILLION
    above.stairs(earned, edges, color=GREEN, fill=True, label="sales, resale")
    above.set_ylabel("USD M")
    legend_above(above)
    axes[1, 0].stairs(quarters.npv_usd / _MILLION, edges, color=BLACK, baseline=None)
    axes[1, 0].set_ylabel("NPV so far, USD M")
    axes[1, 0].set_xlabel("UTC")
    for each in axes[:, 0]:
        each.yaxis.set_major_formatter(TICK)
    figure.align_ylabels()
    return figure


def _edges(quarters: pd.DataFrame) -> Array:
    edges = [*quarters.since, quarters.until.iloc[-1]]
    return np.array([pd.Timestamp(edge).tz_localize(None) for edge in edges], "datetime64[s]")
