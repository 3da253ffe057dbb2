"""What owners have had of the pods, fading as time goes by."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log

import numpy as np

from traces.arrays import Floats
from traces.portable import expm1_of


class OwnerUse:
    """Device-seconds by owner, of which a half is forgotten in each `half_life_s`; inf: nothing is.

    With r = ln 2 / half-life, d devices held for t seconds turn a use of u into
    u e^(-rt) + d (1 - e^(-rt)) / r.
    """

    def __init__(self, owners: Sequence[str], half_life_s: float, start_s: int) -> None:
        self._number = {owner: at for at, owner in enumerate(owners)}
        self._rate = 0.0 if half_life_s == inf else log(2) / half_life_s
        self._use = np.zeros(len(owners))
        self._held = np.zeros(len(owners))
        self._now_s = start_s

    def holds(self, owner: str, devices: int, now_s: int) -> None:
        """An owner holds so many more devices from now on, or fewer where negative."""
        self.at(now_s)
        self._held[self._number[owner]] += devices

    def at(self, now_s: int) -> Floats:
        """Return the use of each owner now."""
        if (past_s := now_s - self._now_s) > 0:
            self._now_s = now_s
            if self._rate:
                fading = -expm1_of(-self._rate * past_s)
                self._use += fading * (self._held / self._rate - self._use)
            else:
                self._use += past_s * self._held
        return self._use
