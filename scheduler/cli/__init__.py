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
from scheduler.cli.fidelity import fidelity
from scheduler.cli.ledger import ledger
from scheduler.cli.plan import plan
from scheduler.cli.power import power
from scheduler.cli.price import price
from scheduler.cli.report import report
from scheduler.cli.roadmap import roadmap
from scheduler.cli.runs import demo, replay, summary
from scheduler.cli.scenarios import init, runs
from scheduler.cli.study import study
from scheduler.cli.terminal import PlainErrors
from scheduler.cli.timeline import timeline
from scheduler.cli.traces import generate, import_
from scheduler.cli.try_out import try_out
from scheduler.cli.verify import verify
from scheduler.cli.weather import weather
from scheduler.cli.why import why

TASKS: dict[str, dict[click.Command, str]] = {
    "Jobs": {
        generate: "exaburst generate --days 7 --load 1.2 -o demand.parquet",
        import_: "exaburst import sacct dump.txt -o log.parquet",
        export: "exaburst export swf log.parquet -o log.swf",
    },
    "Set up": {
        init: "exaburst init --name ours --nodes 50 --offer aws-h100-us-east-1=256 --trace log.parquet",
        check: "exaburst check ours.toml --trace log.parquet",
        catalog: "exaburst catalog offers --catalog prices.toml",
        weather: "exaburst weather bad-weather",
    },
    "Run": {
        demo: "exaburst demo --set pools.dojo.pods=5 -o runs/five",
        replay: "exaburst replay seven-exapods --set policy.patience=at_once -o runs/at-once",
        verify: "exaburst verify runs/demo",
        fidelity: "exaburst fidelity log.parquet ours.toml",
        runs: "exaburst runs",
    },
    "Look at a run": {
        summary: "exaburst summary runs/demo --by owner",
        why: "exaburst why runs/five 24688",
        ledger: "exaburst ledger runs/demo --by owner,month --idle use",
        report: "exaburst report runs/demo -o page.html",
        timeline: "exaburst timeline runs/demo -o demo.pftrace",
    },
    "Decide": {
        compare: "exaburst compare seven-exapods -p fcfs -p easy+after:4h --seeds 20",
        try_out: "exaburst try ./mine.py:order --on synthetic",
        plan: "exaburst plan ours.toml --target fsd.release:p95:12h",
        roadmap: "exaburst roadmap ours.toml --target fsd.release:p95:12h --full",
        study: "exaburst study run STUDY.toml -o DIR",
        economics: "exaburst economics --run runs/demo",
        price: "exaburst price market.toml --factor 1 --factor 1.5",
        power: "exaburst power sites.toml --kw 100",
        claims: "exaburst claims --simulate",
    },
}
"""The commands by what they are for, each with an example."""


class _Tasks(PlainErrors):
    """Lists commands by task, with their whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section a task."""
        for task, commands in TASKS.items():
            rows = [
                (name, each.get_short_help_str(200))
                for name, each in self.commands.items()
                if each in commands
            ]
            with formatter.section(task):
                formatter.write_dl(rows)


@click.group(cls=_Tasks, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="exaburst", message="%(prog)s %(version)s")
def main() -> None:
    """Emulate a hybrid training cluster: owned Dojo ExaPODs first, rented cloud GPUs for the bursts."""


for _commands in TASKS.values():
    for _command, _example in _commands.items():
        _command.epilog = " ".join(filter(None, [_command.epilog, f"Example: {_example}"]))
        main.add_command(_command)
