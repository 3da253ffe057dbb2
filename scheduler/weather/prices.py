"""The prices of offers times the factors that the weather has drawn for them."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from scheduler.stock.price_series import Step
from scheduler.stock.stock import OfferStock, Stock
from scheduler.weather.table import Weather
from scheduler.weather.table_rules import column, is_in, values
from traces.step_function import row_at


def with_prices(stock: Stock, weather: Weather | None) -> Stock:
    """Multiply the prices of offers by the drawn factors; where none is drawn, prices are as they were."""
    if weather is None:
        return stock
    return replace(stock, offers=tuple(_at_drawn_prices(offer, weather) for offer in stock.offers))


def _at_drawn_prices(offer: OfferStock, weather: Weather) -> OfferStock:
    by_size = {size: _times(prices, weather, offer.name) for size, prices in offer.prices_by_size.items()}
    return replace(offer, prices=_times(offer.prices, weather, offer.name), prices_by_size=by_size)


def _times(prices: tuple[Step, ...], weather: Weather, name: str) -> tuple[Step, ...]:
    table = weather.table
    rows = is_in(table, "where", (name,)) & is_in(table, "what", ("price",))
    from_s, to_s = column(table, "from_s")[rows], column(table, "to_s")[rows]
    if not len(from_s):
        return prices
    base_s, base = (np.array(column) for column in zip(*prices, strict=True))
    at_s = np.unique(np.concatenate([base_s, from_s, to_s]))
    row = row_at(from_s, at_s)
    drawn = (from_s[row] <= at_s) & (at_s < to_s[row])
    factor = np.where(drawn, values(table)[rows][row], 1.0)
    price = factor * base[row_at(base_s, at_s)]
    changes = np.diff(price, prepend=-1.0) != 0
    return tuple(zip(at_s[changes].tolist(), price[changes].tolist(), strict=True))
