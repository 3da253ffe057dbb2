"""When to buy how many pods, over years."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from scheduler.scenario import Scenario
    from scheduler.study.roadmap.question import RoadmapQuestion

PATIENCES = ("never", "after:4h")
FIRSTS = ("owned", "rented")
"""Tried unless others are asked for; fewer than by `plan`, as each is run in every quarter."""


class RoadmapOptions(NamedTuple):
    """What a roadmap is searched for, as it was typed."""

    pool: str | None
    generations: tuple[str, ...]
    commit: tuple[str, ...]
    max_pods: int | None
    firsts: tuple[str, ...]
    patiences: tuple[str, ...]
    target: str
    stranded: float
    seeds: int
    month: int
    warm_up: int
    discount_rate: float | None
    resale_share: float
    held_out: int
    full: bool


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO)
@options.out(help="Where results are kept and found again.  [default: roadmaps/NAME]")
@click.option("--pool", help="The pool whose pods are bought; needed where there are several.")
@click.option(
    "--generation",
    "generations",
    multiple=True,
    metavar="POD",
    help="A pod of the catalog to buy in place of the pool's own, if that is cheaper; may be repeated.",
)
@click.option(
    "--commit",
    multiple=True,
    metavar="OFFER:MONTHS[:USD]",
    help="Devices of an offer that may be reserved for a term, at a price an hour [catalog's]; repeat.",
)
@click.option(
    "--max-pods", type=click.IntRange(1, 10**4), help="Most to look at.  [default: twice the scenario's]"
)
@click.option(
    "--first", "firsts", multiple=True, metavar="SPEC", help="As of plan.  [default: owned, rented]"
)
@click.option(
    "--patience", "patiences", multiple=True, metavar="SPEC", help="As of plan.  [default: never, after:4h]"
)
@click.option(
    "--target",
    default="fsd.release:p95:12h",
    show_default=True,
    metavar="KIND:pNN:DURATION",
    help="How long so many of the jobs of a kind, or of COLUMN=WORD, may wait, in every quarter.",
)
@options.stranded
@options.seeds(type=int, default=4, show_default=True, help="Common seeds, from the scenario's on.")
@click.option(
    "--month",
    type=click.IntRange(1, 366),
    default=28,
    show_default=True,
    help="Days that stand for a quarter.",
)
@click.option(
    "--warm-up", type=click.IntRange(0, 366), default=7, show_default=True, help="Days before, not measured."
)
@click.option(
    "--discount-rate",
    type=click.FloatRange(0, 1),
    help="A year, above inflation.  [default: that of economics, 0.07]",
)
@click.option(
    "--resale-share",
    type=options.Portion(0, 1),
    default=1.0,
    show_default=True,
    help="What pods bring at the end, as a share of their book value.",
)
@click.option(
    "--held-out",
    type=click.IntRange(0, 1_000),
    default=4,
    show_default=True,
    help="Other seeds on which the answer is held against other schedules; 0: none.",
)
@click.option("--full", is_flag=True, help="Run the answer over all the horizon too, to measure the months.")
@options.workers(help="Local processes.  [default: one a processor]")
@options.dask
@options.overrides(help="As horizon=3y.")
@options.catalog
@options.as_json
def roadmap(
    scenario: Path,
    overrides: tuple[str, ...],
    workers: int | None,
    address: str | None,
    out: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Search for the cheapest schedule of purchases, by quarter, that meets a service target.

    It runs a month of each quarter of the horizon. Stopped and started again, it goes on.
    """
    from scheduler.catalog import load_catalog
    from scheduler.cli.many_runs import crew, workplace
    from scheduler.cli.preparation import read, unsure
    from scheduler.report.documents.roadmaps import roadmap_document
    from scheduler.report.roadmap import render
    from scheduler.report.roadmap_file import KeptRoadmap, write_roadmap
    from scheduler.stock.grounds import grounds_of
    from scheduler.study.plan.candidates import target_of
    from scheduler.study.roadmap.evaluations import MonthBench
    from scheduler.study.roadmap.generations import generations_of
    from scheduler.study.roadmap.make_roadmap import make_roadmap
    from scheduler.study.roadmap.question import horizon_quarters

    target = target_of((given := RoadmapOptions(**asked)).target, given.stranded)
    spec, stock = read(scenario, overrides)
    notes = unsure(spec, stock)
    spec, pool, posed = _posed(spec, given, target.group)
    folder, quarters = out or Path("roadmaps") / spec.name, horizon_quarters(spec, given.month)
    with workplace(folder, crew(workers, address, folder), unit="run") as place:
        bench = MonthBench(spec, pool, quarters, given.warm_up, target, *place)
        bench.rent_levels = bool(posed.contracts)
        bought = generations_of(bench, posed, given.generations)
        found = make_roadmap(bought, full=given.full, fresh=given.held_out)
    document, grounds = roadmap_document(found, str(folder)), grounds_of([spec], load_catalog())
    write_roadmap(folder, KeptRoadmap(document, grounds))
    parts = render(found), notes, f"results: {folder}"
    click.echo(document.text() if as_json else "\n".join(filter(None, parts)))


def _posed(scenario: Scenario, given: RoadmapOptions, group: str) -> tuple[Scenario, str, RoadmapQuestion]:
    """Return the scenario, the pool and what is asked of them, all checked."""
    from scheduler.study.plan.question import burst_policies
    from scheduler.study.roadmap.question import contracts_of, discount_rate, roadmap_question

    bursts = burst_policies(given.firsts or FIRSTS, given.patiences or PATIENCES)
    rate = discount_rate() if given.discount_rate is None else given.discount_rate
    asks = (given.pool, bursts, given.max_pods, given.seeds, group)
    scenario, pool, posed = roadmap_question(scenario, *asks, rate=rate, resale_share=given.resale_share)
    return scenario, pool, posed._replace(contracts=contracts_of(scenario, given.commit))
