"""The scenario as a whole, and how it is read.

A scenario is TOML, read into frozen, validated models. Unknown keys are errors that name the nearest known
one; so are values out of range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field
from msgspec.structs import replace

from scheduler.catalog.models import Positive, WholeSeconds
from scheduler.scenario.assets import ClosureSpec, PortSpec, check_assets
from scheduler.scenario.base import Model, Name, ScenarioError, models
from scheduler.scenario.calendar import is_date, with_calendar
from scheduler.scenario.edge import EdgeSpec
from scheduler.scenario.jobs import CheckpointSpec, LinkSpec, PreemptionSpec, RetrySpec
from scheduler.scenario.live_checks import check_fleets, check_market
from scheduler.scenario.loop import LoopSpec
from scheduler.scenario.market import MarketSpec
from scheduler.scenario.money import MoneySpec
from scheduler.scenario.overrides import override
from scheduler.scenario.owned import PoolSpec
from scheduler.scenario.policy import PolicySpec
from scheduler.scenario.queues import AdmissionSpec, QueueSpec, check_queues
from scheduler.scenario.rented import OfferSpec, PriceFile
from scheduler.scenario.sites import SeriesFile, SiteSpec
from traces.errors import explain, first_twice, read_toml
from traces.numbers import minute
from traces.times import HOUR_S, MomentError, parse_moment
from traces.trace import Trace

KILLS = ("never", "estimate")
BOUNDS = ("none", "owned_only", "rented_only", "unlimited_owned")


class Scenario(Model, frozen=True, kw_only=True):
    """A cluster, a policy and, where it is said here, the demand."""

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    start: str | None = None
    """When the run begins: a date, or so long after the epoch, as 7d; absent, see `run_start_s`."""
    horizon_h: Positive | None = None
    """Length of the run, which logs what is left as unfinished; absent, it ends with the last job."""
    trace: str | None = None
    """A trace to replay, relative to the scenario file."""
    demand: dict[str, Any] = field(default_factory=dict)
    """Arguments of the generator, where there is no trace."""
    pools: tuple[PoolSpec, ...] = ()
    offers: tuple[OfferSpec, ...] = ()
    sites: tuple[SiteSpec, ...] = ()
    closures: tuple[ClosureSpec, ...] = ()
    ports: tuple[PortSpec, ...] = ()
    policy: PolicySpec = field(default_factory=PolicySpec)
    queues: tuple[QueueSpec, ...] = ()
    admission: AdmissionSpec = field(default_factory=AdmissionSpec)
    bound: str = "none"
    """none, owned_only, rented_only or unlimited_owned: a bound to hold a policy against."""
    shares: dict[str, Positive] = field(default_factory=dict)
    """Weight of each owner under `fair_share`; 1 where absent."""
    money: MoneySpec = field(default_factory=MoneySpec)
    checkpoints: CheckpointSpec = field(default_factory=CheckpointSpec)
    kill: str = "never"
    """estimate: an attempt that has worked for its job's estimate and `grace_s` more is killed."""
    grace_s: WholeSeconds = 0
    retries: RetrySpec = field(default_factory=RetrySpec)
    preemption: PreemptionSpec = field(default_factory=PreemptionSpec)
    links: tuple[LinkSpec, ...] = ()
    weather: str | None = None
    """A weather file to replay, relative to the scenario file, instead of drawing what the scenario says."""
    market: MarketSpec | None = None
    """Whom spare devices are sold to; absent: nobody."""
    edge: tuple[EdgeSpec, ...] = ()
    """Fleets of parked cars that take work from the pods."""
    loops: tuple[LoopSpec, ...] = ()
    """Fleets that feed themselves: their campaigns are submitted as the run goes."""
    fair_weather: bool = False
    """Nothing fails, is taken away, refused or slow to come, and prices neither surge nor drift."""

    def __post_init__(self) -> None:
        if not self.pools and not self.offers:
            raise ValueError("needs at least one of `pools` and `offers`")
        names = [pool.name for pool in self.pools] + [offer.name for offer in self.offers]
        if twice := first_twice(names):
            raise ValueError(f'the name "{twice}" stands for two pools or offers')
        self._check_sites(names)
        if self.start is not None:
            try:
                parse_moment(self.start, datetime.fromtimestamp(0, UTC))
            except MomentError as error:
                raise ValueError(f"start: {error}") from None
        if self.trace is not None and self.demand:
            raise ValueError("give either `trace` or `demand`, not both")
        self._check_links()
        check_assets([pool.name for pool in self.pools], self.closures, self.ports)
        self._check_live(names)
        check_queues(self.queues, [pool.name for pool in self.pools], self.policy.preempt)
        if self.kill not in KILLS:
            raise ValueError(f'kill "{self.kill}": allowed are {", ".join(KILLS)}')
        if self.bound not in BOUNDS:
            raise ValueError(f'bound "{self.bound}": allowed are {", ".join(BOUNDS)}')

    def _check_sites(self, names: list[str]) -> None:
        pools, placed = {pool.name for pool in self.pools}, dict[str, str]()
        for site in self.sites:
            if site.name in names:
                raise ValueError(f'the name "{site.name}" stands for a site and something else')
            names.append(site.name)
            if site.is_capped and self.policy.preempt != "nobody":
                raise ValueError(f"site {site.name}: a cap goes with policy.preempt nobody alone")
            for pool in site.pools:
                if pool not in pools:
                    raise ValueError(f'site {site.name}: "{pool}" is no pool of the scenario')
                if pool in placed:
                    raise ValueError(f'site {site.name}: the pool "{pool}" is at {placed[pool]} already')
                placed[pool] = site.name

    def _check_links(self) -> None:
        known, linked = {offer.name for offer in self.offers}, set[str]()
        for link in self.links:
            for name in link.offers:
                if name not in known or name in linked:
                    wrong = "is on two links" if name in known else "is no offer of the scenario"
                    raise ValueError(f'link {link.name}: "{name}" {wrong}')
                linked.add(name)

    def _check_live(self, names: Sequence[str]) -> None:
        capped = {pool for site in self.sites if site.is_capped for pool in site.pools}
        pools, offers = ([each.name for each in part] for part in (self.pools, self.offers))
        check_market(self.market, self.horizon_h, pools, capped, offers)
        check_fleets(self.loops, self.edge, self.horizon_h, self.market, names)

    @property
    def lives(self) -> bool:
        """Whether anything lives in its runs: a market, loops or parked cars."""
        return self.market is not None or bool(self.loops or self.edge)

    @property
    def horizon_s(self) -> int | None:
        """The horizon in whole seconds: a length, from the start of the run."""
        return None if self.horizon_h is None else max(1, round(self.horizon_h * HOUR_S))

    def ends_s(self, start_s: int) -> int | None:
        """Return the second at which a run that starts at `start_s` meets its horizon; None without one."""
        return None if self.horizon_s is None else start_s + self.horizon_s

    @property
    def overrun_s(self) -> int | None:
        """Seconds past its estimate after which an attempt is killed; None: it never is for that."""
        return self.grace_s if self.kill == "estimate" else None


def run_start_s(scenario: Scenario, trace: Trace) -> int:
    """Return the second at which a run begins, counted like the trace's own from its epoch.

    Unless the scenario says when, it is the midnight before the first submission, in the trace's zone, but
    not before second 0. A trace that opens warm says when itself. Raises ScenarioError for a start after the
    first submission, or another than that.
    """
    if trace.opens_s is not None:
        if scenario.start is not None and parse_moment(scenario.start, trace.epoch) != trace.opens_s:
            raise ScenarioError(
                f'start = "{scenario.start}": the jobs open warm on {minute(trace.instant(trace.opens_s))} '
                "UTC; leave `start` out"
            )
        return trace.opens_s
    if scenario.start is None:
        return trace.first_midnight_s
    start_s = parse_moment(scenario.start, trace.epoch)
    if trace.generated and start_s != 0 and is_date(scenario.start):
        raise ScenarioError(
            f'start = "{scenario.start}": the trace was generated from {minute(trace.instant(0))} UTC on: '
            "must be the same, or a duration from there"
        )
    if len(trace) and start_s > trace.first_submit_s:
        raise ScenarioError(
            f'start = "{scenario.start}": must not be after the first job, which is submitted on '
            f"{minute(trace.instant(trace.first_submit_s))} UTC"
        )
    return start_s


def read_scenario(path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Read a scenario file, with `key=value` overrides applied; raises ScenarioError."""
    return scenario_of(read_toml(path, ScenarioError), path, overrides)


def scenario_of(raw: Mapping[str, Any], path: Path | str, overrides: Sequence[str] = ()) -> Scenario:
    """Validate the plain data of a scenario that stands in the file `path`, with overrides applied.

    Raises ScenarioError.
    """
    changed = deepcopy(dict(raw))
    for change in overrides:
        try:
            override(changed, change)
        except ValueError as error:
            raise ScenarioError(f'--set "{change}": {error}') from None
    return _beside(parse_scenario(changed, str(path)), Path(path).parent)


def parse_scenario(raw: Mapping[str, Any], where: str = "scenario") -> Scenario:
    """Validate a scenario given as plain data, in which dates may be TOML's; raises ScenarioError."""
    raw = with_calendar(raw, where)
    try:
        return msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {explain(str(error), raw, models())}") from None


def _beside(scenario: Scenario, folder: Path) -> Scenario:
    """Turn the names of files, which are relative to the scenario's own, into paths."""
    offers = []
    for offer in scenario.offers:
        if offer.price is not None:
            offer = replace(offer, price=PriceFile(csv=str(folder / offer.price.csv)))  # noqa: PLW2901
        if offer.reclaim is not None and offer.reclaim.recording is not None:
            recording = str(folder / offer.reclaim.recording)
            offer = replace(offer, reclaim=replace(offer.reclaim, recording=recording))  # noqa: PLW2901
        offers.append(offer)
    weather = scenario.weather and str(folder / scenario.weather)
    sites = tuple(_site_beside(site, folder) for site in scenario.sites)
    policy = scenario.policy.beside(folder)
    return replace(scenario, offers=tuple(offers), sites=sites, weather=weather, policy=policy)


def _site_beside(site: SiteSpec, folder: Path) -> SiteSpec:
    series = {
        name: replace(file, csv=str(folder / file.csv))
        for name in ("usd_per_kwh", "g_co2_per_kwh")
        if isinstance(file := getattr(site, name), SeriesFile)
    }
    return replace(site, **series)
