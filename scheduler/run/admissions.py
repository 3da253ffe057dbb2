"""The log of quotas: who asked for some when, when it was admitted, and when and why that was over."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import WORD, Ints
from traces.parquet import documented

ENDED, BURST, NO_POD, RECLAIMED, PREEMPTED = range(5)
ENDINGS = ("ended", "burst", "no_pod", "reclaimed", "preempted")
"""Why a request was over: its attempt was, or it went to rented devices, or it found no pod in time, or it
gave way to a job of another queue or of its own."""

ALL_POOLS = "all pools"
"""The resource where quotas are of all pools together."""

ADMISSIONS = pa.schema(
    [
        documented("job_id", pa.int64(), "", "as in the trace"),
        documented("queue", WORD, "", "queue of its owner"),
        documented("resource", WORD, "", f"pool, or {ALL_POOLS}; null: no quota concerns it", nullable=True),
        documented("devices", pa.int64(), "device", "quota that it asks for, or holds"),
        documented("asked_s", pa.int64(), "s", "from when on it waited for quota, from the epoch"),
        documented("admitted_s", pa.int64(), "s", "from when on it held it; null: never", nullable=True),
        documented("until_s", pa.int64(), "s", "until when it held it, or asked for it; or the run's end"),
        documented("ending", WORD, "", f"{', '.join(ENDINGS)}; null: the run's end", nullable=True),
        documented("gave_way_to", pa.int64(), "", "the job to which it did", nullable=True),
    ]
)


def waited_until_s(requests: pa.Table) -> Ints:
    """Return until when each request waited for quota: it was admitted, or it was over."""
    until_s: Ints = pc.coalesce(requests.column("admitted_s"), requests.column("until_s")).to_numpy()
    return until_s
