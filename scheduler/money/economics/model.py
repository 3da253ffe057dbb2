"""Build or buy: one pod owned for its life against the same delivered PFLOP-days rented as they are needed.

The pod delivers peak x MFU x utilization, every year of its life. Renting delivers the same and pays for
no more than that, at a price that falls. What is fixed in owning, capital above all, is spread over what is
delivered, so utilization decides. Amounts are in constant dollars, before tax. Costs are levelized
(`breakeven`); the present value, the rate of return and the payback come from the yearly cash flows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scheduler.money.economics.breakeven import (
    DAYS,
    Numbers,
    annualized_capital_usd,
    breakeven_utilization,
    capital_usd_per_pflop_day,
    energy_usd_per_pflop_day,
    irr,
    mean_price_factor,
    npv_usd,
    operations_usd_per_pflop_day,
    payback_years,
    plain,
    rented_usd_per_pflop_day,
)
from traces.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One value of each input, or arrays of as many draws; inputs.toml has units and meanings."""

    owned_pflops: Numbers
    capital_usd: Numbers
    life_years: Numbers
    resale_share: Numbers
    discount_rate: Numbers
    operations_share_per_year: Numbers
    busy_kw: Numbers
    idle_kw: Numbers
    pue: Numbers
    usd_per_kwh: Numbers
    utilization: Numbers
    owned_mfu: Numbers
    usd_per_device_h: Numbers
    decline_per_year: Numbers
    rented_pflops: Numbers
    rented_mfu: Numbers
    rented_utilization: Numbers
    confined_share: Numbers
    confined_premium: Numbers

    @property
    def delivered_pflops(self) -> Numbers:
        """What a pod delivers while it is used, PFLOPS."""
        return self.owned_pflops * self.owned_mfu

    @property
    def pflop_days_per_year(self) -> Numbers:
        """What a pod delivers a year."""
        return self.delivered_pflops * self.utilization * DAYS

    @property
    def residual_share(self) -> Numbers:
        """What the pod fetches at the end, as a share of its price: it follows the rents of the same case.

        What earns less rent is worth less, so its worth falls as rents do; but never above its price, as
        nobody pays more for a used pod than for a new one.
        """
        return plain(np.minimum(1.0, (1.0 - self.decline_per_year) ** self.life_years) * self.resale_share)

    @property
    def worth_factor(self) -> Numbers:
        """By what the worth of keeping confined data inside raises the rent."""
        return 1 + self.confined_share * self.confined_premium


def _about(unit: str, meaning: str) -> dict[str, str]:
    return {"unit": unit, "meaning": meaning}


_COST = "USD/PFLOP-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a case comes to. PFLOP-days are delivered ones; costs are levelized over the life."""

    owned_usd_per_pflop_day: Numbers = field(metadata=_about(_COST, "owning: capital, operations and energy"))
    capital_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "of owning: capital with interest, less what is left at the end")
    )
    operations_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "of owning: staff, repairs and space")
    )
    energy_usd_per_pflop_day: Numbers = field(metadata=_about(_COST, "of owning: power, in idle hours too"))
    straight_line_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "owning, but capital without interest, spread evenly over the life")
    )
    rented_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "renting at falling prices, with the worth of confined data")
    )
    rented_today_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "renting at today's price, without the worth of confined data")
    )
    difference_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "owned - rented: below 0, owning is cheaper")
    )
    breakeven_utilization: Numbers = field(
        metadata=_about("share", "utilization at which both cost the same; inf: none")
    )
    breakeven_usd_per_device_h: Numbers = field(
        metadata=_about("USD/device-h", "today's rent of a device at which both cost the same")
    )
    breakeven_confined_usd_per_pflop_day: Numbers = field(
        metadata=_about(_COST, "worth of keeping a confined PFLOP-day inside at which both cost the same")
    )
    residual_share: Numbers = field(
        metadata=_about("share", "what the pod fetches at the end of its life, as a share of its price")
    )
    npv_usd: Numbers = field(
        metadata=_about("USD/pod", "net present value of owning a pod instead of renting what it delivers")
    )
    irr: Numbers = field(metadata=_about("1/year", "internal rate of return of the same; null: none"))
    payback_years: Numbers = field(
        metadata=_about("year", "until the saved rent has repaid the pod; inf: not within its life")
    )


def outcome(case: Case) -> Outcome:
    """Work out a case, or all draws of it at once."""
    capital, operations, straight = _fixed(case)
    energy = _energy(case, case.busy_kw, case.idle_kw, case.utilization)
    owned = capital + operations + energy
    factor = mean_price_factor(
        life_years=case.life_years, discount_rate=case.discount_rate, decline_per_year=case.decline_per_year
    )
    today = _rented(case, case.usd_per_device_h)
    rented = today * factor * case.worth_factor
    idle = _energy(case, case.idle_kw, case.idle_kw, 1.0)
    flows = cash_flows_usd(case)
    return Outcome(
        owned_usd_per_pflop_day=owned,
        capital_usd_per_pflop_day=capital,
        operations_usd_per_pflop_day=operations,
        energy_usd_per_pflop_day=energy,
        straight_line_usd_per_pflop_day=straight + operations + energy,
        rented_usd_per_pflop_day=rented,
        rented_today_usd_per_pflop_day=today,
        difference_usd_per_pflop_day=owned - rented,
        breakeven_utilization=breakeven_utilization(
            fixed_usd_per_pflop_day=(capital + operations) * case.utilization + idle,
            variable_usd_per_pflop_day=_energy(case, case.busy_kw, case.idle_kw, 1.0) - idle,
            rented_usd_per_pflop_day=rented,
        ),
        breakeven_usd_per_device_h=owned / (_rented(case, 1.0) * factor * case.worth_factor),
        breakeven_confined_usd_per_pflop_day=_breakeven_confined(case, owned - today * factor),
        residual_share=case.residual_share,
        npv_usd=npv_usd(cash_flows_usd=flows, discount_rate=case.discount_rate),
        irr=irr(cash_flows_usd=flows),
        payback_years=payback_years(cash_flows_usd=flows),
    )


def cash_flows_usd(case: Case) -> Floats:
    """Return what owning a pod costs and saves against renting, by year, the first today: (..., year).

    Each year ends with the rent saved, at the price of the year's middle, less operations and energy; the
    last also with what the pod fetches. Cases of shorter life end in zeros.
    """
    life = np.asarray(case.life_years, np.float64)[..., None]
    year = np.arange(1, int(np.max(life)) + 1)
    fallen = (1 - _column(case.decline_per_year)) ** (year - 0.5)
    today = _rented(case, case.usd_per_device_h) * case.worth_factor * case.pflop_days_per_year
    rent = _column(today) * fallen
    running = case.operations_share_per_year * case.capital_usd + case.pflop_days_per_year * _energy(
        case, case.busy_kw, case.idle_kw, case.utilization
    )
    left = _column(case.residual_share * case.capital_usd)
    saved = np.where(year <= life, rent - _column(running), 0.0) + np.where(year == life, left, 0.0)
    paid = np.broadcast_to(-_column(case.capital_usd), (*saved.shape[:-1], 1))
    return np.concatenate([paid, saved], axis=-1)


def _fixed(case: Case) -> tuple[Numbers, Numbers, Numbers]:
    """Capital with interest, operations, and capital by the straight line, USD per PFLOP-day delivered."""
    annual_usd = annualized_capital_usd(
        capital_usd=case.capital_usd,
        life_years=case.life_years,
        discount_rate=case.discount_rate,
        residual_share=case.residual_share,
    )
    used = {"pflops": case.delivered_pflops, "utilization": case.utilization}
    operations = operations_usd_per_pflop_day(
        operations_usd_per_year=case.operations_share_per_year * case.capital_usd, **used
    )
    straight = capital_usd_per_pflop_day(
        capital_usd=case.capital_usd,
        life_years=case.life_years,
        residual_share=case.residual_share,
        **used,
    )
    return annual_usd / case.pflop_days_per_year, operations, straight


def _rented(case: Case, usd_per_device_h: Numbers) -> Numbers:
    return rented_usd_per_pflop_day(
        usd_per_device_h=usd_per_device_h,
        pflops=case.rented_pflops * case.rented_mfu,
        utilization=case.rented_utilization,
    )


def _energy(case: Case, busy_kw: Numbers, idle_kw: Numbers, utilization: Numbers) -> Numbers:
    return energy_usd_per_pflop_day(
        busy_kw=busy_kw,
        idle_kw=idle_kw,
        pflops=case.delivered_pflops,
        usd_per_kwh=case.usd_per_kwh,
        pue=case.pue,
        utilization=utilization,
    )


def _breakeven_confined(case: Case, gap: Numbers) -> Numbers:
    """Spread what owning costs beyond the rent over the confined work; 0 where it costs no more."""
    share = np.asarray(case.confined_share, np.float64)
    needed = np.where(share > 0, gap / np.where(share > 0, share, 1.0), np.inf)
    return plain(np.where(np.asarray(gap) > 0, needed, 0.0))


def _column(values: Numbers) -> Floats:
    return np.asarray(values, np.float64)[..., None]
