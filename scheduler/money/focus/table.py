"""A run's ledger as a FOCUS 1.2 cost table, for the tools that read the bills of clouds.

FOCUS is the FinOps Open Cost and Usage Specification (focus.finops.org). Each row of spend.parquet becomes
a charge, and each that jobs bear one for every group of them; the rows that buy a commitment are added, and
cost nothing beside the use of it. All 57 columns of version 1.2 are there. docs/focus.md says what each
holds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.focus.purchases import amortised, with_purchases
from scheduler.money.focus.text_columns import PURCHASE, Sort, text_columns
from scheduler.money.ledger.showback import showback
from scheduler.run.directory import Run
from traces.arrays import Bools, Ints, combinations, sorted_by
from traces.files import written_whole
from traces.parquet import write_batches

_TIMES = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
_NUMBERS = (
    *("BilledCost", "CommitmentDiscountQuantity", "ConsumedQuantity", "ContractedCost"),
    *("ContractedUnitPrice", "EffectiveCost", "ListCost", "ListUnitPrice"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice"),
    "PricingQuantity",
)
_WORDS = (
    *("AvailabilityZone", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargeFrequency", "CommitmentDiscountCategory", "CommitmentDiscountId"),
    *("CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType"),
    *("CommitmentDiscountUnit", "ConsumedUnit", "InvoiceId", "InvoiceIssuerName", "PricingCategory"),
    *("PricingCurrency", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName"),
    *("ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory"),
    *("SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName"),
    *("SubAccountType", "Tags"),
)
_TYPES = {
    **dict.fromkeys(_TIMES, pa.timestamp("s", "UTC")),
    **dict.fromkeys(_NUMBERS, pa.float64()),
    **dict.fromkeys(_WORDS, pa.string()),
}
SCHEMA = pa.schema(sorted(_TYPES.items()))
"""The columns of FOCUS 1.2, in alphabetical order as in the specification."""

_SPEND = pa.schema(
    [
        ("period_s", pa.int64()),
        *((name, pa.string()) for name in Sort._fields),
        ("quantity", pa.float64()),
        ("usd", pa.float64()),
        ("effective_usd", pa.float64()),
    ]
)


class FocusError(ValueError):
    """A file name that says neither CSV nor Parquet."""


def write_focus(run: Run, path: Path) -> int:
    """Write the run's ledger to `path`, .csv or .parquet, as a FOCUS 1.2 cost table; return its rows.

    The sum of EffectiveCost is the ledger's total. The file appears once it is whole. Raises FocusError for
    another suffix, RunError where the ledger cannot be read, OSError where the file cannot be written.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise FocusError(f"{path}: a FOCUS table must be a .csv or a .parquet file")
    table = focus_table(run, showback(run))
    write_table(path, table)
    return int(table.num_rows)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a `focus_table` as CSV where the suffix is .csv, else as Parquet; raises OSError."""
    if path.suffix == ".csv":
        _write_csv(path, table)
    else:
        write_batches(path, SCHEMA, [table])


def focus_table(run: Run, charges: pa.Table) -> pa.Table:
    """Return charges of the run's `showback` in the columns of `SCHEMA`, in order of time."""
    charges = amortised(charges).select(_SPEND.names).cast(_SPEND)
    spend = sorted_by(with_purchases(run, charges), "period_s")
    first, sort = combinations([spend[name] for name in Sort._fields])
    words = (spend[name].take(pa.array(first)).to_pylist() for name in Sort._fields)
    sorts = [Sort(*row) for row in zip(*words, strict=True)]
    texts = [text_columns(run, each) for each in sorts]
    columns = _times(run, spend["period_s"].to_numpy()) | _numbers(run, spend, sorts, sort)
    columns |= {name: pa.array([each.get(name) for each in texts], pa.string()).take(sort) for name in _WORDS}
    return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)


def _times(run: Run, period_s: Ints) -> dict[str, Any]:
    """Charge periods are whole UTC hours or days, clipped to the run; billing periods are calendar months."""
    unit = {"hour": "h", "day": "D"}[run.description["scenario"]["money"]["charge_period"]]
    epoch_s = int(datetime.fromisoformat(run.description["trace"]["epoch"]).timestamp())
    start = (epoch_s + period_s).astype("datetime64[s]")
    end = (start.astype(f"datetime64[{unit}]") + 1).astype("datetime64[s]")
    month = start.astype("datetime64[M]")
    return {
        "ChargePeriodStart": start,
        "ChargePeriodEnd": np.minimum(end, np.datetime64(epoch_s + run.end_s, "s")),
        "BillingPeriodStart": month.astype("datetime64[s]"),
        "BillingPeriodEnd": (month + 1).astype("datetime64[s]"),
    }


def _numbers(run: Run, spend: pa.Table, sorts: list[Sort], sort: Ints) -> dict[str, Any]:
    """Costs, prices and quantities; null where there are none."""
    quantity, usd, cost = (spend[name].to_numpy() for name in ("quantity", "usd", "effective_usd"))

    def rows(which: Callable[[Sort], bool]) -> Bools:
        return np.array([which(each) for each in sorts], bool)[sort]

    published = {offer["name"]: offer["list_usd_per_device_h"] for offer in run.description["offers"]}
    at_list = np.array([published[each.resource] if each.listed else 0.0 for each in sorts])[sort]
    covered = rows(lambda each: each.committed and each.consumes)
    price = np.divide(usd, quantity, out=np.zeros(len(usd)), where=quantity != 0)
    price[rows(lambda each: each.terms.category == "Adjustment")] = np.nan
    consumed = np.where(rows(lambda each: each.charged_to == "minimum"), 0.0, quantity)
    consumed[~rows(lambda each: each.consumes)] = np.nan
    effective = np.where(rows(lambda each: each.line == PURCHASE), 0.0, cost)
    listed, list_usd = np.maximum(price, at_list), np.where(at_list > price, at_list * quantity, usd)
    contracted, contracted_usd = np.where(covered, listed, price), np.where(covered, list_usd, usd)
    columns = {
        "BilledCost": np.where(rows(lambda each: each.terms.billed), usd, 0.0),
        "CommitmentDiscountQuantity": np.where(rows(lambda each: each.committed), quantity, np.nan),
        "ConsumedQuantity": consumed,
        "PricingQuantity": quantity,
        "ListCost": list_usd,
        "ContractedCost": contracted_usd,
        **dict.fromkeys(("EffectiveCost", "PricingCurrencyEffectiveCost"), effective),
        **dict.fromkeys(("ListUnitPrice", "PricingCurrencyListUnitPrice"), listed),
        **dict.fromkeys(("ContractedUnitPrice", "PricingCurrencyContractedUnitPrice"), contracted),
    }
    return {name: pa.array(values, from_pandas=True) for name, values in columns.items()}


def _write_csv(path: Path, table: pa.Table) -> None:
    """Write nulls as nothing, and times and numbers in the formats of FOCUS."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_timestamp(field.type):
            text = np.datetime_as_string(column.to_numpy(), unit="s", timezone="UTC").tolist()
        elif pa.types.is_floating(field.type):
            text = _decimals(column).to_pylist()
        else:
            text = column.to_pylist()
        columns.append(text)
    with written_whole(path) as file:
        text = TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*columns, strict=True))
        text.detach()


def _decimals(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """As 2.5E-7: FOCUS allows no plus sign; a whole number gets .0, or readers would guess an integer."""
    text = pc.replace_substring_regex(values.cast(pa.string()), r"e\+?", "E")
    return pc.replace_substring_regex(text, r"^-?\d+$", r"\0.0")
