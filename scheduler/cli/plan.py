"""How many pods to own, and when to burst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scheduler.cli import options
from scheduler.cli.runs import DEMO
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from scheduler.scenario import Scenario
    from scheduler.study.cells.log import LogDraws
    from scheduler.study.plan.plan import Plan

_TARGETS = ("fsd.release:p95:12h", "all:p95:12h")
"""Unless another is given: of a demand, and of a trace."""


class PlanOptions(NamedTuple):
    """What a plan is searched for, as it was typed."""

    pool: str | None
    max_pods: int | None
    step: int
    firsts: tuple[str, ...]
    patiences: tuple[str, ...]
    target: str | None
    stranded: float
    seeds: int
    keep: bool
    trace: Path | None
    draws: dict[str, Any]


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO, default=DEMO)
@options.out(help="Where results are kept and found again.  [default: plans/NAME]")
@click.option("--pool", help="The pool whose pods are counted; needed where there are several.")
@click.option(
    "--max-pods", type=click.IntRange(1, 10**6), help="Most to look at.  [default: twice the scenario's]"
)
@click.option(
    "--step",
    type=click.IntRange(1, 10**6),
    default=1,
    show_default=True,
    help="Pods are bought so many at a time, as nodes by the rack.",
)
@click.option(
    "--first",
    "firsts",
    multiple=True,
    metavar="SPEC",
    help="Where jobs go first, as rented; again for others.  [default: owned, rented, reserve:0.2]",
)
@click.option(
    "--patience",
    "patiences",
    multiple=True,
    metavar="SPEC",
    help="One to try, as after:4h; again for others.",
)
@click.option(
    "--target",
    metavar="KIND:pNN:DURATION",
    help="How long so many of the jobs of a kind, or of COLUMN=WORD as owner=proj-1, may wait.  "
    "[default: fsd.release:p95:12h, of a trace all:p95:12h]",
)
@options.stranded
@options.seeds(type=int, default=20, show_default=True, help="Common seeds, from the scenario's on.")
@options.trace(help="Draw replications from the weeks of this log instead of generating demand.")
@options.draws
@options.workers(help="Processes.  [default: one a processor]")
@options.keep(help="Keep the run directories too.")
@options.overrides(help="As pools.dojo.pods=5.")
@options.catalog
@options.as_json
def plan(
    scenario: Path,
    overrides: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Search for the cheapest number of pods, and when to burst, that meet a service target.

    It runs the scenario, by default the demo's, over common seeds of its demand or draws of a log, and says
    how the answer moves with demand and prices. Stopped and started again, it goes on where it was.
    """
    from scheduler.cli.many_runs import workplace
    from scheduler.cli.preparation import read, trace_file, unsure
    from scheduler.report.documents.studies import plan_document
    from scheduler.report.plan import render
    from scheduler.study.cells.workers import processes
    from scheduler.study.plan.candidates import target_of
    from scheduler.study.plan.evaluations import Bench
    from scheduler.study.plan.make_plan import make_plan
    from scheduler.study.plan.question import DEFAULT_FIRSTS, DEFAULT_PATIENCES, burst_policies, plan_question

    given = PlanOptions(**asked)
    spec, stock = read(scenario, overrides, given.trace)
    notes, file = unsure(spec, stock), trace_file(spec, scenario, given.trace)
    target = target_of(given.target or _TARGETS[file is not None], given.stranded)
    bursts = burst_policies(given.firsts or DEFAULT_FIRSTS, given.patiences or DEFAULT_PATIENCES)
    pool, posed = plan_question(spec, given.pool, bursts, given.max_pods, given.seeds, given.step)
    spec, log = _jobs(spec, target.group, file, given)
    folder = out or Path("plans") / spec.name
    with workplace(folder, processes(workers), unit="run") as place:
        found = make_plan(Bench(spec, pool, target, *place, given.keep, log), posed)
        _keep(found, folder, spec)
    text = "\n".join(part for part in (render(found), notes, f"results: {folder}") if part)
    click.echo(plan_document(found, str(folder)).text() if as_json else text)


def _jobs(
    scenario: Scenario, group: str, file: Path | None, given: PlanOptions
) -> tuple[Scenario, LogDraws | None]:
    """Return the scenario to run, and what its seeds draw from, if not from its demand."""
    from scheduler.cli.many_runs import log_wish
    from scheduler.study.plan.question import over_demand, over_log

    wish = log_wish(file, given.draws)
    if file is None or wish is None:
        return over_demand(scenario, group), None
    return over_log(scenario, group, file, wish)


def _keep(found: Plan, folder: Path, scenario: Scenario) -> None:
    """Keep what was found, for a page."""
    from scheduler.catalog import load_catalog
    from scheduler.stock.grounds import grounds_of
    from scheduler.study.plan.plan_file import KeptPlan, write_plan

    write_plan(folder, KeptPlan(found, grounds_of([scenario], load_catalog())))
