"""The trace of jobs that every stage shares: its columns, its rules and its Parquet form.

`traces.trace` holds the table, `traces.formats` one small reader per foreign format.
"""

from traces.trace import TRACE_SCHEMA, Trace, TraceError

__all__ = ["TRACE_SCHEMA", "Trace", "TraceError"]
