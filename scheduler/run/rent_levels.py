"""What was paid on demand for an offer, by how many of its devices were held: what a commitment would spare.

A commitment of n devices covers those that are held, up to n, at every instant. So what was paid while L were
held, at the prices of these instants, says for all n at once what it would have covered.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.step_function import by_cell
from traces.times import HOUR_S


def rent_levels(run: Run, offer: str, window: tuple[int, int]) -> list[tuple[int, float]]:
    """Return numbers of devices, ascending, and USD paid on demand while so many were held in the window.

    Devices are priced by the mean of each charge period of the ledger.
    """
    spend = run.table("spend", ["period_s", "resource", "line", "quantity", "usd"])
    spend = spend.filter(
        pc.and_(pc.equal(spend.column("resource"), offer), pc.equal(spend.column("line"), "on_demand"))
    )
    if not len(spend):
        return []
    period_s, quantity, usd = (spend.column(name).to_numpy() for name in ("period_s", "quantity", "usd"))
    starts, at = np.unique(period_s, return_inverse=True)
    hours, paid = (np.bincount(at, values, len(starts)) for values in (quantity, usd))
    usd_per_s = np.divide(paid, hours, out=np.zeros(len(starts)), where=hours > 0) / HOUR_S
    states = run.table("states", ["time_s", f"rented_{offer}"])
    time_s, held = states.column("time_s").to_numpy(), states.column(f"rented_{offer}").to_numpy()
    cuts = np.unique(np.clip(np.concatenate([time_s, starts, window]), *window))
    level = by_cell(time_s, held, cuts) // np.maximum(np.diff(cuts), 1)
    period = np.searchsorted(starts, cuts[:-1], "right") - 1
    rate = np.where(period < 0, 0.0, usd_per_s[np.maximum(period, 0)])
    by_level = np.bincount(level, level * np.diff(cuts) * rate)
    return [(int(devices), float(by_level[devices])) for devices in np.flatnonzero(by_level)]
