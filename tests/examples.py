"""How many random worlds a test meets."""

from __future__ import annotations

import os


def examples(most: int) -> int:
    """Return all of them for `make test-all` and for mutants; a sixth for `make test`, to be quick."""
    return most if "EXABURST_WORLDS" in os.environ else max(10, most // 6)
