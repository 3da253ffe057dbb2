"""The market in a run: a customer sees the price and the promised start, and buys or leaves."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, inf
from typing import NamedTuple, Protocol

import numpy as np

from scheduler.engine.guests.guests import Guests
from scheduler.engine.guests.room import GuestTerms
from scheduler.engine.jobs import Job, Shape
from scheduler.live.market.customers import Customer, customers
from scheduler.live.source import Ask
from scheduler.scenario import LeaseSpec, MarketSpec
from scheduler.stock.price_series import Step
from traces.times import HOUR_S

WORKLOAD = "market"


class Sale(NamedTuple):
    """What became of a customer who asked."""

    customer: Customer
    usd_per_device_h: float
    promised_s: float
    """When it would start; inf: never."""
    answer: str
    """One of `ANSWERS`."""
    job_id: int | None


ANSWERS = ("bought", "closed", "too dear", "too late", "too large")
"""It bought, or why it left: the window was closed, the price, the promised start, or its own size."""


class Intake(Protocol):
    """Where a customer who buys becomes a job of the run."""

    def shape(self, ask: Ask) -> Shape:
        """Return what its job would take."""

    def enter(self, ask: Ask, now_s: int) -> Job:
        """Give it a row and a number."""


def kind_of(segment: str) -> str:
    """Return the kind of the jobs of a segment or lease."""
    return f"{WORKLOAD}.{segment}"


def guest_terms(market: MarketSpec) -> dict[str, GuestTerms]:
    """Return how the jobs of each segment and lease are treated, by kind."""
    terms = {
        kind_of(lease.name): GuestTerms(0, preemptible=False, checkpoint_s=None, notice_s=_notice_s(lease))
        for lease in market.leases
    }
    for segment in market.segments:
        own, every_h = segment.reserve_devices, segment.checkpoint_h
        terms[kind_of(segment.name)] = GuestTerms(
            reserve_devices=market.reserve_devices if own is None else own,
            preemptible=segment.preemptible,
            checkpoint_s=None if every_h is None else max(1, round(every_h * HOUR_S)),
        )
    return terms


def _notice_s(lease: LeaseSpec) -> int | None:
    return None if lease.notice_h is None else max(1, round(lease.notice_h * HOUR_S))


class Market:
    """Asks each customer as it comes; `prices` are those of offers, by name."""

    def __init__(
        self,
        spec: MarketSpec,
        seed: int,
        span_s: tuple[int, int],
        midnight_s: int,
        prices: Mapping[str, tuple[Step, ...]],
    ) -> None:
        self._spec, self._start_s, self._midnight_s, self._prices = spec, span_s[0], midnight_s, prices
        self._rules = {each.name: each.price or spec.price for each in spec.segments}
        self._customers = customers(spec, seed, *span_s)
        self._terms = guest_terms(spec)
        self._next = 0
        self.most = len(self._customers)
        self.owners = spec.names
        self.sales: list[Sale] = []
        self.intake: Intake | None = None

    def next_s(self) -> int | None:
        """Return when the next customer asks."""
        return self._customers[self._next].at_s if self._next < self.most else None

    def take(self, guests: Guests, now_s: int) -> list[Job]:
        """Return the job of the next customer, if it buys."""
        customer = self._customers[self._next]
        self._next += 1
        ask = self._ask(customer)
        assert self.intake is not None
        shape = self.intake.shape(ask)
        price = self._price(customer, now_s, guests.utilization())
        promised_s = self._promised_s(customer, shape, guests, now_s)
        fits = any(not need.whole for need in shape.owned)
        answer = self._answer(customer, price, promised_s, now_s) if fits else "too large"
        job = self.intake.enter(ask, now_s) if answer == "bought" else None
        self.sales.append(Sale(customer, price, promised_s, answer, job and job.job_id))
        return [] if job is None else [job]

    def _ask(self, customer: Customer) -> Ask:
        terms = self._terms[kind_of(customer.segment)]
        return Ask(
            tag=self._next - 1,
            runtime_s=customer.run_s,
            gang=customer.devices,
            estimate_s=customer.run_s,
            workload=WORKLOAD,
            kind=kind_of(customer.segment),
            owner=customer.segment,
            queue=WORKLOAD,
            checkpoint_s=terms.checkpoint_s,
        )

    def _price(self, customer: Customer, now_s: int, utilization: float) -> float:
        if customer.lease_usd_per_device_h is not None:
            return customer.lease_usd_per_device_h
        rule = self._rules[customer.segment]
        if rule.index is not None:
            steps = reversed(self._prices[rule.index])
            usd = rule.share * next(usd for from_s, usd in steps if from_s <= now_s)
        elif isinstance(rule.usd_per_device_h, tuple):
            usd = rule.usd_per_device_h[(now_s + self._midnight_s) // HOUR_S % 24]
        else:
            usd = rule.usd_per_device_h or 0.0
        return float(usd * (1 + rule.rise * utilization))

    def _promised_s(self, customer: Customer, shape: Shape, guests: Guests, now_s: int) -> float:
        """Now, if it fits above the reserve; else by the estimates of what runs and waits ahead."""
        kind = kind_of(customer.segment)
        if all(need.whole for need in shape.owned):
            return inf
        if customer.lease_usd_per_device_h is not None or guests.fits(shape, kind):
            return now_s
        wait_s = guests.predicted_wait_s(kind)
        return inf if np.isinf(wait_s) else now_s + max(1, ceil(wait_s))

    def _answer(self, customer: Customer, price: float, promised_s: float, now_s: int) -> str:
        if customer.lease_usd_per_device_h is None and not self._open(now_s):
            return "closed"
        if price > customer.willingness_usd_per_device_h or customer.willingness_usd_per_device_h == 0:
            return "too dear"
        return "too late" if promised_s - now_s > customer.start_within_s else "bought"

    def _open(self, now_s: int) -> bool:
        window, hour = self._spec.window, (now_s - self._start_s) / HOUR_S
        return window is None or window.from_h <= hour < window.to_h
