"""The `exaburst` command: it composes the packages and decides nothing.

Whatever costs to import is imported by the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import click

from scheduler.cli.catalog import catalog
from scheduler.cli.check import check
from scheduler.cli.claims import claims
from scheduler.cli.compare import compare
from scheduler.cli.economics import economics
from scheduler.cli.export import export
from scheduler.cli.ledger import ledger
from scheduler.cli.plan import plan
from scheduler.cli.power import power
from scheduler.cli.price import price
from scheduler.cli.report import report
from scheduler.cli.runs import demo, replay, summary
from scheduler.cli.study import study
from scheduler.cli.terminal import PlainErrors
from scheduler.cli.timeline import timeline
from scheduler.cli.traces import generate, import_
from scheduler.cli.verify import verify
from scheduler.cli.weather import weather
from scheduler.cli.why import why


@click.group(
    cls=PlainErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="exaburst", message="%(prog)s %(version)s")
def main() -> None:
    """Emulate a hybrid training cluster: owned Dojo ExaPODs first, rented cloud GPUs for the bursts."""


for _command in (
    *(demo, replay, summary, why, report, ledger, generate, import_, export, check),
    *(catalog, compare, claims, economics, plan, power, price, study, timeline, verify, weather),
):
    main.add_command(_command)
