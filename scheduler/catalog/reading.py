"""Reading the catalog's TOML into typed, frozen entries.

The user's own files have the same form; they add entries, or override single figures of existing ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from scheduler.catalog.catalog import Catalog, find
from scheduler.catalog.figures import dated_figure, plain_figure
from scheduler.catalog.models import CatalogError, Device, Entry, Figure, Offer, PodKind
from traces.dated import DatedError, month_of
from traces.errors import cannot_read, nearest, read_toml

_OWN = [Path(__file__).with_name(f"{name}.toml") for name in ("devices", "pods", "providers", "offers")]
LAID_OVER = "EXABURST_CATALOG"
"""The environment variable that names the user's own files, as a path with several folders does."""
_STALE = {
    "sizes": ("spot_sizes", "usd_per_device_h_by_size.", "spot_usd_per_device_h_by_size."),
    "usd_per_device_h": ("usd_per_device_h_by_size.",),
    "spot_usd_per_device_h": ("spot_usd_per_device_h_by_size.",),
}
"""What is out of date where a later file gives a field anew."""
_KEY = re.compile(r"[\w.-]+")
"""A source of one word is a key; text that speaks for itself has more of them."""
_TABLES = ("mfu", "providers", "devices", "pods", "offers")
_LISTS = ("sizes", "spot_sizes")
_DATED = ("usd_per_device_h", "spot_usd_per_device_h", "capital_usd")
"""Figures that may be series of dated points."""
_BY_KEY: dict[type[Entry], dict[str, tuple[Callable[[float], bool], str]]] = {
    Device: {"mfu": (lambda share: 0 < share <= 1, "above 0 and at most 1")},
    Offer: dict.fromkeys(
        (
            "usd_per_device_h_by_size",
            "spot_usd_per_device_h_by_size",
            "reserved_usd_per_device_h_by_months",
            "savings_usd_per_device_h_by_months",
        ),
        (lambda usd: 0 <= usd <= 1e12, "from 0 to 1e+12"),
    ),
}
"""Tables of figures within an entry, and what may stand in them."""

_Table = dict[str, dict[str, Any]]
_E = TypeVar("_E", bound=Entry)


def load_catalog(*extra: Path | str) -> Catalog:
    """Return the catalog, with the user's own TOML files laid over it in order; raises CatalogError.

    Without extra files they are those that `LAID_OVER` names, as `--catalog` does, for this process and those
    that it starts; what has not changed is read once.
    """
    files = tuple(map(Path, extra)) or own_files()
    return _laid_over(tuple((file, _version(file)) for file in files))


def own_files() -> tuple[Path, ...]:
    """Return the files that are laid over the catalog without being asked for by name."""
    return tuple(map(Path, filter(None, os.environ.get(LAID_OVER, "").split(os.pathsep))))


def _version(file: Path) -> tuple[int, int]:
    """Return what changes when a file does; raises CatalogError where it cannot be read."""
    try:
        found = file.stat()
    except OSError as error:
        raise CatalogError(cannot_read(file, error)) from None
    return found.st_mtime_ns, found.st_size


@cache
def _laid_over(files: tuple[tuple[Path, tuple[int, int]], ...]) -> Catalog:
    return _read_all([*_OWN, *(file for file, _ in files)])


class _File(Struct, forbid_unknown_fields=True):
    """A catalog file as it stands: tables of entries by key."""

    as_of: str = ""
    """The month that its figures are of, unless they say so themselves."""
    sources: dict[str, str] = field(default_factory=dict)
    mfu: _Table = field(default_factory=dict)
    providers: _Table = field(default_factory=dict)
    devices: _Table = field(default_factory=dict)
    pods: _Table = field(default_factory=dict)
    offers: _Table = field(default_factory=dict)


class _Given(NamedTuple):
    """What a file gives for a field, and where it does so."""

    value: Figure | str | list[int]
    """A list of sizes is none of figures."""
    where: str


class _Raw(NamedTuple):
    """An entry laid together from all files, and where it was last spoken of."""

    where: str
    fields: dict[str, _Given]


def _read_all(paths: Iterable[Path]) -> Catalog:
    sources: dict[str, str] = {}
    tables: dict[str, dict[str, _Raw]] = {name: {} for name in _TABLES}
    for path in paths:
        file = _read(path)
        sources |= file.sources
        for name, table in tables.items():
            for key, values in getattr(file, name).items():
                where = f"{path}: {name}.{key}"
                given = _given(where, values, file.as_of, "mfu." if name == "mfu" else "")
                before = table[key].fields if key in table else {}
                table[key] = _Raw(where, _left(before, given) | given)
    _check_sources(tables, sources)
    return _build(tables, sources)


def _check_sources(tables: Mapping[str, Mapping[str, _Raw]], sources: Mapping[str, str]) -> None:
    """Raise CatalogError where a figure names a source that no file has."""
    entries = (raw for table in tables.values() for raw in table.values())
    for value, where in (given for raw in entries for given in raw.fields.values()):
        source = value.source if isinstance(value, Figure) else ""
        if _KEY.fullmatch(source) and source not in sources:
            allowed = "a key of a [sources] table, or text of several words"
            raise CatalogError(
                f'{where}: unknown source "{source}"{nearest(source, sources)}; allowed is {allowed}'
            )


def _left(before: Mapping[str, _Given], given: Mapping[str, _Given]) -> dict[str, _Given]:
    """Return what earlier files said of an entry and a later one leaves: a new price is that of all sizes."""
    stale = tuple(prefix for name in given for prefix in _STALE.get(name, ()))
    return {name: value for name, value in before.items() if not name.startswith(stale)}


def _build(tables: Mapping[str, Mapping[str, _Raw]], sources: dict[str, str]) -> Catalog:
    mfu, providers = tables["mfu"], tables["providers"]
    devices = {key: _entry(Device, key, _based(raw, "family", mfu)) for key, raw in tables["devices"].items()}
    pods = {key: _entry(PodKind, key, raw) for key, raw in tables["pods"].items()}
    offers = {
        key: _entry(Offer, key, _based(raw, "provider", providers)) for key, raw in tables["offers"].items()
    }
    _check_devices(pods, tables["pods"], devices)
    _check_devices(offers, tables["offers"], devices)
    return Catalog(devices, pods, offers, sources)


def _check_devices(
    entries: Mapping[str, PodKind | Offer], raw: Mapping[str, _Raw], devices: Mapping[str, Device]
) -> None:
    for key, entry in entries.items():
        find(devices, "device", entry.device, raw[key].fields["device"].where)


def _read(path: Path) -> _File:
    tables = read_toml(path, CatalogError)
    for name in tables:
        if name not in _File.__struct_fields__:
            raise CatalogError(f'{path}: unknown table "{name}"{nearest(name, _File.__struct_fields__)}')
    try:
        if "as_of" in tables:
            tables["as_of"] = month_of(tables["as_of"])
        return msgspec.convert(tables, _File)
    except (msgspec.ValidationError, DatedError) as error:
        raise CatalogError(f"{path}: {error}") from None


def _given(where: str, values: Mapping[str, Any], as_of: str, prefix: str = "") -> dict[str, _Given]:
    """Return an entry's fields; those of a table within it under dotted names, such as `mfu.fsd`."""
    fields: dict[str, _Given] = {}
    for name, value in values.items():
        place = f"{where}.{name}"
        if isinstance(value, dict):
            fields |= _given(place, value, as_of, f"{prefix}{name}.")
        elif isinstance(value, str | date) or (name in _LISTS and isinstance(value, list)):
            fields[prefix + name] = _Given(str(value) if isinstance(value, date) else value, place)
        else:
            figure = dated_figure(place, value) if name in _DATED else plain_figure(place, value)
            fields[prefix + name] = _Given(replace(figure, as_of=figure.as_of or as_of), place)
    return fields


def _based(raw: _Raw, name: str, bases: Mapping[str, _Raw]) -> _Raw:
    """Lay the entry over the one of `bases` that its field `name` gives the key of."""
    if name not in raw.fields:
        return raw
    key, where = raw.fields[name]
    return _Raw(raw.where, find(bases, name, str(key), where).fields | raw.fields)


def _entry(model: type[_E], key: str, raw: _Raw) -> _E:
    """Make a frozen, checked `model`: the bare numbers as its fields, the figures beside them."""
    figures = {name: given.value for name, given in raw.fields.items() if isinstance(given.value, Figure)}
    try:
        return msgspec.convert(
            {"key": key, "figures": figures, **_plain(model, raw.fields)}, model, str_keys=True
        )
    except msgspec.ValidationError as error:
        raise CatalogError(_explain(str(error), raw)) from None


def _plain(model: type[Entry], fields: Mapping[str, _Given]) -> dict[str, Any]:
    """Return the bare values, and the tables within the entry, such as `mfu`, as such."""
    rules = _BY_KEY.get(model, {})
    known = [name for name in model.__struct_fields__ if name not in ("key", "figures", *rules)]
    plain: dict[str, Any] = {name: {} for name in rules}
    for name, given in fields.items():
        value, (table, _, key) = _bare(given), name.partition(".")
        if name in known:
            plain[name] = value
        elif key and table in rules:
            holds, allowed = rules[table]
            if not isinstance(value, (int, float)) or not holds(value):
                raise CatalogError(f"{given.where} = {value!r}: must be {allowed}")
            plain[table][key] = value
        else:
            raise CatalogError(f"{given.where}: unknown key{nearest(name, known)}")
    return plain


def _explain(message: str, raw: _Raw) -> str:
    """Put first the file, the key and the value."""
    text, _, place = message.partition(" - at `$")
    given = raw.fields.get(place.strip(".`").partition("[")[0])
    if given is None:
        return f"{raw.where}: {text}"
    return f"{given.where} = {_bare(given)!r}: {text}"


def _bare(given: _Given) -> float | str | list[int]:
    return given.value.value if isinstance(given.value, Figure) else given.value
