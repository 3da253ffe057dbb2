"""What caps cost and more power would be worth, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.study.power_worth import PowerWorth, mean_and_halfwidth
from traces.arrays import Floats
from traces.numbers import decimal
from traces.tables import table


def power_table(worth: Sequence[PowerWorth]) -> str:
    """Render a row a site: means over the seeds, with half of a 95% interval."""
    header = ["site", "lost to the cap: PFLOP-days", "deadlines", "USD"]
    header += ["one more kW: PFLOP-days", "saves USD"]
    rows = [
        [
            each.site,
            _told(each.lost_pflop_days, 1),
            _told(each.lost_deadlines, 1),
            _told(each.cap_usd, 0),
            _told(each.pflop_days_per_kw, 4),
            _told(each.usd_per_kw, 2),
        ]
        for each in worth
    ]
    return table(header, rows, numbers=range(1, len(header)))


def _told(values: Floats, places: int) -> str:
    mean, half = mean_and_halfwidth(values)
    return f"{decimal(mean, places)} ± {decimal(half, places)}"
