"""The claims of the source documents, on trial."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.runs import DEMO
from scheduler.cli.scenarios import SHIPPED
from scheduler.cli.terminal import ArrowCommand


@click.command(cls=ArrowCommand)
@click.argument("key", required=False)
@click.option("--simulate", is_flag=True, help="Run what arithmetic alone cannot test; some minutes.")
@options.out(help="Keep the results of these runs here, and use them again.")
@options.catalog
@options.as_json
def claims(key: str | None, simulate: bool, out: Path | None, as_json: bool) -> None:
    """Test each figure that the source documents claim, under each reading of them."""
    from scheduler.catalog import load_catalog
    from scheduler.money.claims.claim_file import load_claims
    from scheduler.money.claims.simulated_claims import SIMULATED_CLAIMS
    from scheduler.money.claims.verdicts import Court
    from scheduler.report.claims import detail, summary
    from scheduler.report.documents.money import claims_document

    if out is not None and not simulate:
        raise click.UsageError("--out keeps the results of simulated runs: give --simulate as well")
    catalog = load_catalog()
    dossier = load_claims(catalog)
    if key is not None:
        dossier.claim(key)  # a wrong key is said before anything is run
        if simulate and key not in SIMULATED_CLAIMS:
            raise click.UsageError(f'"{key}" is not tested by simulation: leave --simulate out')
    trials = None
    if simulate:
        from scheduler.cli.many_runs import workplace
        from scheduler.cli.preparation import read
        from scheduler.study.cells.workers import processes
        from scheduler.study.claim_runs import live_trials, run_trials

        with workplace(out, processes(), unit="run", desc="claims") as place:
            demo, ranges = read(DEMO)[0], {name: each.range for name, each in dossier.inputs.items()}
            live = live_trials(demo, read(SHIPPED["years"])[0], ranges, *place)
            trials = run_trials(demo, live, *place)
    court = Court(catalog, dossier, trials)
    if as_json:
        click.echo(claims_document(court, key).text())
    else:
        click.echo(summary(court) if key is None else detail(court, key))
