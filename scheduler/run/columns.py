"""The columns of a run's logs: names, types, units and meanings, defined once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from traces.arrays import WORD, Floats, Ints
from traces.parquet import documented
from traces.trace import TRACE_SCHEMA

TRACE_NAMES = frozenset(TRACE_SCHEMA.names)


JOBS = pa.schema(
    [
        documented("job_id", pa.int64(), "", "as in the trace"),
        documented("name", pa.string(), "", "the id as its source wrote it", nullable=True),
        documented("workload", WORD, "", "whose work it is, e.g. fsd"),
        documented("kind", WORD, "", "sort of job"),
        documented("owner", WORD, "", "who asked"),
        documented("queue", WORD, "", "where it was submitted"),
        documented("priority", pa.int32(), "", "higher first"),
        documented("gang", pa.int32(), "device", "reference devices asked for"),
        documented("submit_s", pa.int64(), "s", "submission, from the epoch"),
        documented("runtime_s", pa.int64(), "s", "run time on reference devices"),
        documented("estimate_s", pa.int64(), "s", "run time asked for"),
        documented("deadline_s", pa.int64(), "s", "latest wished end", nullable=True),
        documented(
            "ready_s", pa.int64(), "s", "from here on it could start: submitted, and what it depends on done"
        ),
        documented("start_s", pa.int64(), "s", "first instant of work", nullable=True),
        documented("end_s", pa.int64(), "s", "end of its last attempt, of those ended", nullable=True),
        documented("wait_s", pa.int64(), "s", "start_s - ready_s", nullable=True),
        documented("outcome", WORD, "", "how it ended at its source", nullable=True),
        documented("state", WORD, "", "finished, unfinished, rejected or killed"),
        documented("reason", WORD, "", "why it was rejected or did not finish", nullable=True),
        documented("where", WORD, "", "pool or offer of its last attempt", nullable=True),
        documented("rented", pa.bool_(), "", "its last attempt ran on rented devices", nullable=True),
        documented("devices", pa.int32(), "device", "devices held by its last attempt", nullable=True),
        documented("attempts", pa.int32(), "", "executions so far"),
        documented(
            "lost_device_s", pa.int64(), "device-second", "work thrown away; of a killed job all its work"
        ),
        documented("spend_usd", pa.float64(), "USD", "all that is charged to the job"),
        documented("revenue_usd", pa.float64(), "USD", "what it brought in"),
    ]
)

ATTEMPTS = pa.schema(
    [
        documented("job_id", pa.int64(), "", "as in the trace"),
        documented("attempt", pa.int32(), "", "1 for the job's first execution, then 2, 3, ..."),
        documented("where", WORD, "", "pool or offer"),
        documented("rented", pa.bool_(), "", "on rented devices"),
        documented("pods", pa.list_(pa.int32()), "", "pods held; whole ones first; empty when rented"),
        documented("devices", pa.int32(), "device", "devices held"),
        documented(
            "used", pa.int32(), "device", "those of them that work: fewer where no size is just right"
        ),
        documented("alloc_s", pa.int64(), "s", "the devices are held from here on"),
        documented(
            "start_s", pa.int64(), "s", "work begins: booted and staged; null: it never did", nullable=True
        ),
        documented("end_s", pa.int64(), "s", "the devices are free again"),
        documented(
            "outcome",
            WORD,
            "",
            "finished, unfinished at the horizon, failed, reclaimed, preempted, migrated or killed",
        ),
        documented("kept_s", pa.int64(), "s", "run time on reference devices that it got done and kept"),
        documented("checkpointing_s", pa.int64(), "s", "spent on writing checkpoints"),
        documented("lost_device_s", pa.int64(), "device-second", "work thrown away"),
        documented("staged_tb", pa.float64(), "TB", "data moved in for it"),
        documented("returned_tb", pa.float64(), "TB", "data moved out for it"),
        documented("spend_usd", pa.float64(), "USD", "all that is charged to the job for it"),
    ]
)


class Attempts(NamedTuple):
    """Attempts by column: what their price depends on. One that never got to work starts at its end."""

    devices: Ints
    alloc_s: Ints
    start_s: Ints
    end_s: Ints
    staged_tb: Floats
    returned_tb: Floats

    def of(self, some: Ints) -> Attempts:
        """Return those of some indices."""
        return Attempts._make(column[some] for column in self)


LINES = {
    "capital": "device-hour",
    "energy": "kWh",
    "carbon": "kg",
    "demand_charge": "kW-month",
    "operations": "device-hour",
    "write_off": "pod",
    "resale": "pod",
    "decommission": "kW",
    "porting": "port",
    "on_demand": "device-hour",
    "spot": "device-hour",
    "committed": "device-hour",
    "discount": "device-hour",
    "transfer": "GB",
    "egress": "GB",
    "edge": "car-hour",
    "credit": "device-hour",
    "revenue": "device-hour",
}
"""What money is spent on, and its unit; revenue and resale are negative."""

MOVED = ("transfer", "egress")
"""Lines of an offer that pay for data, not for devices."""

CHARGED_TO = (
    *("job", "idle", "down", "boot", "minimum", "unused_commitment", "commitment"),
    *("site", "assets", "tenant", "edge"),
)
"""Who bears a charge."""

GROUP = ("owner", "workload", "kind")
"""Whose jobs bear a charge, where it is told apart."""

SPEND = pa.schema(
    [
        documented(
            "period_s", pa.int64(), "s", "start of the charge period, from the epoch; the first is the run's"
        ),
        documented("resource", WORD, "", "pool, offer, site or fleet of parked cars"),
        documented(
            "line",
            WORD,
            "",
            f"what the money bought: {', '.join([*LINES][:-1])} or {[*LINES][-1]}",
        ),
        documented("charged_to", WORD, "", f"{', '.join(CHARGED_TO[:-1])} or {CHARGED_TO[-1]}"),
        documented("quantity", pa.float64(), "", "how much of it, in `unit`"),
        documented("unit", WORD, "", "device-hour, car-hour, kWh, kg, kW-month, pod, kW, port or GB"),
        documented("usd", pa.float64(), "USD", "the charge; negative for revenue, resale and most discounts"),
    ]
)


def states(
    pools: Sequence[str], offers: Sequence[str], coming: Sequence[str] = (), sites: Sequence[str] = ()
) -> pa.Schema:
    """Return the columns of states.parquet: a step function, each row valid until the next.

    Pools whose pods are `coming` and going have one more.
    """
    return pa.schema(
        [
            documented("time_s", pa.int64(), "s", "from the epoch"),
            *(documented(f"busy_{name}", pa.int64(), "device", f"{name}: devices held") for name in pools),
            *(documented(f"rented_{name}", pa.int64(), "device", f"{name}: devices held") for name in offers),
            *(
                documented(f"down_{name}", pa.int64(), "device", f"{name}: devices out of service")
                for name in pools
            ),
            *(
                documented(f"owned_{name}", pa.int64(), "device", f"{name}: devices that are there")
                for name in coming
            ),
            documented("queued_jobs", pa.int64(), "", "jobs that wait"),
            documented("queued_devices", pa.int64(), "device", "reference devices that they ask for"),
            *(
                documented(f"site_kw_{name}", pa.float64(), "kW", f"{name}: power of its pools, PUE included")
                for name in sites
            ),
        ]
    )
