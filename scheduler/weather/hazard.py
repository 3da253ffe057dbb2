"""The rate at which something stops a gang, as the scenario says; checkpoint intervals follow from it."""

from __future__ import annotations

from math import ceil

from scheduler.scenario import Scenario
from scheduler.stock.stock import Stock
from traces.times import HOUR_S


def hazards(scenario: Scenario, stock: Stock) -> dict[str, dict[int, float]]:
    """Return, by pool or offer, devices that fail together and failures a second of each such unit.

    Maintenance is planned and not counted, nor is a recording, whose hazard nobody knew beforehand. There is
    no hazard in fair weather.
    """
    if scenario.fair_weather:
        return {}
    rates: dict[str, dict[int, float]] = {}
    pod_devices = {pool.name: pool.pod_devices for pool in stock.pools}
    for spec in scenario.pools:
        for failure in spec.failures if spec.name in pod_devices else ():
            devices = {"device": 1, "cabinet": failure.devices or 1, "pod": pod_devices[spec.name]}
            _add(rates, spec.name, devices[failure.of], failure.mtbf_h)
    node_devices = {offer.name: offer.largest_size for offer in stock.offers}
    for offer in scenario.offers:
        if offer.name in node_devices and offer.reclaim is not None and offer.reclaim.up_h is not None:
            _add(rates, offer.name, node_devices[offer.name], offer.reclaim.up_h)
    return rates


def _add(rates: dict[str, dict[int, float]], name: str, devices: int, mtbf_h: float) -> None:
    units = rates.setdefault(name, {})
    units[devices] = units.get(devices, 0.0) + 1 / (mtbf_h * HOUR_S)


def hazard_per_s(units: dict[int, float], devices: int) -> float:
    """Return the hazard of a gang of so many devices, which touches as few units as can hold it."""
    return sum(ceil(devices / size) * rate for size, rate in units.items())
