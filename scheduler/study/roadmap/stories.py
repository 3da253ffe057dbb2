"""The demands that a roadmap is held against: the given one, and what may become of it instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from scheduler.study.roadmap.quarters import Quarter

AS_GIVEN_STORY = "as given"
LATE_MONTHS = 9
SURGE_FACTOR = 1.5


class DemandStory(NamedTuple):
    """A demand by its name and what it means."""

    name: str
    meaning: str
    arguments: dict[str, Any]


def stories_of(arguments: Mapping[str, Any], start: date, quarters: tuple[Quarter, ...]) -> list[DemandStory]:
    """Return the demand as it is given, and under three stories; a story of its own is changed, not lost."""
    own = arguments.get("story", {})
    middle = quarters[len(quarters) // 2]
    half = start + timedelta(middle.from_day)
    end = start + timedelta(quarters[-1].to_day)
    surge = {"since": half.isoformat(), "until": end.isoformat(), "factor": SURGE_FACTOR}
    late = own.get("late_months", {})
    late = {**late, "optimus": late.get("optimus", 0) + LATE_MONTHS}
    changed: list[tuple[str, str, dict[str, Any]]] = [
        ("plateau", f"good enough from {half} on", {"plateau": half.isoformat()}),
        ("late ramp", f"robots {LATE_MONTHS} months later", {"late_months": late}),
        (
            "surge",
            f"{SURGE_FACTOR:g} times as much from {half} on",
            {"surges": [*own.get("surges", ()), surge]},
        ),
    ]
    return [
        DemandStory(AS_GIVEN_STORY, "", dict(arguments)),
        *(
            DemandStory(name, meaning, {**arguments, "story": {**own, **change}})
            for name, meaning, change in changed
        ),
    ]
