"""The ledger as tables that a planner can read: what was spent on what, who bears it, and who used it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import fsum
from typing import Any

import numpy as np

from scheduler.catalog.certainty import footer
from scheduler.money.ledger.bills import Bill, IdleBy, bills
from scheduler.run.columns import CHARGED_TO, LINES
from scheduler.run.directory import Run
from scheduler.run.spend import SpendRow, borne, cost, spend_figures, spent_by, used_by
from traces.arrays import Floats
from traces.numbers import count, error, minute, money, ratio, share_of
from traces.tables import TableCells
from traces.words import BY

SPENT_BY = {"line": "line", "resource": "resource", "period": "period_s"}
"""The columns of spend.parquet that charges are told apart by."""


def ledger(run: Run, by: Sequence[str] = (), idle: IdleBy | None = None) -> str:
    """Render the ledger by what `bills` are told apart by, in their order.

    Without any it is by resource and line and by workload. It ends with the check, the figures that are not
    sure, and how old prices are.
    """
    if not by:
        parts = [spent(run), used(run, "workload")]
    elif all(key in SPENT_BY for key in by):
        parts = [spent(run, [SPENT_BY[key] for key in by])]
    elif len(by) == 1 and by[0] in BY and idle is None:
        parts = [used(run, by[0])]
    else:
        parts = [billed(run, by, idle).text()]
    parts += [check(run), footer(run.description["unsure"], run.description["prices_of"])]
    return "\n\n".join(part for part in parts if part)


def spent(run: Run, keys: Sequence[str] = ("resource", "line")) -> str:
    """Render the `charges`, and what came in."""
    figures, text = spend_figures(run), charges(run, keys).text()
    usd, revenue = figures["usd_total"], figures["revenue_usd"]
    write = money(usd)
    earned = f"\nrevenue {write(revenue)} USD, net {write(usd - revenue)} USD"
    return text + (earned if revenue else "")


def charges(run: Run, keys: Sequence[str] = ("resource", "line")) -> TableCells:
    """Return what was spent by columns of spend.parquet, and who bears it."""
    rows, _ = spent_by(run, keys)
    groups = sorted({tuple(row[key] for key in keys) for row in rows}, key=lambda group: _rank(run, group))
    usd, quantity = _by_bearer(rows, keys, groups)
    bearers = np.flatnonzero(usd.any(axis=0))
    write = money(usd.sum())

    def amounts(parts: Any) -> list[str]:
        return [
            write(parts.sum()),
            share_of(parts.sum(), usd.sum()),
            *(write(part) if part else "" for part in parts[bearers]),
        ]

    lines = [
        [*_names(run, keys, group), *_quantity(group[-1], quantity[at]), *amounts(usd[at])]
        for at, group in enumerate(groups)
    ]
    head = ["quantity", "unit"] if keys[-1] == "line" else []
    lines.append(["total", *[""] * (len(keys) - 1 + len(head)), *amounts(usd.sum(axis=0))])
    header = [*(key.removesuffix("_s") for key in keys), *head, "USD", "share"]
    header += [CHARGED_TO[who].removesuffix("_commitment") for who in bearers]
    return TableCells(header, lines, [at for at in range(len(keys), len(header)) if header[at] != "unit"])


def _by_bearer(rows: Sequence[SpendRow], keys: Sequence[str], groups: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return USD by group and bearer, and the quantity by group."""
    place = {group: at for at, group in enumerate(groups)}
    usd, quantity = np.zeros((len(groups), len(CHARGED_TO))), np.zeros(len(groups))
    for row in rows:
        at = place[tuple(row[key] for key in keys)]
        usd[at, CHARGED_TO.index(row["charged_to"])] += row["usd"]
        quantity[at] += row["quantity"]
    return usd, quantity


def billed(run: Run, by: Sequence[str], idle: IdleBy | None = None) -> TableCells:
    """Return the `bills` of a run: what jobs are charged, and with it their part of what no job bears."""
    found = bills(run, by, idle)
    total = fsum(bill.usd for bill in found)
    write = money(total)
    rows = [[*bill.of, *_amounts(bill, total, write)] for bill in found]
    together = Bill((), fsum(bill.jobs_usd for bill in found), fsum(bill.shared_usd for bill in found))
    rows.append(["total", *[""] * (len(by) - 1), *_amounts(together, total, write)])
    header = [*by, "USD", "share", "jobs", "no job's" if idle is None else f"no job's, by {idle}"]
    return TableCells(header, rows, range(len(by), len(header)))


def _amounts(bill: Bill, total: float, write: Callable[[float], str]) -> list[str]:
    parts = (write(part) if part else "" for part in (bill.jobs_usd, bill.shared_usd))
    return [write(bill.usd), share_of(bill.usd, total), *parts]


def used(run: Run, by: str) -> str:
    """Render the `use`."""
    return use(run, by).text()


def use(run: Run, by: str) -> TableCells:
    """Return who used how many device-hours at work, what that was charged, and what it brought in.

    USD/work-h is by hours of the reference device, as an hour of a tile is not one of a GPU.
    """
    rows = used_by(run, by)
    write = money(sum(row["owned_usd"] + row["rented_usd"] for row in rows[-1:]))
    sold = any(row["revenue_usd"] for row in rows)
    priced = ("USD", "USD/device-h", "USD/work-h")
    header = [by, "jobs", "owned device-h", *priced, "rented device-h", *priced]
    lines = [
        [
            row[by],
            count(row["count"]),
            *_priced(row, "owned", write),
            *_priced(row, "rented", write),
            *([write(row["revenue_usd"])] if sold else []),
        ]
        for row in rows
    ]
    header += ["revenue USD"] if sold else []
    return TableCells(header, lines, range(1, len(header)))


def check(run: Run) -> str:
    """Say what jobs and nobody's time add up to, and what the pools and offers cost by themselves."""
    bearers = borne(run)
    expected = cost(run)
    total = sum(bearers.values())
    write = money(total)
    parts = " + ".join(f"{who} {write(usd)}" for who, usd in bearers.items() if usd) or "nothing"
    whole = "pools, offers and cars" if run.fleets else "pools and offers"
    missing = f"{whole} cost {write(expected)} by themselves, difference {error(abs(total - expected))}"
    return f"check: {parts} = {write(total)} USD; {missing}"


def _rank(run: Run, group: tuple[Any, ...]) -> list[int]:
    """Sort resources and lines in their own order, periods by time."""
    order = [*run.pools, *run.offers, *run.sites, *run.fleets, *LINES]
    return [order.index(value) if isinstance(value, str) else value for value in group]


def _names(run: Run, keys: Sequence[str], group: tuple[Any, ...]) -> list[str]:
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    return [
        minute(epoch + timedelta(seconds=value)) if key == "period_s" else value
        for key, value in zip(keys, group, strict=True)
    ]


def _quantity(line: Any, quantity: float) -> list[str]:
    return [count(quantity), LINES[line]] if line in LINES else []


def _priced(row: SpendRow, where: str, write: Callable[[float], str]) -> list[str]:
    device_h, work_h, usd = (row[f"{where}_{name}"] for name in ("h", "work_h", "usd"))
    return [
        count(device_h),
        write(usd),
        *(ratio(usd / hours if hours else None) for hours in (device_h, work_h)),
    ]
