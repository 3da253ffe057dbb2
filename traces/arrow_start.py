"""A quick start of Arrow that keeps little: for the command, and the workers of a study."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType


class _NoPandas:
    """A finder of modules that says of pandas that it is not there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Leave all others to the finders that follow."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def start_arrow_without_pandas() -> None:
    """Let Arrow look for pandas in vain, once, and give memory back when it has no more use for it.

    It would import pandas with the first array that it makes, whoever has use for it or not, which is a third
    of what a short command takes. What asks for a frame later has it all the same. In a process where pandas
    is, nothing is done. Arrow's own pool of memory keeps what was freed, a sixth of what a summary takes.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        try:
            import pyarrow as pa

            pa.array([0])
        finally:
            sys.meta_path.remove(_NoPandas)
        pa.set_memory_pool(pa.system_memory_pool())
