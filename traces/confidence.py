"""How sure a mean is, by Student's t: for all that is measured over seeds or weeks."""

from __future__ import annotations

import numpy as np

from traces.arrays import Floats

LEVEL = 0.95
"""Of every interval."""


def t_quantile(freedom: float, level: float = LEVEL) -> float:
    """Return how many standard errors an interval reaches to each side of the mean."""
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, freedom))


def halfwidth(values: Floats, level: float = LEVEL) -> Floats:
    """Return half the interval of the mean over the last axis, which has 2 values or more."""
    count = values.shape[-1]
    return np.asarray(t_quantile(count - 1, level) * (values.std(axis=-1, ddof=1) / np.sqrt(count)))
