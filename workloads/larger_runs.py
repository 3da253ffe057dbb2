"""Runs that grow with the years: how many devices a job asks for when it is submitted.

Training compute at the frontier grows 4 to 5 times a year (Epoch AI), by larger runs more than by more of
them; what a company's own runs do is for the demand to say.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from traces import portable
from traces.arrays import Array, Floats
from workloads.fleet import DAYS_PER_YEAR
from workloads.shapes import sizes


def growth(kind: str, per_year: Mapping[str, float], years_before: float, hours: Floats) -> Floats:
    """Return the factor on the gangs of a kind at hours from the start.

    `per_year` are factors by kind or workload, the kind's own first; 1 where there is none. At the start
    they have grown for `years_before`.
    """
    a_year = per_year.get(kind, per_year.get(kind.partition(".")[0], 1.0))
    years = years_before + hours / (24 * DAYS_PER_YEAR)
    return portable.exp(years * portable.log(a_year))


def grown_gangs(rng: np.random.Generator, gangs: Array, factors: Floats, largest: int) -> Array:
    """Return gangs times their factors as sizes that jobs ask for, none above `largest`.

    Between two sizes it is chance that decides, so that the mean is as the factor says.
    """
    allowed = np.array(sizes(largest))
    wished = np.clip(gangs * factors, allowed[0], allowed[-1])
    above = np.searchsorted(allowed, wished)
    low, high = allowed[np.maximum(above - 1, 0)], allowed[above]
    return np.where(rng.random(len(gangs)) * (high - low) < wished - low, high, low)
