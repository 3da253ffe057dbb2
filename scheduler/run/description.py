"""What run.json holds, typed: what does not read as this is no description of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from scheduler.run.parts import EVERY_LOG, Part
from scheduler.scenario import Scenario
from scheduler.stock.pools import PoolStock
from scheduler.stock.sites import SiteStock
from scheduler.stock.stock import OfferStock
from traces.schema import EXACT

DIGEST = "sha256"
"""The last entry of run.json: the digest of all the others."""

Second = Annotated[int, Meta(ge=0, le=10**12)]
Number = Annotated[int, Meta(ge=0)]


class TraceEntry(Struct, frozen=True):
    """The jobs of the run."""

    sha256: str
    jobs: Number
    epoch: datetime
    reference_device: str
    source: dict[str, Any]


class JobCounts(Struct, frozen=True):
    """Jobs by how they ended."""

    finished: Number
    unfinished: Number
    rejected: Number
    killed: Number


class CheckEntry(Struct, frozen=True):
    """What rows of the ledger come to, and must come to."""

    of: str
    rows_usd: float
    expected_usd: float


class Unsure(Struct, frozen=True):
    """Figures that are assumed, of low certainty, and prices without a date, by what they are of."""

    assumed: dict[str, str]
    low: dict[str, str]
    undated: dict[str, str] = {}


class WeatherEntry(Struct, frozen=True):
    """How long the weather was, and of how many intervals."""

    until_s: Second
    rows: Number


class EngineEntry(Struct, frozen=True):
    """Which engine ran, and why it was that one."""

    name: str
    why: str


class Description(Struct, frozen=True):
    """The entries of run.json."""

    exaburst: str
    scenario: Scenario
    seed: int
    trace: TraceEntry
    run_start_s: Second
    end_s: Second
    pools: list[PoolStock]
    offers: list[OfferStock]
    sites: list[SiteStock]
    jobs: JobCounts
    refused: dict[str, Number]
    weather: WeatherEntry | None
    ledger: list[CheckEntry]
    unsure: Unsure
    prices_of: str
    policy_files: dict[str, str]
    engine: EngineEntry
    parts: dict[str, list[Part]]
    """Of each log."""
    demand: Part | None
    sha256: str


def read_description(text: str) -> dict[str, Any]:
    """Read a description, which must be as the run wrote it; raises ValueError."""
    description = json.loads(text, object_pairs_hook=_once)
    if not isinstance(description, dict) or DIGEST not in description:
        raise ValueError(f"must be an object with {DIGEST}")
    if description[DIGEST] != digest(description):
        raise ValueError("it is not as the run wrote it: its SHA-256 is another")
    try:
        typed = msgspec.convert(description, Description, str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    for name in ("scenario", "pools", "offers", "sites"):
        if json.loads(json.dumps(msgspec.to_builtins(getattr(typed, name)))) != description[name]:
            raise ValueError(f"{name}: not as a run writes it, with every key and no other")
    if [*typed.parts] != [*EVERY_LOG]:
        raise ValueError(f"parts: must be those of {', '.join(EVERY_LOG)}")
    if not all(map(_is_plain, _values(description))):
        raise ValueError("it holds a number or a text that no run writes")
    if typed.end_s < typed.run_start_s:
        raise ValueError(f"end_s {typed.end_s}: must be run_start_s, {typed.run_start_s}, or later")
    if [*typed.refused] != [offer.name for offer in typed.offers]:
        raise ValueError("refused: must have the name of each offer")
    return description


def _values(data: Any) -> Iterator[Any]:
    """Yield keys and values, however deep."""
    if isinstance(data, dict | list):
        for each in chain(data, data.values()) if isinstance(data, dict) else data:
            yield from _values(each)
    else:
        yield data


def _is_plain(value: Any) -> bool:
    """Whether a number is exact in 64 bits, and a text in UTF-8."""
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    return not isinstance(value, int) or abs(value) <= EXACT


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an entry stands there twice")
    return found


def digest(description: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a description without the entry that holds it."""
    rest = {key: value for key, value in description.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest).encode()).hexdigest()
