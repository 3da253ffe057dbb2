"""What live sources log of a run beside its own logs, a file each."""

from __future__ import annotations

import pyarrow as pa

from traces.arrays import WORD
from traces.parquet import documented

SALES = pa.schema(
    [
        documented("asked_s", pa.int64(), "s", "when the customer asked, from the epoch"),
        documented("segment", WORD, "", "segment or lease"),
        documented("devices", pa.int64(), "device", "reference devices asked for"),
        documented("run_s", pa.int64(), "s", "run time on reference devices"),
        documented("usd_per_device_h", pa.float64(), "USD/device-hour", "the price it was told"),
        documented("promised_s", pa.int64(), "s", "the start it was told; null: never", nullable=True),
        documented("answer", WORD, "", "bought, or why it left"),
        documented("job_id", pa.int64(), "", "its job, where it bought", nullable=True),
        documented("start_s", pa.int64(), "s", "when it first started", nullable=True),
        documented("served_device_h", pa.float64(), "device-hour", "reference device-hours done and kept"),
        documented("stops", pa.int64(), "", "how often it gave way and ran again"),
        documented("revenue_usd", pa.float64(), "USD", "what was served, at its price"),
        documented("credit_usd", pa.float64(), "USD", "paid back for a promise that was broken"),
    ]
)
LIVE_LOGS = {"sales": SALES}
"""By name: there where such a source was."""
