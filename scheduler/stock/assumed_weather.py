"""Which figures of the weather are defaults without a source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import fields

from scheduler.scenario import OfferSpec, Scenario

if TYPE_CHECKING:
    from scheduler.stock.stock import Resources  # which reads recordings, and so imports this package

SOURCELESS = {"refusals": ("slot_s",), "boots": ("slot_s",), "drift": ("reversion_h", "spike_h")}


def assumed_weather(scenario: Scenario, stock: Resources) -> dict[str, str]:
    """Say, for each offer of the run, which assumed defaults its drawn weather rests on."""
    names = {offer.name for offer in stock.offers}
    said = {spec.name: ", ".join(_assumed(spec)) for spec in scenario.offers if spec.name in names}
    return {name: figures for name, figures in said.items() if figures}


def _assumed(spec: OfferSpec) -> Iterator[str]:
    for part, keys in SOURCELESS.items():
        found: Struct | None = getattr(spec, part)
        for field in fields(found) if found is not None else ():
            unused = field.name == "spike_h" and spec.drift is not None and not spec.drift.spikes_per_day
            if field.name in keys and not unused and getattr(found, field.name) == field.default:
                yield f"{part}.{field.name} {field.default:g}"
