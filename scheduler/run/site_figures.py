"""What the power of each site came to: energy, peak, carbon and money, and for each PFLOP-day delivered.

A PFLOP-day delivered is work on the pools of the site that is kept, at the MFU of the trace's reference
device for the job's kind; it is unknown where the reference device is any, or not in the catalog.
"""

from __future__ import annotations

from math import nan

import numpy as np
import pyarrow as pa

from scheduler.catalog import load_catalog
from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from traces.arrays import Floats, Ints, is_word, rows_of
from traces.step_function import over
from traces.times import DAY_S, HOUR_S
from traces.trace import ANY_DEVICE

POWER_LINES = ("energy", "demand_charge")
"""Lines of the ledger that pay for power."""


def site_figures(
    run: Run, device_time: DeviceTime, window: tuple[int, int] | None = None
) -> dict[str, dict[str, float]]:
    """Return the figures of each site whose power is logged, NaN where one does not exist.

    Of a `window` there is the power within it, the charge periods that begin in it, and attempts by the part
    of their time that lies in it.
    """
    if not run.metered:
        return {}
    start_s, end_s = window or (run.start_s, run.end_s)
    states, spend = run.table("states"), run.table("spend")
    period_s = spend.column("period_s").to_numpy()
    spend = spend.filter(pa.array((period_s >= start_s) & (period_s < end_s)))
    delivered = _pflop_days(run, device_time) * device_time.within(start_s, end_s)
    return {
        site["name"]: _power(states, site["name"], start_s, end_s)
        | _paid(spend, site, delivered[_on(device_time, site["pools"])].sum())
        for site in run.description["sites"]
    }


def _power(states: pa.Table, name: str, start_s: int, end_s: int) -> dict[str, float]:
    time_s, kw = (states.column(column).to_numpy() for column in ("time_s", f"site_kw_{name}"))
    inside = np.unique(np.append(time_s[(time_s > start_s) & (time_s < end_s)], [start_s, end_s]))
    if len(inside) < 2:
        return {"kwh": 0.0, "peak_kw": nan, "load_factor": nan}
    spans = over(time_s, kw, inside[:-1], inside[1:])
    kwh, peak_kw = float(spans.sum()) / HOUR_S, float((spans / np.diff(inside)).max())
    mean_kw = kwh * HOUR_S / (end_s - start_s)
    return {"kwh": kwh, "peak_kw": peak_kw, "load_factor": mean_kw / peak_kw if peak_kw else nan}


def _paid(spend: pa.Table, site: dict[str, object], delivered: float) -> dict[str, float]:
    """Carbon, money, and both by what was delivered, in PFLOP-days."""
    name, pools = str(site["name"]), site["pools"]
    assert isinstance(pools, list)
    ours = is_word(spend.column("resource"), name, *pools)

    def total(column: str, *lines: str) -> float:
        rows = ours & is_word(spend.column("line"), *lines)
        return float(spend.column(column).to_numpy()[rows].sum())

    kg = nan if site["g_co2_per_kwh"] is None else total("quantity", "carbon")
    usd = total("usd", *POWER_LINES)
    per = 1 / delivered if delivered > 0 else nan
    return {
        "co2_kg": kg,
        "power_usd": usd,
        "delivered_pflop_days": float(delivered),
        "power_usd_per_pflop_day": usd * per,
        "co2_g_per_pflop_day": 1_000 * kg * per,
    }


def _on(device_time: DeviceTime, pools: object) -> Ints:
    assert isinstance(pools, list)
    return np.flatnonzero(
        sum((device_time.at(pool) for pool in pools), np.zeros(len(device_time.job_id), bool))
    )


def _pflop_days(run: Run, device_time: DeviceTime) -> Floats:
    """Return what each attempt got done that counts."""
    jobs = run.table("jobs", ["job_id", "gang", "kind"])
    row = rows_of(jobs.column("job_id").to_numpy(), device_time.job_id)
    reference_days = jobs.column("gang").to_numpy()[row] * (device_time.kept_s / DAY_S) * device_time.counts
    return np.asarray(reference_days * _pflops(run, jobs)[row], np.float64)


def _pflops(run: Run, jobs: pa.Table) -> Floats:
    """Return the rate of the reference device for each job's kind."""
    reference, catalog = run.description["trace"]["reference_device"], load_catalog()
    if reference == ANY_DEVICE or reference not in catalog.devices:
        return np.full(len(jobs), nan)
    kinds = jobs.column("kind").cast("string").combine_chunks().dictionary_encode()
    rates = [catalog.device(reference).rate_pflops(kind) for kind in kinds.dictionary.to_pylist()]
    return np.asarray(np.array([*rates, nan])[kinds.indices.to_numpy()], np.float64)
