"""What is charged for device-seconds of pools and offers, for data moved and for work sold."""

from __future__ import annotations

import numpy as np

from scheduler.money.ledger.charges import Cells, Charges, Values
from scheduler.money.ledger.commitments import committed
from scheduler.money.ledger.holdings import by_device_s, capital
from scheduler.money.ledger.meter import GB_PER_TB, phases
from scheduler.money.ledger.rates import Owning, RateSteps, SizeRent
from scheduler.run.columns import Attempts
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import OfferStock
from traces.arrays import Floats, Ints
from traces.step_function import by_cell, from_changes, row_at
from traces.times import HOUR_S

PHASES = ("boot", "job", "idle", "minimum")
"""Who bears the time of rented nodes that boot, work, are kept, are only billed."""


class PoolPrices:
    """What the device-seconds of a pool cost, by cells of time in which no rate changes."""

    def __init__(self, pool: PoolStock, owning: Owning, charges: Charges, end_s: int) -> None:
        self._pool, self._owning, self._charges = pool, owning, charges
        self._capital, self._power = capital(pool, owning, end_s), owning.power(pool, end_s)
        self._carbon, self._pue = owning.carbon(pool, end_s), owning.pue(pool)
        self._by_device_s = by_device_s(pool, owning, end_s)
        changes = [
            self._capital.from_s,
            self._power.from_s,
            *(at.from_s for at in self._by_device_s.values()),
        ]
        self.cells = Cells(charges.periods, end_s, *changes)

    def add(self, charged_to: str, device_s: Ints, kw: float) -> None:
        """Charge capital, energy at so many kW a device, and what is charged by device-second."""
        pool, cells, add = self._pool.name, self.cells, self._charges.add
        device_h = cells.by_period(device_s) / HOUR_S
        usd_of_capital = cells.by_period(device_s * self._capital.at(cells.start_s))
        usd_of_energy = cells.by_period(device_s * kw * self._power.at(cells.start_s))
        add(pool, "capital", charged_to, device_h, usd_of_capital)
        add(pool, "energy", charged_to, device_h * kw * self._pue, usd_of_energy)
        if self._carbon is not None:
            kg = cells.by_period(device_s * kw * self._carbon.at(cells.start_s))
            add(pool, "carbon", charged_to, kg, np.zeros(len(kg)))
        for line, rate in self._by_device_s.items():
            if rate.rate.any():
                add(pool, line, charged_to, device_h, self._by_time(rate, device_s, device_h))

    def _by_time(self, rate: RateSteps, device_s: Ints, device_h: Floats) -> Floats:
        if len(rate.rate) == 1:
            return np.asarray(device_h * HOUR_S * rate.rate[0])
        return self.cells.by_period(device_s * rate.at(self.cells.start_s))


class OfferPrices:
    """What device-seconds cost at a rent of an offer, by cells of time in which it does not change."""

    def __init__(self, offer: OfferStock, rent: SizeRent, charges: Charges, last_s: int) -> None:
        self._offer, self._charges, self._price = offer, charges, rent.price
        self.committed = committed(offer, rent.price)
        self.cells = Cells(charges.periods, last_s, self._price.from_s, self.committed.devices.from_s)

    def add(self, charged_to: str, held: Values, covered: Values) -> None:
        """Charge device-seconds held, of which a commitment covers some."""
        for line, device_s in (
            ("committed", covered),
            ("spot" if self._offer.spot else "on_demand", held - covered),
        ):
            usd = self.cells.by_period(device_s * self._price.at(self.cells.start_s))
            device_h = self.cells.by_period(device_s) / HOUR_S
            self._charges.add(self._offer.name, line, charged_to, device_h, usd)

    def add_contract(self, covered: Values, end_s: int) -> None:
        """Charge what of commitments nobody used until the run ended, and their discount on the rest."""
        start_s, edges = self.cells.start_s, self.cells.edges
        unused = self.committed.devices.at(start_s) * np.diff(np.minimum(edges, end_s)) - covered
        price = self._price.at(start_s)
        contract = self.committed.usd_per_device_s(start_s, self._price).rate
        if all(each.at_the_offers_price for each in self._offer.commitments):
            contract = price
        for line, who, device_s, usd in (
            ("committed", "unused_commitment", unused, contract),
            ("discount", "commitment", covered, contract - price),
        ):
            rates = self.cells.by_period(device_s * usd)
            hours = self.cells.by_period(device_s) / HOUR_S
            if line == "committed" or rates.any():
                self._charges.add(self._offer.name, line, who, hours, rates)


def held_by_phase(
    offer: OfferStock, attempts: Attempts, devices_committed: RateSteps, edges: Ints, end_s: int
) -> dict[str, tuple[Ints, Ints]]:
    """Return the device-seconds between edges of each of `PHASES`: held, and of them those committed.

    A commitment covers first what boots, then what works, and so on, until the run ends.
    """
    alloc_s, *cuts = phases(offer, attempts.alloc_s, attempts.start_s, attempts.end_s)
    devices = attempts.devices
    began = by_cell(*from_changes(alloc_s, devices), edges)
    held = covered = np.zeros(len(edges) - 1, np.int64)
    by_phase = {}
    for charged_to, cut in zip(PHASES, cuts, strict=True):
        held_before, covered_before = held, covered
        held = began - by_cell(*from_changes(cut, devices), edges)
        if offer.commitments:
            changes = np.concatenate([alloc_s, np.minimum(cut, end_s)]), np.concatenate([devices, -devices])
            covered = by_cell(*_least(*from_changes(*changes), devices_committed), edges)
        by_phase[charged_to] = held - held_before, covered - covered_before
    return by_phase


def _least(time_s: Ints, level: Ints, other: RateSteps) -> tuple[Ints, Ints]:
    """Return the lower of two levels as a step function; the first is 0 before its first row."""
    both = np.unique(np.concatenate([time_s, other.from_s]))
    own = np.where(both < (time_s[0] if len(time_s) else both[-1] + 1), 0, _at(time_s, level, both))
    return both, np.minimum(own, other.at(both))


def _at(time_s: Ints, level: Ints, at_s: Ints) -> Ints:
    return level[row_at(time_s, at_s)] if len(level) else np.zeros(len(at_s), np.int64)


def add_moved(
    charges: Charges, offer: OfferStock, attempts: Attempts, transfer: float, charged_to: str = "job"
) -> None:
    """Data that came in as devices were rented, and went out as they were given back."""
    for line, usd_per_gb, tb, time_s in (
        ("transfer", transfer, attempts.staged_tb, attempts.alloc_s),
        ("egress", offer.egress_usd_per_gb, attempts.returned_tb, attempts.end_s),
    ):
        if usd_per_gb:
            gb = charges.at(time_s, tb * GB_PER_TB)
            charges.add(offer.name, line, charged_to, gb, gb * usd_per_gb)


def add_sold(
    charges: Charges,
    resource: str,
    end_s: Ints,
    device_h: Floats,
    usd_per_device_h: float,
    charged_to: str = "job",
) -> None:
    """Reference device-hours that are sold, each at its instant."""
    sold_h = charges.at(end_s, device_h)
    charges.add(resource, "revenue", charged_to, sold_h, -sold_h * usd_per_device_h)
