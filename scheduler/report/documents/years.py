"""The document of years by quarter."""

from __future__ import annotations

from typing import Annotated, Any

from scheduler.report.documents.document import Document, Out, Sure, about
from scheduler.report.quarters import sentence
from scheduler.study.years.years_file import Years


class YearsDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `demo years`, and of `summary --by quarter`."""

    scenario: Annotated[str, about("name of the scenario")]
    sentence: Annotated[str, about("the years in a sentence")]
    month_days: Annotated[int | None, about("days that stand for each quarter; null: every day was run")]
    discount_rate: Annotated[float, about("a year")]
    quarters: Annotated[
        list[dict[str, Any]], about("a row a quarter, as [quarters.parquet](years.md#quartersparquet) has it")
    ]
    unsure: Sure
    prices_of: Annotated[str, about("month of the oldest of its prices")]
    out: Out


def years_document(years: Years, out: str | None) -> YearsDocument:
    """Return years as they were run."""
    return YearsDocument(
        scenario=years.scenario,
        sentence=sentence(years.rows),
        month_days=years.month_days,
        discount_rate=years.rate,
        quarters=[dict(row) for row in years.rows],
        unsure={str(noted): of for noted, of in years.grounds.unsure.items()},
        prices_of=years.grounds.prices_of,
        out=out,
    )
