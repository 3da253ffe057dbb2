"""Runs whose attempts are told instead of emulated: any history of a job, logged and priced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from simpy import Environment

from scheduler.engine.attempt import Attempt
from scheduler.engine.jobs import Job, jobs
from scheduler.engine.log.outcomes import OUTCOMES, UNFINISHED, Account
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.log.site_power import SitePower
from scheduler.engine.need import Need
from scheduler.engine.owned.pools import Pool
from scheduler.money.ledger.audit import audit
from scheduler.money.ledger.ledger import write_ledger
from scheduler.money.ledger.meter import Meter
from scheduler.money.ledger.rates import Calendar, Owning
from scheduler.run.directory import Run, finish
from scheduler.scenario import Scenario, run_start_s
from scheduler.stock.pools import PoolStock
from scheduler.stock.stock import stock_of
from tests.worlds import AGAIN, CATALOG, Row
from traces import Trace

Down = tuple[int, int, int]
"""(pool, second, how many more devices are out of service from then on)."""


class Told(NamedTuple):
    """An attempt of the job in a row of the trace; `where` is the number of a pool or an offer."""

    row: int
    where: int
    devices: int
    alloc_s: int
    end_s: int
    outcome: str
    account: Account | None = None
    ready_s: int = 0
    pods: tuple[int, ...] = ()


class Teller:
    """Tells a log what happens, as the simulation would."""

    def __init__(self, log: RunLog, trace: Trace) -> None:
        self.log, self.clock = log, Environment()
        self.jobs: list[Job] = [job for block in jobs(trace, lambda *_: ([], [])) for job in block]
        self.running: dict[Told, Attempt] = {}

    def tell(self, attempts: Iterable[Told], down: Iterable[Down] = ()) -> None:
        """Tell all in order of time; at an instant what breaks first, then who ends, waits and starts."""
        events: list[tuple[int, int, Callable[[], None]]] = []
        for told in attempts:
            events.append((told.end_s, 1, partial(self.end, told)))
            events.append((told.alloc_s, 3, partial(self.start, told)))
        events += [(change[1], 0, partial(self.log.down, *change)) for change in down]
        events += [(job.submit_s, 2, partial(self.wait, job)) for job in self.jobs]
        for _, _, happen in sorted(events, key=itemgetter(0, 1)):
            happen()

    def wait(self, job: Job) -> None:
        self.log.turns.waiting[job.turn] = 1

    def start(self, told: Told) -> None:
        job = self.jobs[told.row]
        self.log.turns.waiting[job.turn] = 0
        pool = Pool(0, pool_stock(told.devices, max(told.pods, default=0) + 1))
        pods = tuple(pool.pods[pod] for pod in told.pods)
        need: Any = Need(told.where, told.devices, 1.0, told.devices)
        attempt = Attempt(self.clock, [print], told.alloc_s, job, need, pods, told.ready_s)
        self.running[told] = attempt
        self.log.running[attempt] = None

    def end(self, told: Told) -> None:
        attempt = self.running.pop(told)
        del self.log.running[attempt]
        self.log.ended(attempt, told.end_s, OUTCOMES.index(told.outcome), told.account)
        if told.outcome in AGAIN:
            self.jobs[told.row] = again = attempt.job._replace(turn=self.log.turns.again(told.row))
            self.log.turns.waits_again(again.turn, told.end_s)
            self.wait(again)


def pool_stock(size: int, pods: int) -> PoolStock:
    return PoolStock(
        name="any",
        pod="",
        device="unit",
        pods=pods,
        pod_devices=size,
        span_efficiency=1.0,
        endless=False,
        capital_usd_per_pod=0.0,
        busy_kw=0.0,
        idle_kw=0.0,
    )


def run(
    of: Scenario, over: Trace, attempts: Sequence[Told], down: Sequence[Down], end_s: int, folder: Path
) -> Run:
    """Log and price what is told; what did not end by `end_s` waits. Raises LedgerError."""
    start_s = run_start_s(of, over)
    stock = stock_of(of, CATALOG, over.instant(start_s)).from_second(start_s)
    owning = Owning(of.money, Calendar.of(over.epoch), start_s, stock.sites)
    meter = Meter(stock, owning, over)
    pools, offers = ([each.name for each in some] for some in (stock.pools, stock.offers))
    log = RunLog(folder, over, pools, offers, meter.price, SitePower(stock, start_s))
    Teller(log, over).tell(attempts, down)
    for row in log.missing():
        log.unstarted(row, UNFINISHED, "waits")
    log.flush(end_s + 1)
    spend = write_ledger(folder, stock, owning, end_s)
    audit(folder, spend, stock, owning, meter, end_s)
    return finish(folder, of, over, stock, end_s, {"jobs": log.counts()})


class History(NamedTuple):
    """What befell the jobs of a trace."""

    attempts: list[Told]
    down: list[Down]
    end_s: int


@st.composite
def histories(draw: st.DrawFn, over: Trace, places: int, pools: int, most_down: int) -> History:
    """Up to four attempts a job, each in any of the `places`, pools first; and devices that break."""
    attempts = []
    for row, job in enumerate(over.table.to_pylist()):
        now_s = job["submit_s"]
        for last in draw(st.sampled_from([[], [True], [False], [False, True], [False, False, False, True]])):
            outcome = draw(st.sampled_from(["finished", "unfinished", "killed"] if last else AGAIN))
            told = draw(_attempts(row, job, now_s, outcome, draw(st.integers(0, places - 1)), pools))
            attempts.append(told)
            now_s = told.end_s
    start_s = over.first_midnight_s
    end_s = max([told.end_s for told in attempts], default=start_s) + draw(st.integers(1, 30))
    attempts = [told._replace(end_s=end_s) if told.outcome == "unfinished" else told for told in attempts]
    down = [
        change
        for pool in range(pools)
        for from_s, to_s in draw(st.lists(st.tuples(*[st.integers(start_s, end_s)] * 2), max_size=3))
        for change in (
            (pool, min(from_s, to_s), most_down // 3),
            (pool, max(from_s, to_s), -(most_down // 3)),
        )
    ]
    return History(attempts, down, end_s)


@st.composite
def _attempts(draw: st.DrawFn, row: int, job: Row, now_s: int, outcome: str, where: int, pools: int) -> Told:
    """An attempt soon after `now_s`, whatever it came to."""
    alloc_s, ready_s, length_s = (
        now_s + draw(st.integers(0, 20)),
        draw(st.sampled_from([0, 7])),
        draw(st.integers(1, 50)),
    )
    checkpointing_s = draw(st.integers(0, max(0, length_s - ready_s)))
    terabytes = st.sampled_from([0.0, 0.5, 3.0])
    lost_device_s = draw(st.integers(0, 100))
    account = Account(
        draw(st.integers(0, 50)), checkpointing_s, lost_device_s, draw(terabytes), draw(terabytes)
    )
    pods = (0, 1)[: draw(st.integers(1, 2))] if where < pools else ()
    return Told(row, where, job["gang"], alloc_s, alloc_s + length_s, outcome, account, ready_s, pods)
