"""What a scenario owns and rents, with the catalog's figures filled in and a bound applied.

The result is plain data: the engine builds its pools and offers from it, the ledger takes its prices, and
run.json keeps it, so that a finished run can be read without the catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import gcd

from msgspec import Struct
from msgspec.structs import replace

from scheduler.catalog import Catalog, CatalogError
from scheduler.catalog.models import Offer
from scheduler.scenario import OfferSpec, Scenario
from scheduler.stock.contracts import Commitment, commitments_of
from scheduler.stock.pools import PoolStock, pools_of
from scheduler.stock.price_series import Step, Surge, dated_steps, from_start, read_series
from scheduler.stock.recordings import recorded_most
from scheduler.stock.sites import SiteStock, check_caps, sites_of
from traces.dated import Points, points_of
from traces.times import HOUR_S

GBIT_PER_TB = 8_000
NO_QUOTA = 10**9
"""Devices that may be rented where the bound lifts quotas."""
_UNIX_EPOCH = datetime.fromtimestamp(0, UTC)


class OfferStock(Struct, frozen=True, kw_only=True):
    """Rentable devices."""

    name: str
    offer: str
    """Key in the catalog."""
    provider: str
    region: str
    device: str
    quota: int
    sizes: tuple[int, ...]
    """Devices of the instances that are rented, ascending."""
    prices: tuple[Step, ...]
    """(second, USD/device-hour from there on); the first is of the start of the run."""
    prices_by_size: dict[int, tuple[Step, ...]]
    """Of sizes that cost otherwise, all but the largest."""
    list_usd_per_device_h: float
    """The catalog's on-demand price where the scenario agrees on one of its own; else 0."""
    spot: bool
    """Rented at the spot price: the devices may be reclaimed."""
    commitments: tuple[Commitment, ...]
    boot_s: int
    billing_step_s: int
    minimum_s: int
    release_s: int
    egress_usd_per_gb: float
    staging_s_per_tb: float

    @property
    def largest_size(self) -> int:
        """Devices of a node."""
        return self.sizes[-1]

    @property
    def unit_devices(self) -> int:
        """Devices come and go in multiples of it."""
        return gcd(*self.sizes)

    @property
    def most_devices(self) -> int:
        """Devices that can be held at once: what the quota has in whole units."""
        return self.quota // self.unit_devices * self.unit_devices

    @property
    def keep_s(self) -> int:
        """Seconds for which nodes are kept after their gang; where all is committed, there is no need."""
        return 0 if self.all_committed else self.release_s

    @property
    def all_committed(self) -> bool:
        """Whether all that may be rented is paid anyhow, whenever it may be."""
        return any(
            each.kind == "block" or (each.devices >= self.quota and each.from_s is each.to_s is None)
            for each in self.commitments
        )

    @property
    def price_steps_s(self) -> set[int]:
        """The seconds from which on something costs otherwise, and the first."""
        return {second for steps in (self.prices, *self.prices_by_size.values()) for second, _ in steps}

    @property
    def blocks(self) -> list[Commitment]:
        """The terms in which alone it is there; none: it always is."""
        return [each for each in self.commitments if each.kind == "block"]

    def from_second(self, start_s: int) -> OfferStock:
        """Return it with prices by the seconds of a trace, for a run that begins at one of them."""

        def moved(prices: tuple[Step, ...]) -> tuple[Step, ...]:
            return tuple((start_s + second, usd) for second, usd in prices)

        by_size = {size: moved(prices) for size, prices in self.prices_by_size.items()}
        terms = tuple(each.later(start_s) for each in self.commitments)
        return replace(self, prices=moved(self.prices), prices_by_size=by_size, commitments=terms)

    def held_for(self, used: int) -> int:
        """Return the devices that a gang holds which uses some: the size that fits, or whole nodes."""
        for size in self.sizes:
            if used <= size:
                return size
        return -(-used // self.largest_size) * self.largest_size


class Stock(Struct, frozen=True, kw_only=True):
    """All that a run can place jobs on."""

    pools: tuple[PoolStock, ...]
    offers: tuple[OfferStock, ...]
    sites: tuple[SiteStock, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the pools, then of the offers: a resource is known by its number among them."""
        return [*(pool.name for pool in self.pools), *(offer.name for offer in self.offers)]

    @property
    def metered(self) -> tuple[SiteStock, ...]:
        """The sites whose power is logged: none where pools add pods, which all of the run is charged for."""
        return () if any(pool.endless for pool in self.pools) else self.sites

    def from_second(self, start_s: int) -> Stock:
        """Return it with dates by the seconds of a trace, for a run that begins at one of them."""
        return replace(
            self,
            pools=tuple(pool.from_second(start_s) for pool in self.pools),
            offers=tuple(offer.from_second(start_s) for offer in self.offers),
            sites=tuple(site.from_second(start_s) for site in self.sites),
        )


def stock_of(scenario: Scenario, catalog: Catalog, start: datetime = _UNIX_EPOCH) -> Stock:
    """Fill in the catalog's figures and apply the scenario's bound.

    `start` is the start of the run, from which prices count; without it, price series by date are checked but
    stand at the wrong place. Raises CatalogError, PriceError, RecordingError, and ScenarioError for a cap too
    low, and where more pods retire than there are.

    Bounds say what would be best if something were free. owned_only: nothing can be rented. rented_only:
    nothing is owned and quotas are lifted. unlimited_owned: pods without end, so nothing waits or is rented.
    """
    bound, pools = scenario.bound, pools_of(scenario, catalog, start)
    offers = () if bound in ("owned_only", "unlimited_owned") else scenario.offers
    stock = Stock(
        pools=pools,
        offers=tuple(
            _offer(spec, catalog, start, lifted=bound == "rented_only", fair=scenario.fair_weather)
            for spec in offers
        ),
        sites=sites_of(scenario, tuple(pool.name for pool in pools)),
    )
    idle_kw = {pool.name: pool.idle_kw * pool.most_pods() * pool.pod_devices for pool in pools}
    check_caps(stock.sites, idle_kw)
    return stock


def _offer(spec: OfferSpec, catalog: Catalog, start: datetime, *, lifted: bool, fair: bool) -> OfferStock:
    offer = catalog.offer(spec.offer)
    surges = [Surge(round(at.from_h * HOUR_S), round(at.to_h * HOUR_S), at.factor) for at in spec.surges]
    egress = offer.egress_usd_per_gb if spec.egress_usd_per_gb is None else spec.egress_usd_per_gb
    gbps = offer.staging_gbps if spec.staging_gbps is None else spec.staging_gbps
    agreed = spec.usd_per_device_h is not None and spec.price is None and not spec.spot
    sizes = spec.sizes or (offer.spot_sizes if spec.spot else None) or offer.sizes
    prices = {size: _steps(spec, offer, size, start, [] if fair else surges) for size in sizes}
    return OfferStock(
        name=spec.name,
        offer=spec.offer,
        provider=offer.provider,
        region=offer.region,
        device=offer.device,
        quota=NO_QUOTA if lifted else _quota(spec, sizes[-1]),
        sizes=sizes,
        prices=prices[sizes[-1]],
        prices_by_size={size: steps for size, steps in prices.items() if steps != prices[sizes[-1]]},
        list_usd_per_device_h=offer.usd_per_device_h if agreed else 0.0,
        spot=spec.spot,
        commitments=() if lifted and spec.blocks else commitments_of(spec, offer, sizes[-1], start),
        boot_s=offer.boot_s if spec.boot_s is None else spec.boot_s,
        billing_step_s=offer.billing_step_s,
        minimum_s=offer.minimum_s,
        release_s=spec.release_s,
        egress_usd_per_gb=egress,
        staging_s_per_tb=GBIT_PER_TB / gbps,
    )


def _steps(
    spec: OfferSpec, offer: Offer, size: int, start: datetime, surges: Sequence[Surge]
) -> tuple[Step, ...]:
    """Return the prices of a size: as the scenario or the catalog has them, until its file takes over."""
    price = _price(spec, offer, size)
    path = dated_steps(price, start) if isinstance(price, tuple) else [(0, price)]
    series = read_series(spec.price.csv, start) if spec.price is not None else []
    before = [step for step in path if not series or step[0] < series[0][0]]
    return from_start(path[0][1], [*before, *series], surges)


def _price(spec: OfferSpec, offer: Offer, size: int) -> float | Points:
    """Return the price of a size; a commitment is one contract, at the price of nodes."""
    if isinstance(spec.usd_per_device_h, tuple):
        return points_of(spec.usd_per_device_h)
    if spec.usd_per_device_h is not None:
        return spec.usd_per_device_h
    own = offer.spot_usd_per_device_h_by_size if spec.spot else offer.usd_per_device_h_by_size
    name = "spot_usd_per_device_h" if spec.spot else "usd_per_device_h"
    common = getattr(offer, name)
    if common is None:
        raise CatalogError(
            f'{spec.name}: the offer "{offer.key}" has no spot price: give usd_per_device_h, or spot = false'
        )
    if size in own and not (spec.commitments or spec.blocks):
        return own[size]
    figure = offer.figures.get(name)
    return figure.points if figure is not None and figure.points else float(common)


def _quota(spec: OfferSpec, largest_size: int) -> int:
    """A recording knows nothing of more nodes than it ever had."""
    if spec.reclaim is None or spec.reclaim.recording is None:
        return spec.quota
    return min(spec.quota, recorded_most(spec.reclaim.recording) * largest_size)
