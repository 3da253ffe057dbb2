"""Claims on fleets, sites, dates and cars, one pure function each, named after the claim: see `verdicts`."""

from __future__ import annotations

from scheduler.catalog import Catalog
from scheduler.money.claims.claim_file import Range, named
from scheduler.money.claims.readings import corners, span

SITES = ("cortex", "colossus")
"""How the catalog's keys of pods at those sites begin."""


def first_exapod(d1_bought: Range, public_chips: Range, public_pod_tiles: Range) -> Range:
    """ExaPODs that the chips to be bought make."""
    return d1_bought.times(1 / (public_chips.low * public_pod_tiles.low))


def capacity_tenfold(
    d1_bought: Range,
    cortex_h100: Range,
    public_chip_pflops: Range,
    h100_pflops: Range,
    public_pod_tiles: Range,
    public_tile_pflops: Range,
) -> Range:
    """Peak over that of one public ExaPOD, from all Dojo that was to be bought to Cortex."""
    one = public_pod_tiles.low * public_tile_pflops.low
    return span(*d1_bought.times(public_chip_pflops.low / one), *cortex_h100.times(h100_pflops.low / one))


def capacity_hundredfold(
    d1_bought: Range,
    cortex_h100: Range,
    public_chip_pflops: Range,
    h100_pflops: Range,
    public_pod_tiles: Range,
    public_tile_pflops: Range,
) -> Range:
    """The same as for ten times."""
    return capacity_tenfold(
        d1_bought, cortex_h100, public_chip_pflops, h100_pflops, public_pod_tiles, public_tile_pflops
    )


def gigawatt_sites(colossus_1_mw: Range, cortex_2_mw: Range) -> Range:
    """Power in MW of the sites of which it is known."""
    return span(*colossus_1_mw, *cortex_2_mw)


def dojo_at_sites(catalog: Catalog) -> Range:
    """Tiles in the catalog's pods of these sites."""
    pods = [pod for key, pod in catalog.pods.items() if key.startswith(SITES)]
    tiles = sum(pod.devices for pod in pods if catalog.device(pod.device).family == "dojo")
    return Range(tiles, tiles)


def owned_generation(d1_year: Range, next_tile_year: Range) -> Range:
    """Years from the first owned silicon to the next."""
    return Range(next_tile_year.low - d1_year.high, next_tile_year.high - d1_year.low)


def two_generations(a100_year: Range, b200_year: Range) -> Range:
    """Years from A100 over H100 to B200."""
    return Range(b200_year.low - a100_year.high, b200_year.high - a100_year.low)


def optimus_above_fsd(optimus_pods: Range, fleet_pods: Range) -> Range:
    """ExaPODs for the robots over those that FSD has."""
    robots, cars = corners(optimus_pods, fleet_pods)
    return span(robots / cars)


def clips(fsd_miles: Range, clips_per_mile: Range) -> Range:
    """10^9 clips of all miles driven."""
    miles, rate = corners(fsd_miles, clips_per_mile)
    return span(miles * rate / 1e9)


def parked_cars(cars: Range, wired_share: Range, car_tops: Range) -> Range:
    """10^15 operations a second of the cars that are parked on a wired link."""
    number, share, tops = corners(cars, wired_share, car_tops)
    return span(number * share * tops / 1_000)


FLEET_CLAIMS = named(
    first_exapod,
    capacity_tenfold,
    capacity_hundredfold,
    gigawatt_sites,
    dojo_at_sites,
    owned_generation,
    two_generations,
    optimus_above_fsd,
    clips,
    parked_cars,
)
