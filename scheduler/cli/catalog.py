"""The catalog, for reading."""

from __future__ import annotations

import click

SECTIONS = ("devices", "pods", "offers", "arithmetic")


@click.command()
@click.argument("section", type=click.Choice(SECTIONS), required=False)
def catalog(section: str | None) -> None:
    """List devices, pods and offers with their sources, and the arithmetic that does not close."""
    from scheduler.catalog import load_catalog
    from scheduler.report.catalog import render

    click.echo(render(load_catalog(), section))
