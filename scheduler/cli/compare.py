"""Policies compared over common seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scheduler.cli import options
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time: only a comparison that runs imports it
    from scheduler.study.compare.compare import Question
    from traces.submissions import TimeRange


class CompareOptions(NamedTuple):
    """What is to be compared, as it was typed."""

    scenario: Path
    policies: tuple[str, ...]
    baseline: str | None
    metrics: tuple[str, ...]
    by: str | None
    seeds: int | None
    halfwidth: float | None
    budget: int | None
    warmup: int | None
    cooldown: int | None
    trace: Path | None
    part: TimeRange
    draws: dict[str, Any]
    overrides: tuple[str, ...]


@click.command(cls=ArrowCommand)
@click.argument("scenario", type=SCENARIO)
@click.option(
    "-p", "policies", multiple=True, required=True, metavar="SPEC", help="As easy+after:4h; repeat."
)
@options.baseline(metavar="SPEC", help="What the others are compared with.  [default: the first]")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="As wait_p95_s@owner=proj-1; repeat."
)
@options.by(
    help="Compare the figures of jobs by this; without --metric, waits and how evenly all are served."
)
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
@options.trace(help="Compare the weeks of this trace or, with --seeds, draws of them.")
@options.part
@options.draws
@options.overrides(help="As policy.order=sjf.")
@options.workers(help="Processes.  [default: one a processor]")
@options.out(help="Keep results here, use them again, and write results.parquet.")
@options.catalog
@options.as_json
def compare(workers: int | None, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Compare policies on the same jobs: paired differences with intervals, beside bounds.

    A SPEC names policies of any seams, joined by +; seams it does not name are the scenario's.
    """
    from scheduler.cli.many_runs import workplace
    from scheduler.report.compare import render
    from scheduler.report.documents.studies import compare_document
    from scheduler.study.cells.workers import processes
    from scheduler.study.compare.compare import compare_policies, write_answer

    question, notes = _question(CompareOptions(**asked))
    with workplace(out, processes(workers)) as place:
        answer = compare_policies(question, *place)
        if out is not None:
            write_answer(answer, out / "results.parquet")
    if as_json:
        click.echo(compare_document(answer, None if out is None else str(out)).text())
        return
    click.echo("\n\n".join(part for part in (render(answer), notes) if part))
    if out is not None:
        click.echo(f"\nresults: {out}/results.parquet")


def _metrics(asked: CompareOptions) -> tuple[str, ...]:
    """Return the figures asked for, those that name no group for each word of the column `by`."""
    from scheduler.study.compare.differences import BY_METRICS

    if asked.by is None:
        return tuple(dict.fromkeys(asked.metrics))
    metrics = asked.metrics or BY_METRICS
    return tuple(dict.fromkeys(name if "@" in name else f"{name}@{asked.by}" for name in metrics))


def _question(asked: CompareOptions) -> tuple[Question, str]:
    """Return what is compared, and which of its figures are not sure."""
    from scheduler.cli.many_runs import log_wish
    from scheduler.cli.preparation import read, trace_file, unsure
    from scheduler.study.compare.compare import Question
    from traces.submissions import ALL_TIME

    scenario, stock = read(asked.scenario, asked.overrides, asked.trace)
    trace, part = trace_file(scenario, asked.scenario, asked.trace), asked.part
    if trace is None and part != ALL_TIME:
        raise click.UsageError("--from and --to keep a part of a trace: give --trace as well")
    if trace is not None and (asked.halfwidth, asked.budget) != (None, None):
        raise click.UsageError(
            f"{trace} is one trace, of which more seeds tell no more: "
            "leave out --until-halfwidth and --budget"
        )
    wish = log_wish(trace, asked.draws)
    if asked.budget is not None and asked.halfwidth is None:
        raise click.UsageError("--budget is for --until-halfwidth: give that as well")
    question = Question(
        scenario=scenario,
        policies=tuple(dict.fromkeys((asked.baseline or asked.policies[0], *asked.policies))),
        metrics=_metrics(asked),
        seeds=min(asked.seeds or 20, asked.budget or 10_000),
        trace=trace,
        draws=wish if asked.seeds or asked.draws else None,
        part=part,
        warmup_s=asked.warmup,
        cooldown_s=asked.cooldown,
        halfwidth=asked.halfwidth,
        budget=asked.budget or max(100, asked.seeds or 0),
    )
    return question, unsure(scenario, stock)
