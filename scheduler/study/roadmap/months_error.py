"""How far representative months are from every day of the horizon."""

from __future__ import annotations

from typing import NamedTuple

from scheduler.study.roadmap.roadmap import Roadmap


class MonthsError(NamedTuple):
    """What representative months say beside the full run of the answer; running costs, present dollars."""

    months_usd: float
    full_usd: float
    share: float
    """How much more the months say."""
    largest_share: float
    """The largest difference in a quarter, as a share of the full run's mean quarter."""
    missed_quarters: tuple[int, ...]
    """Quarters, from 1, in which the full run misses the target."""


def error_of_months(roadmap: Roadmap) -> MonthsError:
    """Hold representative months against the full run, on the seeds of that; there must be one."""
    best, full = roadmap.best, roadmap.full
    assert best is not None
    seeds = len(full[0].usd)
    months = [float(best.terms.running_usd(at, each)[:seeds].mean()) for at, each in enumerate(best.quarters)]
    days = [float(each.usd.mean()) for each in full]
    apart = max(abs(month - day) for month, day in zip(months, days, strict=True))
    return MonthsError(
        months_usd=sum(months),
        full_usd=sum(days),
        share=sum(months) / sum(days) - 1,
        largest_share=apart * len(days) / sum(days),
        missed_quarters=tuple(
            at + 1 for at, each in enumerate(full) if not each.evaluation.meets(roadmap.target)
        ),
    )
