"""How many random worlds a test meets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def examples(most: int) -> int:
    """Return all of them for `make test-all` and for mutants; a sixth for `make test`, to be quick."""
    return most if _takes_its_time() else max(10, most // 6)


def some(cases: Sequence[_T], of: int = 3, first: int = 0) -> Sequence[_T]:
    """Return all cases for `make test-all` and for mutants; for `make test` one in three, from `first` on."""
    return cases if _takes_its_time() else cases[first % of :: of]


def _takes_its_time() -> bool:
    return "EXABURST_WORLDS" in os.environ
