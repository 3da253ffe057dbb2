"""Rules about when: times in which nothing ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from scheduler.fidelity.recorded import STOPPED
from scheduler.fidelity.rules import Findings, UnmodelledRule, listed, toml
from scheduler.weather import has_weather
from traces.numbers import minute
from traces.times import HOUR_S


class Closing(NamedTuple):
    """A time in which nothing ran though someone waited, in seconds of the trace."""

    last_start_s: int
    """From here on nothing started any more, and someone waited who had room."""
    from_s: int
    to_s: int


def closings(findings: Findings) -> list[Closing]:
    """Return the times in which a cluster had stopped."""
    line = findings.line
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.stopped.astype(int), [0]])))
    return [_closing(findings, first, last) for first, last in edges.reshape(-1, 2).tolist()]


def _closing(findings: Findings, first: int, last: int) -> Closing:
    line = findings.line
    from_s, to_s = int(line.time_s[first]), int(line.time_s[last])
    started = line.jobs.start_s[line.jobs.start_s < from_s]
    since_s = int(started.max()) + 1 if len(started) else findings.setup.start_s
    roomy = (line.queued > line.lacking) & (np.append(line.time_s[1:], to_s) > since_s)
    some = np.flatnonzero(roomy[:first])
    drained_s = max(since_s, int(line.time_s[some[0]])) if len(some) else from_s
    return Closing(min(drained_s, from_s), from_s, to_s)


def downtime(findings: Findings) -> Iterator[UnmodelledRule]:
    """Yield the rule that the cluster was closed where it had stopped."""
    found = closings(findings)
    if not found:
        return
    trace, hours = findings.setup.trace, sum(each.to_s - each.from_s for each in found) / HOUR_S
    longest = sorted(found, key=lambda each: each.from_s - each.to_s)
    said = [
        f"{(each.to_s - each.from_s) / HOUR_S:.1f} h from {minute(trace.instant(each.from_s))}"
        for each in longest
    ]
    times = f"{len(found)} time{'s' * (len(found) > 1)}"
    evidence = f"stopped {times}, {hours:,.1f} h, though someone waited: {listed(said)}"
    cannot = _cannot(findings)
    tries = () if cannot else (tuple(_maintenance(findings, found)),)
    yield UnmodelledRule("downtime", evidence, findings.waits.total_s(STOPPED), tries, cannot)


def _cannot(findings: Findings) -> str:
    setup = findings.setup
    scenario = setup.scenario
    if scenario.weather is not None:
        return "the scenario replays a weather file"
    if scenario.fair_weather and has_weather(
        msgspec.structs.replace(scenario, fair_weather=False), setup.stock
    ):
        return "the scenario sets fair_weather, and has other weather"
    return ""


def _maintenance(findings: Findings, found: list[Closing]) -> Iterator[str]:
    """Yield the changes that close all pods: nothing starts, and what runs is set aside and loses nothing."""
    scenario = findings.setup.scenario
    start_s = findings.setup.start_s
    windows = [
        {
            "from_h": (each.from_s - start_s) / HOUR_S,
            "to_h": (each.to_s - start_s) / HOUR_S,
            "drain_h": max(1, each.from_s - each.last_start_s) / HOUR_S,
        }
        for each in found
    ]
    if scenario.fair_weather:
        yield "fair_weather=false"
    for pool in scenario.pools:
        yield f"pools.{pool.name}.maintenance={toml([*msgspec.to_builtins(pool.maintenance), *windows])}"
    if not scenario.checkpoints.cost_s:
        yield 'checkpoints.interval="1s"'
