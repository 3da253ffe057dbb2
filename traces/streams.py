"""Random streams keyed by (seed, what, whose): common random numbers for all policies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

Stream = Callable[[str], np.random.Generator]
"""Gives a stream of its own for each word."""


def streams(seed: int, what: str, whose: str) -> Stream:
    """Return the streams of one sort of chance at one place, the same in every process.

    Streams of another seed, sort, place or word are independent (numpy's SeedSequence), so that drawing more
    from one never shifts what another gives.
    """

    def stream(word: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{what} {whose} {word}".encode()).digest()
        return np.random.default_rng(np.random.SeedSequence([seed, *np.frombuffer(digest, "<u4").tolist()]))

    return stream
