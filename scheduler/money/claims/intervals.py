"""The range that simulated runs leave open: t intervals over their seeds."""

from __future__ import annotations

import numpy as np

from scheduler.money.claims.claim_file import Range
from scheduler.money.claims.readings import span
from traces.arrays import Floats
from traces.confidence import halfwidth


def interval(values: Floats) -> Range:
    """Return the range from the lowest to the highest end of the t intervals of the mean over the last axis.

    Where a value is infinite its mean is not known: from the least value to infinity.
    """
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values).all(axis=-1)
    known = values[finite]
    mean, half = known.mean(axis=-1), halfwidth(known)
    ends = np.concatenate([(mean - half).ravel(), (mean + half).ravel(), values[~finite].ravel()])
    return span(ends)
