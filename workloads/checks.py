"""Whether what a demand is given can be; what its parameters' bounds do not say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from traces.errors import nearest
from workloads.campaigns import KIND_NAMES
from workloads.parameters import DemandError
from workloads.story import WORKLOADS


def check_growth(growth: Mapping[str, float]) -> None:
    """Raise DemandError unless growth is a factor a year by kind or workload."""
    allowed = "a factor a year, from 0.01 to 100, for a kind or workload"
    if not isinstance(growth, Mapping):
        raise DemandError(f"gang_growth = {growth!r}: must be a table: {allowed}")
    for name, factor in growth.items():
        if name not in (*WORKLOADS, *KIND_NAMES):
            raise DemandError(f"gang_growth: unknown kind {name!r}{nearest(name, (*WORKLOADS, *KIND_NAMES))}")
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if not number or not 0.01 <= factor <= 100:
            raise DemandError(f"gang_growth: {name} = {factor!r}: must be {allowed}")


def moment_of(raw: Any) -> datetime:
    """Return a day or a moment as one of UTC, without a zone; raises DemandError."""
    try:
        moment = datetime.fromisoformat(str(raw))
    except ValueError:
        raise DemandError(f"start = {raw!r}: must be a date, as 2026-01-05 or 2026-01-05T06:00") from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None, microsecond=0)


def check_zone(name: str) -> None:
    """Raise DemandError for a time zone that there is not."""
    try:
        ZoneInfo(name)
    except (KeyError, TypeError, ValueError, OSError):
        raise DemandError(
            f"time_zone = {name!r}: must be a zone of the IANA's database, as America/Chicago"
        ) from None


def check_mix(mix: Mapping[str, float]) -> None:
    """Raise DemandError unless a mix is of shares that add up to 1."""
    allowed = f"shares of {', '.join(WORKLOADS)}, from 0 to 1, that add up to 1"
    try:
        valid = (
            isinstance(mix, Mapping)
            and not set(mix) - set(WORKLOADS)
            and not any(isinstance(share, bool) for share in mix.values())
            and all(0 <= share <= 1 for share in mix.values())
            and math.isclose(math.fsum(mix.values()), 1, abs_tol=1e-6)
        )
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise DemandError(f"mix = {mix!r}: must be {allowed}")
