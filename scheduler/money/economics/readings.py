"""What owning a pod may mean: an ExaPOD in each reading of the sources, or a pod of the catalog.

The sources disagree on what an ExaPOD makes and on what it costs, by more than anything else that goes into
build or buy. A reading fixes its peak, its power and its capital together; it is drawn as a whole, by its
weight. Each source counts the same, and so do the readings of one: that is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from scheduler.catalog import Catalog, Figure, PodKind
from scheduler.catalog.models import Certainty

EXAPOD = "exapod"
"""What stands for an ExaPOD in every reading, where else is the key of a pod."""
CHEAPER_THAN_A100 = 6
"""What the forum has of AI Day: as much as A100s at a sixth of the price."""

Figures = tuple[Figure, ...]
"""A figure, or its low, mid and high."""


class Reading(NamedTuple):
    """One pod as one source has it."""

    key: str
    text: str
    pod: PodKind
    weight: float
    figures: Mapping[str, Figures]
    """Inputs that it fixes."""

    def unsure(self, sure: Certainty) -> list[tuple[str, Figure]]:
        """Return its figures of one certainty, each source of an input once."""
        found = {
            (name, figure.source): (name, figure)
            for name, figures in self.figures.items()
            for figure in figures
            if figure.sure == sure
        }
        return list(found.values())


def readings(catalog: Catalog, key: str) -> list[Reading]:
    """Return the readings of an ExaPOD, or of one pod of the catalog; weights are relative to each other.

    Raises CatalogError for a pod that is not known.
    """
    every = list(_exapods(catalog))
    if key == EXAPOD:
        return every
    pod = catalog.pod(key)
    return [each for each in every if each.pod == pod] or [_catalogued(catalog, key, 1.0)]


def islands(catalog: Catalog) -> list[Reading]:
    """Return what else can be owned: the catalog's pods of more than one server of GPUs."""
    return [
        _catalogued(catalog, key, 0.0)
        for key, pod in catalog.pods.items()
        if catalog.device(pod.device).family == "gpu" and pod.devices > pod.node_devices
    ]


def _exapods(catalog: Catalog) -> Iterator[Reading]:
    for key, pod_key, weight in (
        ("article-34", "exapod-article-34", 1 / 8),
        ("article-34-tiles", "exapod-article-34", 1 / 8),
        ("case-study", "exapod-case-study", 1 / 8),
        ("case-study-ten-cabinets", "exapod-case-study-ten-cabinets", 1 / 8),
    ):
        as_tiles = _catalogued(catalog, pod_key, weight)
        stated = as_tiles.pod.figures["peak_pflops"]
        if key == "article-34":
            text = "PFLOPS as stated of the whole"
            yield as_tiles._replace(
                key=key, text=text, figures={**as_tiles.figures, "owned_pflops": (stated,)}
            )
        else:
            yield as_tiles._replace(key=key)
    public = _catalogued(catalog, "exapod-public", 1 / 4)
    for key, text, capital in (
        ("ai-day", "at most the price of a GPU box a tile", _ai_day_usd(catalog, public)),
        ("gpu-price", "at the price of GPUs per PFLOPS", _gpu_usd(catalog, public)),
    ):
        yield public._replace(key=key, text=text, figures={**public.figures, "capital_usd": capital})


def _catalogued(catalog: Catalog, key: str, weight: float) -> Reading:
    """The figures of a pod of the catalog: those of all its devices, and its price where it has one."""
    pod = catalog.pod(key)
    device = catalog.device(pod.device)
    figures = {
        name: (times(device.figures[of], pod.devices),)
        for name, of in (("owned_pflops", "peak_pflops"), ("busy_kw", "busy_kw"), ("idle_kw", "idle_kw"))
    }
    if "capital_usd" in pod.figures:
        figures["capital_usd"] = (pod.figures["capital_usd"],)
    text = f"{pod.devices:,} x {device.peak_pflops:g} PFLOPS"
    return Reading(key, text, pod, weight, figures)


def _ai_day_usd(catalog: Catalog, reading: Reading) -> Figures:
    """From a sixth of the A100s' price per PFLOPS to an A100 box a tile, the most that was said, and mid."""
    (peak,) = reading.figures["owned_pflops"]
    box = catalog.pod("a100-server").capital_usd or 0.0
    low = _usd_per_pflops(catalog, "a100-island") / CHEAPER_THAN_A100 * peak.value
    bound = Figure(reading.pod.devices * box, "ai-day-2022", "low")
    return Figure(low, "forum", "low"), bound, bound


def _gpu_usd(catalog: Catalog, reading: Reading) -> Figures:
    """What islands of B200, H100 and A100 cost per PFLOPS."""
    (peak,) = reading.figures["owned_pflops"]
    keys = ("b200-island", "h100-island", "a100-island")
    return tuple(Figure(_usd_per_pflops(catalog, key) * peak.value, key, "low") for key in keys)


def _usd_per_pflops(catalog: Catalog, key: str) -> float:
    pod = catalog.pod(key)
    return (pod.capital_usd or 0.0) / (pod.devices * catalog.device(pod.device).peak_pflops)


def times(figure: Figure, factor: float) -> Figure:
    """Return a figure as many times as large, as sure as before."""
    return Figure(figure.value * factor, figure.source, figure.sure)
