"""Commitments in FOCUS: what they cover at the price of the contract, and the rows that buy them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.focus.text_columns import PURCHASE
from scheduler.run.columns import GROUP
from scheduler.run.directory import Run
from traces.arrays import Bools, combinations


def amortised(charges: pa.Table) -> pa.Table:
    """Return charges without the ledger's discounts, which lower the `effective_usd` of what they are on."""
    usd = charges["usd"].to_numpy().copy()
    first, sort = combinations([charges[name] for name in ("period_s", "resource")])
    discount = _is(charges, "line", "discount")
    covered = _is(charges, "line", "committed") & ~_is(charges, "charged_to", "unused_commitment")
    off, at_list = (np.bincount(sort[rows], usd[rows], len(first)) for rows in (discount, covered))
    hours = np.bincount(sort[covered], charges["quantity"].to_numpy()[covered], len(first))
    quantity = charges["quantity"].to_numpy()
    share = np.divide(quantity, hours[sort], out=np.zeros(len(usd)), where=covered & (hours[sort] > 0))
    rate = np.divide(off + at_list, at_list, out=np.ones(len(first)), where=at_list != 0)[sort]
    even = np.where(at_list[sort] != 0, usd * rate, share * off[sort])
    usd[covered & (off[sort] != 0)] = even[covered & (off[sort] != 0)]
    return charges.append_column("effective_usd", pa.array(usd)).filter(pa.array(~discount))


def with_purchases(run: Run, spend: pa.Table) -> pa.Table:
    """Add, for each period and offer, the row that buys what was committed, used or not.

    A block is paid ahead: its rows are one, in the first of its periods.
    """
    spent = spend.filter(pa.array(_is(spend, "line", "committed")))
    period_s = spent["period_s"].to_numpy().copy()
    for offer in run.description["offers"]:
        ours = _is(spent, "resource", offer["name"])
        for block in (each for each in offer["commitments"] if each["kind"] == "block"):
            rows = (
                ours & (period_s >= _period_of(period_s[ours], block["from_s"])) & (period_s < block["to_s"])
            )
            period_s[rows] = period_s[rows].min(initial=block["to_s"])
    spent = spent.set_column(0, "period_s", pa.array(period_s))
    bought = spent.group_by(["period_s", "resource", "unit"], use_threads=False).aggregate(
        [("quantity", "sum"), ("effective_usd", "sum")]
    )
    bought = bought.rename_columns([name.removesuffix("_sum") for name in bought.column_names])
    bought = bought.append_column("usd", bought["effective_usd"])
    for name in ("line", "charged_to"):
        bought = bought.append_column(name, pa.repeat(PURCHASE, len(bought)))
    for name in GROUP:
        bought = bought.append_column(name, pa.nulls(len(bought), pa.string()))
    return pa.concat_tables([spend, bought.select(spend.column_names)])


def _period_of(period_s: np.ndarray, second: int) -> int:
    """Return the start of the period, of some, that holds a second; the second where none does."""
    before = period_s[period_s <= second]
    return int(before.max(initial=-(2**62))) if len(before) else second


def _is(table: pa.Table, name: str, word: str) -> Bools:
    return np.asarray(pc.equal(table[name].cast("string"), word).to_numpy())
