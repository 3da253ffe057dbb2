"""What is logged of customers: sales.parquet, a row for each who asked, and what the ledger books of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.live.market.market import WORKLOAD, Sale
from scheduler.money.ledger.sold import Sold
from scheduler.run.live_logs import SALES
from scheduler.run.parts import written_parts
from scheduler.scenario import MarketSpec
from traces.arrays import is_word
from traces.times import HOUR_S


class OwnWaits:
    """When own jobs of a run that ended at `end_s` waited for their first start."""

    def __init__(self, folder: Path, end_s: int) -> None:
        columns = ["workload", "state", "ready_s", "start_s"]
        jobs = pa.concat_tables([*written_parts(folder, "jobs", columns)])
        ready_s = jobs.column("ready_s").to_numpy()
        start_s = pc.fill_null(jobs.column("start_s"), end_s).to_numpy()
        own = ~is_word(jobs.column("workload"), WORKLOAD) & ~is_word(jobs.column("state"), "rejected")
        waited = own & (start_s > ready_s)
        self._ready_s, self._start_s = np.sort(ready_s[waited]), np.sort(start_s[waited])

    def within(self, from_s: int, to_s: int) -> int:
        """Return how many of them waited at some time from one second to before another."""
        began = np.searchsorted(self._ready_s, to_s, side="left")
        return int(began - np.searchsorted(self._start_s, from_s, side="right"))


class _Served:
    """What an attempt log says of a job: when it first started, and reference seconds kept by attempt."""

    def __init__(self) -> None:
        self.start_s: float = inf
        self.attempts: list[tuple[str, int, int]] = []
        """(pool, end, reference seconds kept)."""
        self.spans: list[tuple[int, int]] = []
        """When it held devices."""

    def hours(self, devices: int) -> float:
        return devices * sum(kept_s for _, _, kept_s in self.attempts) / HOUR_S


def settle(
    folder: Path, sales: Sequence[Sale], market: MarketSpec, end_s: int
) -> tuple[pa.Table, list[Sold]]:
    """Return the rows of sales.parquet of a run that ended at `end_s`, and what the ledger books of them."""
    served, waits, firm = _served(folder), OwnWaits(folder, end_s), market.firm
    rows: list[dict[str, Any]] = []
    sold: list[Sold] = []
    for sale in sales:
        what = served.get(sale.job_id, _Served()) if sale.job_id is not None else _Served()
        broken = sale.job_id is not None and min(what.start_s, end_s) > sale.promised_s
        devices, price = sale.customer.devices, sale.usd_per_device_h
        credit = market.credit_share * price * devices * sale.customer.run_s / HOUR_S if broken else 0.0
        for where, at_s, kept_s in what.attempts:
            device_h = devices * kept_s / HOUR_S
            sold.append(Sold("revenue", where, at_s, device_h, -price * device_h))
        if credit:
            at_s = int(min(what.start_s, end_s))
            where = what.attempts[0][0] if what.attempts else ""
            sold.append(Sold("credit", where, at_s, devices * sale.customer.run_s / HOUR_S, credit))
        row = _row(sale, what, price * what.hours(devices), credit)
        displaced = what.spans if sale.customer.segment in firm else []
        rows.append(row | {"displaced_jobs": sum(waits.within(*span) for span in displaced)})
    return pa.Table.from_pylist(rows, SALES), sold


def _row(sale: Sale, what: _Served, revenue_usd: float, credit_usd: float) -> dict[str, Any]:
    customer = sale.customer
    return {
        "asked_s": customer.at_s,
        "segment": customer.segment,
        "devices": customer.devices,
        "run_s": customer.run_s,
        "usd_per_device_h": sale.usd_per_device_h,
        "promised_s": None if sale.promised_s == inf else int(sale.promised_s),
        "answer": sale.answer,
        "job_id": sale.job_id,
        "start_s": None if what.start_s == inf else int(what.start_s),
        "served_device_h": what.hours(customer.devices),
        "stops": max(0, len(what.attempts) - 1),
        "revenue_usd": revenue_usd,
        "credit_usd": credit_usd,
    }


def _served(folder: Path) -> dict[int, _Served]:
    columns = ["job_id", "where", "alloc_s", "end_s", "kept_s"]
    served: dict[int, _Served] = {}
    for part in written_parts(folder, "attempts", columns):
        where = part.column("where").cast("string").to_pylist()
        numbers = np.stack([part.column(name).to_numpy() for name in columns if name != "where"], axis=1)
        for name, (job_id, alloc_s, end_s, kept_s) in zip(where, numbers.tolist(), strict=True):
            what = served.setdefault(job_id, _Served())
            what.start_s = min(what.start_s, alloc_s)
            what.attempts.append((name, end_s, kept_s))
            what.spans.append((alloc_s, end_s))
    return served
