"""The weather: a table of the intervals in which something is wrong somewhere, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pyarrow as pa
from msgspec import Meta, Struct

from scheduler.stock.stock import Stock
from scheduler.weather.table_rules import LATEST_S, WeatherError, check_places, check_rows, is_in
from traces.arrays import WORD
from traces.errors import explain, first_line
from traces.parquet import documented, read_metadata, read_whole, write_batches

WEATHER = pa.schema(
    [
        documented("from_s", pa.int64(), "s", "it begins, from the start of the run"),
        documented("to_s", pa.int64(), "s", "it is over, or the weather is"),
        documented("where", WORD, "", "pool or offer"),
        documented("pod", pa.int32(), "", "number of the pod, from 0; null for an offer", nullable=True),
        documented("first", pa.int32(), "", "number in the pod, or offer, of the first device concerned"),
        documented("devices", pa.int32(), "device", "so many from there on; 0: not devices are concerned"),
        documented(
            "what",
            WORD,
            "",
            "device, cabinet, pod, maintenance; reclaim, shortage, refused, slow_boot, failed_boot or price",
        ),
        documented("notice_s", pa.int32(), "s", "it is known so long before"),
        documented("expected_s", pa.int64(), "s", "when those who schedule expect it to be over"),
        documented(
            "value", pa.float64(), "", "slow_boot: times as long; price: times the price", nullable=True
        ),
    ]
)

VERSION = "1"
KEY = "exaburst.weather"
"""Key of the file metadata that makes a Parquet file a weather file: JSON of `_Head`."""

_Seconds = Annotated[int, Meta(ge=1, le=LATEST_S)]


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    """What a weather file says of itself."""

    version: Annotated[str, Meta(pattern=f"^{VERSION}$")]
    scenario: str
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    until_s: _Seconds
    devices: dict[str, Annotated[int, Meta(ge=0, le=10**12)]]


@dataclass(frozen=True)
class Weather:
    """All that goes wrong from the start of a run, its second 0, until `until_s`; afterwards it is fair."""

    table: pa.Table
    """Columns as in `WEATHER`, ascending in from_s."""
    until_s: int
    seed: int
    scenario: str
    """Name of the scenario it was drawn for."""
    devices: Mapping[str, int]
    """Devices of each pool and offer, in the scenario's order."""

    @classmethod
    def read(cls, path: Path | str) -> Weather:
        """Read a weather file; raises WeatherError naming the file for anything that is not one."""
        try:
            table = read_whole(path)
        except ValueError as error:
            raise WeatherError(str(error)) from None
        try:
            head = _head(table.schema.metadata or {})
            table = _typed(table)
            check_rows(table, head.until_s, head.devices)
        except WeatherError as error:
            raise WeatherError(f"{path}: {error}") from None
        return cls(table, head.until_s, head.seed, head.scenario, head.devices)

    @staticmethod
    def claimed(path: Path | str) -> bool:
        """Say whether a file calls itself a weather file, valid or not."""
        return KEY.encode() in read_metadata(path)

    def write(self, path: Path | str) -> None:
        """Write the weather as Parquet; the file appears only once it is whole."""
        head = _Head(VERSION, self.scenario, self.seed, self.until_s, dict(self.devices))
        schema = WEATHER.with_metadata({KEY: msgspec.json.encode(head).decode()})
        write_batches(Path(path), schema, [self.table.cast(schema)])

    def check(self, stock: Stock) -> None:
        """Raise WeatherError where a row names a pool, offer, pod or device that the run does not have."""
        check_places(self.table, stock)

    def at(self, *names: str) -> Weather:
        """Return the weather of some pools and offers alone."""
        devices = {name: self.devices[name] for name in self.devices if name in names}
        return replace(
            self, table=self.table.filter(pa.array(is_in(self.table, "where", names))), devices=devices
        )


def _head(metadata: Mapping[bytes, bytes]) -> _Head:
    if KEY.encode() not in metadata:
        raise WeatherError(f"not a weather file: metadata {KEY} is missing")
    raw: Any = None
    try:
        raw = json.loads(metadata[KEY.encode()])
        return msgspec.convert(raw, _Head)
    except (ValueError, RecursionError) as error:
        reason = explain(str(error), raw, (_Head,)) if isinstance(raw, dict) else "must be a JSON object"
        raise WeatherError(f"metadata {KEY}: {reason}") from None


def _typed(table: pa.Table) -> pa.Table:
    """Return the columns in the schema's order and types."""
    for name in table.column_names:
        if name not in WEATHER.names:
            raise WeatherError(f'column "{name}": unknown; allowed are {", ".join(WEATHER.names)}')
    for field in WEATHER:
        if table.column_names.count(field.name) != 1:
            raise WeatherError(f'column "{field.name}": must be there once')
    columns = []
    for field in WEATHER:
        try:
            column = table.column(field.name)
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowException, ValueError) as error:
            wanted = f'column "{field.name}": must be {field.type}'
            raise WeatherError(f"{wanted}: {first_line(error)}") from None
    return pa.table(columns, schema=WEATHER).unify_dictionaries()
