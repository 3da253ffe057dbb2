"""Which engine runs a set-up: SimPy's, which covers everything, or the fast lane, and why; or its record."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil
from typing import Final, Literal, NamedTuple

import numpy as np

from scheduler.engine.fast.asked import AskedJobs, longest_patience_s
from scheduler.engine.fast.compiled import is_loaded, is_on_disk, numba_compiles, numba_is_here
from scheduler.engine.fast.lane import Lane
from scheduler.engine.fast.preferences import MOST_OFFERS, Preferences
from scheduler.engine.fast.rules import Rules, tie_bits
from scheduler.engine.jobs import Fit, Shape
from scheduler.replay.assembly import Assembly
from scheduler.replay.setup import Setup
from scheduler.stock.pools import PoolStock
from scheduler.weather import Weather
from scheduler.weather.table_rules import is_in

EngineName = Literal["simpy", "fast", "record"]
RECORD: Final = "record"
"""Nothing is simulated: the run as it was."""
ENGINES = ("auto", "simpy", "fast")

LOADED_PAYS_FROM = 5_000
"""Jobs of a run from which on the fast lane pays in a process that has it."""
ON_DISK_PAYS_FROM, ABSENT_PAYS_FROM = 100_000, 1_000_000
"""Jobs of all runs of a process from which on it pays to read what was compiled, and to compile it."""

ORDERS_BY_COLUMN = {
    **dict.fromkeys(("fcfs", "sjf", "srpt", "srsf", "smallest"), np.int64),
    "priority": object,
}
"""Orders that can be asked for all jobs at once, and of what: objects where products may pass 64 bits."""
_COVERED = {
    "order": (*ORDERS_BY_COLUMN, "las", "edf", "f1", "f2", "f3", "f4"),
    "first": ("owned", "rented"),
    "place": ("best_fit", "worst_fit", "first_fit"),
    "backfill": ("none", "greedy", "easy"),
    "patience": ("never", "at_once", "after", "per_runtime", "per_gang", "per_work"),
    "offer": ("cheapest", "fastest", "spot_fallback", "spot_up_to"),
    "preempt": ("nobody",),
    "repatriate": ("stay",),
}
_LATEST = 2**62


class EngineError(ValueError):
    """An engine that cannot run what it was asked to."""


class EngineChoice(NamedTuple):
    """An engine, and why it was that one."""

    name: EngineName
    why: str


def choose(setup: Setup, asked: str, *, live: bool = False) -> EngineChoice:
    """Return the engine for a set-up, `live` with sources beside its trace.

    `asked` is one of `ENGINES`, or `RECORD`. Raises EngineError.
    """
    if asked == RECORD and live:
        raise EngineError("as recorded: live sources have no record")
    return _of_record(setup) if asked == RECORD else _simulator(setup, asked, live=live)


def _simulator(setup: Setup, asked: str, *, live: bool) -> EngineChoice:
    if asked not in ENGINES:
        raise EngineError(f'engine "{asked}": unknown (allowed: {", ".join(ENGINES)})')
    if asked == "simpy":
        return EngineChoice("simpy", "asked for")
    reason = "live sources" if live else covers(setup)
    if asked == "fast":
        if not numba_is_here():
            raise EngineError('engine "fast": needs numba, as in pip install "exaburst[fast]"')
        if reason is not None:
            raise EngineError(f'engine "fast": does not cover {reason}; use simpy, or auto')
        return EngineChoice("fast", "asked for")
    if reason is not None:
        return EngineChoice("simpy", f"the fast engine does not cover {reason}")
    if not numba_compiles():
        return EngineChoice("simpy", "numba is not installed, or does not compile")
    if not _pays(len(setup.trace)):
        return EngineChoice("simpy", "too few jobs for the fast engine to pay")
    return EngineChoice("fast", "many jobs, all of it covered")


def _of_record(setup: Setup) -> EngineChoice:
    if setup.weather is not None:
        raise EngineError(
            "as recorded: takes no weather, as what went wrong is in the record; set fair_weather"
        )
    if setup.scenario.bound != "none":
        raise EngineError(f'as recorded: takes no bound, such as "{setup.scenario.bound}"')
    return EngineChoice(RECORD, "as recorded")


class _Tally:
    """Jobs that this process has run without the fast lane.

    Who cannot know how many runs will come buys once it has paid as much in rent: never more than twice what
    would have been best.
    """

    jobs = 0


def count_jobs(choice: EngineChoice, jobs: int) -> None:
    """Note that a run has taken place."""
    if choice.name == "simpy":
        _Tally.jobs += jobs


def expect_jobs(jobs: int) -> None:
    """Note that this process is to run about so many jobs, which it else finds out by running them."""
    _Tally.jobs = max(_Tally.jobs, jobs)


def _pays(jobs: int) -> bool:
    if is_loaded():
        return jobs >= LOADED_PAYS_FROM
    of_all = _Tally.jobs + jobs
    return of_all >= ABSENT_PAYS_FROM or (of_all >= ON_DISK_PAYS_FROM and is_on_disk())


def covers(setup: Setup) -> str | None:
    """Return what of a set-up the fast lane does not know; None if it knows all."""
    scenario, policy = setup.scenario, setup.scenario.policy
    for seam, known in _COVERED.items():
        spec = getattr(policy, seam)
        if spec.partition(":")[0] not in known:
            return f'policy.{seam} "{spec}"'
    unknown = {
        "weather, but for prices": setup.weather is not None and not _is_of_prices(setup.weather),
        "queues with quotas": bool(scenario.queues),
        "a queue that has an end": policy.queue_most is not None,
        "a market": scenario.market is not None,
        "loops": bool(scenario.loops),
        "an edge": bool(scenario.edge),
        "jobs that have to be ported": bool(scenario.ports),
        "links": bool(scenario.links),
        "sites with a cap": any(site.is_capped for site in setup.stock.sites),
        "checkpoints that cost time": scenario.checkpoints.cost_s > 0,
        "jobs that run or wait when it begins": setup.trace.opens_s is not None,
    }
    return (
        next((what for what, there in unknown.items() if there), None)
        or _of_pools(setup)
        or _of_offers(setup)
    )


def _is_of_prices(weather: Weather) -> bool:
    return bool(is_in(weather.table, "what", ("price",)).all())


def _of_pools(setup: Setup) -> str | None:
    for pool in setup.stock.pools:
        if pool.endless:
            return f"pools without end, as {pool.name}"
        if _stops_somebody(setup, pool):
            return f"jobs that run when pods leave, as of {pool.name}"
    if any(closure.moves_to for closure in setup.scenario.closures) and setup.trace.codes("requires")[1]:
        return "pools that take over who asks for another"
    return None


def _of_offers(setup: Setup) -> str | None:
    offers = setup.stock.offers
    for offer in offers:
        if offer.blocks:
            return f"offers that are there for some days, as {offer.name}"
        if offer.commitments and needs_scores(offers, setup.scenario.policy.offer):
            return f"commitments beside a choice of offers, as {offer.name}"
    if len(offers) > MOST_OFFERS:
        return f"a choice of more than {MOST_OFFERS} offers"
    return "instants so far apart" if _latest_s(setup) * 2 ** tie_bits(len(setup.trace)) >= _LATEST else None


def needs_scores(offers: Sequence[object], offer: str) -> bool:
    """Say whether one has to ask what offers score: there are several, or it may be none."""
    return len(offers) > 1 or (bool(offers) and offer not in ("cheapest", "fastest"))


def prefers(offer: str, shape: Shape) -> bool:
    """Say whether jobs of a shape have to be asked which offers they prefer."""
    return needs_scores(shape.rented, offer)


def _stops_somebody(setup: Setup, pool: PoolStock) -> bool:
    """Say whether an attempt may still run when pods of a pool leave, as far as run times and estimates say.

    Nobody starts who would not end in time by its estimate; where the pool closes, whoever starts just
    before its drain has one second more than that to end.
    """
    leaving = [batch for batch in pool.batches if (batch.retired_s or 0) > setup.start_s]
    if not leaving or not len(setup.trace):
        return False
    runtime_s, estimate_s = (setup.trace.numpy(name) for name in ("runtime_s", "estimate_s"))
    most_s, overrun_s = int(runtime_s.max()), setup.scenario.overrun_s
    if overrun_s is not None:
        most_s = int(np.minimum(runtime_s, estimate_s + overrun_s).max())
    drains_s = [(batch.retired_s or 0) - (batch.drained_s or 0) for batch in leaving if batch.closed]
    kinds = setup.trace.codes("kind")[1]
    most_devices = max(int(setup.trace.numpy("gang").max()) / setup.rate(pool.device, kind) for kind in kinds)
    spans = most_devices > pool.pod_devices
    if drains_s and ceil(most_s / (pool.span_efficiency if spans else 1)) > min(drains_s) + 1:
        return True
    return len(drains_s) < len(leaving) and overrun_s != 0 and bool((runtime_s > estimate_s).any())


def _latest_s(setup: Setup) -> float:
    """Return the latest instant at which anything can happen.

    At worst one job comes after another. No device slows a gang down, as it takes the more of them; gangs
    across pods are slower.
    """
    trace, stock = setup.trace, setup.stock
    slowest = max([1.0, *(1 / pool.span_efficiency for pool in stock.pools)])
    staging_s = trace.numpy("input_tb") * max([0.0, *(one.staging_s_per_tb for one in stock.offers)])
    other_s = max([0, *(offer.boot_s + offer.keep_s + 2 for offer in stock.offers)])
    each_s = (
        trace.numpy("runtime_s") * slowest + staging_s + other_s + np.maximum(trace.numpy("after_lag_s"), 0)
    )
    batches = [batch for pool in stock.pools for batch in pool.batches]
    dates_s = [max(batch.delivered_s or 0, batch.retired_s or 0) for batch in batches]
    last_s = float(max([trace.last_submit_s, *dates_s]) + each_s.sum())
    patience_s, horizon_s = longest_patience_s(trace, setup.policy), setup.horizon_ends_s
    if horizon_s is not None:
        last_s = min(last_s, horizon_s)
    return last_s + float(each_s.max(initial=0)) + patience_s


def lane_of(setup: Setup, assembly: Assembly, fit: Fit) -> Lane:
    """Return the fast lane of a set-up that it covers."""
    policy = setup.scenario.policy
    by_column = ORDERS_BY_COLUMN.get(policy.order.partition(":")[0])
    asked = AskedJobs(setup.trace, fit, setup.policy, by_column=by_column)
    preferences = Preferences(asked, setup.policy.offer, partial(prefers, policy.offer))
    rules = Rules(
        start_s=setup.start_s,
        horizon_s=setup.horizon_ends_s,
        backfill=policy.backfill,
        place=policy.place,
        overrun_s=setup.scenario.overrun_s,
    )
    return Lane(asked, preferences, assembly.pools, assembly.offers, rules)
