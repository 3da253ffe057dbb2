"""Attempts that began before their run: what of them lies in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from scheduler.engine.log.outcomes import Account
from traces.arrays import Ints


class Span(NamedTuple):
    """Attempts by column: the turn of the job, devices that work, and when."""

    turn: Ints
    used: Ints
    alloc_s: Ints
    start_s: Ints
    end_s: Ints


class Carried:
    """Attempts by turn of their job, with what they had come to when the run began, at `opens_s`."""

    def __init__(self, opens_s: int, so_far: Iterable[tuple[int, Account]]) -> None:
        self._opens_s, self._so_far = opens_s, dict(so_far)

    def within(self, spans: Span, told: dict[str, Any]) -> tuple[Ints, Ints]:
        """Return from when on attempts held devices and worked in the run; cuts their accounts down."""
        turn, used, alloc_s, start_s, end_s = spans
        for at in np.flatnonzero(np.isin(turn, list(self._so_far))).tolist():
            before = self._so_far.pop(int(turn[at]))._asdict()
            for name, value in before.items():
                told[name][at] = max(0, told[name][at] - value)
        start_s = np.maximum(start_s, self._opens_s)
        worked_device_s = used * (end_s - start_s - told["checkpointing_s"])
        told["lost_device_s"] = np.minimum(told["lost_device_s"], worked_device_s)
        return np.maximum(alloc_s, self._opens_s), start_s
