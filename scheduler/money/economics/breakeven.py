"""Owning against renting: what a PFLOP-day costs either way, and from which utilization on owning pays.

Textbook formulas over numbers or numpy arrays, which broadcast. A PFLOP-day is what 1 PFLOPS does in a day:
peak where `pflops` is the peak rate, delivered where it is peak x MFU; the caller says which. Costs are per
PFLOP-day that is used, so what is fixed is divided by the utilization. Amounts are in constant dollars.

Levelized costs are those of the energy trade: discounted dollars over discounted output (Short, Packey and
Holt, NREL/TP-462-5173, 1995).
"""

from __future__ import annotations

import numpy as np

from traces.arrays import Floats

HOURS = 24
"""Hours in a day."""
DAYS = 365.25
"""Days in a year."""

Numbers = float | Floats


def capital_usd_per_pflop_day(
    *,
    capital_usd: Numbers,
    pflops: Numbers,
    life_years: Numbers,
    utilization: Numbers = 1.0,
    residual_share: Numbers = 0.0,
) -> Numbers:
    """Return capital less residual value per PFLOP-day used: straight line, no interest, as the ledger."""
    return capital_usd * (1 - residual_share) / (life_years * DAYS * pflops * utilization)


def energy_usd_per_pflop_day(
    *,
    busy_kw: Numbers,
    idle_kw: Numbers,
    pflops: Numbers,
    usd_per_kwh: Numbers,
    pue: Numbers,
    utilization: Numbers = 1.0,
) -> Numbers:
    """Return power per PFLOP-day used; the idle hours' power is charged to the busy ones."""
    mean_kw = utilization * busy_kw + (1 - utilization) * idle_kw
    return HOURS * usd_per_kwh * pue * mean_kw / (pflops * utilization)


def operations_usd_per_pflop_day(
    *, operations_usd_per_year: Numbers, pflops: Numbers, utilization: Numbers = 1.0
) -> Numbers:
    """Return staff, repairs and space per PFLOP-day used."""
    return operations_usd_per_year / (DAYS * pflops * utilization)


def rented_usd_per_pflop_day(
    *, usd_per_device_h: Numbers, pflops: Numbers, utilization: Numbers = 1.0
) -> Numbers:
    """Return rent per PFLOP-day; `utilization` is the share of billed time that works, not booting."""
    return HOURS * usd_per_device_h / (pflops * utilization)


def breakeven_utilization(
    *,
    fixed_usd_per_pflop_day: Numbers,
    variable_usd_per_pflop_day: Numbers,
    rented_usd_per_pflop_day: Numbers,
) -> Numbers:
    """Return the utilization at which owning costs as much as renting the same PFLOP-days.

    Fixed is what owning costs per PFLOP-day of capacity, used or not: capital, operations, and the power of
    idle pods. Variable is what each PFLOP-day used adds: busy less idle power. Owning costs
    fixed / u + variable a PFLOP-day used, renting costs its price; so u = fixed / (rented - variable).
    Above 1 owning does not pay however busy the pods are; inf where it would not at any utilization.
    """
    margin = np.asarray(rented_usd_per_pflop_day - variable_usd_per_pflop_day, np.float64)
    breakeven = fixed_usd_per_pflop_day / np.where(margin > 0, margin, np.nan)
    return plain(np.where(margin > 0, breakeven, np.inf))


def annuity_years(*, life_years: Numbers, discount_rate: Numbers) -> Numbers:
    """Return what one dollar at the end of each year of the life is worth today, in dollars.

    (1 - (1 + r)^-n) / r, and n where r is 0. Its inverse is the capital recovery factor.
    """
    rate = np.asarray(discount_rate, np.float64)
    safe = np.where(rate == 0, 1.0, rate)
    return plain(np.where(rate == 0, life_years, -np.expm1(-life_years * np.log1p(safe)) / safe))


def annualized_capital_usd(
    *,
    capital_usd: Numbers,
    life_years: Numbers,
    discount_rate: Numbers,
    residual_share: Numbers = 0.0,
) -> Numbers:
    """Return the yearly payment that repays the capital with interest, less the value left at the end.

    At a discount rate of 0 it is the straight line.
    """
    left = residual_share * (1.0 + discount_rate) ** -life_years
    years = annuity_years(life_years=life_years, discount_rate=discount_rate)
    return capital_usd * (1 - left) / years


def mean_price_factor(*, life_years: Numbers, discount_rate: Numbers, decline_per_year: Numbers) -> Numbers:
    """Return the levelized price over a life as a share of today's, where it falls by a share each year.

    A year is paid at its end, at the price of its middle, (1 - d)^(t - 1/2). The discounted sum is that of an
    annuity at the rate (r + d) / (1 - d).
    """
    steeper = (discount_rate + decline_per_year) / (1.0 - decline_per_year)
    falling = annuity_years(life_years=life_years, discount_rate=steeper)
    level = annuity_years(life_years=life_years, discount_rate=discount_rate)
    return (1.0 - decline_per_year) ** -0.5 * falling / level


def npv_usd(*, cash_flows_usd: Floats, discount_rate: Numbers) -> Numbers:
    """Return the net present value of yearly flows (..., year), the first of them today."""
    flows = np.asarray(cash_flows_usd, np.float64)
    growth = 1.0 + np.asarray(discount_rate, np.float64)[..., None]
    return plain(np.sum(flows * growth ** -np.arange(flows.shape[-1], dtype=np.float64), axis=-1))


def irr(*, cash_flows_usd: Floats) -> Numbers:
    """Return the discount rate at which yearly flows (..., year) are worth nothing; nan where there is none.

    Of several, the one nearest to 0. All roots of the polynomial in 1 + rate are found at once, as
    eigenvalues of its companion matrix; years after the last flow add roots of 0, which count for nothing.
    """
    flows = np.asarray(cash_flows_usd, np.float64)
    outlay, years = flows[..., 0], flows.shape[-1] - 1
    if not years:
        return plain(np.full(outlay.shape, np.nan))
    companion = np.zeros((*outlay.shape, years, years))
    companion[..., 0, :] = -flows[..., 1:] / np.where(outlay == 0, 1.0, outlay)[..., None]
    companion[..., np.arange(1, years), np.arange(years - 1)] = 1.0
    roots = np.linalg.eigvals(companion)
    real = (np.abs(roots.imag) < 1e-9) & (roots.real > 1e-6) & (outlay != 0)[..., None]
    rates = np.where(real, roots.real - 1.0, np.inf)
    nearest = np.take_along_axis(rates, np.abs(rates).argmin(axis=-1)[..., None], axis=-1)[..., 0]
    return plain(np.where(np.isinf(nearest), np.nan, nearest))


def payback_years(*, cash_flows_usd: Floats) -> Numbers:
    """Return when the sum of yearly flows (..., year) first reaches 0, undiscounted; inf where it never does.

    The first flow is today; each later one is spread evenly over its year.
    """
    total = np.cumsum(np.asarray(cash_flows_usd, np.float64), axis=-1)
    back = total >= 0
    year = back.argmax(axis=-1)[..., None]
    after = np.take_along_axis(total, year, axis=-1)[..., 0]
    before = np.take_along_axis(total, np.maximum(year - 1, 0), axis=-1)[..., 0]
    gained = after - before
    short = np.divide(after, gained, out=np.zeros_like(after), where=gained > 0)
    return plain(np.where(back.any(axis=-1), year[..., 0] - short, np.inf))


def plain(values: Floats) -> Numbers:
    """Return a number where there is but one value without a dimension."""
    return values if np.ndim(values) else float(values)
