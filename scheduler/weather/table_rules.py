"""The rules of a weather table, checked by column; a broken one is named with its first row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.stock.stock import Stock
from traces.arrays import Bools, Floats, Ints
from traces.schema import EXACT, quoted

OWNED = ("device", "cabinet", "pod", "maintenance")
"""What befalls devices of a pod."""
NODES = ("reclaim", "shortage")
"""What befalls nodes of an offer."""
SERVICE = ("refused", "slow_boot", "failed_boot", "price")
"""What befalls an offer as a whole, each sort once at a time."""
WHATS = (*OWNED, *NODES, *SERVICE)
LEAST_VALUE = {"slow_boot": 1.0, "price": 0.0}
"""The least value of the rows that have one."""
MOST = 1e12
LATEST_S = 25 * 10**10
"""The latest end of a weather, in 8,000 years: beyond twice the longest trace, with sums exact in int64."""

Rule = tuple[str, Bools, str]
"""(column, rows at fault, what is allowed)."""


class WeatherError(ValueError):
    """Weather that breaks a rule; names the file or the row, the column, the value and what is allowed."""


def check_rows(table: pa.Table, until_s: int, places: Mapping[str, int]) -> None:
    """Raise WeatherError for a row that cannot be, of a table in the schema's types.

    `places` are the pools and offers it may name, with their devices.
    """
    for field in table.schema:
        if not field.nullable:
            _hold(table, (field.name, ~_valid(table, field.name), "a value in every row"))
    words = (("where", tuple(places)), ("what", WHATS))
    for name, known in words:
        _hold(table, (name, ~is_in(table, name, known), ", ".join(known) or "none"))
    for rule in (*_times(table, until_s), *_devices(table), *_values(table), *_one_at_a_time(table)):
        _hold(table, rule)
    end = column(table, "first") + column(table, "devices")
    for name, devices in places.items():
        _hold(table, ("devices", is_in(table, "where", (name,)) & (end > devices), f"what {devices:,} have"))


def check_places(table: pa.Table, stock: Stock) -> None:
    """Raise WeatherError where a row names a pool, offer, pod or device that is not there."""
    pools = {pool.name: pool for pool in stock.pools}
    offers = {offer.name: offer for offer in stock.offers}
    known = (*pools, *offers)
    _hold(table, ("where", ~is_in(table, "where", known), ", ".join(known)))
    at_pool = is_in(table, "where", tuple(pools))
    of_pool = is_in(table, "what", OWNED)
    _hold(table, ("what", at_pool & ~of_pool, f"{', '.join(OWNED)}, as for any pool"))
    _hold(table, ("what", ~at_pool & of_pool, f"{', '.join(NODES + SERVICE)}, as for any offer"))
    first, end = column(table, "first"), column(table, "first") + column(table, "devices")
    for name, pool in pools.items():
        rows = is_in(table, "where", (name,))
        _hold(table, ("pod", rows & (column(table, "pod") >= pool.pods), f"0 to {pool.pods - 1}"))
        _hold(table, ("devices", rows & (end > pool.pod_devices), f"what a pod of {pool.pod_devices} has"))
    for name, offer in offers.items():
        rows, unit = is_in(table, "where", (name,)), offer.unit_devices
        _hold(table, ("devices", rows & (end > offer.quota), f"what a quota of {offer.quota} has"))
        split = rows & ((first % unit > 0) | (end % unit > 0))
        _hold(table, ("devices", split, f"multiples of {unit}"))


def column(table: pa.Table, name: str) -> Ints:
    """Return a column of integers; null becomes -1."""
    return np.asarray(table.column(name).fill_null(-1).to_numpy()).astype(np.int64)


def values(table: pa.Table) -> Floats:
    """Return the values; null becomes NaN."""
    return np.asarray(table.column("value").to_numpy(), np.float64)


def is_in(table: pa.Table, name: str, words: tuple[str, ...]) -> Bools:
    """Say which rows have one of the words in a column."""
    rows = pc.is_in(table.column(name).cast(pa.string()), pa.array(words, pa.string()))
    return np.asarray(rows.to_numpy())


def _times(table: pa.Table, until_s: int) -> Iterator[Rule]:
    from_s, to_s = column(table, "from_s"), column(table, "to_s")
    yield "from_s", from_s < 0, "0 or more"
    yield "to_s", to_s <= from_s, "after from_s"
    yield "to_s", to_s > until_s, f"up to {until_s:,}, where the weather ends"
    yield "notice_s", column(table, "notice_s") < 0, "0 or more"
    expected_s = column(table, "expected_s")
    yield "expected_s", (expected_s < from_s) | (expected_s > EXACT), f"from from_s to {EXACT:,}"
    yield "from_s", np.diff(from_s, prepend=0) < 0, "what the row before has, or more"


def _devices(table: pa.Table) -> Iterator[Rule]:
    owned, service = is_in(table, "what", OWNED), is_in(table, "what", SERVICE)
    has_pod, pod = _valid(table, "pod"), column(table, "pod")
    first, devices = column(table, "first"), column(table, "devices")
    yield "pod", owned & ~(has_pod & (pod >= 0)), "0 or more"
    yield "pod", ~owned & has_pod, "null, as for any offer"
    yield "first", (first < 0) | (service & (first > 0)), "0 or more; 0 where no devices are concerned"
    yield "devices", ~service & (devices < 1), "1 or more"
    yield "devices", service & (devices != 0), "0 where no devices are concerned"


def _values(table: pa.Table) -> Iterator[Rule]:
    valued, value = is_in(table, "what", tuple(LEAST_VALUE)), values(table)
    yield "value", ~valued & _valid(table, "value"), f"null but for {' and '.join(LEAST_VALUE)}"
    for what, least in LEAST_VALUE.items():
        rows = is_in(table, "what", (what,))
        yield "value", rows & ~((value >= least) & (value <= MOST)), f"{least:g} to {MOST:g}"


def _one_at_a_time(table: pa.Table) -> Iterator[Rule]:
    """What befalls an offer as a whole begins when the last of its sort is over."""
    from_s, to_s = column(table, "from_s"), column(table, "to_s")
    where = np.unique(
        table.column("where").cast(pa.string()).to_numpy(zero_copy_only=False), return_inverse=True
    )[1]
    for what in SERVICE:
        rows = np.flatnonzero(is_in(table, "what", (what,)))
        rows = rows[np.argsort(where[rows], kind="stable")]
        before, after = rows[:-1], rows[1:]
        early = np.zeros(len(from_s), bool)
        early[after] = (where[before] == where[after]) & (from_s[after] < to_s[before])
        yield "from_s", early, f"the end of the {what} before it, or later"


def _valid(table: pa.Table, name: str) -> Bools:
    return np.asarray(table.column(name).is_valid().to_numpy())


def _hold(table: pa.Table, rule: Rule) -> None:
    name, at_fault, allowed = rule
    if at_fault.any():
        row = int(at_fault.argmax())
        value: Any = table.column(name)[row].as_py()
        shown = "null" if value is None else quoted(value) if isinstance(value, str) else f"{value:,}"
        raise WeatherError(f"row {row}: {name} is {shown}; allowed is {allowed}")
