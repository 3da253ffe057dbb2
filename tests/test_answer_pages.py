"""Pages of a study, a plan and years: the answer first, what it rests on, and names that stay names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from math import inf, nan
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from scheduler.cli import main
from scheduler.stock.grounds import Grounds, PriceSource
from scheduler.study.plan.candidates import Candidate, Evaluation, Sample, Target
from scheduler.study.plan.plan import Elsewhere, Plan, WiderQuotas
from scheduler.study.plan.plan_file import KeptPlan, read_plan, write_plan
from scheduler.study.years.years_file import Years, read_years, write_years
from tests.test_page import EVIL, Scripts, Shown, browser

__all__ = ["browser"]

GROUNDS = Grounds(
    {"assumed": {EVIL: "quota 512"}, "low": {"dojo": "capital_usd 4 (article-34)"}},
    [PriceSource(EVIL, "aws", 6.5, "2026-03", "a catalog of March 2026")],
    "2025-07",
)


def exaburst(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


def study(folder: Path, waits_h: dict[str, list[float]], seeds: int = 4, **columns: list[str]) -> Path:
    """A study whose cells waited so long, by policy and seed; a policy that waits 1 h less spends 10 more."""
    policy = [name for name in waits_h for _ in range(seeds)]
    wait_h = [wait for waits in waits_h.values() for wait in waits]
    told = {
        **{
            name: pa.array(words).dictionary_encode() for name, words in {"policy": policy, **columns}.items()
        },
        "seed": [*range(seeds)] * len(waits_h),
        **dict.fromkeys(("slowdown_mean", "missed", "utilization", "rented_device_h"), [1.0] * len(wait_h)),
        "waited_mean_s": [3_600 * wait for wait in wait_h],
        "waited_p95_s": [3_600 * wait for wait in wait_h],
        "usd_avoidable": [100 - 10 * wait for wait in wait_h],
    }
    about = {"study": EVIL, "cells": "9", "grounds": msgspec.json.encode(GROUNDS)}
    folder.mkdir()
    pq.write_table(pa.table(told).replace_schema_metadata(about), folder / "results.parquet")
    return folder


@pytest.fixture
def waits(tmp_path: Path) -> Path:
    return study(tmp_path / "study", {"slow": [5.0, 6, 7, 8], f"fast{EVIL}": [2.0, 3.1, 3.9, 5]})


def one(pods: int, burst: str, usd: float, wait_s: float, *, rent: float = 0) -> Evaluation:
    """A candidate on two seeds, of which the second cost 2 more, with one job each that waited so long."""
    first = Sample(
        usd=usd,
        sunk_usd=usd / 2,
        rent_usd=rent,
        revenue_usd=0,
        wait_s=[wait_s],
        asked_device_h=8,
        stranded_device_h=0,
        rejected=0,
    )
    return Evaluation(Candidate(pods, burst), (first, replace(first, usd=usd + 2)))


def plan() -> KeptPlan:
    best, none = one(2, "rented", 9e6, 3_600, rent=1e6), one(1, "never", 5e6, inf)
    quick, cheap = one(3, "rented", 14e6, 0), one(1, "rented", 5e6, 8 * 3_600)
    found = Plan(
        scenario=EVIL,
        pool="dojo",
        days=28,
        most=3,
        step=1,
        bursts=("rented", "never"),
        seeds=range(5, 7),
        target=Target(group="fsd.release", share=0.95, limit_s=7_200, stranded=0.01),
        log=None,
        best=best,
        surest=best,
        quotas=(WiderQuotas(("cloud",), cheap, best),),
        front=(cheap, best, quick),
        tried=(none, cheap, best, quick),
        elsewhere=("rented",),
        demands=(Elsewhere("2x", "twice the compute", quick, best, 6),),
        regrets=(),
        prices=(Elsewhere("rent x 3", "", quick, best, 3),),
        unpriced="",
        runs=8,
        reused=0,
        grid=12,
    )
    return KeptPlan(found, GROUNDS)


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    write_plan(tmp_path / "plans", plan())
    return tmp_path / "plans"


def quarter(at: int, **figures: float) -> dict[str, Any]:
    """A quarter of 2026 in which a pool has 10 devices of 2 PFLOPS, and 90 days of 5 are asked for."""
    since = datetime(2026, 1 + 3 * at, 1, tzinfo=UTC)
    usd = ("rent", "energy", "operations", "other", "revenue", "purchases", "resale", "decommission")
    row: dict[str, Any] = dict.fromkeys((f"{name}_usd" for name in (*usd, "write_off")), 0.0)
    row |= {"quarter": f"2026Q{at + 1}", "since": since, "until": since + timedelta(90)}
    row |= {"month": since, "month_days": 28, "jobs": 4, "rejected": 1, "asked_device_h": 10_800.0}
    row |= {f"devices:{EVIL}": 10.0, f"pflops:{EVIL}": 20.0, "held_device_h": 9e3, "utilization": 0.5}
    row |= {f"rented_device_h:{EVIL}": 30.0 * at, "rented_device_h": 30.0 * at, f"releases:{EVIL}": 2}
    return row | {"wait_p95_s": 7_200.0 * at, "cash_usd": 0.0, "npv_usd": 0.0, **figures}


@pytest.fixture
def years(tmp_path: Path) -> Path:
    """Pods of 8 million, then rent of 2 and sales of 5."""
    first = quarter(0, purchases_usd=8e6, cash_usd=-8e6, npv_usd=-8e6, write_off_usd=1e6)
    second = quarter(1, rent_usd=2e6, revenue_usd=5e6, cash_usd=3e6, npv_usd=-5e6)
    (tmp_path / "years").mkdir()
    write_years(tmp_path / "years", Years(EVIL, 0.07, GROUNDS, [first, second]))
    return tmp_path / "years"


def written(source: Path, *words: object) -> Path:
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    out = source.parent / "page.html"
    result = exaburst("report", source, "-o", out, *words)
    assert result.exit_code == 0, result.output
    return out


def text(source: Path, *words: object) -> str:
    """The words of a page, cells of tables apart."""
    page = written(source, *words).read_text(encoding="utf-8")
    return " ".join(Scripts(page.replace("<td", " <td").replace("<th", " <th")).text.split())


def test_a_study_is_answered_in_a_sentence(waits: Path) -> None:
    """Differences are 3, 2.9, 3.1 and 3 h: 3 in the mean, with 0.13 h to either side, and 10 USD an hour."""
    told = text(waits)
    says = (
        f"Over 4 seeds, fast{EVIL} waits least, 3.00 h less (95% interval 2.87 to 3.13) than slow and slow "
        "spends least beyond what is sunk."
    )
    assert " ".join(says.split()) in told
    assert "8 of 9 cells, 4 seeds" in told
    assert "assumed of </script>" in told
    assert "of 2025-07" in told
    assert "6.5 2026-03 a catalog of March 2026" in told


@pytest.mark.parametrize(
    ("waits_h", "seeds", "says"),
    [
        ({"slow": [5.0, 6], "fast": [4.0, 9]}, 2, "none surely waits less than slow and none surely spends"),
        ({"a": [5.0, 6], "b": [5.0, 6]}, 2, "Over 2 seeds, all policies do the same."),
        ({"a": [5.0], "b": [4.0]}, 1, "Of 2 choices policy b waits least, 4.00 h in the mean; one policy or"),
        ({"a": [5.0, 7]}, 2, "policy a waits, 6.00 h in the mean"),
    ],
)
def test_what_is_not_sure_is_not_claimed(
    tmp_path: Path, waits_h: dict[str, list[float]], seeds: int, says: str
) -> None:
    assert says in text(study(tmp_path / "study", waits_h, seeds))


def test_studies_stand_beside_each_other(waits: Path, tmp_path: Path) -> None:
    other = study(tmp_path / "other", {"slow": [1.5] * 4, "third": [1.0] * 4})
    told = text(waits, "--beside", other)
    assert "slow wait mean 6.50 h 1.50 h +5.00 h" in told
    assert "third" not in told


def test_a_plan_is_kept_and_read(plans: Path) -> None:
    assert read_plan(plans) == plan()


def test_a_plan_is_answered_in_a_sentence(plans: Path) -> None:
    """The mean of 9,000,000 and 9,000,002; both jobs waited an hour of the two that they may."""
    told = text(plans)
    says = "Own 2 pods of dojo and burst as rented says: USD 9,000 k per 28 days (9,000 to 9,000), wait p95"
    assert f"{says} 1.0 h where 2.0 h may be waited, met in 100% of resamples." in told
    assert "the quota of cloud binds: with 10 times as much the cheapest plan would be 1 pod, rented" in told
    assert "USD 571 k per 28 days for an hour less of wait, beside 1 pod, rented" in told
    assert "3 pods, rented 14,000 +5,000 0.0 h yes 2" in told, "a neighbour"
    assert "rented 5,000 9,000* 14,000* never 5,000" in told, "the grid"
    assert "rent x 3 3 pods, rented" in told


def test_plans_stand_beside_each_other(plans: Path) -> None:
    assert "pods to own 2 2" in text(plans, "--beside", plans)


def test_a_plan_that_there_is_not_has_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    folder.mkdir()
    kept = KeptPlan(replace(plan().plan, best=None, surest=None, demands=(), prices=(), front=()), GROUNDS)
    write_plan(folder, kept)
    assert "No plan of up to 3 pods meets the target." in text(folder)


def test_years_are_kept_and_read(years: Path) -> None:
    kept = read_years(years)
    assert (kept.scenario, kept.rate, kept.grounds, kept.month_days) == (EVIL, 0.07, GROUNDS, 28)
    assert [row["cash_usd"] for row in kept.rows] == [-8e6, 3e6]


def test_years_are_answered_in_a_sentence(years: Path) -> None:
    told = text(years, "--beside", years)
    says = "2026Q1 to 2026Q2: 8M USD of pods, 2M of rent, operations and power less 5M of sales come to 5M"
    assert says in told
    assert "waits are longest in 2026Q2, 2.0 h at p95." in told
    assert "2 quarters, each run by 28 days" in told
    assert "USD written off 1M 1M" in told, "beside"
    assert "2026Q2 10 5 50% 9 0 2.0 h 1 2.0" in told, "work"
    assert "2026Q2 2.0 5.0 0.0 0.0 3.0 -5.0" in told, "money"
    assert "6.5 2026-03 a catalog of March 2026" in told


def test_charts_of_quarters_add_up(browser: Any, years: Path) -> None:
    """20 PFLOPS and 5 devices twice, 30 device-hours; -8 + 5 - 2 million paid, of which no point counts."""
    shown = Shown(browser, written(years))
    sums = {name: shown.sum(f"quarters-{name}") for name in ("capacity", "demand", "rented", "wait", "cash")}
    assert sums == pytest.approx({"capacity": 40, "demand": 10, "rented": 30, "wait": 2, "cash": -5})
    assert shown.page.locator("#quarters-cash + details th").all_text_contents() == [
        *("USD million", "sales", "pods", "rent", "2026Q1", "2026Q2"),
    ]
    assert shown.said == []
    shown.page.close()


@pytest.mark.parametrize(("rows", "count"), [(3, range(3, 4)), (12, range(12, 13)), (300, range(15, 300))])
def test_no_name_of_a_chart_lies_on_another_or_on_a_point(
    browser: Any, plans: Path, rows: int, count: range
) -> None:
    """Three and twelve plans are all named, of three hundred as many as there is room for, at any width."""
    path = written(plans)
    page = path.read_text(encoding="utf-8")
    data = json.loads(Scripts(page).scripts[0])
    data["rows"]["frontier"] = [
        {"of": f"{at} pods, reserve:0.{at}+never", "series": "misses it", "named": True, "told": ""}
        | {"wait": 9 / (1 + at % 37), "amount": 900 + 5 * (at % 41), "low": 890, "high": 1_100}
        for at in range(rows)
    ]
    before, _, rest = page.partition('id="data">')
    told = json.dumps(data).replace("<", r"\u003c")
    path.write_text(f'{before}id="data">{told}</script>{rest.partition("</script>")[2]}', encoding="utf-8")
    shown = Shown(browser, path)
    for width in (1_200, 600):
        shown.page.set_viewport_size({"width": width, "height": 900})
        shown.page.wait_for_timeout(200)
        names, points = (boxes(shown, f"#frontier {what}") for what in (".names text", ".mark-symbol path"))
        assert len(names) in count if width == 1_200 else len(names) >= min(rows, 8)
        assert not [pair for pair in combinations(names, 2) if meet(*pair)]
        assert not [pair for pair in product(names, points) if meet(*pair)]
    assert shown.said == []
    shown.page.close()


def boxes(shown: Shown, of: str) -> list[tuple[float, float, float, float]]:
    """Return (left, top, right, bottom) of all that a selector finds."""
    found = shown.page.locator(of).evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().toJSON())"
    )
    return [(each["left"], each["top"], each["right"], each["bottom"]) for each in found]


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(one[at] < other[at + 2] and other[at] < one[at + 2] for at in (0, 1))


@pytest.mark.parametrize("of", ["study", "plan", "years"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_it_and_says_nothing(
    browser: Any,
    of: str,
    scheme: str,
    waits: Path,
    plans: Path,
    years: Path,
) -> None:
    path = written({"study": waits, "plan": plans, "years": years}[of])
    shown = Shown(browser, path, scheme)
    charts = {
        "study": ("changes-waited_mean_s", "traded"),
        "plan": ("frontier", "outlooks"),
        "years": ("quarters-capacity", "quarters-cash"),
    }
    for chart in charts[of]:
        assert shown.page.locator(f"#{chart} svg path").count() > 2
    assert shown.page.title() != "taken"
    assert (shown.said, shown.asked) == ([], [path.as_uri()])
    shown.page.close()


def test_a_choice_of_scenario_leaves_its_own(browser: Any, tmp_path: Path) -> None:
    """In the one 3 h less, in the other as much: the chart's sum is that of what is shown."""
    waits_h = {"slow": [5.0, 6.1, 5, 6], "fast": [2.0, 3, 5.2, 6]}
    of = study(tmp_path / "study", waits_h, scenario=[*["usual"] * 2, *[EVIL] * 2] * 2)
    shown = Shown(browser, written(of))
    both = shown.sum("changes-waited_mean_s")
    shown.page.locator("#place").select_option(f"scenario {EVIL}")
    shown.drawn(2)
    assert both == pytest.approx(-3.05 + 0.1)
    assert shown.sum("changes-waited_mean_s") == pytest.approx(0.1)
    assert shown.page.locator("[data-place]:visible").count() == 1
    assert shown.said == []
    shown.page.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["study", "--beside", "plans"], "--beside: plans is a plan, and study is a study"),
        (["study", "--trace", "x"], "--trace, --from and --to go with a run, and study is a study"),
        (
            ["nothing"],
            "nothing: is not there; a finished run, a study, a plan, a roadmap or years by months are",
        ),
        (
            ["empty"],
            "empty: has no run.json, plan.json, roadmap.json, results.parquet, quarters.parquet; a finished",
        ),
        (["broken"], "broken/plan.json: is damaged, make the plan again: "),
        (["quarters"], "quarters/quarters.parquet: not the quarters that `demo years` writes"),
        (["other"], "other: its results.parquet is not of a study; `exaburst study run` writes one"),
    ],
)
def test_bad_input_is_one_line(
    waits: Path, plans: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    monkeypatch.chdir(waits.parent)
    for name in ("empty", "broken", "other", "quarters"):
        Path(name).mkdir()
    Path("broken/plan.json").write_text('{"plan": 3}')
    pq.write_table(pa.table({"policy": ["a"], "seed": [nan]}), "other/results.parquet")
    pq.write_table(pa.table({"quarter": ["2026Q1"]}), "quarters/quarters.parquet")
    result = exaburst("report", *words, "-o", "out.html")
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert says in result.output
    assert not Path("out.html").exists()
