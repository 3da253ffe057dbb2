"""The page of years that were run by months: what each quarter has, is asked for, and costs."""

from __future__ import annotations

from scheduler.report.page.page import Page
from scheduler.report.page.parts import as_html
from scheduler.report.page.quarters import by_quarter
from scheduler.report.quarters import names_after, sentence
from scheduler.study.years.years_file import Years
from traces.numbers import count, count_of, duration, rounded_usd
from traces.tables import TableCells


def years_page(years: Years, other: Years | None = None, name: str = "") -> Page:
    """Return the page of some years, beside others, called `name`, if given."""
    rows, charts = years.rows, by_quarter(years)
    return Page(
        title=f"{years.scenario}: {rows[0]['quarter']} to {rows[-1]['quarter']}",
        about=[_about(years)],
        answer=sentence(rows),
        cards=_cards(years),
        beside="" if other is None else as_html(_beside(years, other, name), f"Beside {name}"),
        sections=charts.sections,
        grounds=years.grounds,
        data=charts.beside({"places": []}),
        scripts=("fixed.js",),
    )


def _about(years: Years) -> str:
    text = f"{count(len(years.rows))} quarters"
    return f"{text}, each run by {years.month_days} days" if years.month_days else text


def _cards(years: Years) -> list[tuple[str, str]]:
    """Return what the years came to in a few figures; what was nothing is left out."""
    rows = years.rows

    def total(name: str) -> float:
        return sum(row.get(name) or 0 for row in rows)

    usd = {
        "USD in all, in dollars of the start": -rows[-1]["npv_usd"],
        "USD of pods": total("purchases_usd"),
        "USD of rent": total("rent_usd"),
        "USD of sales": total("revenue_usd"),
        "USD written off": total("write_off_usd"),
    }
    wait_s = max(row["wait_p95_s"] or 0 for row in rows)
    return [
        *((what, rounded_usd(value)) for what, value in usd.items() if value),
        ("wait p95 in the worst quarter", duration(wait_s)),
        ("jobs rejected", count_of(total("rejected"), total("jobs"))),
        *(
            (f"releases of {loop}", count(total(f"releases:{loop}")))
            for loop in names_after(rows, "releases:")
        ),
    ]


def _beside(years: Years, other: Years, name: str) -> TableCells:
    """Return the figures of both, side by side."""
    ours, theirs = dict(_cards(years)), dict(_cards(other))
    rows = [[what, ours.get(what, "-"), theirs.get(what, "-")] for what in dict.fromkeys([*ours, *theirs])]
    return TableCells(["figure", "these years", name], rows, (1, 2))
