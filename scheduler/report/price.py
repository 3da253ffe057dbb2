"""What prices and reserves of a market came to, as a table, and by quarter."""

from __future__ import annotations

from scheduler.scenario import PriceSpec
from scheduler.study.compare.statistics import Interval
from scheduler.study.price.search import PriceAnswer
from traces.numbers import between, count, percent, rounded_usd
from traces.tables import table

_ABOUT = """\
each quarter by a month in its middle, which begins empty, multiplied by what the quarter is longer;
own use: of the owned devices, without a market; open: the margin is surely above 0"""


def price(answer: PriceAnswer, asked: PriceSpec) -> str:
    """Return a row for each price and reserve, the best first, and a sentence on the best."""
    best = answer.outcomes[0]
    rows = [
        [
            _price(asked, outcome.offered.factor),
            str(outcome.offered.reserve_devices),
            _interval(outcome.revenue_usd),
            _interval(outcome.margin_usd),
            "best" if outcome is best else _interval(outcome.below_best_usd),
            between(*outcome.own_waits_device_h, count),
        ]
        for outcome in answer.outcomes
    ]
    head = ["price", "reserve", "revenue, USD", "margin, USD", "below the best", "own waits added, device-h"]
    parts = [table(head, rows, range(len(head)))]
    if answer.quarters:
        parts += [_quarters(answer), _opening(answer)]
    parts.append(_best(answer, rows[0]))
    return "\n\n".join(parts)


def _best(answer: PriceAnswer, best: list[str]) -> str:
    """Say what the best earns; `best` are the cells of its row."""
    if answer.outcomes[0].margin_usd.low > 0:
        said = f"the window is open: at {best[0]}, {best[1]} devices kept free, selling earns"
    else:
        said = "the window is closed: it is not sure that selling earns anything at any of these prices;"
    if answer.quarters:
        said = f"of all quarters, at {best[0]}, {best[1]} devices kept free, selling earns"
    return f"{said} {best[3]} USD (95% interval over {answer.seeds} seeds) in the length of the run"


def _quarters(answer: PriceAnswer) -> str:
    rows = [
        [
            each.quarter.name,
            percent(each.used_share, 0),
            _interval(each.revenue_usd) if each.sells else "",
            _interval(each.margin_usd) if each.sells else "",
            ("yes" if each.is_open else "no") if each.sells else "no pool that sells",
        ]
        for each in answer.quarters
    ]
    head = ["quarter", "own use", "revenue, USD", "margin, USD", "open"]
    return f"the best by quarter\n{table(head, rows, [1, 2, 3])}\n{_ABOUT}"


def _opening(answer: PriceAnswer) -> str:
    """Say from when on the window is open."""
    if answer.opening is None:
        return "no window that stays open: in the last quarter it is not sure that selling earns anything"
    since = answer.opening.quarter
    return f"the window opens in {since.name} ({since.since:%Y-%m-%d}), and is open in each quarter since"


def _price(asked: PriceSpec, factor: float) -> str:
    usd = asked.usd_per_device_h
    if usd is None:
        return f"{asked.share * factor:g} x {asked.index}"
    return f"{factor:g} x the hour's" if isinstance(usd, tuple) else f"{usd * factor:g} USD/h"


def _interval(interval: Interval) -> str:
    return between(interval.low, interval.high, rounded_usd)
