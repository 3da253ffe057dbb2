"""Reader of Microsoft's Philly GPU jobs (ATC'19), as one CSV line a job.

The log: https://github.com/msr-fiddle/philly-traces (Jeon et al., USENIX ATC 2019, CC BY 4.0).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traces.arrays import Array
from traces.formats.decoding import text_blocks
from traces.formats.mapping.spec import Changes, MappingError, preset
from traces.formats.philly_attempts import read_attempts
from traces.formats.reader import LATEST_UNIX_S, NO_ESTIMATE, Jobs, RowTally, replaced
from traces.formats.records import text_of
from traces.formats.text_table import TextRows, read_rows
from traces.times import DAY_S

_LONGEST = 1 << 31
_ZONED = r"(Z|[-+]\d\d:?\d\d)$"
_OUTCOMES = {"Pass": "completed", "Killed": "cancelled", "Failed": "failed"}
"""By status, where the file has that column."""


def read(path: Path, tally: RowTally, changes: Changes) -> Jobs:
    """Read every job; second 0 is the midnight before the first submission, so hours of the day hold.

    The log as it was released, in JSON, is read by a mapping.
    """
    if next(text_blocks(path, RowTally(), _LONGEST)).lstrip()[:1] in (b"[", b"{"):
        return read_attempts(text_of(path, tally), tally, changes.over(preset("philly")))
    if changes:
        raise MappingError("philly: the columns of its CSV are fixed; a mapping is for its JSON, or for csv")
    table = pa.concat_tables([_jobs(rows) for rows in read_rows(path, tally, separator=",")])
    submit = table.column("submit_s").to_numpy()
    midnight = submit.min(initial=LATEST_UNIX_S) // DAY_S * DAY_S
    table = replaced(table, "submit_s", pa.array(submit - midnight))
    assumed = (NO_ESTIMATE, "timestamps: in UTC, as they name no zone")
    return Jobs(table, datetime.fromtimestamp(midnight, UTC), assumed)


def _jobs(rows: TextRows) -> pa.Table:
    rows.require("timestamp", "duration", "num_gpus", "cluster")
    timestamp = rows.words("timestamp")
    submit = _seconds(timestamp)
    run, gpus, cluster = rows.numbers("duration"), rows.numbers("num_gpus"), rows.words("cluster")
    in_range = (submit >= 0) & (submit < LATEST_UNIX_S)
    rows.skip(~in_range, "timestamp: not a date and time of 1970 to 2099", timestamp)
    rows.skip(run < 0, "never ran")
    rows.skip(gpus == 0, "no GPUs")
    rows.skip(gpus != np.rint(gpus), "num_gpus: not a whole number", rows.words("num_gpus"))
    runtime = np.maximum(np.rint(run), 1)
    rows.limit(runtime, "duration", "runtime_s")
    rows.limit(gpus, "num_gpus", "gang")
    rows.note(np.rint(run) < 1, "duration 0: 1 s taken")
    rows.note(run != np.rint(run), "duration: rounded to whole seconds")
    zoned = pc.match_substring_regex(timestamp, _ZONED)
    rows.note(zoned.to_numpy(zero_copy_only=False), "timestamp: in the zone that it names", timestamp)
    owner = pc.if_else(pc.equal(cluster, ""), "unknown", cluster)
    columns = {"submit_s": submit, "runtime_s": runtime, "gang": gpus, "owner": owner}
    if "status" in rows.names:
        ended = rows.words("status")
        columns["outcome"] = pa.array([_OUTCOMES.get(word) for word in ended.to_pylist()], pa.string())
        rows.note(columns["outcome"].is_null().to_numpy(zero_copy_only=False), "status: not known", ended)
    return rows.kept(**columns)


def _seconds(text: pa.StringArray) -> Array:
    """Return seconds from 1970, NaN for what is no moment."""
    try:
        return np.array(text.cast(pa.timestamp("s")).cast(pa.int64()), np.float64)
    except pa.ArrowInvalid:
        return np.array([_moment(word) for word in text.to_pylist()], np.float64)


def _moment(word: str) -> float:
    try:
        moment = datetime.fromisoformat(word)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan
