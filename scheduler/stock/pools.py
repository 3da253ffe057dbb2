"""What a scenario owns: pools of pods, with the catalog's figures filled in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from scheduler.catalog import Catalog
from scheduler.scenario import PoolSpec, Scenario
from scheduler.stock.batches import FOR_EVER_S, Batch, batches_of
from scheduler.stock.price_series import value_at


class PoolStock(Struct, frozen=True, kw_only=True):
    """Owned pods of one kind."""

    name: str
    pod: str
    """Key of the kind of pod in the catalog; empty for one's own."""
    device: str
    pods: int
    """All that there ever are."""
    pod_devices: int
    span_efficiency: float
    endless: bool
    capital_usd_per_pod: float
    busy_kw: float
    """Power of a device under load."""
    idle_kw: float
    batches: tuple[Batch, ...] = ()
    """Its pods by when they come and go; none where they are all there throughout."""

    def lots(self) -> tuple[Batch, ...]:
        """Return its pods as batches: one, where they are all there throughout."""
        return self.batches or (Batch(pods=self.pods, usd_per_pod=self.capital_usd_per_pod),)

    def most_pods(self, from_s: int = 0) -> int:
        """Return the most pods that there are at once at some instant from `from_s` on."""
        lots = [(*lot.span(from_s, FOR_EVER_S), lot.pods) for lot in self.lots()]
        return max(sum(pods for came, left, pods in lots if came <= at < left) for at, *_ in lots)

    def closes_s(self) -> int | None:
        """Return the second at which it closes; None where it does not."""
        closes = (lot.retired_s for lot in self.batches if lot.closed and lot.retired_s is not None)
        return min(closes, default=None)

    def from_second(self, start_s: int) -> PoolStock:
        """Return it by the seconds of a trace, for a run that begins at one of them."""
        return replace(self, batches=tuple(batch.from_second(start_s) for batch in self.batches))


def pools_of(scenario: Scenario, catalog: Catalog, start: datetime) -> tuple[PoolStock, ...]:
    """Return the pools of a run that begins at `start`, under the bound of the scenario.

    Raises CatalogError, and ScenarioError where more pods retire than there are.
    """
    if scenario.bound == "rented_only":
        return ()
    endless = scenario.bound == "unlimited_owned"
    closures = {closure.pool: closure for closure in scenario.closures}
    pools = []
    for spec in scenario.pools:
        price = _price(spec, catalog)
        pool = _pool(spec, catalog, price(start), endless=endless)
        if not endless:
            new = scenario.money.age_years == 0
            closure = closures.get(spec.name)
            pods, batches = batches_of(spec, price, start, scenario.seed, closure, new=new)
            pool = replace(pool, pods=pods, batches=batches)
        pools.append(pool)
    return tuple(pools)


def _price(spec: PoolSpec, catalog: Catalog) -> Callable[[datetime], float]:
    """Return what says the price of a pod at an instant: the scenario's, or the dated one of the catalog."""
    kind = catalog.pod(spec.pod) if spec.pod is not None else None
    figure = kind and kind.figures.get("capital_usd")
    if figure and spec.capital_usd is None:
        return lambda at: value_at(figure, at) or 0.0
    return lambda at: spec.capital_usd or 0.0


def _pool(spec: PoolSpec, catalog: Catalog, usd_per_pod: float, *, endless: bool) -> PoolStock:
    """An own device that the catalog does not know costs nothing and draws nothing."""
    kind = catalog.pod(spec.pod) if spec.pod is not None else None
    key = kind.device if kind is not None else spec.device or ""
    device = catalog.device(key) if kind is not None or key in catalog.devices else None
    return PoolStock(
        name=spec.name,
        pod=spec.pod or "",
        device=key,
        pods=spec.pods,
        pod_devices=kind.devices if kind is not None else spec.devices or 1,
        span_efficiency=spec.span_efficiency,
        endless=endless,
        capital_usd_per_pod=usd_per_pod,
        busy_kw=device.busy_kw if device is not None else 0.0,
        idle_kw=device.idle_kw if device is not None else 0.0,
    )
