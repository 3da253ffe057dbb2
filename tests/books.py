"""A second ledger, slow and obvious: second by second, from the scenario and the attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from scheduler.scenario import OfferSpec
from tests.worlds import CATALOG, YEAR_S, World, all_committed

Key = tuple[int, str, str, str]
"""(start of the charge period, resource, line, charged to)."""
Row = dict[str, Any]
BEARERS = ("boot", "job", "idle", "minimum")
"""Whom a commitment covers, first first."""


class Books:
    """What a run cost: `rows` as {key: [quantity, USD]}, `spend` and `revenue` by job_id."""

    def __init__(self, world: World) -> None:
        self.world, self.money = world, world.scenario.money
        self.start_s, self.end_s = world.start_s, world.end_s
        self.epoch = datetime.fromisoformat(world.run.description["trace"]["epoch"])
        self.rows: dict[Key, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.spend = dict.fromkeys(world.jobs, 0.0)
        self.revenue = dict.fromkeys(world.jobs, 0.0)
        for name in world.pools:
            for second in range(self.start_s, self.end_s):
                self.own(name, second)
        for spec in world.scenario.offers:
            if spec.name in world.offers:
                self.rent(spec)
        for job in world.jobs.values():
            if job["state"] == "finished":
                self.sell(job)

    def book(self, second: int, line: str, who: str, where: str, quantity: float, usd: float) -> None:
        row = self.rows[self.period_s(min(second, self.end_s - 1)), where, line, who]
        row[0] += quantity
        row[1] += usd

    def period_s(self, second: int) -> int:
        now = self.epoch + timedelta(seconds=second)
        start = now.replace(minute=0, second=0)
        if self.money.charge_period == "day":
            start = start.replace(hour=0)
        return max(self.start_s, round((start - self.epoch).total_seconds()))

    # Owned

    def own(self, name: str, second: int) -> None:
        pool, holding = self.world.pools[name], self.world.holding(name, second)
        devices = pool["pods"] * pool["pod_devices"]
        down = self.world.level(f"down_{name}", second)
        idle = devices - down - sum(attempt["devices"] for attempt in holding)
        spec = next(spec for spec in self.world.scenario.pools if spec.name == name)
        price = spec.capital_usd or 0.0
        capital = (self.value(second) - self.value(second + 1)) * price / pool["pod_devices"]
        operations = price * self.money.operations_share_per_year / YEAR_S / pool["pod_devices"]
        device = CATALOG.device(spec.device or "")
        held = [(attempt["devices"], device.busy_kw, "job", attempt["job_id"]) for attempt in holding]
        unheld = [(idle, device.idle_kw, "idle", None), (down, device.idle_kw, "down", None)]
        for count, kw, who, job_id in [*held, *unheld]:
            kwh = count * kw * self.money.pue / 3_600
            charges = count * capital, kwh * self.usd_per_kwh(second), count * operations
            self.book(second, "capital", who, name, count / 3_600, charges[0])
            self.book(second, "energy", who, name, kwh, charges[1])
            if operations:
                self.book(second, "operations", who, name, count / 3_600, charges[2])
            if job_id is not None:
                self.spend[job_id] += sum(charges)

    def usd_per_kwh(self, second: int) -> float:
        tariff = self.money.usd_per_kwh
        hour = (self.epoch + timedelta(seconds=second)).hour
        return tariff[hour] if isinstance(tariff, tuple) else tariff

    def value(self, second: float) -> float:
        """Book value as a share of the price; a declining one is straight between full hours."""
        money = self.money
        first_s = self.start_s
        life_ends = first_s + round((money.life_years - money.age_years) * YEAR_S)
        if money.depreciation == "straight_line":
            worn_s = min(second, life_ends) - first_s
            return 1 - (1 - money.residual_share) * worn_s / max(1, round(money.life_years * YEAR_S))
        now = self.epoch + timedelta(seconds=second)
        hour_s = (now.replace(minute=0, second=0) - self.epoch).total_seconds()
        start, end = (min(max(edge, first_s), max(life_ends, first_s)) for edge in (hour_s, hour_s + 3_600))
        first, last = (
            float(money.residual_share ** ((money.age_years + (edge - first_s) / YEAR_S) / money.life_years))
            for edge in (start, end)
        )
        return first if start == end else first + (last - first) * (min(second, end) - start) / (end - start)

    # Rented

    def rent(self, spec: OfferSpec) -> None:
        used: dict[int, dict[tuple[int, float], int]] = defaultdict(lambda: defaultdict(int))
        for attempt in (row for row in self.world.attempts if row["where"] == spec.name):
            for second, who in self.billed(spec, attempt):
                price = self.price(spec, second, attempt["devices"])
                used[second][BEARERS.index(who), price] += attempt["devices"]
                if who == "job":
                    self.spend[attempt["job_id"]] += attempt["devices"] * price / 3_600
            self.move(spec, attempt)
        for second in {*range(self.start_s, self.end_s), *used}:
            left, usd_per_h = self.contracts(spec, second)
            unit = usd_per_h / left if left else 0.0
            for (bearer, price), devices in sorted(used[second].items()):
                covered = min(devices, left)
                left -= covered
                self.rented(spec, second, "committed", BEARERS[bearer], covered, price)
                if any(each.usd_per_device_h is not None for each in spec.commitments):
                    self.rented(spec, second, "discount", "commitment", covered, unit - price)
                line = "spot" if spec.spot else "on_demand"
                self.rented(spec, second, line, BEARERS[bearer], devices - covered, price)
            self.rented(spec, second, "committed", "unused_commitment", left, unit)

    def contracts(self, spec: OfferSpec, second: int) -> tuple[int, float]:
        """Devices that are committed in a second, and USD an hour for them; none once the run has ended."""
        devices, usd_per_h = 0, 0.0
        for each in spec.commitments if second < self.end_s else ():
            since = 0 if each.since is None else int(each.since[:-1])
            until = self.end_s if each.until is None else self.start_s + int(each.until[:-1])
            if self.start_s + since <= second < until:
                price = self.price(spec, second) if each.usd_per_device_h is None else each.usd_per_device_h
                devices += each.devices or 0
                usd_per_h += (each.devices or 0) * price
        return devices, usd_per_h

    def rented(
        self, spec: OfferSpec, second: int, line: str, who: str, devices: int, usd_per_h: float
    ) -> None:
        self.book(second, line, who, spec.name, devices / 3_600, devices * usd_per_h / 3_600)

    def billed(self, spec: OfferSpec, attempt: Row) -> Iterator[tuple[int, str]]:
        """Each second that is billed, and who bears it."""
        offer = CATALOG.offer(spec.offer)
        alloc, end = attempt["alloc_s"], attempt["end_s"]
        start = end if attempt["start_s"] is None else attempt["start_s"]
        kept = billed = end
        if not all_committed(self.world.offers[spec.name]):
            kept = end + spec.release_s
            steps = ceil((kept - alloc) / offer.billing_step_s)
            billed = alloc + max(steps * offer.billing_step_s, offer.minimum_s)
        for second in range(alloc, billed):
            who = (
                "boot"
                if second < start
                else "job"
                if second < end
                else "idle"
                if second < kept
                else "minimum"
            )
            yield second, who

    def price(self, spec: OfferSpec, second: int, devices: int = 0) -> float:
        """USD a device-hour for whoever holds so many; a commitment has one price, that of nodes."""
        offer = CATALOG.offer(spec.offer)
        price = offer.usd_per_device_h if spec.usd_per_device_h is None else spec.usd_per_device_h
        assert not isinstance(price, tuple)
        if spec.usd_per_device_h is None and not spec.commitments:
            price = offer.usd_per_device_h_by_size.get(devices, price)
        for surge in spec.surges:
            if round(surge.from_h * 3_600) <= second - self.start_s < round(surge.to_h * 3_600):
                price *= surge.factor
        return price

    def move(self, spec: OfferSpec, attempt: Row) -> None:
        """Data comes in as devices are rented, and goes out as they are given back."""
        offer = CATALOG.offer(spec.offer)
        egress = offer.egress_usd_per_gb if spec.egress_usd_per_gb is None else spec.egress_usd_per_gb
        for line, tb, second, usd_per_gb in (
            ("transfer", attempt["staged_tb"], attempt["alloc_s"], self.money.transfer_usd_per_gb),
            ("egress", attempt["returned_tb"], attempt["end_s"], egress),
        ):
            usd = 1_000 * tb * usd_per_gb
            self.spend[attempt["job_id"]] += usd
            if usd:
                self.book(second, line, "job", spec.name, 1_000 * tb, usd)

    def sell(self, job: Row) -> None:
        hours = job["gang"] * job["runtime_s"] / 3_600
        usd = hours * self.money.tenant_usd_per_device_h * (job["workload"] == "tenant")
        self.revenue[job["job_id"]] = usd
        if usd:
            self.book(job["end_s"], "revenue", "job", job["where"], hours, -usd)
