"""Redo the published results, print what came out, and write it into the page.

python -m benchmarks.published --data FOLDER
"""

from __future__ import annotations

import argparse
from concurrent.futures import Executor
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.published import (
    backfill,
    cantbelate,
    dojo,
    exact,
    helios,
    hybrid,
    rlscheduler,
    starburst,
)
from benchmarks.published.inputs import DATA, public
from benchmarks.published.papers import BEYOND, PAPERS, missing
from benchmarks.published.runs import two_processes
from benchmarks.published.tables import Claim, fill, overview, verdicts
from traces import TraceError

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


def redo(data: Path) -> dict[str, str]:
    """Run everything and return the tables of the page by name."""
    with TemporaryDirectory(prefix="exaburst-") as scratch, two_processes() as executor:
        to_the_digit = executor.submit(exact.claims, data)
        windows = rlscheduler.redo(data, executor)
        late = executor.submit(cantbelate.redo, data, Path(scratch))
        tables, claims = shapes(data, Path(scratch), executor)
        costs, exactly = late.result(), to_the_digit.result()
    claims = rlscheduler.claims(windows) + exactly + cantbelate.claims(costs) + claims
    return {
        "overview": overview(claims, PAPERS, {of.paper: of.figures for of in BEYOND}),
        "verdicts": verdicts(claims),
        "windows": rlscheduler.page(windows),
        "fidelity": hybrid.page(data),
        "late": cantbelate.page(costs),
        **tables,
        "missing": missing(),
    }


def shapes(data: Path, folder: Path, executor: Executor) -> tuple[dict[str, str], list[Claim]]:
    """Redo what is held by its shape, as the paper's own jobs are not at hand; return tables and claims."""
    philly, hpc2n = (public(format_name, data) for format_name in ("philly", "swf"))
    clusters = helios.redo(philly, folder, executor)
    poisson = starburst.redo_poisson(philly, folder, executor)
    sizes = starburst.redo_philly(philly, folder, executor)
    pods = dojo.redo(folder, executor)
    backfills = backfill.redo(hpc2n, folder, executor)
    tables = {
        "helios": helios.page(clusters),
        "budgets": starburst.budgets_page(poisson),
        "sizes": starburst.sizes_page(sizes, philly),
        "dojo": dojo.page(pods),
        "backfill": backfill.page(backfills),
    }
    return tables, helios.claims(clusters) + starburst.claims(poisson, sizes) + backfill.claims(backfills)


def main() -> None:
    """Redo, print and write."""
    parser = argparse.ArgumentParser(description="Redo published results and write docs/published.md.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public files")
    try:
        tables = redo(parser.parse_args().data)
    except TraceError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{error.filename}: cannot be read: {error.strerror}")
    print("\n".join(tables.values()))
    fill(PAGE, tables)


if __name__ == "__main__":
    main()
