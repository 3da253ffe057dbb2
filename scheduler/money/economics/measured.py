"""What owning and renting came to in one run, from its own logs, and when owning would have paid.

The unit is work: a reference device-hour is what a job of gang 1 does in an hour of its `runtime_s`. A
resource's pace is the reference device-hours that one of its devices gets done in an hour at work, over all
attempts there; it holds the speed of the device, devices held and not used, gangs over pods, and what
checkpoints and lost work take. A job that was killed got nothing done.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scheduler.money.economics.breakeven import Numbers, breakeven_utilization
from scheduler.run.capacity import owned_device_s
from scheduler.run.columns import LINES, MOVED
from scheduler.run.directory import Run
from traces.times import HOUR_S


class Owned(NamedTuple):
    """A pool as it was: USD per reference device-hour."""

    name: str
    fixed_usd: float
    """Capital, operations and idle power, per reference device-hour that could be done."""
    variable_usd: float
    """What power adds where one is done: busy less idle power."""
    utilization: float
    """Device-hours held over those owned."""

    def usd(self, utilization: Numbers) -> Numbers:
        """Return what a reference device-hour done costs at a utilization; at its own, as in the ledger."""
        return self.fixed_usd / utilization + self.variable_usd

    def breakeven(self, rented_usd: float) -> Numbers:
        """Return the utilization at which it costs as much as renting; above 1 it never does."""
        return breakeven_utilization(  # any unit of work will do
            fixed_usd_per_pflop_day=self.fixed_usd,
            variable_usd_per_pflop_day=self.variable_usd,
            rented_usd_per_pflop_day=rented_usd,
        )


class Rented(NamedTuple):
    """An offer as it was: its whole bill per reference device-hour done, booting and minimum included."""

    name: str
    usd: float
    device_h: float
    """Reference device-hours done."""


def owned(run: Run) -> list[Owned]:
    """Return the pools that did some work. Tariffs by the hour count at their mean over the busy hours."""
    spend = _spend(run)
    pace = _pace(run)
    pools = []
    for pool in run.description["pools"]:
        name, owned_h = pool["name"], owned_device_s(run, pool["name"]) / HOUR_S
        held_h = _sum(spend, name, ["capital"], "quantity", ["job"])
        if name not in pace or not held_h:
            continue
        busy_usd = _sum(spend, name, ["energy"], "usd", ["job"]) / held_h
        idle_usd = busy_usd * pool["idle_kw"] / pool["busy_kw"] if pool["busy_kw"] else 0.0
        capacity_usd = _sum(spend, name, _but("energy"), "usd") / owned_h
        fixed_usd, variable_usd = capacity_usd + idle_usd, busy_usd - idle_usd
        pools.append(Owned(name, fixed_usd / pace[name], variable_usd / pace[name], held_h / owned_h))
    return pools


def rented(run: Run) -> list[Rented]:
    """Return the offers that got some work done."""
    spend = _spend(run)
    pace = _pace(run)
    offers = []
    for name in run.offers:
        if name in pace:
            device_h = _sum(spend, name, _but(*MOVED), "quantity", ["job"]) * pace[name]
            bill = _sum(spend, name, _but(), "usd")
            offers.append(Rented(name, bill / device_h, device_h))
    return offers


def _but(*lines: str) -> list[str]:
    """Return the lines that pay for something, but for some."""
    return [line for line in LINES if line not in (*lines, "revenue")]


def _pace(run: Run) -> dict[str, float]:
    attempts = run.attempts.merge(run.jobs[["job_id", "gang", "state"]], on="job_id")
    attempts = attempts[attempts.start_s.notna()]
    done = attempts.gang.astype(float) * attempts.kept_s * (attempts.state != "killed")
    took = attempts.devices.astype(float) * (attempts.end_s - attempts.start_s)
    at = attempts["where"].astype(str)
    paces = done.groupby(at).sum() / took.groupby(at).sum()
    return {str(name): float(pace) for name, pace in paces.items() if pace > 0}


def _spend(run: Run) -> Any:
    by = ["resource", "line", "charged_to"]
    return run.spend.groupby(by, observed=True)[["quantity", "usd"]].sum().reset_index()


def _sum(spend: Any, resource: str, lines: list[str], what: str, bearers: list[str] | None = None) -> float:
    rows = spend[(spend.resource == resource) & spend.line.isin(lines)]
    if bearers:
        rows = rows[rows.charged_to.isin(bearers)]
    return float(rows[what].sum())
