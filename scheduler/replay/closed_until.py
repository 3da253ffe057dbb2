"""From when on jobs may start on a pool or offer: it has to be ported, or to close, before."""

from __future__ import annotations

from scheduler.engine.places import Places
from scheduler.replay.setup import Setup
from scheduler.stock.batches import FOR_EVER_S
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import OfferStock


class ClosedUntil:
    """The seconds from which on jobs may start somewhere, by what the scenario says of ports and closures."""

    def __init__(self, setup: Setup) -> None:
        scenario, stock = setup.scenario, setup.stock
        pools = {pool.name: pool for pool in stock.pools}
        self._start_s = setup.start_s
        self._moves = [
            (pools[closure.pool], closes_s, closure.moves_to)
            for closure in scenario.closures
            if closure.pool in pools and (closes_s := pools[closure.pool].closes_s()) is not None
        ]
        at_hand: dict[str, int] = {}
        parts: list[PoolStock | OfferStock] = [*stock.pools, *stock.offers]
        for part in parts:
            since_s = _at_hand_s(part, setup.start_s)
            at_hand[part.device] = min(since_s, at_hand.get(part.device, since_s))
        self._ported = {
            (port.kind, port.device): at_hand[port.device] + port.port_s
            for port in scenario.ports
            if port.device in at_hand
        }

    def at_s(self) -> list[int]:
        """Return all of them that depend on the kind of job or on where it asks to run."""
        return [*self._ported.values(), *(closes_s for _, closes_s, _ in self._moves)]

    def of(self, part: PoolStock | OfferStock, kind: str, places: Places) -> int | None:
        """Return from when on jobs of a kind may start on a pool or offer; None for never."""
        opens_s = self._start_s if places.hold(part.name, part.device) else self._takes_over_s(part, places)
        return None if opens_s is None else max(opens_s, self._ported.get((kind, part.device), opens_s))

    def _takes_over_s(self, part: PoolStock | OfferStock, places: Places) -> int | None:
        """Return when a part takes over the jobs of a pool that closes, of those that it may hold."""
        if not Places(excludes=places.excludes).hold(part.name, part.device):
            return None
        closes = (
            closes_s
            for pool, closes_s, to in self._moves
            if part.name in to and places.hold(pool.name, pool.device)
        )
        return min(closes, default=None)


def _at_hand_s(part: PoolStock | OfferStock, start_s: int) -> int:
    if isinstance(part, OfferStock):
        return start_s
    return min(lot.span(start_s, FOR_EVER_S)[0] for lot in part.lots())
