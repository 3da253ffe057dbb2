"""What is fixed for a run, worked out once."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import asdict

from scheduler.catalog import Catalog, load_catalog
from scheduler.money.ledger.rates import Calendar, Owning
from scheduler.policy import Policy
from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock, check_speeds, stock_of
from scheduler.weather import Weather, weather_of
from scheduler.weather.prices import with_prices
from traces.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A scenario over a trace, with all that follows from the two; make it with `Setup.of`."""

    scenario: Scenario
    trace: Trace
    catalog: Catalog
    stock: Stock
    """With the prices of the weather."""
    weather: Weather | None
    policy: Policy
    owning: Owning

    @classmethod
    def of(cls, scenario: Scenario, trace: Trace, catalog: Catalog | None = None) -> Setup:
        """Work it out.

        Raises CatalogError for a device, an offer or a speed that is not known, PriceError, RecordingError
        and WeatherError for a file that is wrong, LedgerError for a run too long to be priced.
        """
        catalog = catalog or load_catalog()
        stock = stock_of(scenario, catalog, trace.epoch)
        check_speeds(stock, trace.reference_device, catalog)
        weather = weather_of(scenario, stock, trace)
        owning = Owning(scenario.money, Calendar.of(trace.epoch))
        owning.periods(scenario.horizon_s or trace.last_submit_s)  # too many? better said now than later
        return cls(
            scenario=scenario,
            trace=trace,
            catalog=catalog,
            stock=with_prices(stock, weather),
            weather=weather,
            policy=Policy.build(**asdict(scenario.policy)),
            owning=owning,
        )
