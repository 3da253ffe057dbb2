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
        documented(
            "displaced_jobs", pa.int64(), "", "own jobs that waited while it held devices, of a firm one"
        ),
        documented("revenue_usd", pa.float64(), "USD", "what was served, at its price"),
        documented("credit_usd", pa.float64(), "USD", "paid back for a promise that was broken"),
    ]
)
LOOP = pa.schema(
    [
        documented("loop", WORD, "", "name of the loop"),
        documented("campaign", pa.int64(), "", "0 for the first"),
        documented("cut_s", pa.int64(), "s", "data cut-off, at which training is submitted"),
        documented("clips", pa.int64(), "", "clips that came since the last cut-off"),
        documented("trained_s", pa.int64(), "s", "end of its training", nullable=True),
        documented("gated_s", pa.int64(), "s", "end of its evaluation", nullable=True),
        documented("shipped_s", pa.int64(), "s", "when the first of the fleet have it", nullable=True),
        documented("everywhere_s", pa.int64(), "s", "when all of it have it", nullable=True),
        documented("fate", WORD, "", "shipped, failed, lost, superseded, or open at the end of the run"),
        documented("pflop_days", pa.float64(), "PFLOP-day", "training so far, that of the start left out"),
        documented("interventions_per_mile", pa.float64(), "1/mile", "of the model, once it is on the road"),
        documented("shipped_clips", pa.int64(), "", "clips that reach the road with it first", nullable=True),
        documented("clip_wait_s", pa.int64(), "s", "from their coming to shipping, summed", nullable=True),
    ]
)
LOOP_HOURS = pa.schema(
    [
        documented("loop", WORD, "", "name of the loop"),
        documented("time_s", pa.int64(), "s", "a full hour from the start of the run"),
        documented("interventions_per_mile", pa.float64(), "1/mile", "over the fleet"),
        documented("age_s", pa.float64(), "s", "age of the data of the models on the road, over the fleet"),
        documented(
            "newest", pa.int64(), "", "campaign of the newest of them; null: that of the start", nullable=True
        ),
        documented("newest_share", pa.float64(), "", "share of the fleet that has it"),
    ]
)
EDGE = pa.schema(
    [
        documented("edge", WORD, "", "name of the fleet"),
        documented("time_s", pa.int64(), "s", "start of the hour, from the epoch"),
        documented("available", pa.int64(), "", "cars parked, wired and agreed"),
        documented("busy_car_h", pa.float64(), "car-hour", "at work, on what was lost too"),
        documented("done", pa.int64(), "", "results: shards done as often as is asked"),
        documented("lost", pa.int64(), "", "shards lost at unplugging"),
        documented("late", pa.int64(), "", "results that came back to the pods as this hour ended"),
        documented("kwh", pa.float64(), "kWh", "energy of the computers"),
        documented("gb", pa.float64(), "GB", "data moved to the cars"),
        documented("usd", pa.float64(), "USD", "paid to owners"),
    ]
)
LIVE_LOGS = {"edge": EDGE, "sales": SALES, "loop": LOOP, "loop_hours": LOOP_HOURS}
"""By name: there where such a source was."""
