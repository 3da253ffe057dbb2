"""One's own policy tried beside the built-in ones."""

from __future__ import annotations

import os
from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand


@click.command("try", cls=ArrowCommand)
@click.argument("spec", metavar="POLICY")
@click.option(
    "--on",
    "suites",
    multiple=True,
    metavar="SUITE",
    help="synthetic, bad-weather or archive; repeat.  [default: all there are jobs for]",
)
@click.option("--trace", type=FILE, help="Jobs of the archive.")
@click.option("--against", multiple=True, metavar="SPEC", help="As sjf; repeat.  [default: of the same seam]")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="As wait_p95_s; repeat.")
@click.option(
    "--seeds",
    type=click.IntRange(2, 1_000),
    default=5,
    show_default=True,
    help="Worlds to train on, and as many held out.",
)
@click.option(
    "--cpu",
    "cpu_s",
    metavar="DURATION",
    default="120s",
    show_default=True,
    callback=options.duration,
    help="CPU time that it may take.",
)
@click.option(
    "--memory-mb",
    type=click.IntRange(64, 1_000_000),
    default=1_024,
    show_default=True,
    help="Memory that it may take.",
)
@options.workers(help="Processes.  [default: one a processor]")
@options.catalog
@options.as_json
def try_out(
    spec: str,
    suites: tuple[str, ...],
    trace: Path | None,
    against: tuple[str, ...],
    metrics: tuple[str, ...],
    seeds: int,
    cpu_s: int,
    memory_mb: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Try a policy from a file beside built-in ones: paired differences, and what it takes.

    POLICY is as in ./mine.py:order. It runs in a process of its own, which sees no clock and no file.
    """
    from tempfile import TemporaryDirectory

    from scheduler.report.documents.trial import try_document
    from scheduler.report.trial import render_trial
    from scheduler.study.trial.confined import TrialLimits
    from scheduler.study.trial.suites import SUITES
    from scheduler.study.trial.trial import TRIED_METRICS, PolicyTrial, try_policy

    on = suites or tuple(name for name in SUITES if name != "archive" or trace is not None)
    asked = PolicyTrial(
        spec=spec,
        suites=tuple(dict.fromkeys(on)),
        seeds=seeds,
        trace=trace,
        against=tuple(dict.fromkeys(against)),
        metrics=tuple(dict.fromkeys(metrics)) or TRIED_METRICS,
        limits=TrialLimits(max(1, cpu_s), memory_mb),
    )
    with TemporaryDirectory(prefix="exaburst-") as folder:
        answer = try_policy(asked, Path(folder), workers or os.cpu_count() or 1)
    click.echo(try_document(answer).text() if as_json else render_trial(answer))
