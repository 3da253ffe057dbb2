"""The tables of a page: the figures of all of a run, as its summary and its ledger have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape

import numpy as np
import pyarrow as pa

from scheduler.catalog import load_catalog
from scheduler.report.executions import plain
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from scheduler.run.spend import spend_figures
from scheduler.why.causes import MEANINGS, Cause
from traces.arrays import combinations
from traces.numbers import count, count_of, duration, hours, minute, percent, rounded_usd, share_of
from traces.tables import TableCells
from traces.times import HOUR_S

MOST_BURSTS = 20


def as_html(cells: TableCells, caption: str) -> str:
    """Return a table with its caption; nothing where it has no rows."""
    if not cells.rows:
        return ""
    numbers = set(cells.numbers)
    kinds = [' class="number"' if at in numbers else "" for at in range(len(cells.header))]
    pairs = zip(kinds, cells.header, strict=True)
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for kind, name in pairs)
    rows = "".join(f"<tr>{_row(row, kinds)}</tr>" for row in cells.rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = (f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds[1:], row[1:], strict=True))
    return f'<th scope="row">{escape(row[0])}</th>{"".join(cells)}'


def cards(levels: DeviceLevels, together: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return what a run came to in a few figures: what each is, and how it reads."""
    run, spend = levels.run, spend_figures(levels.run)
    found = [
        ("of the owned devices busy", percent(levels.utilization(), 0) if run.pools else ""),
        ("half of the work waited so long or longer", duration(together["waited_by_work_p50_s"])),
        ("a tenth of the work waited so long or longer", duration(together["waited_by_work_p90_s"])),
        ("deadlines missed", count_of(together["missed"], together["deadlines"])),
        ("jobs worked on rented devices", count(together["bursting_jobs"])),
        ("USD spent", rounded_usd(spend["usd_total"])),
        ("of it for rent", share_of(spend["usd_rent"], spend["usd_total"])),
    ]
    return [(what, value) for what, value in found if value]


def causes(sums: Mapping[Cause, Mapping[str, int]]) -> TableCells:
    """Return the device-hours of waiting by cause and workload, and what each cause means."""
    waited = {cause: row for cause, row in sums.items() if cause != Cause.DEPENDENCY}
    names = sorted({name for row in sums.values() for name in row})
    total = sum(sum(row.values()) for row in waited.values())
    rows = [
        [
            cause.word,
            *(hours(row.get(name, 0)) for name in names),
            hours(sum(row.values())),
            share_of(sum(row.values()), total),
            MEANINGS[cause],
        ]
        for cause, row in waited.items()
    ]
    header = ["cause", *names, "all", "share", "meaning"]
    return TableCells(header, rows, range(1, len(names) + 3))


def bursts(run: Run, attempts: pa.Table) -> TableCells:
    """Return the jobs that were charged most for rented devices."""
    where = attempts.column("where").cast(pa.string()).to_numpy()
    ours = attempts.filter(pa.array(np.isin(where, run.offers)))
    first, number = combinations([ours.column("job_id")])
    held = {name: ours.column(name).to_numpy() for name in ("alloc_s", "end_s", "devices", "spend_usd")}
    held_s = (held["end_s"] - held["alloc_s"]) * held["devices"].astype(np.int64)
    device_h, usd = (np.bincount(number, column, len(first)) for column in (held_s, held["spend_usd"]))
    most = np.argsort(-usd, kind="stable")[:MOST_BURSTS]
    told = plain(ours.take(pa.array(first[most])), ["label", "kind", "owner", "gang", "where", "alloc_s"])
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    told["gang"] = [count(gang) for gang in told["gang"]]
    told["alloc_s"] = [minute(epoch + timedelta(seconds=second)) for second in told["alloc_s"]]
    told["held"] = [count(each / HOUR_S) for each in device_h[most]]
    told["usd"] = [count(each) for each in usd[most]]
    header = ["job", "kind", "owner", "gang", "rented of", "first rented", "device-h held", "USD"]
    return TableCells(header, [[*row] for row in zip(*told.values(), strict=True)], (3, 6, 7))


def prices(run: Run) -> TableCells:
    """Return where the price of each offer comes from, and so how old it is."""
    catalog = load_catalog()
    rows = []
    for offer in run.description["offers"]:
        known = catalog.offers.get(offer["offer"])
        figure = known and known.figures.get("usd_per_device_h")
        source = catalog.sources.get(figure.source, figure.source) if figure else ""
        said = source.partition(", SHA-256")[0] or "the scenario's own, or assumed"
        rows.append([offer["name"], offer["offer"], f"{offer['prices'][0][1]:g}", said])
    return TableCells(["offer", "in the catalog", "USD/device-h at first", "source"], rows, (2,))
