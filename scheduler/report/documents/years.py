"""The document of years by quarter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from scheduler.report.documents.document import Document, Out, Sure, about
from scheduler.report.quarters import sentence
from scheduler.run.quarters import QuarterRow


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


def years_document(
    scenario: str, rows: Sequence[QuarterRow], rate: float, unsure: tuple[Any, str], out: str | None
) -> YearsDocument:
    """Return years as they were run; `unsure` are the figures that are not sure, and the month of prices."""
    days = [row.get("month_days") for row in rows]
    return YearsDocument(
        scenario=scenario,
        sentence=sentence(rows),
        month_days=max((each for each in days if each), default=None),
        discount_rate=rate,
        quarters=[dict(row) for row in rows],
        unsure=unsure[0],
        prices_of=unsure[1],
        out=out,
    )
