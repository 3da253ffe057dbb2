"""Generate a trace: fleets give each kind of job its compute, and the jobs are drawn to sum to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from traces import Trace
from traces.arrays import Array, Ints, lists_of, word_column
from traces.schema import REFERENCE_PFLOPS
from workloads.arrivals import local_hours
from workloads.demand import Demand
from workloads.kinds import Columns, Kind, KindBudget, draw_jobs
from workloads.larger_runs import growth
from workloads.parameters import DemandError
from workloads.reference import Reference
from workloads.shapes import HABITS

RELEASE_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""Releases fall on it, and whole periods of theirs before and after it."""

MAX_JOBS = 20_000_000

_AS_DRAWN = ("runtime_s", "gang", "estimate_s", "priority", "input_tb", "output_tb")


def generate(demand: Demand, reference: Reference) -> Trace:
    """Return the jobs of a demand, ascending in submission; the same arguments give the same trace.

    Run times are those on the reference device. Raises DemandError where the demand holds nothing to scale,
    or more than about `MAX_JOBS` jobs.
    """
    asked = _asked(demand, reference)
    expected = sum(each.arrivals(kind)[1] for kind, each in asked.items())
    if expected > MAX_JOBS:
        raise DemandError(f"the demand is about {expected:.2g} jobs: at most {MAX_JOBS:.2g} are generated")
    made_from = {"demand": asdict(demand), REFERENCE_PFLOPS: dict(reference.pflops)}
    return Trace.from_columns(
        _merge(list(asked), _drawn(asked, demand.seed)),
        epoch=demand.epoch,
        reference_device=reference.device,
        source={"generator": "exaburst generate", **made_from},
    )


def _drawn(asked: Mapping[Kind, KindBudget], seed: int) -> dict[str, Columns]:
    """Return the jobs of each kind, with the row of the job to follow among those of all kinds."""
    followed = {parent for kind in asked for parent in kind.follows}
    blocks: dict[str, Columns] = {}
    rows = 0
    for kind, each in asked.items():
        block = draw_jobs(kind, each, seed=seed, parents=[blocks[parent] for parent in kind.follows])
        block["row"] += rows
        rows += len(block["row"])
        blocks[kind.name] = block
        if kind.name not in followed:  # a large part of what is held for each job
            del block["row"], block["ready_s"]
    return blocks


def _asked(demand: Demand, reference: Reference) -> dict[Kind, KindBudget]:
    """Return what the demand asks of each kind, without those of which it asks nothing."""
    budget_s, asked = demand.budgets(reference), demand.asked()
    week_hours = local_hours(demand.epoch, demand.days * 24, demand.time_zone)
    into_release_s = round((demand.epoch - RELEASE_MONDAY).total_seconds())
    return {
        kind: KindBudget(
            budget_s[kind.name],
            1.0 if kind.workload == "tenant" else HABITS.drawn_pflops / reference.pflops[kind.name],
            max(1, demand.devices // 2),
            week_hours,
            asked[kind.workload][0],
            growth(kind.name, demand.gang_growth, demand.gang_years, demand.path(kind.workload).hours),
            demand.owners(kind.name),
            into_release_s,
        )
        for kind in demand.kinds()
        if budget_s[kind.name] > 0
    }


def _merge(kinds: Sequence[Kind], blocks: Mapping[str, Columns]) -> dict[str, Any]:
    """Merge the blocks of `kinds` into the columns of one trace, ascending in submission.

    The sort is stable and a kind stands after those it follows, so no job precedes the one it follows. Each
    column leaves its blocks as it is merged, so that hardly more than all jobs are held at once.
    """
    if not kinds:
        return {name: pa.array([], pa.int64()) for name in ("submit_s", "runtime_s", "gang")}

    def taken(name: str) -> Array:
        return np.concatenate([block.pop(name) for block in blocks.values()])

    sizes = [len(block["submit_s"]) for block in blocks.values()]
    kind_of = np.repeat(np.arange(len(kinds), dtype=np.int32), sizes)
    owners = [owner for kind in kinds for owner in kind.owners]
    first_owner = np.array([0, *accumulate(len(kind.owners) for kind in kinds)])
    submit_s = taken("submit_s")
    order = np.argsort(submit_s, kind="stable")
    return {
        "submit_s": submit_s[order],
        "after": _after(taken("after"), order),
        **{name: taken(name)[order] for name in _AS_DRAWN},
        "workload": _words([kind.workload for kind in kinds], kind_of[order]),
        "kind": _words([kind.name for kind in kinds], kind_of[order]),
        "owner": _words(owners, (first_owner[kind_of] + taken("owner"))[order]),
        "residency": _words(["any", "owned"], taken("residency")[order]),
        "deadline_s": _nullable(taken("deadline_s")[order]),
        "checkpoint_s": _nullable(taken("checkpoint_s")[order]),
    }


def _after(row: Ints, order: Ints) -> pa.ListArray:
    """Return the job that each comes after, as a list; `row` is where that stood before the sort."""
    job_id = np.empty_like(order)
    job_id[order] = np.arange(len(order))
    after = np.where(row < 0, -1, job_id[row])[order]
    follows = np.flatnonzero(after >= 0)
    return lists_of(follows, after[follows], len(order))


def _words(words: Sequence[str], codes: Array) -> pa.DictionaryArray:
    """Encode `words[codes]`, each word once."""
    once = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return word_column(np.array([once[word] for word in words])[codes], list(once))


def _nullable(values: Array) -> pa.Array:
    """Return integers with null where they are negative."""
    return pa.array(values, mask=values < 0)
