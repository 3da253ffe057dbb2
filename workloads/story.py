"""Stories: what may become of the path of fleets and demand, for a plan to be held against all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any

import numpy as np

from traces.arrays import Floats
from traces.dated import DatedError, date_of, seconds_to
from traces.times import HOUR_S
from workloads.parameters import DemandError, Parameter, check_parameters

WORKLOADS = ("fsd", "optimus", "tenant")
HOURS_PER_MONTH = 730.5
"""A twelfth of a year of 365.25 days."""
MOST_MONTHS = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandSurge:
    """From day `since` to day `until`, a workload or, where none is named, all ask for more or less."""

    since: str
    until: str
    factor: Annotated[float, Parameter("", "times as much", low=0, high=1e3)]
    workload: str | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            object.__setattr__(self, name, _day(f"surges: {name}", getattr(self, name)))
        check_parameters(self)
        if self.until <= self.since:
            raise DemandError(f"surges: until = {self.until}: must be after since, {self.since}")
        if self.workload is not None:
            _check_workload("surges: workload", self.workload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A change of the path: it reads it at other times than the calendar's, or multiplies what it says."""

    plateau: str | None = None
    """Good enough from that day on: fleets, what they ask for and the size of runs stay as they are then."""
    late_months: Mapping[str, float] = field(default_factory=dict)
    """By workload: it comes so many months later, as robots whose ramp is late."""
    surges: tuple[DemandSurge, ...] = ()

    def __post_init__(self) -> None:
        if self.plateau is not None:
            object.__setattr__(self, "plateau", _day("story.plateau", self.plateau))
        if not isinstance(self.late_months, Mapping):
            raise DemandError(f"story.late_months = {self.late_months!r}: must be a table by workload")
        for name, months in self.late_months.items():
            _check_workload("story.late_months", name)
            number = isinstance(months, int | float) and not isinstance(months, bool)
            if not number or not 0 <= months <= MOST_MONTHS:
                raise DemandError(
                    f"story.late_months.{name} = {months!r}: must be a number from 0 to {MOST_MONTHS} month"
                )

    def hours(self, workload: str, epoch: datetime, count: int) -> Floats:
        """Return, for the middle of each hour, the hour from the epoch at which its path is read."""
        hours: Floats = np.arange(count, dtype=np.float64) + 0.5
        if self.plateau is not None:
            hours = np.minimum(hours, seconds_to(self.plateau, epoch) / HOUR_S)
        late = self.late_months.get(workload, 0)
        return hours - late * HOURS_PER_MONTH if late else hours

    def factors(self, workload: str, epoch: datetime, count: int) -> Floats | None:
        """Return the factor of the surges on each hour; None where there are none."""
        ours = [surge for surge in self.surges if surge.workload in (None, workload)]
        if not ours:
            return None
        factors, hours = np.ones(count), np.arange(count) + 0.5
        for surge in ours:
            since_h, until_h = (seconds_to(day, epoch) / HOUR_S for day in (surge.since, surge.until))
            factors[(hours >= since_h) & (hours < until_h)] *= surge.factor
        return factors


def story_of(raw: Any) -> Story:
    """Return the story that plain data, such as a TOML table, describes; raises DemandError."""
    values = _table("story", raw, Story)
    surges = values.get("surges", ())
    if not isinstance(surges, list | tuple):
        raise DemandError(f"story.surges = {surges!r}: must be a list of tables")
    return Story(**values | {"surges": tuple(_surge(each) for each in surges)})


def _surge(raw: Any) -> DemandSurge:
    values = _table("story.surges", raw, DemandSurge)
    for name in ("since", "until", "factor"):
        if name not in values:
            raise DemandError(f"story.surges: needs {name}")
    return DemandSurge(**values)


def _table(where: str, raw: Any, record: type[Any]) -> dict[str, Any]:
    known = [each.name for each in fields(record)]
    if not isinstance(raw, Mapping) or set(raw) - set(known):
        raise DemandError(f"{where} = {raw!r}: must be a table of {', '.join(known)}")
    return dict(raw)


def _day(where: str, raw: Any) -> str:
    try:
        return date_of(raw).isoformat()
    except DatedError as error:
        raise DemandError(f"{where} = {error}") from None


def _check_workload(where: str, name: Any) -> None:
    if name not in WORKLOADS:
        raise DemandError(f"{where}: {name!r}: must be one of {', '.join(WORKLOADS)}")
