"""The log of patience that is not the same for all: when who was out of it."""

from __future__ import annotations

import pyarrow as pa

from traces.parquet import documented

PATIENCE = pa.schema(
    [
        documented("job_id", pa.int64(), "", "as in the trace"),
        documented("over_s", pa.int64(), "s", "from when on it sought rented devices, from the epoch"),
    ]
)
