"""The queues of a scenario, as the engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scheduler.engine.log.admission_log import AdmissionLog
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.quota.holders import QuotaQueue
from scheduler.engine.quota.rules import QuotaRules
from scheduler.replay.setup import Setup
from scheduler.scenario import Scenario
from scheduler.scenario.queues import nodes_of, queue_of_owners, resources_of
from traces.rows import JobRows
from traces.times import parse_seconds


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


def write_admissions(folder: Path, setup: Setup, rows: JobRows, log: RunLog, end_s: int) -> None:
    """Write admissions.parquet of a run that has ended, where there are queues."""
    if queues := setup.scenario.queues:
        pools = [pool.name for pool in setup.stock.pools]
        names, resources = [queue.name for queue in queues], resources_of(queues, pools)
        log.admissions.close(end_s)
        log.admissions.write(folder, rows.numpy("job_id"), names, resources)
