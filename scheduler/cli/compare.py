"""Policies compared over common seeds."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli import options
from scheduler.cli.options import FILE, read
from scheduler.cli.terminal import progress_bar

if TYPE_CHECKING:
    from scheduler.study.compare.compare import Question


@click.command()
@click.argument("scenario", type=FILE)
@click.option(
    "-p", "policies", multiple=True, required=True, metavar="SPEC", help="As easy+after:4h; repeat."
)
@options.baseline(metavar="SPEC", help="What the others are compared with.  [default: the first]")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A figure to compare; repeat.")
@options.seeds(type=click.IntRange(2, 10_000), help="Common seeds, from the scenario's on.  [default: 20]")
@click.option(
    "--until-halfwidth",
    "halfwidth",
    metavar="X%",
    callback=options.share,
    help="Add seeds until half the first interval is X%.",
)
@click.option(
    "--budget", type=click.IntRange(2, 10_000), help="Most seeds with --until-halfwidth.  [default: 100]"
)
@click.option(
    "--warmup",
    metavar="DURATION",
    callback=options.duration,
    help="Left out at the start.  [default: 5 days and what makes whole weeks]",
)
@click.option(
    "--cooldown",
    metavar="DURATION",
    callback=options.duration,
    help="Left out at the end.  [default: a day]",
)
@options.trace(help="Compare the weeks of this trace instead of seeds.")
@options.overrides(help="As policy.order=sjf.")
@options.workers(help="Processes.  [default: one a processor]")
@options.out(help="Keep results here, use them again, and write results.parquet.")
def compare(
    scenario: Path,
    policies: tuple[str, ...],
    baseline: str | None,
    overrides: tuple[str, ...],
    workers: int | None,
    out: Path | None,
    **asked: Any,
) -> None:
    """Compare policies on the same jobs: paired differences with intervals, beside bounds.

    A SPEC names policies of any seams, joined by +; seams it does not name are the scenario's.
    """
    from scheduler.report.compare import render
    from scheduler.study.cells.workers import processes
    from scheduler.study.compare.compare import compare_policies, write_results

    question = _question(scenario, dict.fromkeys((baseline or policies[0], *policies)), overrides, **asked)
    bar = progress_bar()
    with TemporaryDirectory(prefix="exaburst-") as scratch, processes(workers) as crew, bar as progress:
        folder = out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        answer = compare_policies(question, folder, crew, progress)
        if out is not None:
            write_results(answer, out / "results.parquet")
    click.echo(render(answer))
    if out is not None:
        click.echo(f"\nresults: {out}/results.parquet")


def _question(
    file: Path,
    policies: dict[str, None],
    overrides: tuple[str, ...],
    *,
    metrics: tuple[str, ...],
    seeds: int | None,
    halfwidth: float | None,
    budget: int | None,
    warmup: int | None,
    cooldown: int | None,
    trace: Path | None,
) -> Question:
    from scheduler.study.compare.compare import Question

    spec, _, _ = read(file, overrides)
    given = trace or (file.parent / spec.trace if spec.trace else None)
    if given is not None and (seeds, halfwidth, budget) != (None, None, None):
        raise click.UsageError(
            f"{given} is one trace, whose jobs no seed changes, and is compared week by week: "
            "leave out --seeds, --until-halfwidth and --budget"
        )
    if budget is not None and halfwidth is None:
        raise click.UsageError("--budget is for --until-halfwidth: give that as well")
    return Question(
        scenario=spec,
        policies=tuple(policies),
        metrics=tuple(dict.fromkeys(metrics)),
        seeds=min(seeds or 20, budget or 10_000),
        trace=given,
        warmup_s=warmup,
        cooldown_s=cooldown,
        halfwidth=halfwidth,
        budget=budget or max(100, seeds or 0),
    )
