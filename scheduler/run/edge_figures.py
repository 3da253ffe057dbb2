"""Figures of parked cars: what they did of the work, and what it cost."""

from __future__ import annotations

from typing import Any

import msgspec

from scheduler.catalog import load_catalog
from scheduler.run.directory import Run
from scheduler.run.edge_worth import most_gb_per_pflop
from scheduler.scenario import EdgeSpec
from traces.arrays import filtered, is_word
from traces.times import HOUR_S


def edge_figures(run: Run) -> dict[str, float | int | None]:
    """Return them by fleet; none where no cars took work in the run."""
    if not run.has("edge"):
        return {}
    hours, found = run.table("edge"), dict[str, float | int | None]()
    jobs = run.table("jobs", ["kind", "gang", "runtime_s"])
    asked_h = jobs.column("gang").to_numpy() * (jobs.column("runtime_s").to_numpy() / HOUR_S)
    h100 = load_catalog().device("h100")
    for spec in run.description["scenario"]["edge"]:
        name = spec["name"]
        ours = filtered(hours, is_word(hours.column("edge"), name))
        done, late = (sum(ours.column(column).to_pylist()) for column in ("done", "late"))
        usd, pflop = sum(ours.column("usd").to_pylist()), done * spec["shard_pflop"]
        h100_pflops = h100.rate_pflops(spec["kinds"][0])
        device_h = pflop / spec["pflops_per_device"] / HOUR_S
        pods_h = float(asked_h[is_word(jobs.column("kind"), *spec["kinds"])].sum())
        found |= {
            f"edge_pflops:{name}": pflop / (len(ours) * HOUR_S) if len(ours) else None,
            f"edge_share:{name}": device_h / (device_h + pods_h) if device_h + pods_h else None,
            f"edge_late_share:{name}": late / (done + late) if done + late else None,
            f"edge_usd:{name}": usd,
            f"edge_usd_per_device_h:{name}": usd / device_h if device_h else None,
            f"edge_usd_per_h100_h:{name}": usd / pflop * h100_pflops * HOUR_S if pflop else None,
            f"edge_most_gb_per_pflop:{name}": _most_gb_per_pflop(run, spec),
        }
    return found


def _most_gb_per_pflop(run: Run, described: dict[str, Any]) -> float | None:
    """Return the data above which a fleet never pays beside the cheapest offer, as the run began.

    None without offers. A device counts by its rate on the first kind of work that the cars take.
    """
    spec, devices = msgspec.convert(described, EdgeSpec), load_catalog().devices
    usd_per_pflops_h = [
        offer["prices"][0][1] / devices[offer["device"]].rate_pflops(spec.kinds[0])
        for offer in run.description["offers"]
        if offer["device"] in devices
    ]
    if not usd_per_pflops_h:
        return None
    return most_gb_per_pflop(spec, min(usd_per_pflops_h) * spec.pflops_per_device)
