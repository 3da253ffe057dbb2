"""The public files that the results are redone from; none of them is part of the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from traces.arrays import Array
from traces.formats.importing import import_trace
from traces.trace import Trace

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FILES = {"philly": "philly_gpu_jobs_2017.csv.gz", "swf": "HPC2N-2002-excerpt-alea.swf"}


def public(format_name: str, data: Path = DATA) -> Trace:
    """Import the public file of a format; raises TraceError where it is absent."""
    return import_trace(format_name, data / FILES[format_name]).trace


def replaced(trace: Trace, column: str, values: Array) -> Trace:
    """Return the jobs with other values, rounded down, in a column of whole seconds."""
    at = trace.table.schema.get_field_index(column)
    whole = pa.array(np.asarray(values).astype(np.int64))
    return Trace(trace.table.set_column(at, trace.table.schema.field(at), whole))
