"""Build or buy as tables that a planner can read: what goes in, what comes out, and what it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite

import numpy as np

from scheduler.catalog import Offer, PodKind
from scheduler.money.economics.inputs import Input
from scheduler.money.economics.model import Case, Outcome, outcome
from scheduler.money.economics.montecarlo import Bar, at_mid, quantiles, rank_correlations, tornado
from traces.arrays import Bools
from traces.numbers import between, count, decimal, percent, shortest, significant, significant_percent
from traces.tables import table

_UTILIZATIONS = np.arange(1, 11) / 10
_BARS = 8
_WIDTH = 30


def title(pod: PodKind, offer: Offer, kind: str, pflops: Input) -> str:
    """Say what is compared, and what is said of the pod's peak where its parts come to something else."""
    stated = ""
    if pod.peak_pflops is not None and abs(pod.peak_pflops / pflops.mid - 1) > 0.1:
        stated = f", {significant(pflops.mid)} PFLOPS (stated of the whole: {shortest(pod.peak_pflops)})"
    return (
        f"own:  {pod.key}, {count(pod.devices)} x {pod.device}{stated}\n"
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
    never = f"never (would need {significant_percent(need)})" if isfinite(need) else "never"
    return (
        f"At mid, owning costs {significant(float(point.owned_usd_per_pflop_day))} and renting "
        f"{significant(float(point.rented_usd_per_pflop_day))} USD per delivered PFLOP-day; "
        f"break-even utilization: {significant_percent(need) if need <= 1 else never}.\n"
        f"Over {count(len(np.asarray(result.npv_usd)))} draws, owning is cheaper in "
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
    return f"{significant(value, 4)}{'*' if assumed else ' '}"


def _results(point: Outcome, result: Outcome) -> str:
    rows = []
    for name, label, unit, show in _ROWS:
        low, median, high = quantiles(np.asarray(getattr(result, name)))
        rows.append([label, show(float(getattr(point, name))), show(median), between(low, high, show), unit])
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
        [percent(at, 0), *(significant(float(column[row])) for column in columns), _share(breakeven < at)]
        for row, at in enumerate(_UTILIZATIONS)
    ]
    head = ["utilization", "owned, of peak", "rented, of peak", "owned", "rented", "owned - rented"]
    head.append("owning cheaper in")
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
            f"{significant(inputs[bar.name].low)} to {significant(inputs[bar.name].high)}",
            significant(bar.at_low),
            significant(bar.at_high),
            decimal(correlations[bar.name] if bar.swing else None, signed=True),
            _bar(bar, mid, min(ends), max(ends)),
        ]
        for bar in shown
    ]
    head = ["input", "from low to high", "at low", "at high", "rank corr.", ""]
    title = f"owned - rented, USD per delivered PFLOP-day: {significant(mid)} at mid"
    more = f"\n{len(rest)} more move it by at most {significant(rest[0].swing)} each" if rest else ""
    return f"{title}, and each input alone moves it\n{table(head, rows, numbers=(1, 2, 3, 4))}{more}"


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
    return "over 99%" if 0.99 < share < 1 else percent(share, 0)


def _or(word: str, write: Callable[[float], str]) -> Callable[[float], str]:
    """Return what writes a figure, and a word where there is none."""
    return lambda value: write(value) if isfinite(value) else word


_COST = "USD/PFLOP-day"
_ROWS = (
    ("owned_usd_per_pflop_day", "owned", _COST, significant),
    ("capital_usd_per_pflop_day", "  capital, with interest", _COST, significant),
    ("operations_usd_per_pflop_day", "  operations", _COST, significant),
    ("energy_usd_per_pflop_day", "  energy", _COST, significant),
    ("straight_line_usd_per_pflop_day", "owned, capital without interest", _COST, significant),
    ("rented_usd_per_pflop_day", "rented", _COST, significant),
    ("rented_today_usd_per_pflop_day", "  at today's price, any data", _COST, significant),
    ("difference_usd_per_pflop_day", "owned - rented", _COST, significant),
    ("breakeven_utilization", "break-even utilization", "", _or("never", significant_percent)),
    ("breakeven_usd_per_device_h", "break-even rent, today", "USD/device-h", significant),
    (
        "breakeven_confined_usd_per_pflop_day",
        "break-even worth of confined data",
        _COST,
        _or("never", significant),
    ),
    ("npv_usd", "net present value of owning", "million USD/pod", lambda usd: significant(usd / 1e6)),
    ("irr", "internal rate of return", "a year", _or("none", significant_percent)),
    ("payback_years", "payback", "year", _or("never", partial(significant, digits=2))),
)
"""Figure, label, unit and how it is shown."""
