"""Redo the published results, print what came out, and write it into the page.

python -m benchmarks.published --data FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.published import backfill, dojo, helios, starburst
from benchmarks.published.inputs import DATA, public
from benchmarks.published.runs import two_processes
from benchmarks.published.tables import fill, verdicts
from traces import TraceError

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


def redo(data: Path) -> dict[str, str]:
    """Run everything and return the tables of the page by name."""
    philly, hpc2n = (public(format_name, data) for format_name in ("philly", "swf"))
    with TemporaryDirectory(prefix="exaburst-") as scratch, two_processes() as executor:
        folder = Path(scratch)
        clusters = helios.redo(philly, folder, executor)
        poisson = starburst.redo_poisson(philly, folder, executor)
        sizes = starburst.redo_philly(philly, folder, executor)
        pods = dojo.redo(folder, executor)
        backfills = backfill.redo(hpc2n, folder, executor)
    claims = helios.claims(clusters) + starburst.claims(poisson, sizes) + backfill.claims(backfills)
    return {
        "verdicts": verdicts(claims),
        "helios": helios.page(clusters),
        "budgets": starburst.budgets_page(poisson),
        "sizes": starburst.sizes_page(sizes, philly),
        "dojo": dojo.page(pods),
        "backfill": backfill.page(backfills),
    }


def main() -> None:
    """Redo, print and write."""
    parser = argparse.ArgumentParser(description="Redo published results and write docs/published.md.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public files")
    try:
        tables = redo(parser.parse_args().data)
    except TraceError as error:
        parser.error(str(error))
    print("\n".join(tables.values()))
    fill(PAGE, tables)


if __name__ == "__main__":
    main()
