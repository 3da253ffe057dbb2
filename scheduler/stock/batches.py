"""The batches of pods of a pool: when each is ordered, delivered and retired, and at what price.

A pool numbers its pods in the order in which they come: those that are there when the run begins, then each
delivery. Whatever retires, the oldest go first. All dates are known ahead: leads are drawn from streams of
their own, so that every policy meets the same deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from scheduler.scenario import ClosureSpec, LeadSpec, PoolSpec, PurchaseSpec, ScenarioError
from traces import portable
from traces.streams import streams
from traces.times import parse_moment, parse_seconds

FOR_EVER_S = 2**62
"""Later than any run."""


class BatchError(ScenarioError):
    """Pods that come or go as they cannot."""


class Batch(Struct, frozen=True, kw_only=True):
    """Pods that come and go together; seconds are those of the run, or of its trace."""

    pods: int
    usd_per_pod: float
    ordered_s: int | None = None
    delivered_s: int | None = None
    """Both None: they are there when the run begins, as old as `money.age_years` says."""
    retired_s: int | None = None
    """None: they stay."""
    drained_s: int | None = None
    """From here on nothing starts on them, where that is before they retire."""
    closed: bool = False
    """They retire because their pool closes."""
    resale_usd_per_pod: float = 0.0
    decommission_usd_per_kw: float = 0.0

    def from_second(self, start_s: int) -> Batch:
        """Return it by the seconds of a trace, for a run that begins at one of them."""
        dates = ("ordered_s", "delivered_s", "retired_s", "drained_s")
        moved = {name: second + start_s for name in dates if (second := getattr(self, name)) is not None}
        return replace(self, **moved)

    def span(self, start_s: int, end_s: int) -> tuple[int, int]:
        """Return from when until when they are there, within a run from `start_s` to `end_s`."""
        from_s = start_s if self.delivered_s is None else min(max(start_s, self.delivered_s), end_s)
        to_s = end_s if self.retired_s is None else min(max(start_s, self.retired_s), end_s)
        return from_s, max(from_s, to_s)


class _Lot(NamedTuple):
    """Pods that may retire, and from when on one may count on them for that."""

    known_s: int
    batch: Batch


def batches_of(
    spec: PoolSpec,
    price: Callable[[datetime], float],
    start: datetime,
    seed: int,
    closure: ClosureSpec | None,
    *,
    new: bool = True,
) -> tuple[int, tuple[Batch, ...]]:
    """Return the pods of a pool that are there at first, and its batches, none where nothing changes.

    Seconds count from `start`, that of the run; `price` says what a pod costs at an instant, by which an
    order goes. A pod is `new` if it has no age at the start of the run: then what is delivered in its first
    second is no batch of its own. Raises BatchError where more pods retire than there are, or some are
    delivered after the pool has closed.
    """
    lots, pods, usd_per_pod = [], spec.pods, price(start)
    for number, purchase in enumerate(spec.purchases):
        batch, known_s = _bought(purchase, price, start, streams_key=(seed, f"{spec.name}/{number}"))
        if new and batch.ordered_s == batch.delivered_s == 0 and batch.usd_per_pod == usd_per_pod:
            pods += batch.pods
        else:
            lots.append(_Lot(known_s, batch))
    if not lots and not spec.retirements and closure is None:
        return pods, ()
    lots.sort(key=lambda lot: lot.batch.delivered_s or 0)
    if pods:
        lots.insert(0, _Lot(0, Batch(pods=pods, usd_per_pod=usd_per_pod)))
    lots = _retired(spec, lots, start)
    if closure is not None:
        lots = _closed(lots, closure, start)
    return sum(lot.batch.pods for lot in lots), tuple(lot.batch for lot in lots)


def _bought(
    purchase: PurchaseSpec,
    price: Callable[[datetime], float],
    start: datetime,
    streams_key: tuple[int, str],
) -> tuple[Batch, int]:
    """Return a batch, and from when on one may count on it: its order, where the delivery is drawn."""
    ordered_s, lead = parse_moment(purchase.ordered, start), purchase.lead
    lead_s = parse_seconds(lead) if isinstance(lead, str) else _drawn_s(lead, streams_key)
    delivered_s = ordered_s + round(lead_s)
    batch = Batch(
        pods=purchase.pods,
        usd_per_pod=purchase.price(price(start + timedelta(seconds=ordered_s))),
        ordered_s=ordered_s,
        delivered_s=delivered_s,
    )
    return batch, delivered_s if isinstance(lead, str) else ordered_s


def _drawn_s(lead: LeadSpec, streams_key: tuple[int, str]) -> float:
    seed, whose = streams_key
    normal = portable.standard_normal(streams(seed, "lead", whose)("lead"), 1)
    median_s = parse_seconds(lead.mean) * portable.exp(-(lead.sigma**2) / 2)
    return float((median_s * portable.exp(lead.sigma * normal))[0])


def _retired(spec: PoolSpec, lots: Sequence[_Lot], start: datetime) -> list[_Lot]:
    """Let pods retire, the oldest first; a batch of which only some do becomes two."""
    lots = [*lots]
    dated = sorted((parse_moment(one.at, start), at) for at, one in enumerate(spec.retirements))
    for at_s, number in dated:
        retirement, left = spec.retirements[number], spec.retirements[number].pods
        there = [lot for lot in lots if lot.batch.retired_s is None and lot.known_s <= at_s]
        if (pods := sum(lot.batch.pods for lot in there)) < left:
            raise BatchError(
                f"{spec.name}: retirements: {left} pods at {retirement.at}: must be at most the {pods} "
                "that there are then"
            )
        for lot in there if left else ():
            taken = min(left, lot.batch.pods)
            left -= taken
            if taken:
                lots[lots.index(lot) : lots.index(lot) + 1] = _split(
                    lot, taken, at_s, retirement.resale_share
                )
    return lots


def _split(lot: _Lot, pods: int, at_s: int, resale_share: float) -> list[_Lot]:
    batch = lot.batch
    gone = replace(
        batch,
        pods=pods,
        retired_s=max(at_s, batch.delivered_s or 0),
        resale_usd_per_pod=resale_share * batch.usd_per_pod,
    )
    rest = replace(batch, pods=batch.pods - pods)
    return [lot._replace(batch=part) for part in (gone, rest) if part.pods]


def _closed(lots: Sequence[_Lot], closure: ClosureSpec, start: datetime) -> list[_Lot]:
    """Let all pods that are left retire as the pool closes."""
    at_s, drain_s = parse_moment(closure.at, start), round(parse_seconds(closure.drain))
    closed = []
    for lot in lots:
        batch = lot.batch
        if lot.known_s > at_s:
            raise BatchError(
                f"{closure.pool}: purchases: {batch.pods} pods come after it has closed, at {closure.at}"
            )
        if batch.retired_s is None:
            batch = replace(
                batch,
                retired_s=max(at_s, batch.delivered_s or 0),
                drained_s=max(at_s - drain_s, batch.delivered_s or 0),
                closed=True,
                resale_usd_per_pod=closure.resale_share * batch.usd_per_pod,
                decommission_usd_per_kw=closure.decommission_usd_per_kw,
            )
        closed.append(lot._replace(batch=batch))
    return closed
