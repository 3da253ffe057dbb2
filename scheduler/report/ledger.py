"""The ledger as tables that a planner can read: what was spent on what, who bears it, and who used it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.columns import CHARGED_TO, LINES
from scheduler.run.directory import Run
from traces.arrays import Floats
from traces.tables import table
from traces.times import HOUR_S

SPENT_BY = {"line": "line", "resource": "resource", "period": "period_s"}
USED_BY = ("workload", "kind", "owner")

Row = dict[str, Any]


def ledger(run: Run, by: str | None = None) -> str:
    """Render the ledger by one of `SPENT_BY` or `USED_BY`; without, by resource and line and by workload."""
    if by is None:
        parts = [spent(run), used(run, "workload")]
    else:
        parts = [used(run, by) if by in USED_BY else spent(run, [SPENT_BY[by]])]
    return "\n\n".join([*parts, check(run)])


def spent(run: Run, keys: Sequence[str] = ("resource", "line")) -> str:
    """Render what was spent by columns of spend.parquet, who bears it, and what came in."""
    words = list(dict.fromkeys([*keys, "line", "charged_to"]))
    rows = _sums(run.table("spend", [*words, "quantity", "usd"]), words, ["quantity", "usd"])
    revenue = -sum(row["usd"] for row in rows if row["line"] == "revenue")
    rows = [row for row in rows if row["line"] != "revenue"]
    groups = sorted({tuple(row[key] for key in keys) for row in rows}, key=lambda group: _rank(run, group))
    usd, quantity = _by_bearer(rows, keys, groups)
    bearers = np.flatnonzero(usd.any(axis=0))
    money = _money(usd.sum())

    def amounts(borne: Any) -> list[str]:
        return [
            money(borne.sum()),
            _share(borne.sum(), usd.sum()),
            *(money(part) if part else "" for part in borne[bearers]),
        ]

    lines = [
        [*_names(run, keys, group), *_quantity(group[-1], quantity[at]), *amounts(usd[at])]
        for at, group in enumerate(groups)
    ]
    head = ["quantity", "unit"] if keys[-1] == "line" else []
    lines.append(["total", *[""] * (len(keys) - 1 + len(head)), *amounts(usd.sum(axis=0))])
    header = [*(key.removesuffix("_s") for key in keys), *head, "USD", "share"]
    header += [CHARGED_TO[who].removesuffix("_commitment") for who in bearers]
    text = table(header, lines, numbers=[at for at in range(len(keys), len(header)) if header[at] != "unit"])
    earned = f"\nrevenue {money(revenue)} USD, net {money(usd.sum() - revenue)} USD"
    return text + (earned if revenue else "")


def _by_bearer(rows: Sequence[Row], keys: Sequence[str], groups: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return USD by group and bearer, and the quantity by group."""
    place = {group: at for at, group in enumerate(groups)}
    usd, quantity = np.zeros((len(groups), len(CHARGED_TO))), np.zeros(len(groups))
    for row in rows:
        at = place[tuple(row[key] for key in keys)]
        usd[at, CHARGED_TO.index(row["charged_to"])] += row["usd"]
        quantity[at] += row["quantity"]
    return usd, quantity


def used(run: Run, by: str) -> str:
    """Render who used how many device-hours at work, what that was charged, and what it brought in."""
    jobs = run.table("jobs", ["job_id", by, "revenue_usd"]).sort_by("job_id")
    attempts = run.table("attempts", ["job_id", "start_s", "end_s", "devices", "rented", "spend_usd"])
    job = np.searchsorted(jobs.column("job_id").to_numpy(), attempts.column("job_id").to_numpy())
    work_s = pc.subtract(attempts.column("end_s"), attempts.column("start_s")).fill_null(0)
    device_h = pc.multiply(work_s, attempts.column("devices")).to_numpy() / HOUR_S
    usd, rented = attempts.column("spend_usd").to_numpy(), attempts.column("rented").to_numpy()

    def by_job(amounts: Floats) -> Floats:
        return np.asarray(np.bincount(job, amounts, jobs.num_rows), np.float64)

    columns = {
        "owned_h": by_job(device_h * ~rented),
        "owned_usd": by_job(usd * ~rented),
        "rented_h": by_job(device_h * rented),
        "rented_usd": by_job(usd * rented),
        "revenue_usd": jobs.column("revenue_usd"),
    }
    rows = _sums(pa.table({by: jobs.column(by), **columns}), [by], list(columns))
    rows.sort(key=lambda row: (-row["owned_usd"] - row["rented_usd"], row[by]))
    if len(rows) > 1:
        rows.append({by: "all"} | {name: sum(row[name] for row in rows) for name in [*columns, "count"]})
    money = _money(float(usd.sum()))
    sold = any(row["revenue_usd"] for row in rows)
    header = [by, "jobs", "owned device-h", "USD", "USD/device-h", "rented device-h", "USD", "USD/device-h"]
    lines = [
        [
            row[by],
            f"{row['count']:,}",
            *_priced(row["owned_h"], row["owned_usd"], money),
            *_priced(row["rented_h"], row["rented_usd"], money),
            *([money(row["revenue_usd"])] if sold else []),
        ]
        for row in rows
    ]
    header += ["revenue USD"] if sold else []
    return table(header, lines, numbers=range(1, len(header)))


def check(run: Run) -> str:
    """Say what jobs and nobody's time add up to, and what the pools and offers cost by themselves."""
    rows = _sums(run.table("spend", ["line", "charged_to", "usd"]), ["line", "charged_to"], ["usd"])
    borne = {
        who: sum(r["usd"] for r in rows if r["charged_to"] == who and r["line"] != "revenue")
        for who in CHARGED_TO
    }
    borne["job"] = float(pc.sum(run.table("jobs", ["spend_usd"]).column("spend_usd")).as_py() or 0)
    cost = sum(of["expected_usd"] for of in run.description["ledger"] if of["of"] not in ("jobs", "revenue"))
    total = sum(borne.values())
    money = _money(total)
    parts = " + ".join(f"{who} {money(usd)}" for who, usd in borne.items() if usd) or "nothing"
    found = f"pools and offers cost {money(cost)} by themselves, difference {abs(total - cost):.0e}"
    return f"check: {parts} = {money(total)} USD; {found}"


def _sums(rows: pa.Table, words: Sequence[str], amounts: Sequence[str]) -> list[Row]:
    """Sum up amounts, and count the rows, by what stands in some columns."""
    columns = {name: rows.column(name) for name in rows.column_names}
    for name, column in columns.items():
        if pa.types.is_dictionary(column.type):
            columns[name] = column.cast("string")
    grouped = pa.table(columns).group_by(list(words), use_threads=False)
    sums = grouped.aggregate([*((amount, "sum") for amount in amounts), ([], "count_all")])
    return [
        {name.removesuffix("_sum").removesuffix("_all"): value for name, value in row.items()}
        for row in sums.to_pylist()
    ]


def _rank(run: Run, group: tuple[Any, ...]) -> list[int]:
    """Sort resources and lines in their own order, periods by time."""
    order = [*run.pools, *run.offers, *LINES]
    return [order.index(value) if isinstance(value, str) else value for value in group]


def _names(run: Run, keys: Sequence[str], group: tuple[Any, ...]) -> list[str]:
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    return [
        f"{epoch + timedelta(seconds=value):%Y-%m-%d %H:%M}" if key == "period_s" else value
        for key, value in zip(keys, group, strict=True)
    ]


def _quantity(line: Any, quantity: float) -> list[str]:
    return [f"{quantity:,.0f}", LINES[line]] if line in LINES else []


def _priced(device_h: float, usd: float, money: Callable[[float], str]) -> list[str]:
    return [f"{device_h:,.0f}", money(usd), f"{usd / device_h:.2f}" if device_h else "-"]


def _money(total: float) -> Callable[[float], str]:
    """Whole dollars, or cents where there are few of them."""
    places = 0 if abs(total) >= 1_000 else 2
    return lambda usd: f"{usd:,.{places}f}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"
