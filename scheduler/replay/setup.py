"""What is fixed for a run, worked out once."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.catalog import Catalog, load_catalog
from scheduler.money.ledger.rates import Calendar, Owning
from scheduler.policy import Policy
from scheduler.policy.burst import PATIENCES
from scheduler.scenario import Scenario, run_start_s
from scheduler.scenario.queues import queue_of_owners
from scheduler.stock.checks import check_speeds
from scheduler.stock.dates import check_dates
from scheduler.stock.reference import check_rates
from scheduler.stock.stock import Stock, stock_of
from scheduler.weather import Weather, weather_of
from scheduler.weather.prices import with_prices
from traces.trace import ANY_DEVICE, Trace


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A scenario over a trace, with all that follows from the two; make it with `Setup.of`."""

    scenario: Scenario
    trace: Trace
    catalog: Catalog
    start_s: int
    """The second at which the run begins."""
    stock: Stock
    """With the prices of the weather, by the seconds of the trace."""
    weather: Weather | None
    policy: Policy
    owning: Owning

    @classmethod
    def of(cls, scenario: Scenario, trace: Trace, catalog: Catalog | None = None) -> Setup:
        """Work it out.

        Raises ScenarioError for a start after the first job, CatalogError for a device, an offer or a speed
        that is not known, and for rates that are not those of the trace, PriceError, RecordingError and
        WeatherError for a file that is wrong, LedgerError
        for a run too long to be priced.
        """
        catalog = catalog or load_catalog()
        if scenario.queues:
            queue_of_owners(scenario.queues, trace.codes("owner")[1])
        start_s = run_start_s(scenario, trace)
        stock = stock_of(scenario, catalog, trace.instant(start_s))
        check_speeds(stock, trace.reference_device, catalog)
        check_rates(trace, catalog)
        end_s = scenario.ends_s(start_s) or trace.last_submit_s
        owning = Owning(scenario.money, Calendar.of(trace.epoch), start_s, stock.sites)
        owning.periods(end_s)  # too many? better said now than later, and before there are no dates for them
        check_dates(scenario, stock, catalog, trace.instant(start_s), trace.instant(end_s))
        weather = weather_of(scenario, stock, trace)
        return cls(
            scenario=scenario,
            trace=trace,
            catalog=catalog,
            start_s=start_s,
            stock=with_prices(stock, weather).from_second(start_s),
            weather=weather,
            policy=scenario.policy.build(),
            owning=owning,
        )

    @property
    def horizon_ends_s(self) -> int | None:
        """The second at which the horizon ends the run; None where the last job does."""
        return self.scenario.ends_s(self.start_s)

    @property
    def watches_patience(self) -> bool:
        """Whether patience may look at what was rented so far, or is asked again; it is logged then."""
        name = self.scenario.policy.patience.partition(":")[0]
        return name not in PATIENCES or self.policy.abilities.again_s is not None

    def rate(self, device: str, kind: str) -> float:
        """Return how fast a device is beside the reference device: the ratio of peak x MFU."""
        reference, catalog = self.trace.reference_device, self.catalog
        if reference in (ANY_DEVICE, device):
            return 1.0
        return catalog.device(device).rate_pflops(kind) / catalog.device(reference).rate_pflops(kind)
