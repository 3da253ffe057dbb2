"""Inputs and draws of build or buy as tables: ranges with sources, quantiles, utilization, swings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf, isfinite, isnan

import numpy as np

from scheduler.money.economics.comparison import Comparison
from scheduler.money.economics.inputs import Input
from scheduler.money.economics.model import outcome
from scheduler.money.economics.montecarlo import Bar, at_mid, quantiles, rank_correlations, tornado
from traces.arrays import Bools, Floats
from traces.numbers import between, decimal, percent, significant, significant_percent
from traces.tables import table

_UTILIZATIONS = np.arange(1, 11) / 10
_BARS = 8
_WIDTH = 30


def listed_inputs(found: Comparison) -> str:
    """All inputs once; one that the readings differ in stands under each that has another."""
    rows: list[list[str]] = []
    for name in found.answers[0].inputs:
        seen: dict[tuple[str, ...], list[str]] = {}
        for answer in found.answers:
            seen.setdefault(_input(answer.inputs[name]), []).append(answer.reading.key)
        for cells, keys in seen.items():
            under = "" if len(seen) == 1 else ", ".join(keys)
            rows.append([name, *cells, under])
    head = ["input", "low ", "mid ", "high ", "unit", "source (how sure)", "in reading"]
    if len(found.answers) == 1:
        head, rows = head[:-1], [row[:-1] for row in rows]
    return f"{table(head, rows, numbers=(1, 2, 3))}\n* assumed, as are the weights of readings"


def _input(given: Input) -> tuple[str, ...]:
    ends = (
        "" if given.is_certain and at != "mid" else _marked(getattr(given, at), at in given.assumed)
        for at in ("low", "mid", "high")
    )
    return (*ends, given.unit, given.source or "assumed")


def _marked(value: float, assumed: bool) -> str:
    return f"{significant(value, 4)}{'*' if assumed else ' '}"


def results(found: Comparison) -> str:
    """Each result: at mid from the least to the greatest reading, and over all draws."""
    rows = []
    for name, label, unit, show in _ROWS:
        values = np.asarray(getattr(found.result, name))
        low, median, high = quantiles(values)
        points = [float(getattr(each.point, name)) for each in found.weighted]
        ranked = sorted(points, key=lambda value: -inf if isnan(value) else value)
        at_mids = between(ranked[0], ranked[-1], show)
        rows.append([label, at_mids, _median(median, values, show), between(low, high, show), unit])
    return table(["result", "at mid", "median", "90% of draws", "unit"], rows, numbers=(1, 2, 3))


def _median(median: float, values: Floats, show: Callable[[float], str]) -> str:
    """The median; where that is no number, the share of the draws that have one, if any does."""
    some = np.isfinite(values)
    return show(median) if isfinite(median) or not some.any() else f"{share_of_draws(some)} have one"


def by_utilization(found: Comparison) -> str:
    """All at mid but the utilization; in the draws, owning is cheaper above each one's break-even."""
    case = replace(at_mid(found.middle.inputs), utilization=_UTILIZATIONS)
    swept = outcome(case)
    owned = np.broadcast_to(swept.owned_usd_per_pflop_day, _UTILIZATIONS.shape)
    rented = np.broadcast_to(swept.rented_usd_per_pflop_day, _UTILIZATIONS.shape)
    columns = (owned * case.owned_mfu, rented * case.rented_mfu, owned, rented, owned - rented)
    breakeven = np.asarray(found.result.breakeven_utilization)
    rows = [
        [
            percent(at, 0),
            *(significant(float(column[row])) for column in columns),
            share_of_draws(breakeven < at),
        ]
        for row, at in enumerate(_UTILIZATIONS)
    ]
    head = ["utilization", "owned, of peak", "rented, of peak", "owned", "rented", "owned - rented"]
    head.append("owning cheaper in")
    title = f"USD per PFLOP-day, delivered unless of peak; at mid{_under(found)}, shares over all draws"
    return f"{title}\n{table(head, rows, numbers=range(7))}"


def _under(found: Comparison) -> str:
    return f" under {found.middle.reading.key}, the middle reading" if len(found.weighted) > 1 else ""


def swings(found: Comparison) -> str:
    """What the reading, and each input of the middle one alone, does to owned - rented."""
    mid, bars = found.middle.difference, tornado(found.middle.inputs)
    title = f"owned - rented, USD per delivered PFLOP-day: {significant(mid)} at mid{_under(found)}"
    if len(found.weighted) > 1:
        first, *_, last = found.weighted
        ends = (f"{significant(each.difference)} ({each.reading.key})" for each in (first, last))
        title += f";\nthe reading moves it from {' to '.join(ends)}"
    if not bars:
        return f"{title}.\nNo input has a range."
    shown, rest = bars[:_BARS], bars[_BARS:]
    more = f"\n{len(rest)} more move it by at most {significant(rest[0].swing)} each" if rest else ""
    return f"{title}, and each input alone moves it\n{_tornado(found, shown)}{more}"


def _tornado(found: Comparison, bars: Sequence[Bar]) -> str:
    inputs, mid = found.middle.inputs, found.middle.difference
    correlations = rank_correlations([bar.name for bar in bars], found.draws, found.result)
    ends = [end for bar in bars for end in (bar.at_low, bar.at_high)] + [mid]
    rows = [
        [
            bar.name,
            f"{significant(inputs[bar.name].low)} to {significant(inputs[bar.name].high)}",
            significant(bar.at_low),
            significant(bar.at_high),
            decimal(correlations[bar.name] if bar.swing else None, signed=True),
            _bar(bar, mid, min(ends), max(ends)),
        ]
        for bar in bars
    ]
    head = ["input", "from low to high", "at low", "at high", "rank corr.", ""]
    return table(head, rows, numbers=(1, 2, 3, 4))


def _bar(bar: Bar, mid: float, least: float, most: float) -> str:
    """Draw from the one end to the other on a common scale, with a mark at mid."""

    def place(value: float) -> int:
        return round((value - least) / (most - least) * _WIDTH) if most > least else 0

    start, stop = sorted((place(bar.at_low), place(bar.at_high)))
    cells = ["=" if start <= at <= stop else " " for at in range(_WIDTH + 1)]
    cells[place(mid)] = "|"
    return "".join(cells)


def share_of_draws(which: Bools) -> str:
    """The share of the draws in which it is so; not 0% or 100% unless that is exact; a dash for no draws."""
    if not which.size:
        return "-"
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
    ("residual_share", "resale at the end of the life", "of its price", significant_percent),
    ("npv_usd", "net present value of owning", "million USD/pod", lambda usd: significant(usd / 1e6)),
    ("irr", "internal rate of return", "a year", _or("none", significant_percent)),
    ("payback_years", "payback", "year", _or("never", partial(significant, digits=2))),
)
"""Figure, label, unit and how it is shown."""
