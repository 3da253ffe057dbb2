"""Price lists as people have them: SkyPilot's catalog in its own columns, a provider's CSV, or one's own.

Columns are known by their usual names (`LISTED`), whatever their case. The rows then go the way of the rows
of `scheduler.catalog.prices`, whose defects they may have too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from scheduler.catalog.models import CatalogError
from scheduler.catalog.priced_offers import to_toml
from scheduler.catalog.prices import DEVICES, check_rows, fate_summary, judge_rows, offers
from scheduler.catalog.reading import load_catalog
from traces.dated import month_of
from traces.files import read_bytes

LISTED = {
    "cloud": ("cloud", "provider", "vendor"),
    "region": ("region", "location"),
    "zone": ("zone", "availabilityzone", "availability_zone"),
    "instance_type": ("instance_type", "instancetype", "instance", "sku"),
    "accelerator": ("accelerator", "acceleratorname", "device", "gpu", "gpu_type", "gpu_name"),
    "accelerator_count": ("accelerator_count", "acceleratorcount", "devices", "gpus", "gpu_count", "count"),
    "price_usd_per_hour": ("price_usd_per_hour", "price", "usd_per_hour", "on_demand"),
    "spot_usd_per_hour": ("spot_usd_per_hour", "spotprice", "spot_price", "spot"),
    "reserved_12_usd_per_hour": ("reserved_1y", "reserved_1y_usd_per_hour", "reserved_12_months"),
    "reserved_36_usd_per_hour": ("reserved_3y", "reserved_3y_usd_per_hour", "reserved_36_months"),
    "savings_12_usd_per_hour": ("savings_1y", "savings_1y_usd_per_hour", "savings_12_months"),
    "savings_36_usd_per_hour": ("savings_3y", "savings_3y_usd_per_hour", "savings_36_months"),
    "block_usd_per_hour": ("capacity_block", "block", "block_usd_per_hour"),
    "contract_usd_per_hour": ("contract", "contract_usd_per_hour"),
}
"""The names that a column may have; prices are of the whole instance."""
TERMS = {
    "boot_s": 600,
    "billing_step_s": 1,
    "minimum_s": 60,
    "egress_usd_per_gb": 0,
    "staging_gbps": 10,
}
"""What is assumed of a provider without an entry in the catalog."""
PER_DEVICE = "usd_per_device_h"
"""A price of one device, where there is none of the instance."""


class ListDefaults(NamedTuple):
    """What a list does not say itself."""

    provider: str
    region: str
    source: str


def refreshed(path: Path, as_of: str, given: ListDefaults) -> tuple[str, int, list[str]]:
    """Return a file of offers made of a price list, how many there are, and what became of the rows.

    Raises CatalogError, naming line, column and value, and DatedError for no month.
    """
    month = month_of(as_of)
    rows = check_rows(path, _named(path, given))
    catalog = load_catalog()
    devices = DEVICES | {name: name for name in catalog.devices}
    judged = judge_rows(rows, devices)
    found = offers(judged)
    if not found:
        allowed = ", ".join(sorted(devices))
        raise CatalogError(f"{path}: no row has a price of a device of the catalog (allowed: {allowed})")
    account = fate_summary(judged)
    origin = f"{path.name}, SHA-256 {hashlib.sha256(read_bytes(path)).hexdigest()}"
    text = to_toml(found, account, month, {"list": f"{given.source}: {origin}"})
    known = {offer.provider for offer in catalog.offers.values()}
    text += "".join(_terms(name) for name in sorted({offer.provider for offer in found} - known))
    count = len({(offer.provider, offer.device, offer.region) for offer in found})
    return text, count, [line.strip() for line in account.splitlines() if not line.startswith("    0 ")]


def _terms(provider: str) -> str:
    """Return assumed terms of a provider that the catalog does not know, for the user to put right."""
    return f"\n[providers.{provider}]  # assumed\n" + "".join(
        f"{name} = {value}\n" for name, value in TERMS.items()
    )


def _named(path: Path, given: ListDefaults) -> pd.DataFrame:
    """Return the rows under the names of `LISTED`, with what is given where a column is missing."""
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path}: not a readable CSV file: {error}") from None
    known = {str(name).strip().lower().replace(" ", "_"): name for name in raw.columns}
    rows = pd.DataFrame(index=raw.index)
    for column, names in LISTED.items():
        found = next((known[name] for name in names if name in known), None)
        if found is not None:
            rows[column] = raw[found].str.strip()
    if "price_usd_per_hour" not in rows and PER_DEVICE in known:
        rows["price_usd_per_hour"], rows["accelerator_count"] = raw[known[PER_DEVICE]], "1"
    defaults = {"cloud": given.provider, "region": given.region or "any", "accelerator_count": "1"}
    for column, value in (defaults | {"instance_type": "", "spot_usd_per_hour": ""}).items():
        if column not in rows:
            if not value and column == "cloud":
                raise CatalogError(f"{path}: no column says whose prices these are: give --provider")
            rows[column] = value
    for column in ("accelerator", "price_usd_per_hour"):
        if column not in rows:
            raise CatalogError(f"{path}: column {column}: missing (allowed: {', '.join(LISTED[column])})")
    return rows[rows["accelerator"] != ""].reset_index(drop=True)
