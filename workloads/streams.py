"""Random streams keyed by (seed, what, whose): common random numbers across changes of demand."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *words: str) -> np.random.Generator:
    """Return the generator of its own for `words`, the same in every process and Python version.

    Two streams with another seed or another word are independent (numpy's SeedSequence), so that drawing
    more from one never shifts what another gives.
    """
    keys = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") for word in words]
    return np.random.default_rng(np.random.SeedSequence([seed, *keys]))
