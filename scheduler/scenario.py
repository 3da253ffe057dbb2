"""The scenario: what is owned, what can be rented, and under which policy. Every default stands here.

A scenario is TOML, read into frozen, validated models. Unknown keys are errors that name the nearest known
one; so are values out of range.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from scheduler.policy import SEAMS, PolicyError, resolve

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Count = Annotated[int, Meta(ge=1, le=10**6)]
Positive = Annotated[float, Meta(gt=0, le=1e12)]
Amount = Annotated[float, Meta(ge=0, le=1e12)]
Share = Annotated[float, Meta(gt=0, le=1)]

BOUNDS = ("none", "owned_only", "rented_only", "unlimited_owned")


class ScenarioError(ValueError):
    """A scenario that breaks a rule; names the file, the key, the value and what is allowed."""


class _Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen, by name, no unknown keys."""


class PoolSpec(_Model, frozen=True, kw_only=True):
    """Pods of one kind: a catalog pod, or `device` and `devices` for one's own."""

    name: Name
    pods: Count
    pod: str | None = None
    device: str | None = None
    devices: Count | None = None
    span_efficiency: Share = 0.9
    """Speed of a gang that spans pods, as a share of its speed inside one. Assumed."""
    capital_usd: Amount | None = None
    """Price of a pod, where it is not the catalog's."""

    def __post_init__(self) -> None:
        inline = (self.device is not None, self.devices is not None)
        if self.pod is None and not all(inline):
            raise ValueError("give `pod`, a catalog key, or both `device` and `devices`")
        if self.pod is not None and any(inline):
            raise ValueError("give either `pod` or `device` with `devices`, not both")


class OfferSpec(_Model, frozen=True, kw_only=True):
    """An offer of the catalog, with the quota granted to us and what we know better."""

    name: Name
    offer: str
    quota: Count
    """Devices that may be rented at once."""
    usd_per_device_h: Amount | None = None
    boot_s: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    staging_gbps: Positive | None = None


class PolicySpec(_Model, frozen=True, kw_only=True):
    """One name a seam, each with at most one argument after a colon."""

    order: str = "fcfs"
    place: str = "best_fit"
    backfill: str = "easy"
    patience: str = "after:4h"
    offer: str = "cheapest"

    def __post_init__(self) -> None:
        for seam in SEAMS:
            try:
                resolve(seam, getattr(self, seam))
            except PolicyError as error:
                raise ValueError(str(error)) from None


class MoneySpec(_Model, frozen=True, kw_only=True):
    """What owning costs; figures of a pod kind itself stand in the catalog."""

    life_years: Positive = 5.0
    """Straight-line life of a pod. Large clouds write servers off over 5 to 6 years (annual reports)."""
    usd_per_kwh: Amount = 0.0861
    """US industrial average, 2025 (EIA)."""
    pue: Annotated[float, Meta(ge=1, le=5)] = 1.2
    """Site power over device power: hyperscale 1.1 to 1.2 (Uptime Institute survey, 2025)."""


class Scenario(_Model, frozen=True, kw_only=True):
    """A cluster, a policy and, where it is said here, the demand."""

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    horizon_h: Positive | None = None
    """The run ends here and logs what is left as unfinished; absent, it ends with the last job."""
    trace: str | None = None
    """A trace to replay, relative to the scenario file."""
    demand: dict[str, Any] = field(default_factory=dict)
    """Arguments of the generator, where there is no trace."""
    pools: tuple[PoolSpec, ...] = ()
    offers: tuple[OfferSpec, ...] = ()
    policy: PolicySpec = field(default_factory=PolicySpec)
    bound: str = "none"
    """none, owned_only, rented_only or unlimited_owned: a bound to hold a policy against."""
    shares: dict[str, Positive] = field(default_factory=dict)
    """Weight of each owner under `fair_share`; 1 where absent."""
    money: MoneySpec = field(default_factory=MoneySpec)

    def __post_init__(self) -> None:
        if not self.pools and not self.offers:
            raise ValueError("needs at least one of `pools` and `offers`")
        names = [pool.name for pool in self.pools] + [offer.name for offer in self.offers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'the name "{name}" stands for two pools or offers')
        if self.trace is not None and self.demand:
            raise ValueError("give either `trace` or `demand`, not both")
        if self.bound not in BOUNDS:
            raise ValueError(f'bound "{self.bound}": allowed are {", ".join(BOUNDS)}')

    @property
    def horizon_s(self) -> int | None:
        """The horizon in whole seconds."""
        return None if self.horizon_h is None else max(1, round(self.horizon_h * 3_600))


def read_scenario(path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file, with `key=value` overrides applied; raises ScenarioError."""
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from None
    for override in overrides:
        _override(raw, override)
    return parse_scenario(raw, str(path))


def parse_scenario(raw: Mapping[str, Any], where: str = "scenario") -> Scenario:
    """Validate a scenario given as plain data; raises ScenarioError."""
    try:
        return msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {_explain(str(error), raw)}") from None


def _explain(message: str, raw: Mapping[str, Any]) -> str:
    """Put the key and its value first, and name the nearest known key where one is unknown."""
    text, _, place = message.partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    if "unknown field" in text:
        wrong = text.split("`")[1]
        near = get_close_matches(wrong, _known_keys(), 1)
        return f"unknown key {key + '.' if key else ''}{wrong}" + (
            f"; did you mean {near[0]}?" if near else ""
        )
    value: Any = raw
    for name, number in re.findall(r"([a-z_]+)|\[(\d+)\]", key):
        value = value[name] if name else value[int(number)]
    shown = "" if isinstance(value, dict | list | tuple) else f" = {value!r}"
    return f"{key}{shown}: {text.replace('Expected', 'must be')}" if key else text


def _known_keys() -> list[str]:
    models = (Scenario, PoolSpec, OfferSpec, PolicySpec, MoneySpec)
    return sorted({name for model in models for name in model.__struct_fields__})


def _override(raw: dict[str, Any], override: str) -> None:
    """Set one `dotted.key=value`; an item of a list is named by its number or its `name`."""
    path, equals, text = override.partition("=")
    *parents, last = path.strip().split(".")
    if not equals or not last:
        raise ScenarioError(f'--set "{override}": must be key=value, as in policy.patience=after:4h')
    node: Any = raw
    for part in parents:
        node = _child(node, part, override)
    if not isinstance(node, dict):
        raise ScenarioError(f'--set "{override}": {".".join(parents)} is not a table')
    node[last] = _value(text.strip())


def _child(node: Any, part: str, override: str) -> Any:
    if isinstance(node, dict):
        return node.setdefault(part, {})
    if isinstance(node, list):
        for number, item in enumerate(node):
            if part == str(number) or (isinstance(item, dict) and item.get("name") == part):
                return item
        names = ", ".join(str(item.get("name")) for item in node if isinstance(item, dict))
        raise ScenarioError(f'--set "{override}": no "{part}" there (allowed: {names})')
    raise ScenarioError(f'--set "{override}": "{part}" is inside a plain value')


def _value(text: str) -> Any:
    """A TOML value, or a bare word as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
