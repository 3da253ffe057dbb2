"""Import rental prices: from rows of the SkyPilot catalog to `offers.toml`, with their defects mended.

Every row meets one fate (`FATES`) and may carry remarks (`REMARKS`); the file begins with their counts.
Run as `python -m scheduler.catalog.prices PRICES.csv -o offers.toml`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from scheduler.catalog.models import CatalogError
from scheduler.catalog.priced_offers import PricedOffer, to_toml
from traces.dated import DatedError, month_of
from traces.files import PathError, written_whole
from traces.outputs import check_document

DEVICES = {"A100": "a100-40", "A100-80GB": "a100-80", "A100-80GB-SXM": "a100-80"} | {
    "H100": "h100",
    "H100-MEGA": "h100",
    "H200": "h200",
    "B200": "b200",
}
"""The catalog's devices by the accelerator's name there. PCIe, NVL and SXM boards are not told apart."""

SERVER_SIZES = np.array([1, 2, 4, 8])
MODE_GAP = 1.25
"""Prices further apart than this factor, with none between them, are of two kinds."""
SAME = 1e-3
"""Prices within this share of each other are one price, rounded differently."""
HOSTLESS = "gcp"
"""Whose rows leave the host machine out, and whose on-demand prices fall into two modes."""
HOST_STAND_IN = {"h200": "h100", "b200": "h100"}
"""Whose host machine stands in where a device's own is not quoted."""
OLDER = ("azure", "lambda(v7)")
"""Of whom only an older version of the catalog is at hand."""

FATES = {
    "used": "its price is in an offer",
    "host": "a host machine: added to the accelerators of the provider",
    "other device": "not a device of this catalog",
    "no price": "no on-demand price",
    "low mode": "GCP: in the lower of two modes of the on-demand price, which is not trusted",
    "other server": "the region has a cheaper server as large",
}
REMARKS = {
    "odd count": "a server of neither 1, 2, 4 nor 8 devices: the next smaller of these is taken",
    "spot not below": "spot price not below on-demand: no discount is offered, so left out",
    "spot a tenth": "spot price exactly a tenth of on-demand: a placeholder, so left out",
}
_TEXTS = ["cloud", "instance_type", "accelerator", "region"]
_NUMBERS = ["accelerator_count", "price_usd_per_hour", "spot_usd_per_hour"]
CONTRACTS = {
    "reserved_12_usd_per_hour": "reserved_usd_per_device_h_by_months.12",
    "reserved_36_usd_per_hour": "reserved_usd_per_device_h_by_months.36",
    "savings_12_usd_per_hour": "savings_usd_per_device_h_by_months.12",
    "savings_36_usd_per_hour": "savings_usd_per_device_h_by_months.36",
    "block_usd_per_hour": "block_usd_per_device_h",
    "contract_usd_per_hour": "contract_usd_per_device_h",
}
"""Prices beside on-demand and spot, and the keys that they have in an offer."""
_OFFER = ["provider", "device", "region"]
_SIZE = [*_OFFER, "devices"]
_PRICES = ["on_demand", "spot"]


def read_price_rows(path: Path) -> pd.DataFrame:
    """Read the price rows as they stand; raises CatalogError naming line, column and value."""
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path}: not a readable CSV file: {error}") from None
    for name in _TEXTS + _NUMBERS:
        if name not in rows:
            raise CatalogError(f"{path}: column {name}: missing")
    return check_rows(path, rows)


def check_rows(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Return price rows with their numbers read; raises CatalogError naming line, column and value."""
    for name in ("cloud", "region"):
        _check(path, rows[name], rows[name].str.fullmatch(r"[\w()-]+", na=False), "a name without spaces")
    for name in (*_NUMBERS, *(name for name in CONTRACTS if name in rows)):
        numbers = pd.to_numeric(rows[name], errors="coerce")
        least = 1 if name == "accelerator_count" else 1e-6
        absent = (rows[name] == "") & (name != "accelerator_count")
        _check(path, rows[name], absent | numbers.between(least, 1e6), f"a number from {least:g} to 1e6")
        rows[name] = numbers
    return rows


def _check(path: Path, column: pd.Series[str], good: pd.Series[bool], allowed: str) -> None:
    if not good.all():
        at = int(good.argmin())
        raise CatalogError(f"{path}: line {at + 2}: {column.name} = {column[at]!r}: must be {allowed}")


def judge_rows(rows: pd.DataFrame, known: Mapping[str, str] = DEVICES) -> pd.DataFrame:
    """Return the rows with device, prices in USD per device-hour (`on_demand`, `spot`), fate and remarks.

    `known` are the catalog's devices by their names in the rows; contract prices are there if the rows have
    them.
    """
    count, device = rows["accelerator_count"], rows["accelerator"].map(known)
    devices = SERVER_SIZES[np.searchsorted(SERVER_SIZES, count, side="right") - 1]
    on_demand, spot = rows["price_usd_per_hour"] / devices, rows["spot_usd_per_hour"] / devices
    host, none = rows["cloud"] == f"{HOSTLESS}-host", on_demand.isna()
    not_below = spot >= on_demand * (1 - SAME)
    tenth = (spot * 10 / on_demand - 1).abs() <= SAME
    judged = rows.assign(
        provider=rows["cloud"].str.replace(r"\(.*\)", "", regex=True),
        device=device,
        devices=devices,
        on_demand=on_demand,
        spot=spot.mask(not_below | tenth),
        fate=np.select([host, device.isna(), none], ["host", "other device", "no price"], "used"),
    )
    for name in CONTRACTS:
        judged[name] = judged[name] / devices if name in rows else np.nan
    judged["odd count"], judged["spot not below"], judged["spot a tenth"] = devices != count, not_below, tenth
    return _one_server_a_size(_without_low_modes(judged))


def _without_low_modes(rows: pd.DataFrame) -> pd.DataFrame:
    priced = rows[(rows["provider"] == HOSTLESS) & (rows["fate"] == "used")]
    least = priced.groupby("accelerator")["on_demand"].transform(upper_mode)
    rows.loc[priced.index[priced["on_demand"] < least], "fate"] = "low mode"
    return rows


def upper_mode(prices: pd.Series[float]) -> float:
    """Return the least price above the widest gap, or the least of all where no gap exceeds `MODE_GAP`."""
    ordered = sorted(set(prices))
    gap, least = max(((high / low, high) for low, high in pairwise(ordered)), default=(1.0, ordered[0]))
    return least if gap > MODE_GAP else ordered[0]


def _one_server_a_size(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep one kind of server for each size of an offer, the cheapest."""
    used = rows[rows["fate"] == "used"]
    server = [*_SIZE, "accelerator", "instance_type"]
    typical = used.groupby(server, as_index=False)[["on_demand"]].median()
    best_first = typical.sort_values("on_demand", kind="stable")
    chosen = pd.MultiIndex.from_frame(best_first.drop_duplicates(_SIZE)[server])
    other = ~pd.MultiIndex.from_frame(used[server]).isin(chosen)
    rows.loc[used.index[other], "fate"] = "other server"
    return rows


def offers(judged: pd.DataFrame) -> list[PricedOffer]:
    """Return the sizes of the offers at median prices over a region's zones, with the host where left out."""
    used = judged[judged["fate"] == "used"]
    doubt = used["odd count"] | used["cloud"].isin(OLDER)
    table = (
        used.assign(grade=doubt.astype(int))
        .groupby(_SIZE, as_index=False)[[*_PRICES, "grade", *CONTRACTS]]
        .agg(dict.fromkeys([*_PRICES, *CONTRACTS], "median") | {"grade": "max"})
    )
    hosts = judged[judged["fate"] == "host"]
    return [
        _with_host(offer, hosts) if offer.provider == HOSTLESS else offer
        for offer in map(_priced, table.to_dict("records"))
    ]


def _priced(row: dict[Any, Any]) -> PricedOffer:
    contracts = {key: float(row[name]) for name, key in CONTRACTS.items() if not isnan(row[name])}
    plain = {name: row[name] for name in (*_SIZE, *_PRICES, "grade")}
    return PricedOffer(**plain, contracts=contracts)


def _with_host(offer: PricedOffer, hosts: pd.DataFrame) -> PricedOffer:
    """Add the host machine of the region, or the median of all regions where none is quoted there."""
    device = HOST_STAND_IN.get(offer.device, offer.device)
    quoted = hosts[hosts["device"] == device]
    if quoted.empty:
        raise CatalogError(
            f"no host machine is quoted for {device}: {offer.provider} {offer.device} needs it"
        )
    here = quoted[quoted["region"] == offer.region]
    on_demand, spot = (quoted if here.empty else here)[_PRICES].median()
    return offer._replace(
        on_demand=offer.on_demand + on_demand,
        spot=offer.spot + spot,
        host_grade=1 if device == offer.device else 2,
    )


def fate_summary(judged: pd.DataFrame) -> str:
    """Return how many rows met which fate, and carry which remark."""
    fates = [(name, (judged["fate"] == name).sum(), meaning) for name, meaning in FATES.items()]
    remarks = [(name, judged[name].sum(), meaning) for name, meaning in REMARKS.items()]
    lines = [f"{count:5} {name}: {meaning}" for name, count, meaning in fates + remarks]
    return "\n".join(
        [f"{len(judged)} rows, each of one fate:", *lines[: len(fates)], "remarks:", *lines[len(fates) :]]
    )


def import_prices(path: Path, as_of: str) -> tuple[str, pd.DataFrame]:
    """Return `offers.toml` made of a CSV file of price rows of a month, and the judged rows.

    Raises CatalogError.
    """
    judged = judge_rows(read_price_rows(path))
    origin = f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return to_toml(offers(judged), fate_summary(judged), as_of, _sources(origin)), judged


def _sources(origin: str) -> dict[str, str]:
    return {
        "skypilot": f"SkyPilot catalog, about late 2025 to mid 2026 (Azure older): {origin}",
        "skypilot-host": "SkyPilot catalog: price of the accelerators plus that of their host machine",
    }


_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("rows", type=_FILE)
@click.option("-o", "--output", type=_FILE, required=True, help="The offers.toml to write.")
@click.option("--as-of", default="", metavar="YYYY-MM", help="Month of the prices.  [default: this one]")
@click.option("-v", "--verbose", is_flag=True, help="Say what became of each row.")
def main(rows: Path, output: Path, as_of: str, verbose: bool) -> None:
    """Import the price ROWS (CSV) of the SkyPilot catalog."""
    try:
        text, judged = import_prices(rows, month_of(as_of or date.today()))
        check_document(output, text.partition(".")[0].encode(), "a file of offers")
        with written_whole(output) as file:
            file.write(text.encode())
    except (CatalogError, DatedError, PathError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    if verbose:
        for at, row in zip(judged.index, judged.to_dict("records"), strict=True):
            remarks = "".join(f", {name}" for name in REMARKS if row[name])
            where = f"{row['cloud']} {row['accelerator']} {row['region']}"
            click.echo(f"line {at + 2}: {where}: {row['fate']}{remarks}")
    click.echo(fate_summary(judged))


if __name__ == "__main__":
    main()
