"""Rules about how much: of an owner, of a queue, of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from glob import escape

import numpy as np

from scheduler.fidelity.rules import Findings, UnmodelledRule, listed, toml, unreserved
from traces.arrays import Ints


def owner_limits(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that no owner may hold more devices than it ever did."""
    jobs = findings.line.jobs
    most, waited_s = _limits(findings, jobs.owner, len(jobs.owners))
    groups = [(jobs.owners[at], [jobs.owners[at]], int(most[at])) for at in _bound(waited_s)]
    yield from _limited(findings, "owner limit", groups, int(waited_s.sum()), "")


def queue_limits(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that no queue may hold more devices than it ever did."""
    jobs = findings.line.jobs
    if len(jobs.queues) < 2:
        return
    most, waited_s = _limits(findings, jobs.queue, len(jobs.queues))
    pairs = np.unique(np.stack([jobs.owner, jobs.queue]), axis=1)
    cannot = ""
    if len(np.unique(pairs[0])) < pairs.shape[1]:
        cannot = "a scenario's queues take owners, and some of these use several queues of the log"
    groups = [
        (jobs.queues[at], [jobs.owners[owner] for owner in pairs[0][pairs[1] == at]], int(most[at]))
        for at in _bound(waited_s)
    ]
    yield from _limited(findings, "queue limit", groups, int(waited_s.sum()), cannot)


def _bound(waited_s: Ints) -> list[int]:
    """Return the groups that a limit may have let wait, those first that waited longest."""
    return [at for at in np.argsort(-waited_s, kind="stable").tolist() if waited_s[at]]


def _limits(findings: Findings, group: Ints, groups: int) -> tuple[Ints, Ints]:
    """Return the most devices that each group held, and the seconds that its jobs waited below no more."""
    line, most, waited_s = findings.line, np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    jobs = line.jobs
    for at in range(groups):
        rows = np.flatnonzero(group == at)
        held = line.running(jobs.devices, rows)
        most[at] = held.max(initial=0)
        for row in rows[jobs.waited_s[rows] > 0].tolist():
            waiting = line.waiting_at(row)
            full = unreserved(line, row) & (held[waiting] + jobs.devices[row] > most[at])
            waited_s[at] += line.span_s[waiting][full].sum()
    return most, waited_s


def _limited(
    findings: Findings, name: str, groups: list[tuple[str, list[str], int]], waited_s: int, cannot: str
) -> Iterator[UnmodelledRule]:
    if not groups:
        return
    scenario = findings.setup.scenario
    if scenario.queues:
        cannot = "the scenario has queues of its own"
    elif scenario.policy.preempt != "nobody":
        cannot = "queues need policy.preempt nobody"
    said = listed([f"{name} {most:,}" for name, _, most in groups])
    evidence = f"waited with room, and held at most: {said} devices"
    tries = () if cannot else ((_queues(findings, groups),),)
    yield UnmodelledRule(name, evidence, waited_s, tries, cannot)


def _queues(findings: Findings, groups: list[tuple[str, list[str], int]]) -> str:
    """Return the change that gives each group a queue with a quota, and all others one without an end."""
    limited = {owner for _, owners, _ in groups for owner in owners}
    others = [owner for owner in findings.setup.trace.codes("owner")[1] if owner not in limited]
    shared = [(owners, most) for _, owners, most in groups]
    shared += [(others, findings.line.devices)] if others else []
    return "queues=" + toml(
        [
            {"name": f"limit-{at}", "owners": [escape(owner) for owner in owners], "quota": most}
            for at, (owners, most) in enumerate(shared)
        ]
    )


def unused_devices(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that there were no more devices than were ever in use at once."""
    line, stock = findings.line, findings.setup.stock
    most = line.devices - int(line.free.min(initial=line.devices))
    if most >= line.devices or not most:
        return
    waited_s = 0
    for row in np.flatnonzero(line.jobs.waited_s).tolist():
        at = line.waiting_at(row)
        small = unreserved(line, row) & (line.jobs.devices[row] > line.free[at] - (line.devices - most))
        waited_s += int(line.span_s[at][small].sum())
    evidence = f"never more than {most:,} of {line.devices:,} devices in use"
    pool = stock.pools[0]
    if len(stock.pools) > 1:
        yield UnmodelledRule(
            "fewer devices", evidence, waited_s, cannot="a record does not say of which pool"
        )
        return
    pods = -(-most // pool.pod_devices)
    if pods < pool.pods:
        yield UnmodelledRule("fewer devices", evidence, waited_s, ((f"pools.{pool.name}.pods={pods}",),))
    elif pool.pods == 1 and not pool.pod:
        yield UnmodelledRule("fewer devices", evidence, waited_s, ((f"pools.{pool.name}.devices={most}",),))
