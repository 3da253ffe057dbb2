"""The scenario: what is owned, what can be rented, and under which policy. Every default stands here.

A scenario is TOML, read into frozen, validated models. Unknown keys are errors that name the nearest known
one; so are values out of range.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from scheduler.overrides import override
from scheduler.policy import SEAMS, PolicyError, resolve
from scheduler.validation import explain

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Count = Annotated[int, Meta(ge=1, le=10**6)]
Positive = Annotated[float, Meta(gt=0, le=1e12)]
Amount = Annotated[float, Meta(ge=0, le=1e12)]
Share = Annotated[float, Meta(gt=0, le=1)]
Seconds = Annotated[int, Meta(ge=0, le=10**6)]
ByHour = Annotated[tuple[Amount, ...], Meta(min_length=24, max_length=24)]

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


class PriceFile(_Model, frozen=True, kw_only=True):
    """A price series: `csv` names a file beside the scenario, with a time and `usd_per_device_h` a row."""

    csv: str


class Surge(_Model, frozen=True, kw_only=True):
    """A shortage: from one hour to another, counted from the epoch, the price is `factor` times as high."""

    from_h: Amount
    to_h: Amount
    factor: Amount

    def __post_init__(self) -> None:
        if self.to_h <= self.from_h:
            raise ValueError(f"to_h = {self.to_h:g}: must be after from_h, {self.from_h:g}")


class OfferSpec(_Model, frozen=True, kw_only=True):
    """An offer of the catalog, with the quota granted to us and what we know better."""

    name: Name
    offer: str
    quota: Count
    """Devices that may be rented at once."""
    usd_per_device_h: Amount | None = None
    price: PriceFile | None = None
    """Takes over from its first row on."""
    surges: tuple[Surge, ...] = ()
    committed_devices: Annotated[int, Meta(ge=0, le=10**6)] = 0
    """Devices that are paid in every second of the run, used or not (take or pay)."""
    release_s: Seconds = 0
    """A node stays rented so long after its gang ended (Slurm's SuspendTime). Assumed."""
    egress_usd_per_gb: Amount | None = None
    boot_s: Seconds | None = None
    staging_gbps: Positive | None = None

    def __post_init__(self) -> None:
        if self.committed_devices > self.quota:
            raise ValueError(f"committed_devices = {self.committed_devices}: must be at most the quota")
        for surge, after in pairwise(sorted(self.surges, key=lambda surge: surge.from_h)):
            if after.from_h < surge.to_h:
                raise ValueError(
                    f"surges overlap: one ends at {surge.to_h:g} h, one begins at {after.from_h:g} h"
                )


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
    """What owning costs and selling brings; figures of a pod kind or an offer stand in the catalog."""

    charge_period: Literal["hour", "day"] = "hour"
    """The ledger has rows for each hour or each day of UTC."""
    depreciation: Literal["straight_line", "declining"] = "straight_line"
    """The book value falls alike in every second, or alike in proportion, down to the residual."""
    life_years: Positive = 5.0
    """Until a pod is written off. Large clouds write servers off over 5 to 6 years (annual reports)."""
    residual_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """What a pod is worth at the end of its life, as a share of its price. Assumed."""
    age_years: Amount = 0.0
    """Age of the pods at the epoch."""
    operations_share_per_year: Amount = 0.05
    """Staff, repairs and space a year, as a share of the price of the pods. Assumed."""
    usd_per_kwh: Amount | ByHour = 0.0861
    """US industrial average, 2025 (EIA); or 24 prices, by the hour of the day in UTC."""
    pue: Annotated[float, Meta(ge=1, le=5)] = 1.2
    """Site power over device power: hyperscale 1.1 to 1.2 (Uptime Institute survey, 2025)."""
    transfer_usd_per_gb: Amount = 0.0
    """Sending a job's input out of our own site to where it runs. Assumed."""
    tenant_usd_per_device_h: Amount = 0.0
    """What tenants pay for a reference device-hour of a finished job; 0 where nothing is sold."""

    def __post_init__(self) -> None:
        if self.depreciation == "declining" and not self.residual_share:
            raise ValueError("depreciation declining needs a residual_share above 0 to decline to")


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


MODELS = (Scenario, PoolSpec, OfferSpec, PriceFile, Surge, PolicySpec, MoneySpec)


def read_scenario(path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file, with `key=value` overrides applied; raises ScenarioError."""
    return scenario_of(read_toml(path), path, overrides)


def read_toml(path: Path | str) -> dict[str, Any]:
    """Return the plain data of a TOML file; raises ScenarioError."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from None


def scenario_of(raw: Mapping[str, Any], path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Validate the plain data of a scenario that stands in the file `path`, with overrides applied.

    Raises ScenarioError.
    """
    changed = deepcopy(dict(raw))
    for change in overrides:
        try:
            override(changed, change)
        except ValueError as error:
            raise ScenarioError(f'--set "{change}": {error}') from None
    return _beside(parse_scenario(changed, str(path)), Path(path).parent)


def parse_scenario(raw: Mapping[str, Any], where: str = "scenario") -> Scenario:
    """Validate a scenario given as plain data; raises ScenarioError."""
    try:
        return msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {explain(str(error), raw, MODELS)}") from None


def _beside(scenario: Scenario, folder: Path) -> Scenario:
    """Turn the names of price files, which are relative to the scenario's own, into paths."""
    offers = tuple(
        offer if offer.price is None else replace(offer, price=PriceFile(csv=str(folder / offer.price.csv)))
        for offer in scenario.offers
    )
    return replace(scenario, offers=offers)
