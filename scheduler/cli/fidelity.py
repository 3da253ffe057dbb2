"""A log's record beside a simulation of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.scenarios import SCENARIO
from scheduler.cli.terminal import ArrowCommand

if TYPE_CHECKING:  # for start-up time
    from traces.submissions import TimeRange


@click.command(cls=ArrowCommand)
@click.argument("trace", type=FILE)
@click.argument("scenario", type=SCENARIO)
@options.part
@options.overrides(help="As policy.order=fair_share.")
@options.catalog
@options.as_json
def fidelity(trace: Path, scenario: Path, part: TimeRange, overrides: tuple[str, ...], as_json: bool) -> None:
    """Simulate a log and compare with its record: waits, use of devices, and what would explain the rest.

    The trace needs recorded starts and ends. Rules that the scenario lacks and the record is consistent with
    are tried where a scenario can say them; --json has each as --set takes it.
    """
    from scheduler.cli.preparation import prepare
    from scheduler.cli.terminal import progress_bar
    from scheduler.fidelity.answer import fidelity as answer_of
    from scheduler.report.documents.fidelity import fidelity_document
    from scheduler.report.fidelity import fidelity as render
    from traces.files import passing_folder

    prepared = prepare(scenario, trace, overrides, part=part)
    name = prepared.setup.scenario.name
    with passing_folder() as folder, progress_bar(unit="run") as progress:
        answer = answer_of(prepared.setup, folder, progress)
    document = fidelity_document(str(trace), name, answer)
    click.echo(document.text() if as_json else render(name, answer))
