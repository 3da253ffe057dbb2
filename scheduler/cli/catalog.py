"""The catalog, for reading, and price lists made into files to lay over it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from scheduler.cli import options
from scheduler.cli.options import FILE
from scheduler.cli.terminal import ArrowCommand, Listing

SECTIONS = {
    "devices": "List devices with their figures and sources.",
    "pods": "List kinds of pods, likewise.",
    "offers": "List offers with their prices, and the terms of their providers.",
    "arithmetic": "Hold sums of parts against what is stated for the whole.",
    "sources": "List what the keys of sources stand for.",
}


@click.group(cls=Listing, invoke_without_command=True)
@options.catalog
@options.as_json
@click.pass_context
def catalog(ctx: click.Context, as_json: bool) -> None:
    """List devices, pods and offers with their sources, and the arithmetic that does not close."""
    if ctx.invoked_subcommand is None:
        _show(None, as_json=as_json)


def _show(section: str | None, *, as_json: bool) -> None:
    from scheduler.catalog import load_catalog
    from scheduler.report.catalog import render
    from scheduler.report.documents.money import catalog_document

    found = load_catalog()
    click.echo(catalog_document(found).text() if as_json else render(found, section))


for _name, _help in SECTIONS.items():
    _shown = options.catalog(options.as_json(partial(_show, _name)))
    _epilog = f"Example: exaburst catalog {_name} --catalog prices.toml"
    catalog.add_command(click.command(_name, help=_help, epilog=_epilog)(_shown))


@catalog.command(
    cls=ArrowCommand, epilog="Example: exaburst catalog refresh ours.csv --as-of 2026-10 -o prices.toml"
)
@click.argument("file", type=FILE)
@click.option("--as-of", required=True, metavar="YYYY-MM", help="Month that the prices are of.")
@click.option("--provider", default="", help="Whose prices they are, where the file does not say.")
@click.option("--region", default="", help="Where they hold, likewise.  [default: any]")
@click.option("--source", default="", help="What to call the list.  [default: its name]")
@options.out(default=Path("prices.toml"), show_default=True, help="File to write, for --catalog.")
@options.as_json
def refresh(
    file: Path, as_of: str, provider: str, region: str, source: str, out: Path, as_json: bool
) -> None:
    """Make offers of a price list (CSV): SkyPilot's catalog, a provider's, or your own.

    Columns are known by their usual names; docs/catalog.md lists them.
    """
    from scheduler.catalog.price_lists import ListDefaults, refreshed
    from scheduler.report.documents.files import FileDocument
    from traces.files import written_whole
    from traces.outputs import check_document

    text, offers, notes = refreshed(file, as_of, ListDefaults(provider, region, source or file.name))
    check_document(out, text.partition(".")[0].encode(), "a file of offers")
    with written_whole(out) as written:
        written.write(text.encode())
    said = FileDocument(file=str(out), holds="offers", rows=offers, says=notes)
    lines = "\n".join(f"  {note}" for note in notes)
    click.echo(said.text() if as_json else f"{out}: {offers:,} offers of {as_of}\n{lines}")
