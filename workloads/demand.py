"""What the generator is asked for: horizon, seed, fleets, and optionally a target load and mix."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import numpy as np

from traces.arrays import Floats, Ints
from traces.dated import Points
from traces.errors import ALIKE, nearest
from traces.times import DAY_S
from workloads.campaigns import all_kinds
from workloads.checks import check_growth, check_mix, check_zone, moment_of
from workloads.fleet import Fleet, LevelOf
from workloads.kinds import Kind
from workloads.optimus import POLICY
from workloads.parameters import DemandError, Parameter, check_parameters, take_points
from workloads.paths import FleetPath
from workloads.reference import Reference
from workloads.story import WORKLOADS, Story, story_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A demand for training compute; raises DemandError for a parameter out of its bounds.

    `mix` holds shares that add up to 1, absent ones 0; `gang_growth` is by kind or workload. Of a series of
    dated points holds what `traces.interpolation.linear` says.
    """

    start: Annotated[str, Parameter("", "second 0: a day, or a moment of it, in UTC")] = "2026-01-05"
    days: Annotated[int, Parameter("day", "horizon", low=1, high=3653)] = 28
    seed: Annotated[int, Parameter("", "of every random stream", low=0, high=2**63 - 1)] = 1
    cars: Annotated[
        float | Points,
        Parameter("car", "on the road at the start", 'assumed; case-study: "millions"', 0, 1e9),
    ] = 6_000_000.0
    car_growth: Annotated[float, Parameter("car/year", "added at a steady rate", low=0, high=1e9)] = (
        1_800_000.0
    )
    robots: Annotated[
        float | Points,
        Parameter("robot", "at work at the start", "assumed, below article-34's 50,000", 0, 1e9),
    ] = 20_000.0
    robot_growth: Annotated[
        float,
        Parameter("robot/year", "added at a steady rate", "article-34: 50,000 to 100,000", 0, 1e9),
    ] = 50_000.0
    tasks: Annotated[
        int | Points,
        Parameter("task", "that every robot learns", "article-34: 10 to 50; the middle", 1, 10_000),
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
    story: Story = field(default_factory=Story)

    def __post_init__(self) -> None:
        take_points(self)
        check_parameters(self)
        object.__setattr__(self, "start", moment_of(self.start).isoformat().removesuffix("T00:00:00"))
        if self.mix is not None:
            check_mix(self.mix)
            object.__setattr__(self, "mix", {name: float(self.mix.get(name, 0)) for name in WORKLOADS})
        check_growth(self.gang_growth)
        check_zone(self.time_zone)

    @property
    def horizon_s(self) -> int:
        """Length of the trace, in seconds."""
        return self.days * DAY_S

    @property
    def epoch(self) -> datetime:
        """The instant of second 0."""
        return moment_of(self.start).replace(tzinfo=UTC)

    def path(self, workload: str) -> FleetPath:
        """Return the path of a workload's fleet, as the story has it."""
        return FleetPath(self.epoch, self.story.hours(workload, self.epoch, self.days * 24))

    def asked(self) -> dict[str, tuple[Floats, float]]:
        """Return, for each workload, how many ask in each hour, and what each asks for on a day.

        They are cars, robots and tenants; what they ask for is in PFLOP, of tenants in device-seconds. Where
        that changes with the years, or a story has a surge, they are weighted by it.
        """
        fleet = self.fleet
        fleets: dict[str, tuple[float | Points, float, Callable[[LevelOf], float | Floats]]] = {
            "fsd": (self.cars, self.car_growth, fleet.pflop_per_car_day),
            "optimus": (self.robots, self.robot_growth, partial(fleet.pflop_per_robot_day, tasks=self.tasks)),
            "tenant": (self.tenants, 0.0, fleet.device_s_per_tenant_day),
        }
        asked = {}
        for name, (start, added_per_year, of_one) in fleets.items():
            path = self.path(name)
            units, a_day = path.units(start, added_per_year), of_one(path.level)
            surges = self.story.factors(name, self.epoch, len(units))
            units = units if surges is None else units * surges
            asked[name] = (units * a_day, 1.0) if isinstance(a_day, np.ndarray) else (units, a_day)
        return asked

    def owners(self, kind: str) -> Ints | None:
        """Return how many owners of a kind there are in each hour; None: all of them."""
        if kind != POLICY or not isinstance(self.tasks, tuple):
            return None
        return np.ceil(self.path("optimus").level(self.tasks)).astype(np.int64)

    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind of job, each after those that it follows."""
        most = max(each for _, each in self.tasks) if isinstance(self.tasks, tuple) else self.tasks
        return all_kinds(math.ceil(most), self.tenants)

    def budgets(self, reference: Reference) -> dict[str, float]:
        """Return the reference device's seconds that each kind of job asks for over the horizon.

        They follow from the fleets; `mix` shares their sum out anew among the workloads, `load` scales it.
        Raises DemandError where nothing is there to be scaled.
        """
        seconds = {kind: kind.share / rate(kind, reference) for kind in self.kinds()}
        spread = {
            name: math.fsum(part for kind, part in seconds.items() if kind.workload == name)
            for name in WORKLOADS
        }
        workload_s = self._shared({name: spread[name] * work for name, work in self._work().items()})
        return {
            kind.name: workload_s[kind.workload] * part / spread[kind.workload]
            for kind, part in seconds.items()
        }

    def check_dates(self) -> None:
        """Raise DemandError for a figure whose points are all after its days, of which they say nothing."""
        end = (self.epoch + timedelta(self.days)).date().isoformat()
        for record in (self, self.fleet):
            for each in fields(record):
                figure = getattr(record, each.name)
                if isinstance(figure, tuple) and figure[0][0] >= end:
                    raise DemandError(
                        f"{each.name} is dated {figure[0][0]}, after the demand, which ends on {end}: "
                        "add an earlier point"
                    )

    def _work(self) -> dict[str, float]:
        """Return what the fleets ask for over the horizon: PFLOP, and of tenants device-seconds."""
        return {name: math.fsum(units) / 24 * a_day for name, (units, a_day) in self.asked().items()}

    def _shared(self, natural: Mapping[str, float]) -> Mapping[str, float]:
        """Return the device-seconds of each workload, from what the fleets ask for."""
        total = math.fsum(natural.values())
        asked = total if self.load is None else self.load * self.devices * self.horizon_s
        if self.mix is not None:
            return {name: asked * self.mix[name] for name in WORKLOADS}
        if total == 0 and asked > 0:
            raise DemandError(f"load = {self.load}: cars, robots and tenants ask for no compute to be scaled")
        return natural if self.load is None else {name: asked * natural[name] / total for name in WORKLOADS}


def rate(kind: Kind, reference: Reference) -> float:
    """Return PFLOP that a second of the reference device does for a kind; tenants buy seconds: 1."""
    return 1.0 if kind.workload == "tenant" else reference.pflops[kind.name]


def demand_of(raw: Mapping[str, Any]) -> Demand:
    """Return the demand that plain data, such as a TOML table, describes; raises DemandError."""
    values = dict(raw)
    _check_keys(values, Demand, "")
    if "fleet" in values:
        if not isinstance(values["fleet"], Mapping):
            raise DemandError(f"fleet = {values['fleet']!r}: must be a table")
        _check_keys(values["fleet"], Fleet, "fleet.")
        values["fleet"] = Fleet(**values["fleet"])
    if "story" in values:
        values["story"] = story_of(values["story"])
    return Demand(**values)


def _check_keys(values: Mapping[str, Any], record: type, where: str) -> None:
    known = [field.name for field in fields(record)]
    for key in values:
        if key not in known:
            hint = nearest(key, known, ALIKE) or f"; allowed are {', '.join(known)}"
            raise DemandError(f"unknown parameter {where}{key}{hint}")
