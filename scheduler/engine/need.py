"""What a gang takes of a pool or an offer: how many devices, and how fast it runs there."""

from __future__ import annotations

from math import ceil

import numpy as np

from traces.arrays import Ints

_ROUNDING = 1e-9
"""Relative slack under a ceiling, so that a float a hair above a whole number does not add a unit."""


class Need:
    """Devices that a gang takes of one resource, and seconds there per reference second.

    It holds `devices` and works on `used` of them, all unless an offer has no size that is just right.
    `column` is the one of states.parquet that counts them: after the time, each pool, then each offer.
    `least` devices must be free in one pod or in the offer before the gang can start. Where it is `simple`,
    taking them is a matter of one pod's count, which the simulation does itself.
    """

    __slots__ = ("column", "devices", "factor", "least", "open", "opens_s", "simple", "used")

    def __init__(
        self,
        resource: int,
        devices: int,
        factor: float,
        least: int,
        *,
        used: int | None = None,
        simple: bool = False,
    ) -> None:
        self.column = resource + 1
        self.devices = devices
        self.used = devices if used is None else used
        self.factor = factor
        self.least = least
        self.simple = simple
        self.open, self.opens_s = True, 0
        """Whether, and from when on, a gang may start so: nothing has to be ported, or to close, before."""

    def run_s(self, reference_s: int) -> int:
        """Seconds that `reference_s` on the gang's reference devices take here, rounded up."""
        if self.factor == 1.0:
            return reference_s
        return max(1, ceil(reference_s * self.factor * (1 - _ROUNDING)))

    def runs_s(self, reference_s: Ints) -> Ints:
        """Return `run_s` of each of many."""
        if self.factor == 1.0:
            return reference_s
        runs: Ints = np.ceil(reference_s * self.factor * (1 - _ROUNDING)).astype(np.int64)
        return np.maximum(runs, 1)

    @property
    def reach(self) -> float:
        """Seconds here that a reference second may take at most: what limits are divided by."""
        return 1.0 if self.factor == 1.0 else self.factor * (1 - _ROUNDING)

    def reference_s(self, run_s: float) -> float:
        """The longest reference run that takes at most `run_s` seconds here."""
        return run_s if self.factor == 1.0 else run_s / self.reach


def whole_s(seconds: float) -> int:
    """Return seconds above 0, rounded up to whole ones; less than a microsecond is a float's rounding."""
    return max(1, ceil(round(seconds, 6)))


def devices_for(gang: int, rate: float) -> int:
    """Devices of `rate` times the reference speed that keep a gang's throughput, rounded up."""
    return gang if rate == 1.0 else max(1, ceil(gang / rate * (1 - _ROUNDING)))
