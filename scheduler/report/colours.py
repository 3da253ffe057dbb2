"""One palette for all that is drawn: that of Okabe and Ito ("Color universal design", 2008).

Colour-blind readers can tell its colours apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#777777"
OLIVE, WINE, TEAL = "#999933", "#882255", "#44AA99"
SAND, INDIGO, ROSE, MAUVE, PINE = "#DDCC77", "#332288", "#CC6677", "#AA4499", "#117733"
"""Of the muted scheme of Tol ("Colour schemes", 2021), for what the palette has no more colours for."""
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, BLACK, YELLOW)

_WORKLOADS = {"fsd": BLUE, "optimus": ORANGE, "tenant": GREEN, "other": PURPLE}

BEARER_COLOURS = {
    "job": BLUE,
    "idle": SKY,
    "down": BLACK,
    "boot": ORANGE,
    "minimum": PURPLE,
    "unused_commitment": VERMILION,
    "site": YELLOW,
    "assets": GREY,
    "commitment": GREEN,
    "tenant": ROSE,
    "edge": INDIGO,
}
LINE_COLOURS = {
    "capital": BLUE,
    "operations": GREEN,
    "energy": ORANGE,
    "carbon": OLIVE,
    "demand_charge": YELLOW,
    "write_off": WINE,
    "resale": TEAL,
    "decommission": SAND,
    "porting": MAUVE,
    "on_demand": VERMILION,
    "spot": BLACK,
    "committed": PURPLE,
    "discount": INDIGO,
    "transfer": SKY,
    "egress": GREY,
    "edge": PINE,
    "credit": ROSE,
}


def workload_colours(words: Iterable[str]) -> dict[str, str]:
    """Return a colour for each workload, those that the generator knows first; others share the rest."""
    others = sorted({str(word) for word in words} - _WORKLOADS.keys())
    rest = [colour for colour in PALETTE if colour not in _WORKLOADS.values()]
    return _WORKLOADS | dict(zip(others, cycle(rest), strict=False))
