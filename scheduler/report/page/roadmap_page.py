"""The page of a roadmap: what to buy and when, by quarter and year, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from scheduler.report.colours import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from scheduler.report.documents.roadmaps import RoadmapDocument
from scheduler.report.page.page import Page
from scheduler.report.page.parts import as_html, paragraph, section
from scheduler.report.page.quarters import QuarterStack, stacked
from scheduler.report.plan_tables import thousands, waited
from scheduler.report.roadmap_file import KeptRoadmap
from scheduler.report.roadmap_trials import by_quarter
from traces.numbers import count, percent, rounded_usd, shortest
from traces.tables import TableCells
from traces.times import HOUR_S

_MILLION = 1e6


def roadmap_page(kept: KeptRoadmap, other: KeptRoadmap | None = None, name: str = "") -> Page:
    """Return the page of a roadmap, beside another one, called `name`, if given."""
    answer = kept.answer
    charts = stacked(_stacks(answer), [row | {"quarter": row["name"]} for row in answer.schedule])
    quarters = section("By quarter", charts.sections, as_html(_quarters(answer), "The schedule by quarter"))
    return Page(
        title=f"{answer.scenario}: when to buy how many pods of {answer.pool}?",
        about=[_target(answer), " ".join(map(str.strip, answer.rests_on))],
        answer=answer.sentence or "No schedule meets the target in every quarter.",
        cards=_cards(answer),
        beside="" if other is None else as_html(_beside(answer, other.answer, name), f"Beside {name}"),
        sections="\n".join(filter(None, [quarters, *_sections(answer)])),
        grounds=kept.grounds,
        data=charts.beside({"places": []}),
        scripts=("fixed.js",),
    )


def _target(answer: RoadmapDocument) -> str:
    target = answer.target
    share, limit_s, stranded = (float(target[name] or 0) for name in ("share", "limit_s", "stranded"))
    return (
        f"In every quarter {percent(share, 0)} of {target['group']} jobs wait at most {waited(limit_s)}, "
        f"none is rejected, and at most {percent(stranded)} of the compute asked for is stranded."
    )


def _stacks(answer: RoadmapDocument) -> dict[str, QuarterStack]:
    return {
        "roadmap-capacity": QuarterStack(
            f"Pods in service: those there from the start, and those bought of {answer.pool}.",
            "pods",
            {
                "there": (GREY, lambda row: row["pods"] - row["bought_so_far"]),
                f"bought of {answer.pool}": (BLUE, lambda row: row["bought_so_far"]),
            },
        ),
        "roadmap-demand": QuarterStack(
            "Devices that the jobs ask for, mean, on reference devices.",
            "devices",
            {"asked for": (SKY, lambda row: row["asked_devices"])},
        ),
        "roadmap-rent": QuarterStack(
            "Paid for rented devices, on demand and by commitments.",
            "USD million",
            {"rent": (VERMILION, lambda row: row["rent_usd"] / _MILLION)},
        ),
        "roadmap-cash": QuarterStack(
            "What is paid in each quarter, not discounted; what pods are sold for at the end is not in it.",
            "USD million",
            {
                "pods": (BLUE, lambda row: row["paid_usd"] / _MILLION),
                "rent": (VERMILION, lambda row: row["rent_usd"] / _MILLION),
                "running": (GREEN, lambda row: (row["running_usd"] - row["rent_usd"]) / _MILLION),
            },
        ),
        "roadmap-npv": QuarterStack(
            "Cost of all quarters so far, less what pods are sold for at the end, present dollars (NPV).",
            "USD million",
            {"cost so far": (ORANGE, lambda row: row["npv_so_far_usd"] / _MILLION)},
            has_table=False,
        ),
    }


def _quarters(answer: RoadmapDocument) -> TableCells:
    header = ["quarter", "from", "pods", "bought", "committed", "rent, USD k", "cost, USD k", "wait"]
    rows = [
        [
            row["name"],
            row["start"],
            count(row["pods"]),
            count(row["bought"]) if row["bought"] else "",
            " ".join(
                f"{term['devices']} {term['offer']}"
                for term in answer.commitments
                if term["quarter"] == row["quarter"]
            ),
            thousands(row["rent_usd"]),
            thousands(row["npv_usd"]),
            _waited(row["wait_s"]),
        ]
        for row in answer.schedule
    ]
    return TableCells(header, rows, (2, 3, 5, 6, 7))


def _waited(wait_s: float | None) -> str:
    return waited(inf if wait_s is None else wait_s)


def _sections(answer: RoadmapDocument) -> Iterator[str]:
    """Yield what the answer is held against."""
    years = [[str(year["year"]), thousands(year["usd"]), _interval(year, "usd")] for year in answer.years]
    cost = TableCells(["year", "USD k", "95% interval"], years, (1, 2))
    yield section("By year", as_html(cost, "Cost, present dollars"))
    note = paragraph("Regret is the cost above the cheapest schedule of the story; >= is a bound.")
    stories = as_html(_stories(answer), "Each schedule under each story")
    yield section("If the demand is another", stories, note if stories else "")
    others = [
        [each["prices"], thousands(each["npv_usd"]), _regret(each), by_quarter(tuple(each["pods"] or ()))]
        for each in answer.prices
    ]
    header = ["prices", "USD k", "regret, USD k", "pods to buy instead, by quarter"]
    priced = TableCells(header, others, (1, 2))
    yield section("If prices are others", as_html(priced, "The answer at other prices"))
    steps = as_html(_neighbours(answer), "Schedules one step away")
    yield section("What others would cost more", steps)
    if answer.held_out:
        yield section("On seeds that the search has not seen", *map(paragraph, _held_out(answer.held_out)))


def _stories(answer: RoadmapDocument) -> TableCells:
    rows = [
        [
            row["story"],
            row["schedule"],
            by_quarter(tuple(row["pods"])),
            _bound(row, "npv_usd"),
            _bound(row, "regret_usd"),
            _missed(row["missed_quarters"]),
        ]
        for row in answer.stories
    ]
    header = ["story", "schedule", "pods by quarter", "USD k", "regret, USD k", "meets"]
    return TableCells(header, rows, (3, 4))


def _neighbours(answer: RoadmapDocument) -> TableCells:
    rows = [
        [
            f"a pod {each['step']}, from quarter {each['quarter']}",
            _bound(each, "more_usd"),
            _interval(each, "more_usd"),
            _missed(each["missed_quarters"]),
        ]
        for each in sorted(answer.neighbours, key=lambda each: float(each["more_usd"]))
    ]
    return TableCells(["instead", "more, USD k", "95% interval", "meets"], rows, (1, 2))


def _held_out(held: dict[str, Any]) -> Iterator[str]:
    for drawn in held["drawn"]:
        within = "all" if drawn["spread"] is None else "all within a pod of the answer in each quarter"
        yield (
            f"Of {drawn['drawn']} schedules drawn from {within}, {drawn['drawn'] - drawn['that_meet']} miss "
            f"the target, {drawn['surely_dearer']} meet it and are dearer for sure, {drawn['cheaper']} are "
            f"cheaper ({drawn['surely_cheaper']} for sure)."
        )


def _interval(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None or high is None else f"{thousands(low)} to {thousands(high)}"


def _bound(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "-"
    return f"{'>= ' if row['bounded'] else ''}{thousands(row[name])}"


def _regret(row: dict[str, Any]) -> str:
    return "-" if row["regret_usd"] is None else thousands(row["regret_usd"])


def _missed(quarters: list[int]) -> str:
    return f"not in {', '.join(f'Q{at}' for at in quarters)}" if quarters else "yes"


def _cards(answer: RoadmapDocument) -> list[tuple[str, str]]:
    best = answer.best
    if best is None:
        return []
    regrets = [row["regret_usd"] for row in answer.stories if row["schedule"] == "the answer"]
    known = [regret for regret in regrets if regret is not None]
    rows = answer.schedule
    return [
        ("USD in present dollars (NPV)", rounded_usd(best["npv_usd"])),
        ("pods at the end", count(rows[-1]["pods"])),
        ("pods to buy", count(rows[-1]["bought_so_far"])),
        ("when to burst", best["burst"]),
        ("USD of rent", rounded_usd(sum(row["rent_usd"] for row in rows))),
        ("longest wait of the target, h", shortest((best["wait_s"] or 0.0) / HOUR_S, 2)),
        *([("USD of regret in the worst story", rounded_usd(max(known)))] if known else []),
    ]


def _beside(answer: RoadmapDocument, other: RoadmapDocument, name: str) -> TableCells:
    """Return the answers of two roadmaps, figure by figure."""
    ours, theirs = dict(_cards(answer)), dict(_cards(other))
    rows = [[what, ours.get(what, "-"), theirs.get(what, "-")] for what in dict.fromkeys([*ours, *theirs])]
    return TableCells(["figure", "this roadmap", name], rows, (1, 2))
