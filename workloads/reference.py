"""The device that a trace's jobs speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Reference(NamedTuple):
    """A reference device and what it delivers, as whoever generates says: the catalog's peak x MFU."""

    device: str
    pflops: Mapping[str, float]
    """Delivered PFLOPS by kind of job."""
