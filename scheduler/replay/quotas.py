"""The queues of a scenario, as the engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from scheduler.engine.quota.admission import QuotaRules
from scheduler.engine.quota.holders import QuotaQueue
from scheduler.policy.quota_tree import QuotaNode, tree_of
from scheduler.scenario import Scenario
from scheduler.scenario.queues import amounts_of, queue_of_owners, resources_of
from traces.times import parse_seconds


def rules_of(scenario: Scenario, pools: Sequence[str], owners: Sequence[str]) -> QuotaRules | None:
    """Return the rules of admission to some pools; None without queues.

    Raises ScenarioError for an owner who is in two queues, or in none.
    """
    if not scenario.queues:
        return None
    specs, admission = scenario.queues, scenario.admission
    resources = resources_of(specs, pools)
    nodes = [
        QuotaNode(
            spec.name,
            amounts_of(spec.quota, resources, 0),
            amounts_of(spec.lend_most, resources, inf),
            amounts_of(spec.borrow_most, resources, inf),
            spec.weight,
        )
        for spec in specs
    ]
    names = [spec.name for spec in specs]
    tree_of(nodes, [None if spec.parent is None else names.index(spec.parent) for spec in specs])
    pairs = list(zip(nodes, specs, strict=True))
    halves = {node: parse_seconds(spec.half_life) for node, spec in pairs if spec.half_life is not None}
    return QuotaRules(
        [QuotaQueue(node, spec.reclaim, spec.preempt_within) for node, spec in pairs],
        queue_of_owners(specs, owners),
        [0 if resources == ("",) else resources.index(pool) if pool in resources else None for pool in pools],
        halves if admission.order == "fair" else None,
        admission.timeout_s,
        admission.backoff_s,
    )
