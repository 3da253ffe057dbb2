"""The trace of jobs that every stage shares, its columns, rules and Parquet form; and the common ground.

`traces.trace` holds the table, `traces.formats` one small reader per foreign format. `errors`, `times`,
`arrays` and `step_function` are helpers for all packages.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traces.trace import TRACE_SCHEMA, Trace, TraceError
else:

    def __getattr__(name: str) -> Any:
        """Import the table, which costs half a second, only where it is asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("traces.trace"), name)


__all__ = ["TRACE_SCHEMA", "Trace", "TraceError"]
