"""Whether the market, loops and parked cars of a scenario fit the rest of it; each raises ValueError."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scheduler.scenario.edge import EdgeSpec
from scheduler.scenario.loop import LoopSpec
from scheduler.scenario.market import MarketSpec
from traces.errors import first_twice
from traces.times import DAY_S, HOUR_S

MOST_CUSTOMERS = 10**7
"""Of a segment in a run; each is drawn ahead."""


def check_market(
    market: MarketSpec | None,
    horizon_h: float | None,
    pools: Iterable[str],
    capped: set[str],
    offers: Iterable[str],
) -> None:
    """Hold a market against the run's length, its pools, some on sites with a cap, and its offers."""
    if market is None:
        return
    if horizon_h is None:
        raise ValueError("market: needs horizon_h, as customers never cease to come")
    if not (pools := set(pools)):
        raise ValueError("market: needs pools, whose spare devices are sold")
    if capped >= pools:
        raise ValueError("market: all pools are on sites with a cap, which sell nothing")
    known = [None, *offers]
    for price in (market.price, *(segment.price for segment in market.segments)):
        if price is not None and price.index not in known:
            raise ValueError(f'market: index "{price.index}" is no offer of the scenario')
    if market.window is not None:
        _check_begins("market.window", market.window.from_h, horizon_h)
    for at, lease in enumerate(market.leases):
        _check_begins(f"market.leases[{at}]", lease.from_h, horizon_h)
    for at, segment in enumerate(market.segments):
        if (customers := segment.per_day * horizon_h * HOUR_S / DAY_S) > MOST_CUSTOMERS:
            told = f"per_day = {segment.per_day:g}: brings {customers:,.0f} customers in the run"
            raise ValueError(f"market.segments[{at}]: {told}; at most {MOST_CUSTOMERS:,} are allowed")


def check_fleets(
    loops: Sequence[LoopSpec],
    edge: Sequence[EdgeSpec],
    horizon_h: float | None,
    market: MarketSpec | None,
    taken: Iterable[str],
) -> None:
    """Hold loops and parked cars against the run's length, each other, and names that are `taken`."""
    if (loops or edge) and horizon_h is None:
        raise ValueError("loops and edge: need horizon_h, as neither clips nor cars cease to come")
    for key, sources in (("loops", loops), ("edge", edge)):
        if twice := first_twice(each.name for each in sources):
            raise ValueError(f'{key}: the name "{twice}" stands for two')
    customers = [] if market is None else market.names
    if twice := first_twice([*customers, *(each.name for each in loops)]):
        raise ValueError(f'the name "{twice}" stands for a loop and for customers of the market')
    if twice := first_twice([*set(taken), *(each.name for each in edge)]):
        raise ValueError(f'the name "{twice}" stands for parked cars and for a pool, an offer or a site')
    taken_by = dict[str, EdgeSpec]()
    for at, each in enumerate(edge):
        if horizon_h is not None:
            _check_begins(f"edge[{at}]", each.from_h, horizon_h)
        for kind in each.kinds:
            first = taken_by.setdefault(kind, each)
            if first is not each and first.from_h <= each.from_h:
                raise ValueError(f'edge[{at}].kinds: all "{kind}" is taken by "{first.name}" already')


def _check_begins(what: str, from_h: float, horizon_h: float) -> None:
    if from_h >= horizon_h:
        raise ValueError(f"{what}: from_h = {from_h:g}: must be before the run ends, after {horizon_h:g} h")
