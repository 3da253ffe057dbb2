"""Sums of the ledger: by what the money bought, by who bears it, and by who used the devices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum, isclose
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.columns import CHARGED_TO, MOVED
from scheduler.run.directory import Run
from traces.arrays import Floats, combinations, rows_of
from traces.times import HOUR_S

APART = ("jobs", "revenue")
"""What the ledger was held against beside what is borne: pools, offers, sites, cars and credits."""

SpendRow = dict[str, Any]


def spend_figures(run: Run, window: tuple[int, int] | None = None) -> dict[str, float]:
    """Return what was spent in all, on what, and what of it is sunk, in USD.

    Revenue stands in the ledger with a minus, and apart here. Of a `window` the charge periods count that
    begin in it.
    """
    spend = run.table("spend", ["period_s", "resource", "line", "usd"])
    if window is not None:
        period_s = spend.column("period_s").to_numpy()
        spend = spend.filter(pa.array((period_s >= window[0]) & (period_s < window[1])))
    rows = sums(spend, ["resource", "line"], ["usd"])
    lines = sorted({row["line"] for row in rows})

    def usd(resources: Iterable[str], on: Iterable[str]) -> float:
        return fsum(row["usd"] for row in rows if row["resource"] in resources and row["line"] in on)

    bought = [line for line in lines if line != "revenue"]
    fixed = [line for line in bought if line not in ("energy", "credit")]
    owned = [*run.pools, *run.sites]
    owned_usd, rented_usd = usd(owned, bought), usd(run.offers, bought)
    everywhere, edge_usd = [*owned, *run.offers, *run.fleets], usd(run.fleets, bought)
    return {
        "usd_total": owned_usd + rented_usd + edge_usd,
        "usd_owned": owned_usd,
        "usd_rented": rented_usd,
        **{f"usd_sunk:{pool}": usd([pool], fixed) for pool in run.pools},
        "usd_avoidable": usd(run.pools, ["energy", "credit"])
        + usd(run.sites, bought)
        + rented_usd
        + edge_usd,
        "usd_rent": usd(run.offers, [line for line in bought if line not in MOVED]),
        "revenue_usd": 0.0 - usd(everywhere, ["revenue"]),
        **{f"usd:{line}": usd(everywhere, [line]) for line in lines},
    }


def spent_by(run: Run, keys: Sequence[str]) -> tuple[list[SpendRow], float]:
    """Return quantity and USD by some columns of spend.parquet, line and bearer; and the revenue, in USD."""
    words = list(dict.fromkeys([*keys, "line", "charged_to"]))
    rows = sums(run.table("spend", [*words, "quantity", "usd"]), words, ["quantity", "usd"])
    revenue = -sum(row["usd"] for row in rows if row["line"] == "revenue")
    return [row for row in rows if row["line"] != "revenue"], revenue


def borne(run: Run) -> dict[str, float]:
    """Return the USD that each bearer of the ledger bears, of jobs what they say themselves."""
    rows = sums(run.table("spend", ["line", "charged_to", "usd"]), ["line", "charged_to"], ["usd"])
    usd = {
        who: sum(row["usd"] for row in rows if row["charged_to"] == who and row["line"] != "revenue")
        for who in CHARGED_TO
    }
    usd["job"] = float(pc.sum(run.table("jobs", ["spend_usd"]).column("spend_usd")).as_py() or 0)
    return usd


def cost(run: Run) -> float:
    """Return the USD that the pools and offers cost by themselves, as the run found beside its ledger."""
    return float(sum(of["expected_usd"] for of in run.description["ledger"] if of["of"] not in APART))


def adds_up(run: Run) -> bool:
    """Say whether what is borne is what the pools and offers cost, to 1e-9 of it."""
    return isclose(sum(borne(run).values()), cost(run), rel_tol=1e-9, abs_tol=1e-9)


def used_by(run: Run, by: str) -> list[SpendRow]:
    """Return the jobs by a column of theirs: their `count`, device-hours at work, charges and revenue.

    Beside device-hours, `owned_h` and `rented_h`, stand those of the reference device that were done and kept
    on them, `owned_work_h` and `rented_work_h`, which compare devices that are not alike. Who was charged
    most comes first; the last row is the sum, "all", where there are several.
    """
    jobs = run.table("jobs", ["job_id", by, "gang", "revenue_usd"])
    logged = ["job_id", "start_s", "end_s", "devices", "kept_s", "rented", "spend_usd"]
    attempts = run.table("attempts", logged)
    job = rows_of(jobs.column("job_id").to_numpy(), attempts.column("job_id").to_numpy())
    work_s = pc.subtract(attempts.column("end_s"), attempts.column("start_s")).fill_null(0)
    device_h = pc.multiply(work_s, attempts.column("devices")).to_numpy() / HOUR_S
    work_h = attempts.column("kept_s").to_numpy() * jobs.column("gang").to_numpy()[job] / HOUR_S
    usd, rented = attempts.column("spend_usd").to_numpy(), attempts.column("rented").to_numpy()

    def by_job(amounts: Floats) -> Floats:
        return np.asarray(np.bincount(job, amounts, jobs.num_rows), np.float64)

    columns = {
        "owned_h": by_job(device_h * ~rented),
        "owned_work_h": by_job(work_h * ~rented),
        "owned_usd": by_job(usd * ~rented),
        "rented_h": by_job(device_h * rented),
        "rented_work_h": by_job(work_h * rented),
        "rented_usd": by_job(usd * rented),
        "revenue_usd": jobs.column("revenue_usd"),
    }
    rows = sums(pa.table({by: jobs.column(by), **columns}), [by], list(columns))
    rows.sort(key=lambda row: (-row["owned_usd"] - row["rented_usd"], row[by]))
    if len(rows) > 1:
        rows.append({by: "all"} | {name: sum(row[name] for row in rows) for name in [*columns, "count"]})
    return rows


def sums(rows: pa.Table, words: Sequence[str], amounts: Sequence[str]) -> list[SpendRow]:
    """Sum up amounts, and count the rows, by what stands in some columns."""
    first, number = combinations([rows.column(name) for name in words])
    at = pa.array(first)
    columns = {name: rows.column(name).take(at).to_pylist() for name in words}
    columns |= {name: np.bincount(number, rows.column(name).to_numpy()).tolist() for name in amounts}
    columns["count"] = np.bincount(number).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
