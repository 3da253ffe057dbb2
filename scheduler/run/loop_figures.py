"""Figures of loops: how fast data become a better fleet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import filtered, is_word


def loop_figures(run: Run) -> dict[str, float | int | None]:
    """Return them by loop; none where no loop lived in the run."""
    if not run.has("loop"):
        return {}
    rows, hours = run.table("loop"), run.table("loop_hours")
    names = pc.unique(hours.column("loop").cast("string")).to_pylist()
    rent = _rent_usd(run, names)
    return {key: value for name in names for key, value in _of(name, rows, hours, rent[name]).items()}


def _rent_usd(run: Run, names: list[str]) -> dict[str, float]:
    """Return what the campaigns of each loop are charged for rented devices."""
    attempts = run.table("attempts", ["job_id", "rented", "spend_usd"])
    attempts = attempts.filter(attempts.column("rented"))
    job_id, usd = (attempts.column(name).to_numpy() for name in ("job_id", "spend_usd"))
    jobs = run.table("jobs", ["job_id", "owner", "kind"])
    jobs = jobs.filter(pc.starts_with(jobs.column("kind").cast("string"), "loop."))
    ours = {name: jobs.column("job_id").to_numpy()[is_word(jobs.column("owner"), name)] for name in names}
    return {name: float(usd[np.isin(job_id, jobs_of)].sum()) for name, jobs_of in ours.items()}


def _of(name: str, rows: pa.Table, hours: pa.Table, rent_usd: float) -> dict[str, float | int | None]:
    ours, road = (filtered(table, is_word(table.column("loop"), name)) for table in (rows, hours))
    shipped = ours.filter(pc.is_valid(ours.column("shipped_s")))
    took_s = (shipped.column("everywhere_s").to_numpy() - shipped.column("cut_s").to_numpy()).tolist()
    p50, p95 = np.percentile(took_s, [50, 95]).tolist() if took_s else (None, None)
    per_mile = road.column("interventions_per_mile").to_numpy()
    compute = max(ours.column("pflop_days").to_pylist(), default=0.0)
    gained_miles = float(1 / per_mile[-1] - 1 / per_mile[0])
    return {
        f"releases:{name}": len(shipped),
        f"data_to_road_p50_s:{name}": p50,
        f"data_to_road_p95_s:{name}": p95,
        f"model_age_s:{name}": float(road.column("age_s").to_numpy().mean()),
        f"interventions_per_mile:{name}": float(per_mile.mean()),
        f"miles_between_interventions:{name}": float(1 / per_mile[-1]),
        f"gained_miles_per_pflop_day:{name}": gained_miles / compute if compute else None,
        f"loop_rent_usd:{name}": rent_usd,
        f"gained_miles_per_rent_usd:{name}": gained_miles / rent_usd if rent_usd else None,
        f"clips:{name}": sum(ours.column("clips").to_pylist()),
    }
