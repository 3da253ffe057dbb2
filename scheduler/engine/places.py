"""Where a job may run, of all that could hold it: the devices, pools and offers that it asks for by name."""

from __future__ import annotations

from typing import NamedTuple


class Places(NamedTuple):
    """Words of a trace's `requires` and `excludes`; None where a job does not care.

    `device:NAME` is each pool and offer of that device, `pool:NAME` the pool or the offer of that name.
    """

    requires: str | None = None
    excludes: str | None = None

    def hold(self, name: str, device: str) -> bool:
        """Say whether a pool or offer is one of those required, if any are, and none of those excluded."""
        here = {f"device:{device}", f"pool:{name}"}
        required, excluded = (set(words.split(",")) if words else set() for words in self)
        return not excluded & here and (not required or bool(required & here))

    def __str__(self) -> str:
        """Return them as in "requires device:h100, excludes pool:slow"."""
        return ", ".join(f"{name} {words}" for name, words in zip(self._fields, self, strict=True) if words)


ANYWHERE = Places()
