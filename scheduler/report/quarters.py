"""Years as a table by quarter, and in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.run.quarters import QuarterRow
from traces.numbers import count, decimal, duration, percent, rounded_usd
from traces.tables import TableCells, table
from traces.times import HOUR_S

_MILLION = 1e6
_MONEY = {
    "rent": "rent_usd",
    "sales": "revenue_usd",
    "bought": "purchases_usd",
    "written off": "write_off_usd",
    "cash": "cash_usd",
    "NPV": "npv_usd",
}
ABOUT = """\
devices: mean there; demand: mean reference devices asked for; used: by peak PFLOPS; owned, rented: thousands
of device-hours held; p95 wait: with waits so far; USD in millions; cash: what comes in less what is paid,
pods on delivery; NPV: of all cash so far, at {rate} a year"""


MONTHS = """\
each quarter by {days} days in its middle, which go on from who ran and waited in those before; what adds up
over time is multiplied by what the quarter is longer; purchases and closures are on their days"""


def render(rows: Sequence[QuarterRow], rate: float) -> str:
    """Return a table by quarter, and what its columns are."""
    work, paid = work_cells(rows), money_cells(rows)
    joined = [[*one, *other[1:]] for one, other in zip(work.rows, paid.rows, strict=True)]
    header = [*work.header, *paid.header[1:]]
    return f"{table(header, joined, range(1, len(header)))}\n{ABOUT.format(rate=percent(rate, 0))}"


def work_cells(rows: Sequence[QuarterRow]) -> TableCells:
    """Return devices, demand, waits and releases by quarter."""
    pools, loops = names_after(rows, "devices:"), names_after(rows, "releases:")
    header = ["quarter", *pools, "demand", "used", "owned", "rented", "p95 wait", "rejected"]
    header += [f"{loop} releases" for loop in loops]
    return TableCells(header, [_cells(row, pools, loops) for row in rows], range(1, len(header)))


def money_cells(rows: Sequence[QuarterRow]) -> TableCells:
    """Return what is paid and earned by quarter, in millions."""
    cells = [
        [row["quarter"], *(decimal(row[name] / _MILLION, 1) for name in _MONEY.values())] for row in rows
    ]
    return TableCells(["quarter", *_MONEY], cells, range(1, 1 + len(_MONEY)))


def sentence(rows: Sequence[QuarterRow]) -> str:
    """Return the years in one sentence."""

    def total(name: str) -> str:
        return rounded_usd(sum(row[name] for row in rows))

    worst = max(rows, key=lambda row: row["wait_p95_s"] or 0)
    text = (
        f"{rows[0]['quarter']} to {rows[-1]['quarter']}: {total('purchases_usd')} USD of pods, "
        f"{total('rent_usd')} of rent, operations and power less {total('revenue_usd')} of sales come to "
        f"{rounded_usd(-rows[-1]['npv_usd'])} in dollars of the start"
    )
    if any(row["write_off_usd"] for row in rows):
        text += f", and {total('write_off_usd')} of book value is written off"
    waits = worst["wait_p95_s"]
    return (
        f"{text}; waits are longest in {worst['quarter']}, {duration(waits)} at p95." if waits else f"{text}."
    )


def names_after(rows: Sequence[QuarterRow], start: str) -> list[str]:
    """Return the pools, offers or loops of the columns that begin so."""
    found = (name.removeprefix(start) for row in rows for name in row if name.startswith(start))
    return list(dict.fromkeys(found))


def _cells(row: QuarterRow, pools: Sequence[str], loops: Sequence[str]) -> list[str]:
    wait_s = row["wait_p95_s"]
    return [
        row["quarter"],
        *(count(row.get(f"devices:{pool}") or 0) for pool in pools),
        count(demand_devices(row)),
        percent(row["utilization"], 0),
        count(row["held_device_h"] / 1_000),
        count(row["rented_device_h"] / 1_000),
        "-" if wait_s is None else duration(wait_s),
        count(row["rejected"]),
        *(decimal(row.get(f"releases:{loop}") or 0, 1) for loop in loops),
    ]


def demand_devices(row: QuarterRow) -> float:
    """Return the mean number of reference devices that a quarter asks for."""
    return float(row["asked_device_h"] / ((row["until"] - row["since"]).total_seconds() / HOUR_S))
