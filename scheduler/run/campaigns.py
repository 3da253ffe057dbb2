"""Campaigns: the jobs of one kind that are wished for by one deadline, as those of a release.

A campaign is done with its last job. It is judged once that is so or its deadline has come, and open until
then; a job that did not finish keeps it waiting until the end of the run, so far.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from scheduler.run.groups import ALL
from scheduler.run.metrics import percentiles
from traces.arrays import Array, filtered, is_word


def campaigns(jobs: pa.Table, end_s: int) -> dict[str, dict[str, float]]:
    """Return the figures of the campaigns of each kind of job, and of `ALL`.

    Lateness is the end of the last job after the deadline, in seconds; below 0: before it.
    """
    timed = jobs.select(["kind", "state", "end_s", "deadline_s"])
    timed = filtered(timed, timed.column("deadline_s").is_valid().to_numpy())
    if not len(timed):
        return {ALL: _figures(*np.zeros((3, 0), bool))}
    words = timed.column("kind").cast("string").combine_chunks().dictionary_encode()
    kind, deadline_s = words.indices.to_numpy(), timed.column("deadline_s").to_numpy().astype(np.int64)
    done = is_word(timed.column("state"), "finished")
    done_s = np.where(done, timed.column("end_s").fill_null(end_s).to_numpy(), end_s)
    order = np.lexsort([deadline_s, kind])
    kind, deadline_s, done, done_s = (column[order] for column in (kind, deadline_s, done, done_s))
    first = np.flatnonzero(np.append(True, (np.diff(kind) != 0) | (np.diff(deadline_s) != 0)))
    late_s = np.maximum.reduceat(done_s, first) - deadline_s[first]
    judged = np.logical_and.reduceat(done, first) | (deadline_s[first] <= end_s)
    names = words.dictionary.to_pylist()
    of = {names[code]: _figures(late_s, judged, kind[first] == code) for code in np.unique(kind).tolist()}
    return dict(sorted(of.items())) | {ALL: _figures(late_s, judged, np.ones(len(first), bool))}


def _figures(late_s: Array, judged: Array, ours: Array) -> dict[str, float]:
    lateness_s = late_s[ours & judged]
    p50, most = percentiles(lateness_s, (50, 100))
    return {
        "campaigns": len(lateness_s),
        "campaigns_late": int((lateness_s > 0).sum()),
        "campaigns_open": int((ours & ~judged).sum()),
        "lateness_p50_s": p50,
        "lateness_max_s": most,
    }
