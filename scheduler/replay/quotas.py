"""The queues of a scenario, as the engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path

from simpy import Environment

from scheduler.engine.log.admission_log import AdmissionLog
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.quota.holders import QuotaQueue
from scheduler.engine.quota.rules import QuotaRules
from scheduler.engine.rented.queue_rent import QueueRent, RentLimit
from scheduler.replay.setup import Setup
from scheduler.scenario import Scenario
from scheduler.scenario.queues import QueueSpec, nodes_of, queue_of_owners, resources_of
from traces.times import parse_seconds
from traces.trace import Trace


def rules_of(
    scenario: Scenario, pools: Sequence[str], owners: Sequence[str], log: AdmissionLog
) -> QuotaRules | None:
    """Return the rules of admission to some pools; None without queues.

    Raises ScenarioError for an owner who is in two queues, or in none.
    """
    if not scenario.queues:
        return None
    specs, admission = scenario.queues, scenario.admission
    resources = resources_of(specs, pools)
    pairs = list(zip(nodes_of(specs, pools), specs, strict=True))
    halves = {node: parse_seconds(spec.half_life) for node, spec in pairs if spec.half_life is not None}
    return QuotaRules(
        [QuotaQueue(node, spec.reclaim, spec.preempt_within) for node, spec in pairs],
        queue_of_owners(specs, owners),
        [0 if resources == ("",) else resources.index(pool) if pool in resources else None for pool in pools],
        log,
        halves if admission.order == "fair" else None,
        admission.timeout_s,
        admission.backoff_s,
    )


def queue_rent_of(specs: Sequence[QueueSpec], owners: Sequence[str], env: Environment) -> QueueRent | None:
    """Return what queues may rent; None where no queue has a limit."""
    limits = rent_limits(specs)
    return QueueRent(env, limits, limited_queues(specs, owners)) if any(map(_limits, limits)) else None


def rent_limits(specs: Sequence[QueueSpec]) -> list[RentLimit]:
    """Return what each queue may rent."""
    return [RentLimit(_or_inf(spec.rent_most), _or_inf(spec.rent_usd_per_week)) for spec in specs]


def limited_queues(specs: Sequence[QueueSpec], owners: Sequence[str]) -> dict[str, list[int]]:
    """Return for each owner its queue and all above it, those alone whose rent has a limit."""
    limits, names = rent_limits(specs), [spec.name for spec in specs]

    def above(queue: int) -> list[int]:
        parent = specs[queue].parent
        own = [queue] if _limits(limits[queue]) else []
        return own if parent is None else [*own, *above(names.index(parent))]

    return {owner: above(queue) for owner, queue in queue_of_owners(specs, owners).items()}


def _limits(limit: RentLimit) -> bool:
    return limit != (inf, inf)


def _or_inf(limit: float | None) -> float:
    return inf if limit is None else limit


def write_admissions(folder: Path, setup: Setup, jobs: Trace, log: RunLog, end_s: int) -> None:
    """Write admissions.parquet of a run that has ended, where there are queues."""
    if queues := setup.scenario.queues:
        pools = [pool.name for pool in setup.stock.pools]
        names, resources = [queue.name for queue in queues], resources_of(queues, pools)
        log.admissions.close(end_s)
        log.admissions.write(folder, jobs.numpy("job_id"), names, resources)
