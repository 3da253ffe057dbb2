"""What prices and reserves of a market came to, as a table."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.scenario import PriceSpec
from scheduler.study.compare.statistics import Interval
from scheduler.study.price.search import PriceAnswer
from traces.numbers import between, money
from traces.tables import table


def price(answer: PriceAnswer, asked: PriceSpec) -> str:
    """Return a row for each price and reserve, the best first, and a sentence on the best."""
    best = answer.outcomes[0]
    write = money(max(abs(end) for outcome in answer.outcomes for end in outcome.margin_usd))
    rows = [
        [
            _price(asked, outcome.offered.factor),
            str(outcome.offered.reserve_devices),
            _interval(outcome.revenue_usd, write),
            _interval(outcome.margin_usd, write),
            "best" if outcome is best else _interval(outcome.below_best_usd, write),
        ]
        for outcome in answer.outcomes
    ]
    head = ["price", "reserve", "revenue", "margin", "below the best"]
    if best.margin_usd.low > 0:
        said = f"the window is open: at {rows[0][0]}, {rows[0][1]} devices kept free, selling earns"
    else:
        said = "the window is closed: it is not sure that selling earns anything at any of these prices;"
    told = f"{said} {rows[0][3]} (95% interval over {answer.seeds} seeds) in the length of the run"
    return f"{table(head, rows, [0, 1, 2, 3, 4])}\n\n{told}"


def _price(asked: PriceSpec, factor: float) -> str:
    usd = asked.usd_per_device_h
    if usd is None:
        return f"{asked.share * factor:g} x {asked.index}"
    return f"{factor:g} x the hour's" if isinstance(usd, tuple) else f"{usd * factor:g} USD/h"


def _interval(interval: Interval, write: Callable[[float], str]) -> str:
    return between(interval.low, interval.high, write)
