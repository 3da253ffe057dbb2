"""What would have started a job sooner, by the log: one thing otherwise, all rules as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import partial
from math import inf
from typing import NamedTuple

import numpy as np

from scheduler.engine.rented.offers import Rental
from scheduler.policy.abilities import Decides
from scheduler.policy.burst import Budget
from scheduler.why.gaps import WAITS_FOR_DEVICES, Gaps
from scheduler.why.needs import Resources
from scheduler.why.step_function import ALWAYS, StepFunction, where_all
from scheduler.why.waits import CommonNeed, Inquiry

_Piece = tuple[Resources, int, int]
"""What there was for the job, from when, until when."""


class Sooner(NamedTuple):
    """What the log says of another start: all else as it was."""

    had: str
    start_s: int | None
    """When it would have begun to work; None: not before it did."""
    sooner_s: int | None
    """Seconds before it did; None where it never did."""
    forbidden_by: str | None = None
    """The limit on rent that forbade an earlier start for which offers had room."""


class _Instant(NamedTuple):
    """A clock that stands still."""

    now: float


def sooner(inquiry: Inquiry, row: int, need: CommonNeed, began_s: int | None) -> Iterator[Sooner]:
    """Yield what would have started the job of a row of the trace sooner than it began to work."""
    gaps = inquiry.gaps
    first = np.flatnonzero((gaps.cause == WAITS_FOR_DEVICES) & (gaps.after < 0))
    if not len(first):
        return
    pieces = [*_pieces(inquiry, need, gaps.some(first[:1]))]
    told = partial(_told, began_s)
    if need.job.shape.owned:
        for had, start_s in _on_pods(inquiry, row, need, pieces):
            yield told(had, start_s)
    rentals = [*need.job.shape.rented, *need.elsewhere]
    if rentals:
        burst = _Burst(inquiry, row, need)
        starts = [burst.starts_s(rental, pieces) for rental in rentals]
        allowed = min(((at, by) for at, _, by in starts if at is not None), default=(None, None))[0]
        with_room = min((at for _, at, _ in starts if at is not None), default=None)
        by = next((by for _, at, by in starts if at is not None and at == with_room), None)
        late = with_room is not None and (allowed is None or with_room < allowed)
        yield told(burst.had, allowed, by if late and _earlier(with_room, began_s) else None)


def _told(began_s: int | None, had: str, start_s: int | None, forbidden_by: str | None = None) -> Sooner:
    if start_s is None or not _earlier(start_s, began_s):
        return Sooner(had, None, None, forbidden_by)
    return Sooner(had, start_s, None if began_s is None else began_s - start_s, forbidden_by)


def _earlier(start_s: int | None, began_s: int | None) -> bool:
    return start_s is not None and (began_s is None or start_s < began_s)


def _pieces(inquiry: Inquiry, need: CommonNeed, gap: Gaps) -> Iterator[_Piece]:
    """Yield the pieces of a gap in order, with what there was for the job."""
    pieces = [
        (int(from_s), int(to_s), outlived)
        for outlived, _, *ends in inquiry.by_outlived(need, gap)
        for from_s, to_s in zip(*ends, strict=True)
    ]
    for from_s, to_s, outlived in sorted(pieces):
        yield inquiry.resources.outliving(outlived), from_s, to_s


def _on_pods(
    inquiry: Inquiry, row: int, need: CommonNeed, pieces: Sequence[_Piece]
) -> Iterator[tuple[str, int | None]]:
    """Yield what could have been otherwise on pods, and when the job could have begun there.

    Nobody is before it and no room is kept for others. But for what is said to be otherwise, its site has
    the power, its queue the quota, and `first` bars it, as they did.
    """
    shape, setup = need.job.shape, inquiry.setup
    admitted = inquiry.admitted(row)

    def when(asked: Callable[[Resources], StepFunction], *rules: StepFunction) -> int | None:
        firsts = (where_all([asked(of), *rules]).first(*ends) for of, *ends in pieces)
        return next((at for at in firsts if at is not None), None)

    quota = "its queue had the quota, " if setup.scenario.queues else ""
    yield f"{quota}nobody been before it, nor room kept", when(lambda of: of.startable(shape, barred=False))
    if any(each.power is not None for each in shape.owned):
        yield "its site had all the power", when(lambda of: of.startable(shape, powered=False), admitted)
    yield (
        "its gang been free to use any pods",
        when(lambda of: of.startable(shape, lambda each: of.enough([each])), admitted),
    )
    yield "one pod more been there, empty", when(lambda of: of.startable(shape, more=1), admitted)
    if setup.weather is not None:
        yield "nothing been out of service", when(lambda of: of.in_service().startable(shape), admitted)


class _Burst:
    """A job that bursts at once, by the policy that scores offers and within what its queues may rent."""

    def __init__(self, inquiry: Inquiry, row: int, need: CommonNeed) -> None:
        self._setup, self._rents, self._job = inquiry.setup, inquiry.rents, need.asks
        self._queues = () if self._rents is None else self._rents.queues_of(np.array([row]))[0]
        self._money = {} if self._rents is None else self._rents.usd_per_week(self._queues)
        patience = self._setup.policy.patience
        if isinstance(patience, Budget):
            self._money["the budget of the week"] = patience.usd
        leaves = (
            "it burst at once"
            if need.job.shape.rented
            else "its data been free to leave, and it burst at once"
        )
        self.had = f"{leaves}, with money for it" if self._money else leaves

    def starts_s(self, rental: Rental, pieces: Sequence[_Piece]) -> tuple[int | None, int | None, str | None]:
        """Return when it could begin on an offer, when it could but for limits on rent, and whose that is."""
        devices = [] if self._rents is None else [*self._rents.limits(self._queues, rental)]
        room_s = self._first(rental, pieces, ALWAYS)
        if room_s is None:
            return None, None, None
        dear = next((name for name, usd in self._money.items() if self._bill_usd(rental, room_s) > usd), None)
        within = where_all([level for _, level in devices])
        allowed_s = None if dear else self._first(rental, pieces, within)
        in_the_way = (name for name, level in devices if not level.at(np.array([room_s]))[0])
        ready_s = rental.ready_s(self._job)
        return (
            None if allowed_s is None else allowed_s + ready_s,
            room_s + ready_s,
            dear or next(in_the_way, None),
        )

    def _first(self, rental: Rental, pieces: Sequence[_Piece], rule: StepFunction) -> int | None:
        """Return the first instant at which the offer has room, under a rule, and the policy wants it."""
        for resources, from_s, to_s in pieces:
            for begin_s, end_s in where_all([resources.room([rental]), rule]).spans(from_s, to_s):
                at_s = self._wanted_s(rental, begin_s)
                if at_s is not None and at_s < end_s:
                    return at_s
        return None

    def _wanted_s(self, rental: Rental, at_s: int) -> int | None:
        """Return from when on the policy wants an offer that has room from a second on."""
        score = self._setup.policy.offer
        if score(self._job, _at(rental, at_s)) < inf:
            return at_s
        if not isinstance(score, Decides) or rental.spot:
            return None
        in_s = score.decides_s(self._job, _at(rental, at_s))
        return at_s + int(in_s) if in_s < inf else None

    def _bill_usd(self, rental: Rental, at_s: int) -> float:
        return _at(rental, at_s).bill_usd(self._job)


def _at(rental: Rental, now_s: int) -> Rental:
    """Return what a gang takes of an offer as it is at a second."""
    other = copy(rental)
    other.offer = rental.offer.by(_Instant(now_s))
    return other
