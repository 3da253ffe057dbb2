"""How sure a mean is, by Student's t: for all that is measured over seeds or weeks."""

from __future__ import annotations

from typing import NamedTuple

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


class BlocksDrawn(NamedTuple):
    """How many blocks of a log each replication is drawn from, and how many of the log's are free to vary.

    Those are all but one, or but one of each sort that is drawn for its own places.
    """

    drawn: float
    free: int

    def freedom(self, replications: int) -> int:
        """Return the degrees of freedom of their spread: few replications do not know the blocks well."""
        return min(self.free, replications - 1)


def halfwidth_of_draws(values: Floats, blocks: BlocksDrawn, level: float = LEVEL) -> Floats:
    """Return half the interval of the mean over the last axis, of replications drawn from a log's blocks.

    More replications do not make a log longer: they show how much one of `drawn` blocks varies, from which
    follows how much the log itself would, of which there is one (Davison & Hinkley, "Bootstrap Methods and
    their Application", 1997, on block resampling). Right for figures that are means over blocks.
    """
    count = values.shape[-1]
    each = blocks.drawn / blocks.free + 1 / count
    return np.asarray(t_quantile(blocks.freedom(count), level) * values.std(axis=-1, ddof=1) * np.sqrt(each))
