"""How many random worlds a test meets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def examples(most: int) -> int:
    """Return all of them for `make test-all`; a sixth for `make test`, to be quick, and for mutants."""
    return most if _takes_its_time() else max(10, most // 6)


def some(cases: Sequence[_T], of: int = 3, first: int = 0) -> Sequence[_T]:
    """Return all cases for `make test-all`; one in three, from `first` on, for `make test` and mutants."""
    return cases if _takes_its_time() else cases[first % of :: of]


def _takes_its_time() -> bool:
    return os.environ.get("EXABURST_WORLDS") == "fresh"
