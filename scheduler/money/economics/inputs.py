"""The inputs of build or buy: low, mid and high, from inputs.toml, the catalog, a run or --set."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from scheduler.catalog import Catalog, Device, Figure
from scheduler.money.economics.readings import Figures, Reading, times
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from traces.errors import nearest

INPUTS_FILE = Path(__file__).with_name("inputs.toml")


SET = "--set"
"""The source of what a user gives."""


class EconomicsError(ValueError):
    """An input that cannot be; names it, its value and what is allowed."""


class Input(Struct, frozen=True, kw_only=True):
    """A number that is not known for certain: it lies from low to high, most likely at mid."""

    name: str
    unit: str
    meaning: str
    low: float
    mid: float
    high: float
    source: str = ""
    """Where the three come from; "" where all are assumed."""
    assumed: frozenset[str] = frozenset()
    """Which of `low`, `mid` and `high` have no source."""

    whole: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether it has no range."""
        return self.low == self.high

    @property
    def is_set(self) -> bool:
        """Whether the user gave it."""
        return self.source == SET


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of inputs.toml."""

    unit: str
    meaning: str
    low: Figure | float
    mid: Figure | float | None = None
    high: Figure | float
    allowed: tuple[float, float]
    catalog: bool = False
    whole: bool = False


def inputs(
    catalog: Catalog,
    reading: Reading,
    *,
    offer: str,
    kind: str,
    measured: Input | None = None,
    overrides: Sequence[str] = (),
) -> dict[str, Input]:
    """Return all inputs by name, for one pod in a reading against an offer, doing jobs of a kind.

    `measured` is the utilization of a run; `overrides` are `key=value` or `key=low:mid:high`, in the input's
    unit. Raises EconomicsError or CatalogError.
    """
    entries = _entries()
    given = dict(_override(text, entries) for text in overrides)
    if measured is not None:
        if measured.name in given:
            raise EconomicsError("utilization: give either --run or --set utilization, not both")
        given[measured.name] = measured
    fixed = _catalogued(catalog, reading, offer, kind)
    where = f"{reading.pod.key}, {offer}"
    chosen = {
        name: given[name] if name in given else _default(name, entry, fixed.get(name), where)
        for name, entry in entries.items()
    }
    busy, idle = chosen["busy_kw"], chosen["idle_kw"]
    if idle.high > busy.low:
        raise EconomicsError(f"idle_kw = {idle.high:g}: must be at most busy_kw, {busy.low:g}")
    return chosen


def measured_utilization(run: Run) -> Input:
    """Return the device-seconds held over those owned, in all pools of a run together.

    Raises EconomicsError where nothing was owned, or none of it worked.
    """
    if not run.pools:
        raise EconomicsError(f"{run.folder}: owns no pods, so it has no utilization")
    share = DeviceLevels(run).utilization()
    if not share:
        raise EconomicsError(f"{run.folder}: its pods never worked: utilization 0")
    return _given("utilization", _entries()["utilization"], [share] * 3, f"measured in {run.folder}")


def default_mid(name: str) -> float:
    """Return the most likely value of an input that does not come from the catalog."""
    return _figure(_entries()[name].mid).value


@cache
def _entries() -> dict[str, _Entry]:
    return msgspec.convert(tomllib.loads(INPUTS_FILE.read_text(encoding="utf-8")), dict[str, _Entry])


def _catalogued(catalog: Catalog, reading: Reading, offer_key: str, kind: str) -> dict[str, Figures]:
    """Return what the catalog says, with its sources: of the pod, in its reading, and of the offer."""
    offer = catalog.offer(offer_key)
    owned, rented = catalog.device(reading.pod.device), catalog.device(offer.device)
    return {
        **reading.figures,
        "owned_mfu": (_mfu(owned, kind),),
        "usd_per_device_h": (offer.figures["usd_per_device_h"],),
        "rented_pflops": (rented.figures["peak_pflops"],),
        "rented_mfu": (_mfu(rented, kind),),
    }


def _mfu(device: Device, kind: str) -> Figure:
    """Delivered over peak rate, as the catalog has them."""
    return device.figures[f"mfu.{device.mfu_key(kind)}"]


def _default(name: str, entry: _Entry, fixed: Figures | None, where: str) -> Input:
    """Lay low and high around mid; around the catalog's figure, if it is but one, as shares of it."""
    if entry.catalog and fixed is None:
        raise EconomicsError(f"{name}: the catalog has none for {where}; give --set {name}=...")
    if fixed is not None and len(fixed) > 1:
        low, mid, high = fixed
    else:
        mid = fixed[0] if fixed else _figure(entry.mid)
        share = mid.value if fixed else 1.0
        low, high = times(_figure(entry.low), share), times(_figure(entry.high), share)
    figures = {"low": low, "mid": mid, "high": high}
    if low.value == mid.value == high.value:
        figures = {"mid": mid}
    sources = [f"{figure.source} ({figure.sure})" for figure in (mid, low, high) if figure.source]
    assumed = frozenset(at for at, figure in figures.items() if not figure.source)
    numbers = low.value, mid.value, min(high.value, entry.allowed[1])
    return _given(name, entry, numbers, "; ".join(dict.fromkeys(sources)), assumed)


def _figure(value: Figure | float | None) -> Figure:
    return value if isinstance(value, Figure) else Figure(value or 0.0)


def _override(text: str, entries: Mapping[str, _Entry]) -> tuple[str, Input]:
    name, equals, values = (part.strip() for part in text.partition("="))
    if not equals:
        raise EconomicsError(f'--set "{text}": must be key=value or key=low:mid:high')
    if name not in entries:
        raise EconomicsError(f'--set "{text}": unknown input "{name}"{nearest(name, entries)}')
    try:
        numbers = [float(value) for value in values.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3):
        raise EconomicsError(f'--set "{text}": must be a number, or low:mid:high')
    numbers *= 3 // len(numbers)
    _check(text, entries[name], numbers)
    return name, _given(name, entries[name], numbers, SET)


def _check(text: str, entry: _Entry, numbers: list[float]) -> None:
    least, most = entry.allowed
    if not all(least <= number <= most for number in numbers):
        raise EconomicsError(f'--set "{text}": must be from {least:g} to {most:g}')
    if entry.whole and any(number % 1 for number in numbers):
        raise EconomicsError(f'--set "{text}": must be whole')
    if numbers != sorted(numbers):
        raise EconomicsError(f'--set "{text}": low, mid and high must not fall')


def _given(
    name: str, entry: _Entry, numbers: Sequence[float], source: str, assumed: frozenset[str] = frozenset()
) -> Input:
    return Input(
        name=name,
        unit=entry.unit,
        meaning=entry.meaning,
        source=source,
        assumed=assumed,
        whole=entry.whole,
        **dict(zip(("low", "mid", "high"), numbers, strict=True)),
    )
