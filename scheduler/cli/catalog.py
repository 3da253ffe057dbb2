"""The catalog, for reading."""

from __future__ import annotations

import click

from scheduler.cli import options

SECTIONS = ("devices", "pods", "offers", "arithmetic")


@click.command()
@click.argument("section", type=click.Choice(SECTIONS), required=False)
@options.as_json
def catalog(section: str | None, as_json: bool) -> None:
    """List devices, pods and offers with their sources, and the arithmetic that does not close."""
    from scheduler.catalog import load_catalog
    from scheduler.report.catalog import render
    from scheduler.report.documents.money import catalog_document

    found = load_catalog()
    click.echo(catalog_document(found).text() if as_json else render(found, section))
