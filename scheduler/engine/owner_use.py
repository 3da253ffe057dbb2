"""What owners have had of the pods, fading as time goes by."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log

import numpy as np

from traces.arrays import Floats
from traces.portable import expm1, expm1_of

_SHORT_S = 4_096
"""What fades in a shorter span is worked out once."""
_FEW_OWNERS = 16
"""For so many one number at a time is quicker than an array of them."""


class OwnerUse:
    """Device-seconds by owner, of which a half is forgotten in each `half_life_s`; inf: nothing is.

    With r = ln 2 / half-life, d devices held for t seconds turn a use of u into
    u e^(-rt) + d (1 - e^(-rt)) / r. What an owner has had by the last change of what it holds is kept; so it
    matters to nobody how often it is asked for.
    """

    def __init__(self, owners: Sequence[str], half_life_s: float, start_s: int) -> None:
        self._number = {owner: at for at, owner in enumerate(owners)}
        self._rate = 0.0 if half_life_s == inf else log(2) / half_life_s
        self._use = [0.0] * len(owners)
        self._held = [0] * len(owners)
        self._since = [start_s] * len(owners)
        self._fadings: dict[int, float] = {}

    def holds(self, owner: str, devices: int, now_s: int) -> None:
        """An owner holds so many more devices from now on, or fewer where negative."""
        at = self._number[owner]
        self._use[at] = self._of(self._use[at], self._held[at], now_s - self._since[at])
        self._held[at] += devices
        self._since[at] = now_s

    def at(self, now_s: int) -> Floats:
        """Return the use of each owner now."""
        if len(self._use) <= _FEW_OWNERS:
            owners = zip(self._use, self._held, self._since, strict=True)
            return np.array([self._of(use, held, now_s - since_s) for use, held, since_s in owners])
        use, held = np.array(self._use), np.array(self._held)
        past_s = now_s - np.array(self._since)
        if not self._rate:
            return np.asarray(use + past_s * held)
        return np.asarray(use - expm1(-self._rate * past_s) * (held / self._rate - use))

    def _of(self, use: float, held: int, past_s: int) -> float:
        if not self._rate:
            return use + past_s * held
        return use + self._fading(past_s) * (held / self._rate - use)

    def _fading(self, past_s: int) -> float:
        """Return what part is forgotten in so many seconds; most spans are short, and come again."""
        fading = self._fadings.get(past_s)
        if fading is None:
            fading = -expm1_of(-self._rate * past_s)
            if past_s < _SHORT_S:
                self._fadings[past_s] = fading
        return fading
