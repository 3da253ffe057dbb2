"""Devices of a pod or an offer, by number: which are sound, and who holds them."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Protocol

NOBODY = -1
"""Stands for the turn of a holder: not in service, and held by none."""


class Holder(Hashable, Protocol):
    """Who holds units."""

    turn: int
    """The number under which its job waited."""
    release_s: int
    """Its estimated end, as the pods were told."""


class Units:
    """Numbered units of so many devices each; a gang takes the lowest numbers that are free and sound.

    A unit that some outage concerns is given to nobody. One that is held then stays so until its gang ends.
    `moved` is told how many more devices, or fewer where negative, are out of service and held by nobody.
    """

    __slots__ = ("_free", "_held", "_holder", "_moved", "_troubles", "devices", "out")

    def __init__(self, count: int, devices: int, moved: Callable[[int], None]) -> None:
        self.devices = devices
        self.out = 0
        """Devices out of service and held by nobody."""
        self._moved = moved
        self._free = list(range(count))
        self._holder: list[Holder | None] = [None] * count
        self._held: dict[Holder, list[int]] = {}
        self._troubles: list[list[int]] = [[] for _ in range(count)]
        """By unit, when each outage that concerns it should be over."""

    def take(self, holder: Holder, devices: int) -> None:
        """Give a gang units for so many devices."""
        count = devices // self.devices
        self._held[holder] = units = self._free[:count]
        del self._free[:count]
        for unit in units:
            self._holder[unit] = holder

    def release(self, holder: Holder) -> int:
        """Take a gang's units back; return how many of its devices are out of service."""
        units = self._held.pop(holder)
        for unit in units:
            self._holder[unit] = None
        sound = [unit for unit in units if not self._troubles[unit]]
        self._free = sorted(self._free + sound)
        return self._gone(len(units) - len(sound))

    def sound(self, holder: Holder) -> int:
        """Return how many of a gang's devices no outage concerns."""
        return self.devices * sum(not self._troubles[unit] for unit in self._held[holder])

    def withhold(self, first: int, devices: int, expected_s: int) -> int:
        """Let an outage begin to concern devices; return how many of them were free until now."""
        idle = 0
        for unit in self._range(first, devices):
            if not self._troubles[unit] and self._holder[unit] is None:
                self._free.remove(unit)
                idle += 1
            self._troubles[unit].append(expected_s)
        return self._gone(idle)

    def holders(self, first: int, devices: int) -> list[Holder]:
        """Return who holds some of the devices, in order of the units."""
        held = (self._holder[unit] for unit in self._range(first, devices))
        return list(dict.fromkeys(holder for holder in held if holder is not None))

    def restore(self, first: int, devices: int, expected_s: int) -> int:
        """Let an outage cease to concern devices; return how many of them are free from now on."""
        free = 0
        for unit in self._range(first, devices):
            self._troubles[unit].remove(expected_s)
            if not self._troubles[unit] and self._holder[unit] is None:
                insort(self._free, unit)
                free += 1
        return -self._gone(-free)

    def expected(self) -> list[tuple[int, int, int]]:
        """Return (second, turn of the holder, devices), ascending: when those that are not free should be.

        That is once their holder should have ended, and the last outage that concerns them be over.
        """
        units: Counter[tuple[int, int]] = Counter()
        for holder, troubles in zip(self._holder, self._troubles, strict=True):
            if holder is not None:
                units[max([holder.release_s, *troubles]), holder.turn] += 1
            elif troubles:
                units[max(troubles), NOBODY] += 1
        return sorted((second, turn, count * self.devices) for (second, turn), count in units.items())

    def _range(self, first: int, devices: int) -> range:
        return range(first // self.devices, (first + devices) // self.devices)

    def _gone(self, units: int) -> int:
        devices = units * self.devices
        if devices:
            self.out += devices
            self._moved(devices)
        return devices
