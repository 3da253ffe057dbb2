"""Rules of a scenario that the place of the record did not have: jobs that rent, and gangs slowed again."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.fidelity.rules import Findings, UnmodelledRule
from scheduler.run.directory import Run
from scheduler.run.levels import DeviceLevels
from traces.numbers import hours


def rentals(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that nobody rents, where the simulation does and the record did not."""
    simulated_s = _rented_s(findings.would)
    if simulated_s and not _rented_s(findings.was):
        evidence = f"the record rented nothing, the simulation {hours(simulated_s)} device-h"
        yield UnmodelledRule("nothing rented", evidence, None, (('policy.patience="never"',),))


def _rented_s(run: Run) -> int:
    levels = DeviceLevels(run)
    return sum(levels.held_s(name) for name in run.offers)


def spans(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that gangs over several pods run no longer than they did, where a pool slows them."""
    gang, changes, slowed = findings.line.jobs.devices, list[str](), 0
    for pool in findings.setup.stock.pools:
        if pool.span_efficiency < 1 and pool.pods > 1:
            slowed = max(slowed, int((gang > pool.pod_devices).sum()))
            changes.append(f"pools.{pool.name}.span_efficiency=1.0")
    if slowed:
        evidence = (
            f"{slowed:,} of {len(gang):,} jobs are larger than a pod, and span_efficiency below 1 "
            "makes them run longer than they did: their recorded run times have that already"
        )
        yield UnmodelledRule("gangs not slowed", evidence, None, (tuple(changes),))
