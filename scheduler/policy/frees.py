"""Free devices by pod, where there are many pods: pods are found by how many they have, without a walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

MANY = 64
"""More pods than that are kept by count; fewer are soon looked through."""


class CountedFrees(list[int]):
    """A column of free devices by pod, and for each count the pods that have so many: a bit a pod.

    It answers a place policy that knows to ask.
    """

    __slots__ = ("_counts", "_pods")

    def __init__(self) -> None:
        super().__init__()
        self._pods: dict[int, int] = {}
        """The pods with a count of free devices, as bits."""
        self._counts = 0
        """The counts that some pod has, as bits."""

    def __iadd__(self, more: Iterable[int]) -> CountedFrees:  # type: ignore[misc,override]
        for here in more:
            self.append(here)
            self._add(len(self) - 1, here)
        return self

    def __setitem__(self, at: int, here: int) -> None:  # type: ignore[override]
        before = self[at]
        self._pods[before] ^= 1 << at
        if not self._pods[before]:
            self._counts ^= 1 << before
        super().__setitem__(at, here)
        self._add(at, here)

    def _add(self, at: int, here: int) -> None:
        self._pods[here] = self._pods.get(here, 0) | 1 << at
        self._counts |= 1 << here

    @property
    def most(self) -> int:
        """The most devices that a pod has free; -1 where there are no pods."""
        return self._counts.bit_length() - 1

    def fullest(self, devices: int) -> int:
        """Return the first of the pods with the fewest free devices, but so many; -1 where there is none."""
        counts = self._counts >> devices
        return _first(self._pods[devices + _first(counts)]) if counts else -1

    def emptiest(self, devices: int) -> int:
        """Return the first of the pods with the most free devices; -1 where that is not so many."""
        return _first(self._pods[self.most]) if devices <= self.most else -1

    def first(self, devices: int) -> int:
        """Return the first pod that has so many free; -1 where there is none."""
        able = 0
        for count in _bits(self._counts >> devices):
            able |= self._pods[devices + count]
        return _first(able)

    def fitting(self, devices: int) -> Iterator[int]:
        """Yield the pods that have so many free."""
        for count in _bits(self._counts >> devices):
            yield from _bits(self._pods[devices + count])


def fitting(frees: Sequence[int], devices: int) -> Iterator[int]:
    """Yield the pods that have so many devices free, in no order."""
    if isinstance(frees, CountedFrees):
        return frees.fitting(devices)
    return (at for at, here in enumerate(frees) if here >= devices)


def most_of(frees: Sequence[int]) -> int:
    """Return the most devices that a pod has free."""
    return frees.most if isinstance(frees, CountedFrees) else max(frees, default=0)


def _first(bits: int) -> int:
    """Return the number of the lowest bit; -1 where there is none."""
    return (bits & -bits).bit_length() - 1


def _bits(bits: int) -> Iterator[int]:
    """Yield the numbers of the bits, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
