"""Figures of parked cars: what they did of the work, and what it cost."""

from __future__ import annotations

from scheduler.run.directory import Run
from traces.arrays import filtered, is_word
from traces.times import HOUR_S


def edge_figures(run: Run) -> dict[str, float | int | None]:
    """Return them by fleet; none where no cars took work in the run."""
    if not run.has("edge"):
        return {}
    hours, found = run.table("edge"), dict[str, float | int | None]()
    jobs = run.table("jobs", ["kind", "gang", "runtime_s"])
    asked_h = jobs.column("gang").to_numpy() * (jobs.column("runtime_s").to_numpy() / HOUR_S)
    for spec in run.description["scenario"]["edge"]:
        name = spec["name"]
        ours = filtered(hours, is_word(hours.column("edge"), name))
        done, late = (sum(ours.column(column).to_pylist()) for column in ("done", "late"))
        usd, pflop = sum(ours.column("usd").to_pylist()), done * spec["shard_pflop"]
        device_h = pflop / spec["pflops_per_device"] / HOUR_S
        pods_h = float(asked_h[is_word(jobs.column("kind"), *spec["kinds"])].sum())
        found |= {
            f"edge_pflops:{name}": pflop / (len(ours) * HOUR_S) if len(ours) else None,
            f"edge_share:{name}": device_h / (device_h + pods_h) if device_h + pods_h else None,
            f"edge_late_share:{name}": late / (done + late) if done + late else None,
            f"edge_usd:{name}": usd,
            f"edge_usd_per_device_h:{name}": usd / device_h if device_h else None,
        }
    return found
