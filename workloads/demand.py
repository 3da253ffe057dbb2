"""What the generator is asked for: horizon, seed, fleets, and optionally a target load and mix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from traces.arrays import Floats
from traces.errors import ALIKE, nearest
from traces.times import DAY_S
from workloads.campaigns import KIND_NAMES, all_kinds
from workloads.fleet import Fleet, deployed
from workloads.kinds import Kind
from workloads.parameters import DemandError, Parameter, check_parameters
from workloads.reference import Reference

SHARES = ("fsd", "optimus", "tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A demand for training compute; raises DemandError for a parameter out of its bounds.

    `mix` holds shares that add up to 1, absent ones 0; `gang_growth` is by kind or workload.
    """

    days: Annotated[int, Parameter("day", "horizon, from Monday 00:00 UTC", low=1, high=3650)] = 28
    seed: Annotated[int, Parameter("", "of every random stream", low=0, high=2**63 - 1)] = 1
    cars: Annotated[
        float, Parameter("car", "on the road at the start", 'assumed; case-study: "millions"', 0, 1e9)
    ] = 6_000_000.0
    car_growth: Annotated[float, Parameter("car/year", "added at a steady rate", low=0, high=1e9)] = (
        1_800_000.0
    )
    robots: Annotated[
        float, Parameter("robot", "at work at the start", "assumed, below article-34's 50,000", 0, 1e9)
    ] = 20_000.0
    robot_growth: Annotated[
        float,
        Parameter("robot/year", "added at a steady rate", "article-34: 50,000 to 100,000", 0, 1e9),
    ] = 50_000.0
    tasks: Annotated[
        int, Parameter("task", "that every robot learns", "article-34: 10 to 50; the middle", 1, 10_000)
    ] = 30
    tenants: Annotated[int, Parameter("tenant", "that buy spare capacity", low=0, high=10_000)] = 12
    load: Annotated[
        float | None,
        Parameter(
            "",
            "device-seconds asked for over devices x horizon; None: what the fleets ask",
            low=1e-6,
            high=100,
        ),
    ] = None
    devices: Annotated[
        int,
        Parameter(
            "device",
            "owned, for `load`; no gang asks for over half of them",
            "forum: one ExaPOD and six more, of 120 tiles",
            1,
            10_000_000,
        ),
    ] = 840
    mix: Annotated[
        Mapping[str, float] | None,
        Parameter("", "shares of compute of fsd, optimus and tenant; None: what the fleets ask"),
    ] = None
    time_zone: Annotated[
        str, Parameter("", "of working hours, by the IANA's name", "assumed: that of Austin")
    ] = "America/Chicago"
    gang_growth: Annotated[
        Mapping[str, float],
        Parameter(
            "1/year",
            "factor on the gangs of a kind or workload; others stay as they are",
            "assumed none; at the frontier compute grows 4 to 5 times a year (Epoch AI)",
            0.01,
            100,
        ),
    ] = field(default_factory=dict)
    gang_years: Annotated[
        float, Parameter("year", "for which gangs have grown at the start", low=0, high=100)
    ] = 0.0
    fleet: Fleet = field(default_factory=Fleet)

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.mix is not None:
            _check_mix(self.mix)
            object.__setattr__(self, "mix", {name: float(self.mix.get(name, 0)) for name in SHARES})
        _check_growth(self.gang_growth)
        _check_zone(self.time_zone)

    @property
    def horizon_s(self) -> int:
        """Length of the trace, in seconds."""
        return self.days * DAY_S

    def units(self) -> dict[str, Floats]:
        """Return, for each workload, the units (cars, robots, tenants) at work in each hour."""
        return {
            "fsd": deployed(self.cars, self.car_growth, self.days),
            "optimus": deployed(self.robots, self.robot_growth, self.days),
            "tenant": deployed(self.tenants, 0, self.days),
        }

    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind of job, each after those that it follows."""
        return all_kinds(self.tasks, self.tenants)

    def budgets(self, reference: Reference) -> dict[str, float]:
        """Return the reference device's seconds that each kind of job asks for over the horizon.

        They follow from the fleets; `mix` shares their sum out anew among the workloads, `load` scales it.
        Raises DemandError where nothing is there to be scaled.
        """
        seconds = {kind: kind.share / rate(kind, reference) for kind in self.kinds()}
        spread = {
            name: math.fsum(part for kind, part in seconds.items() if kind.workload == name)
            for name in SHARES
        }
        workload_s = self._shared({name: spread[name] * work for name, work in self._work().items()})
        return {
            kind.name: workload_s[kind.workload] * part / spread[kind.workload]
            for kind, part in seconds.items()
        }

    def _work(self) -> dict[str, float]:
        """Return what the fleets ask for over the horizon: PFLOP, and of tenants device-seconds."""
        a_day = {
            "fsd": self.fleet.pflop_per_car_day,
            "optimus": self.fleet.pflop_per_robot_task_day * self.tasks,
            "tenant": self.fleet.device_s_per_tenant_day,
        }
        return {name: math.fsum(units) / 24 * a_day[name] for name, units in self.units().items()}

    def _shared(self, natural: Mapping[str, float]) -> Mapping[str, float]:
        """Return the device-seconds of each workload, from what the fleets ask for."""
        total = math.fsum(natural.values())
        asked = total if self.load is None else self.load * self.devices * self.horizon_s
        if self.mix is not None:
            return {name: asked * self.mix[name] for name in SHARES}
        if total == 0 and asked > 0:
            raise DemandError(f"load = {self.load}: cars, robots and tenants ask for no compute to be scaled")
        return natural if self.load is None else {name: asked * natural[name] / total for name in SHARES}


def rate(kind: Kind, reference: Reference) -> float:
    """Return PFLOP that a second of the reference device does for a kind; tenants buy seconds: 1."""
    return 1.0 if kind.workload == "tenant" else reference.pflops[kind.name]


def _check_growth(growth: Mapping[str, float]) -> None:
    allowed = "a factor a year, from 0.01 to 100, for a kind or workload"
    if not isinstance(growth, Mapping):
        raise DemandError(f"gang_growth = {growth!r}: must be a table: {allowed}")
    for name, factor in growth.items():
        if name not in (*SHARES, *KIND_NAMES):
            raise DemandError(f"gang_growth: unknown kind {name!r}{nearest(name, (*SHARES, *KIND_NAMES))}")
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if not number or not 0.01 <= factor <= 100:
            raise DemandError(f"gang_growth: {name} = {factor!r}: must be {allowed}")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, TypeError, ValueError, OSError):
        raise DemandError(
            f"time_zone = {name!r}: must be a zone of the IANA's database, as America/Chicago"
        ) from None


def _check_mix(mix: Mapping[str, float]) -> None:
    allowed = f"shares of {', '.join(SHARES)}, from 0 to 1, that add up to 1"
    try:
        valid = (
            isinstance(mix, Mapping)
            and not set(mix) - set(SHARES)
            and not any(isinstance(share, bool) for share in mix.values())
            and all(0 <= share <= 1 for share in mix.values())
            and math.isclose(math.fsum(mix.values()), 1, abs_tol=1e-6)
        )
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise DemandError(f"mix = {mix!r}: must be {allowed}")


def demand_of(raw: Mapping[str, Any]) -> Demand:
    """Return the demand that plain data, such as a TOML table, describes; raises DemandError."""
    values = dict(raw)
    _check_keys(values, Demand, "")
    if "fleet" in values:
        if not isinstance(values["fleet"], Mapping):
            raise DemandError(f"fleet = {values['fleet']!r}: must be a table")
        _check_keys(values["fleet"], Fleet, "fleet.")
        values["fleet"] = Fleet(**values["fleet"])
    return Demand(**values)


def _check_keys(values: Mapping[str, Any], record: type, where: str) -> None:
    known = [field.name for field in fields(record)]
    for key in values:
        if key not in known:
            hint = nearest(key, known, ALIKE) or f"; allowed are {', '.join(known)}"
            raise DemandError(f"unknown parameter {where}{key}{hint}")
