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
from traces.arrays import Array, word_column
from workloads import fsd, optimus, tenants
from workloads.demand import Demand
from workloads.kinds import Columns, Kind, draw_jobs
from workloads.parameters import DemandError

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday, so that the weekly profile starts with second 0."""

REFERENCE_DEVICE = "dojo-tile-case-study"
MAX_JOBS = 20_000_000

_AS_DRAWN = ("runtime_s", "gang", "estimate_s", "priority", "input_tb", "output_tb")


def generate(demand: Demand) -> Trace:
    """Return the jobs of a demand, ascending in submission; equal demands give equal traces.

    Raises DemandError where the demand holds nothing to scale, or more than about `MAX_JOBS` jobs.
    """
    workload_s, units = demand.budgets(), demand.units()
    budget_s = {kind: workload_s[kind.workload] * kind.share for kind in all_kinds(demand)}
    largest = max(1, demand.devices // 2)
    expected = sum(budget / kind.work_s(largest) for kind, budget in budget_s.items())
    if expected > MAX_JOBS:
        raise DemandError(f"the demand is about {expected:.2g} jobs: at most {MAX_JOBS:.2g} are generated")
    blocks: dict[str, Columns] = {}
    rows = 0
    for kind, budget in budget_s.items():
        if budget > 0:
            blocks[kind.name] = draw_jobs(
                kind,
                seed=demand.seed,
                budget_s=budget,
                largest=largest,
                units=units[kind.workload],
                parents=[blocks[parent] for parent in kind.follows],
            )
            blocks[kind.name]["row"] += rows
            rows += len(blocks[kind.name]["row"])
    return Trace.from_columns(
        _merge([kind for kind in budget_s if kind.name in blocks], blocks),
        epoch=EPOCH,
        reference_device=REFERENCE_DEVICE,
        source={"generator": "exaburst generate", "demand": asdict(demand)},
    )


def all_kinds(demand: Demand) -> tuple[Kind, ...]:
    """Return every kind of job, each after those that it follows."""
    return (*fsd.KINDS, *optimus.kinds(demand.tasks), *tenants.kinds(demand.tenants))


def _merge(kinds: Sequence[Kind], blocks: Mapping[str, Columns]) -> dict[str, Any]:
    """Merge the blocks of `kinds` into the columns of one trace, ascending in submission.

    The sort is stable and a kind stands after those it follows, so no job precedes the one it follows.
    """
    if not kinds:
        return {name: pa.array([], pa.int64()) for name in ("submit_s", "runtime_s", "gang")}
    jobs = {
        name: np.concatenate([block[name] for block in blocks.values()]) for name in blocks[kinds[0].name]
    }
    sizes = [len(block["row"]) for block in blocks.values()]
    kind_of = np.repeat(np.arange(len(kinds)), sizes)
    owners = [owner for kind in kinds for owner in kind.owners]
    first_owner = np.array([0, *accumulate(len(kind.owners) for kind in kinds)])
    order = np.argsort(jobs["submit_s"], kind="stable")
    job_id = np.empty_like(order)
    job_id[order] = np.arange(len(order))
    after = np.where(jobs["after"] < 0, -1, job_id[jobs["after"]])
    return {
        "submit_s": jobs["submit_s"][order],
        **{name: jobs[name][order] for name in _AS_DRAWN},
        "workload": _words([kind.workload for kind in kinds], kind_of[order]),
        "kind": _words([kind.name for kind in kinds], kind_of[order]),
        "owner": _words(owners, (first_owner[kind_of] + jobs["owner"])[order]),
        "residency": _words(["any", "owned"], jobs["residency"][order]),
        "deadline_s": _nullable(jobs["deadline_s"][order]),
        "checkpoint_s": _nullable(jobs["checkpoint_s"][order]),
        "after": _nullable(after[order]),
    }


def _words(words: Sequence[str], codes: Array) -> pa.DictionaryArray:
    """Encode `words[codes]`, each word once."""
    once = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return word_column(np.array([once[word] for word in words])[codes], list(once))


def _nullable(values: Array) -> pa.Array:
    """Return integers with null where they are negative."""
    return pa.array(values, mask=values < 0)
