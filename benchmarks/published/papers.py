"""The papers, as the first table of the page names them, and what of them cannot be said here."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.published.tables import table

PAPERS = {
    "RLScheduler": "RLScheduler (SC 2020), table V on Lublin-1 and Lublin-2",
    "Batsim": "Batsim's EASY and conservative backfilling",
    "Starburst": "Starburst (ATC 2024), table 4, fidelity runs and abstract",
    "Tiresias": "Tiresias (NSDI 2019), SRTF, SRSF and LAS by its rules",
    "Muri": "Muri (SIGCOMM 2022), SRTF and SRSF by its rules",
    "Can't Be Late": "Can't Be Late (NSDI 2024), by its rules",
    "Shockwave": "Shockwave (NSDI 2023), its simulator beside its cluster",
    "Helios": "Helios (SC 2021), figure 13, on Philly",
    "Mu'alem and Feitelson": "Mu'alem and Feitelson (TPDS 2001)",
    "Tsafrir and Feitelson": "Tsafrir and Feitelson (IISWC 2006)",
    "Kueue": "Kueue's baseline of 15,000 workloads",
}


class Beyond(NamedTuple):
    """A paper whose inputs and figures are at hand, but which cannot be said here."""

    paper: str
    figures: int
    """Published ones that are at hand."""
    missing: str


BEYOND = (
    Beyond(
        "Shockwave (NSDI 2023), its seven policies", 14, "rounds, jobs whose batch changes while they run"
    ),
    Beyond("FGD (ATC 2023)", 48, "nodes with CPUs and memory beside devices, and shares of a device"),
    Beyond(
        "Pollux (OSDI 2021)",
        54,
        "rounds, jobs whose size and batch change while they run, speed by placement",
    ),
    Beyond(
        "Gavel (OSDI 2020)",
        28,
        "rounds of time slices, shares of time over kinds of device, a rate for each job on each",
    ),
)


def missing() -> str:
    """Return what would have to be said for each."""
    return table(
        ["paper", "figures at hand", "missing"], [[of.paper, f"{of.figures}", of.missing] for of in BEYOND]
    )
