"""Build or buy as tables that a planner can read: what goes in, what comes out, and what it hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor, isfinite, log10

import numpy as np

from scheduler.catalog import Offer, PodKind
from scheduler.money.economics.inputs import Input
from scheduler.money.economics.model import Case, Outcome, outcome
from scheduler.money.economics.montecarlo import Bar, at_mid, quantiles, rank_correlations, tornado
from scheduler.report.table import table
from traces.arrays import Bools

_UTILIZATIONS = np.arange(1, 11) / 10
_BARS = 8
_WIDTH = 30


def title(pod: PodKind, offer: Offer, kind: str, pflops: Input) -> str:
    """Say what is compared, and what is said of the pod's peak where its parts come to something else."""
    other = pod.peak_pflops is not None and abs(pod.peak_pflops / pflops.mid - 1) > 0.1
    stated = f", {_number(pflops.mid)} PFLOPS (stated of the whole: {pod.peak_pflops:,g})" if other else ""
    return (
        f"own:  {pod.key}, {pod.devices:,} x {pod.device}{stated}\n"
        f"rent: {offer.key}, {offer.device}, for what such a pod delivers in {kind} work\n"
        "One pod, bought today and used for its life. Constant dollars, before tax."
    )


def economics(title: str, inputs: Mapping[str, Input], draws: Case, result: Outcome) -> str:
    """Render a comparison: `draws` of `inputs`, and the `result` they came to, below a title."""
    point = outcome(at_mid(inputs))
    return "\n\n".join(
        [
            f"{title}\n{_verdict(point, result)}",
            _inputs(inputs),
            _results(point, result),
            _by_utilization(inputs, result),
            _tornado(inputs, point, tornado(inputs), rank_correlations(inputs, draws, result)),
        ]
    )


def _verdict(point: Outcome, result: Outcome) -> str:
    need = float(point.breakeven_utilization)
    never = f"never (would need {_utilization(need)})" if isfinite(need) else "never"
    return (
        f"At mid, owning costs {_number(float(point.owned_usd_per_pflop_day))} and renting "
        f"{_number(float(point.rented_usd_per_pflop_day))} USD per delivered PFLOP-day; "
        f"break-even utilization: {_utilization(need) if need <= 1 else never}.\n"
        f"Over {len(np.asarray(result.npv_usd)):,} draws, owning is cheaper in "
        f"{_share(np.asarray(result.difference_usd_per_pflop_day) < 0)}."
    )


def _inputs(inputs: Mapping[str, Input]) -> str:
    rows = [
        [
            name,
            *(
                "" if given.is_certain and at != "mid" else _marked(getattr(given, at), at in given.assumed)
                for at in ("low", "mid", "high")
            ),
            given.unit,
            given.source or "assumed",
        ]
        for name, given in inputs.items()
    ]
    shown = table(["input", "low ", "mid ", "high ", "unit", "source (how sure)"], rows, numbers=(1, 2, 3))
    return f"{shown}\n* assumed"


def _marked(value: float, assumed: bool) -> str:
    return f"{_number(value, 4)}{'*' if assumed else ' '}"


def _results(point: Outcome, result: Outcome) -> str:
    rows = []
    for name, label, unit, show in _ROWS:
        low, median, high = map(show, quantiles(np.asarray(getattr(result, name))))
        interval = low if low == high else f"{low} to {high}"
        rows.append([label, show(float(getattr(point, name))), median, interval, unit])
    return table(["result", "at mid", "median", "90% of draws", "unit"], rows, numbers=(1, 2, 3))


def _by_utilization(inputs: Mapping[str, Input], result: Outcome) -> str:
    """All at mid but the utilization; in the draws, owning is cheaper above each one's break-even."""
    case = replace(at_mid(inputs), utilization=_UTILIZATIONS)
    swept = outcome(case)
    owned = np.broadcast_to(swept.owned_usd_per_pflop_day, _UTILIZATIONS.shape)
    rented = np.broadcast_to(swept.rented_usd_per_pflop_day, _UTILIZATIONS.shape)
    columns = (owned * case.owned_mfu, rented * case.rented_mfu, owned, rented, owned - rented)
    breakeven = np.asarray(result.breakeven_utilization)
    rows = [
        [f"{at:.0%}", *(_number(float(column[row])) for column in columns), _share(breakeven < at)]
        for row, at in enumerate(_UTILIZATIONS)
    ]
    head = [
        "utilization",
        "owned, of peak",
        "rented, of peak",
        "owned",
        "rented",
        "owned - rented",
        "owning cheaper in",
    ]
    return f"USD per PFLOP-day, delivered unless of peak; at mid\n{table(head, rows, numbers=range(7))}"


def _tornado(
    inputs: Mapping[str, Input], point: Outcome, bars: Sequence[Bar], correlations: Mapping[str, float]
) -> str:
    if not bars:
        return "No input has a range."
    mid = float(point.difference_usd_per_pflop_day)
    shown, rest = bars[:_BARS], bars[_BARS:]
    ends = [end for bar in shown for end in (bar.at_low, bar.at_high)] + [mid]
    rows = [
        [
            bar.name,
            f"{_number(inputs[bar.name].low)} to {_number(inputs[bar.name].high)}",
            _number(bar.at_low),
            _number(bar.at_high),
            f"{correlations[bar.name]:+.2f}" if bar.swing else "-",
            _bar(bar, mid, min(ends), max(ends)),
        ]
        for bar in shown
    ]
    head = ["input", "from low to high", "at low", "at high", "rank corr.", ""]
    title = (
        f"owned - rented, USD per delivered PFLOP-day: {_number(mid)} at mid, and each input alone moves it"
    )
    more = f"\n{len(rest)} more move it by at most {_number(rest[0].swing)} each" if rest else ""
    return f"{title}\n{table(head, rows, numbers=(1, 2, 3, 4))}{more}"


def _bar(bar: Bar, mid: float, least: float, most: float) -> str:
    """Draw from the one end to the other on a common scale, with a mark at mid."""

    def place(value: float) -> int:
        return round((value - least) / (most - least) * _WIDTH) if most > least else 0

    start, stop = sorted((place(bar.at_low), place(bar.at_high)))
    cells = ["=" if start <= at <= stop else " " for at in range(_WIDTH + 1)]
    cells[place(mid)] = "|"
    return "".join(cells)


def _share(which: Bools) -> str:
    """The share of the draws in which it is so; not 0% or 100% unless that is exact."""
    share = float(np.mean(which))
    if 0 < share < 0.01:
        return "under 1%"
    return "over 99%" if 0.99 < share < 1 else f"{share:.0%}"


def _number(value: float, digits: int = 3) -> str:
    """So many significant digits."""
    if not value or not isfinite(value):
        return f"{value:g}"
    return f"{round(value, digits - 1 - floor(log10(abs(value)))):,.15g}"


def _million(value: float) -> str:
    return _number(value / 1e6)


def _utilization(value: float) -> str:
    return f"{_number(100 * value, 2)}%" if isfinite(value) else "never"


def _rate(value: float) -> str:
    return f"{_number(100 * value, 2)}%" if isfinite(value) else "none"


def _if_ever(value: float) -> str:
    return _number(value) if isfinite(value) else "never"


def _years(value: float) -> str:
    return _number(value, 2) if isfinite(value) else "never"


_COST = "USD/PFLOP-day"
_ROWS = (
    ("owned_usd_per_pflop_day", "owned", _COST, _number),
    ("capital_usd_per_pflop_day", "  capital, with interest", _COST, _number),
    ("operations_usd_per_pflop_day", "  operations", _COST, _number),
    ("energy_usd_per_pflop_day", "  energy", _COST, _number),
    ("straight_line_usd_per_pflop_day", "owned, capital without interest", _COST, _number),
    ("rented_usd_per_pflop_day", "rented", _COST, _number),
    ("rented_today_usd_per_pflop_day", "  at today's price, any data", _COST, _number),
    ("difference_usd_per_pflop_day", "owned - rented", _COST, _number),
    ("breakeven_utilization", "break-even utilization", "", _utilization),
    ("breakeven_usd_per_device_h", "break-even rent, today", "USD/device-h", _number),
    ("breakeven_confined_usd_per_pflop_day", "break-even worth of confined data", _COST, _if_ever),
    ("npv_usd", "net present value of owning", "million USD/pod", _million),
    ("irr", "internal rate of return", "a year", _rate),
    ("payback_years", "payback", "year", _years),
)
"""Figure, label, unit and how it is shown."""
