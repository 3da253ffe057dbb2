"""The page of a run: its sums are the figures of the run, names stay names, and a browser draws it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from scheduler.catalog import load_catalog
from scheduler.cli import main
from scheduler.report.beside import names_apart
from scheduler.report.executions import executions
from scheduler.report.page import charts, cubes
from scheduler.report.page.drawn import drawn
from scheduler.report.page.groups import MOST_OWNERS, MOST_STEPS, groups, time_steps
from scheduler.run.directory import Run
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_gang, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.run.spend import spend_figures, used_by
from scheduler.why.causes import Cause
from scheduler.why.question import setup_of
from scheduler.why.run_figures import by_cause
from scheduler.why.spans import Waits
from scheduler.why.waits import Inquiry
from tests import build
from tests.build import job, offer, pool, scenario
from traces.trace import Trace

EVIL = "</script><script>document.title = 'taken'</script><!-- " + "x" * 200
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)


def exaburst(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="exaburst")


@pytest.fixture(scope="module")
def jobs() -> Trace:
    """More than two pods of 4 can do, of which some may leave; names of the worst kind."""
    return build.trace(
        *(
            job(
                600 * at,
                3_000 + 700 * (at % 7),
                1 + at % 5,
                workload=["fsd", EVIL][at % 2],
                kind=EVIL,
                owner=f"{EVIL}{at % 3}",
                name=EVIL if at == 5 else None,
                residency=["owned", "any"][at % 4 > 1],
            )
            for at in range(80)
        ),
        epoch="2026-01-05",
    )


@pytest.fixture(scope="module")
def run(jobs: Trace, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("page")
    jobs.write(folder / "jobs.parquet")
    own = pool(4, 2, device="h100", capital_usd=1_000_000)
    cloud = offer("cloud", key="nebius-h100-eu-north1")
    policy = {"patience": "after:30m", "backfill": "easy"}
    of = scenario([own], [cloud], policy=policy, horizon_h=20)
    return build.run(of, jobs, folder / "run", load_catalog())


@pytest.fixture(scope="module")
def found(run: Run, jobs: Trace) -> tuple[Waits, Trace]:
    return Inquiry(run, setup_of(run, jobs)).waits(), jobs


@pytest.fixture(scope="module")
def data(run: Run, found: tuple[Waits, Trace]) -> dict[str, Any]:
    return drawn(run, executions(run), worked_jobs(run, DeviceTime(run)), found)


@pytest.fixture(scope="module")
def path(run: Run) -> Path:
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    folder = run.folder.parent
    out = folder / "report.html"
    words = ("--trace", folder / "jobs.parquet", "--beside", run.folder)
    result = exaburst("report", run.folder, "-o", out, *words)
    assert result.exit_code == 0, result.output
    return out


def summed(cube: cubes.Cube, *names: str) -> dict[Any, float]:
    sums: dict[Any, float] = defaultdict(float)
    for *key, amount in zip(*(cube[name] for name in names), cube["amount"], strict=True):
        sums[tuple(key) if len(key) > 1 else key[0]] += amount
    return dict(sums)


def test_devices_held_are_those_of_the_summary(run: Run, data: dict[str, Any]) -> None:
    levels = DeviceLevels(run)
    for at, held_h in summed(data["held"], "resource").items():
        assert held_h == pytest.approx(levels.held_s(data["words"]["resource"][at]) / 3_600)
    assert len(summed(data["held"], "resource")) == 2


def test_waits_are_those_of_the_causes(data: dict[str, Any], found: tuple[Waits, Trace]) -> None:
    expected = {
        (cause, workload): seconds / 3_600
        for cause, row in by_cause(*found).items()
        for workload, seconds in row.items()
        if seconds and cause != Cause.DEPENDENCY
    }
    sums: dict[Any, float] = defaultdict(float)
    for (cause, group), hours in summed(data["waiting"], "cause", "group").items():
        sums[Cause(cause), data["groups"]["workload"][group]] += hours
    assert sums == pytest.approx(expected)
    assert len({cause for cause, _ in expected}) > 3


def test_work_that_waited_is_that_of_the_summary(run: Run, data: dict[str, Any]) -> None:
    by_size = by_gang(worked_jobs(run, DeviceTime(run)), run.end_s)
    names = data["words"]["size"]
    for size, hours in summed(data["waited"], "size").items():
        assert hours == pytest.approx(by_size[f"gang {names[size]}"]["ready_device_h"])
    assert sum(data["waited"]["jobs"]) == sum(
        each["ready_jobs"] for name, each in by_size.items() if name != "over pods"
    )
    unstarted = sum(
        jobs
        for late, jobs in zip(data["waited"]["late"], data["waited"]["jobs"], strict=True)
        if cubes.WAITED[late] == "not started"
    )
    assert unstarted == sum(each["unstarted_jobs"] for name, each in by_size.items() if name != "over pods")
    assert unstarted > 0


def test_spend_is_that_of_the_ledger(run: Run, data: dict[str, Any]) -> None:
    assert sum(data["spent"]["amount"]) == pytest.approx(spend_figures(run)["usd_total"], rel=1e-5)
    owners: dict[str, float] = defaultdict(float)
    for group, usd in summed(data["charged"], "group").items():
        owners[data["groups"]["owner"][group]] += usd
    for row in used_by(run, "owner"):
        if row["owner"] != "all":
            assert owners[row["owner"]] == pytest.approx(row["owned_usd"] + row["rented_usd"], rel=1e-5)


def test_only_who_bears_something_is_in_the_legend_of_spend(run: Run, data: dict[str, Any]) -> None:
    named = data["specs"]["spent"]["encoding"]["color"]["scale"]["domain"]
    assert {*named} == {*run.table("spend").column("charged_to").to_pylist()}


def test_what_is_out_of_service_is_told(run: Run, data: dict[str, Any]) -> None:
    assert set(data["devices"]) == {8}
    assert data["down"] == [0] * (len(data["edges"]) - 1)
    hours = np.dot(data["queue"], np.diff(data["edges"])) / 3_600
    starting = summed(data["waiting"], "cause")[Cause.STARTING]
    assert hours == pytest.approx(sum(data["waiting"]["amount"]) - starting, rel=1e-4)


def test_steps_cover_the_run(run: Run, data: dict[str, Any]) -> None:
    assert (data["edges"][0], data["edges"][-1]) == (run.start_s, run.end_s)
    assert 60 < len(data["edges"]) <= MOST_STEPS + 1
    assert {*data["held"]["step"], *data["waiting"]["step"]} <= {*range(len(data["edges"]) - 1)}


def test_many_owners_are_put_together(tmp_path: Path) -> None:
    many = build.trace(*(job(at, 10, 1, owner=f"o{at % 100}") for at in range(150)))
    told = groups(build.run(scenario([pool(4)]), many, tmp_path / "run"))
    assert len({*told.owner}) == MOST_OWNERS + 1
    assert {f"o{at}" for at in range(50)} <= {*told.owner}


def test_a_run_of_no_length_has_a_page(tmp_path: Path) -> None:
    none = build.run(scenario([pool(4)]), build.trace(job(0, 5, 9)), tmp_path / "run")
    assert none.length_s == 0
    told = drawn(none, executions(none), worked_jobs(none, DeviceTime(none)), None)
    assert len(time_steps(none)) == 2
    assert told["held"]["amount"] == []


def test_blocks_are_the_devices_that_attempts_hold(run: Run, data: dict[str, Any]) -> None:
    told = data["gantt"]
    held = np.bincount(told["blocks"][0], told["blocks"][3])
    assert held.tolist() == told["attempts"]["devices"]
    seen: set[tuple[int, int, int]] = set()
    start = np.cumsum(told["attempts"]["alloc"])
    for attempt, row, first, places in zip(*told["blocks"], strict=True):
        assert first + places <= told["rows"][row]["size"]
        minutes = range(start[attempt], start[attempt] + told["attempts"]["length"][attempt], 60)
        cells = {(row, place, at) for place, at in product(range(first, first + places), minutes)}
        assert not cells & seen
        seen |= cells
    assert [(row["name"], row["pod"]) for row in told["rows"]] == [("own", 0), ("own", 1), ("cloud", None)]


class Scripts(HTMLParser):
    """The scripts of a page, as a browser finds them, and the text outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._within = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag == "script"
        if self._within:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.scripts[-1] += data
        else:
            self.text += data


def test_causes_stand_beside_those_of_a_run_of_other_jobs_once_they_are_known(
    run: Run, tmp_path: Path
) -> None:
    """On 4 devices the second gang waits 7,140 s for the first: 3 devices, 5.95 device-hours."""
    pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    others = build.trace(job(0, 7_200, 3), job(60, 5, 3))
    others.write(tmp_path / "others.parquet")
    other = build.run(scenario([pool(4, 1, device="h100")]), others, tmp_path / "other", load_catalog())
    words = ("report", run.folder, "--trace", run.folder.parent / "jobs.parquet", "--beside", other.folder)
    before = exaburst(*words, "-o", tmp_path / "page.html")
    assert before.stderr.startswith("exaburst: causes of waiting beside are left out")
    assert "ran other jobs than the trace holds" in before.stderr
    assert "Device-hours waited beside" not in (tmp_path / "page.html").read_text()
    asked = exaburst("why", other.folder, "--trace", tmp_path / "others.parquet")
    assert asked.exit_code == 0, asked.output
    assert exaburst(*words, "-o", tmp_path / "page.html").stderr == ""
    page = (tmp_path / "page.html").read_text()
    table = page.partition("Device-hours waited beside those of")[2].partition("</table>")[0]
    rows = [re.findall(r">([^<>]*)</t[hd]>", row) for row in table.split("<tr>")[1:]]
    assert rows[0] == ["device-hours waited", "run", "other", "difference"]
    assert next(row[2] for row in rows if row[0] == "too_few") == "6"
    assert [row[2] for row in rows[1:] if row[0] not in ("too_few", "all")] == ["0"] * (len(rows) - 3)


def test_names_stay_names(path: Path, data: dict[str, Any]) -> None:
    found = Scripts(path.read_text(encoding="utf-8"))
    told, *rest = found.scripts
    assert len(rest) == 2
    assert json.loads(told) == json.loads(json.dumps(data))
    assert EVIL in found.text


def test_a_page_needs_no_network(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = Scripts(text)
    addresses = [
        value for _, attributes in found.tags for key, value in attributes.items() if key in ("src", "href")
    ]
    assert addresses == ["#answer"]
    assert "default-src 'none'" in text
    assert path.stat().st_size < 1_500_000


def test_everything_that_is_shown_has_a_name(path: Path) -> None:
    """Headings follow each other, tables have captions and heads, and what can be chosen has a label."""
    text = path.read_text(encoding="utf-8").partition('<script type="application/json"')[0]
    assert re.findall(r"<h(\d)", text) == ["1", *["2"] * (text.count("<h2"))]
    assert text.count("<table>") == text.count("<caption>") == text.count("<thead>") == 8
    assert text.count("<label>") == text.count("<select") + text.count("<input") == 4
    assert text.count("<figure>") == text.count("<figcaption>") == 6


@pytest.mark.parametrize("what", ["other file", "run"])
def test_nothing_but_a_page_is_replaced(run: Run, path: Path, tmp_path: Path, what: str) -> None:
    out = tmp_path / "notes.html" if what == "other file" else run.folder / "report.html"
    if what == "other file":
        out.write_text("<!doctype html>\n<p>mine")
    result = exaburst("report", run.folder, "-o", out)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert out.exists() == (what == "other file")


def test_what_is_not_installed_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "scheduler.report.page.page", raising=False)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = exaburst("report", run.folder, "-o", tmp_path / "report.html")
    assert result.exit_code == 2
    assert result.output == 'exaburst: vl_convert is not installed: pip install "exaburst[page]"\n'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the path")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=sandbox)
        yield opened
        opened.close()


class Shown:
    """A page in a browser, which has drawn it once, and all that it said and asked for meanwhile."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light") -> None:
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.drawn(1)

    def drawn(self, times: int) -> None:
        self.page.wait_for_selector(f'body[data-drawn="{times}"]', timeout=60_000)

    def sum(self, chart: str) -> float:
        return float(self.page.locator(f"#{chart}").get_attribute("data-sum"))

    def view(self) -> dict[str, float]:
        self.page.evaluate("new Promise(requestAnimationFrame)")
        view: dict[str, float] = json.loads(self.page.locator("#gantt").get_attribute("data-view"))
        return view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_it_and_says_nothing(browser: Any, path: Path, run: Run, scheme: str) -> None:
    shown = Shown(browser, path, scheme)
    levels = DeviceLevels(run)
    assert shown.sum("held") == pytest.approx(levels.held_s("own") / 3_600)
    assert shown.sum("rented") == pytest.approx(levels.held_s("cloud") / 3_600)
    assert shown.sum("spent") == pytest.approx(spend_figures(run)["usd_total"], rel=1e-5)
    for chart in ("held", "rented", "waiting", "waited", "spent", "charged"):
        assert shown.page.locator(f"#{chart} svg path").count() > 2
    assert int(shown.page.locator("#gantt").get_attribute("data-blocks")) > 50
    assert shown.page.title() != "taken"
    assert shown.page.locator("#owner option").all_text_contents() == [
        "all",
        *(f"{EVIL}{at}" for at in range(3)),
    ]
    assert shown.page.evaluate("document.documentElement.scrollWidth") == 1200  # long names wrap
    assert (shown.said, shown.asked) == ([], [path.as_uri()])
    shown.page.close()


def test_filters_leave_what_they_name(browser: Any, path: Path, run: Run, data: dict[str, Any]) -> None:
    shown = Shown(browser, path)
    shown.page.locator("#owner").select_option(f"{EVIL}1")
    shown.drawn(2)
    usd = {row["owner"]: row["owned_usd"] + row["rented_usd"] for row in used_by(run, "owner")}
    assert shown.sum("charged") == pytest.approx(usd[f"{EVIL}1"], rel=1e-5)
    shown.page.locator("#workload").select_option("fsd")
    shown.drawn(3)
    both = [
        at
        for at, words in enumerate(zip(data["groups"]["workload"], data["groups"]["owner"], strict=True))
        if words == ("fsd", f"{EVIL}1")
    ]
    waited = summed(data["waiting"], "group")
    assert shown.sum("waiting") == pytest.approx(sum(waited.get(at, 0) for at in both))
    shown.page.locator("#to").fill("2026-01-05T05:00")
    shown.page.locator("#to").dispatch_event("change")
    shown.page.wait_for_function("Number(document.body.dataset.drawn) >= 4")
    early = sum(
        hours
        for step, group, hours in zip(
            *(data["waiting"][key] for key in ("step", "group", "amount")), strict=True
        )
        if group in both and data["edges"][step] < 5 * 3_600
    )
    assert shown.sum("waiting") == pytest.approx(early)
    assert shown.view()["to"] == 5 * 3_600
    shown.page.get_by_role("button", name="Show all").click()
    shown.page.wait_for_function("document.getElementById('owner').value === ''")
    shown.page.wait_for_function(
        f"Math.abs(held.dataset.sum - {DeviceLevels(run).held_s('own') / 3_600}) < 1e-3"
    )
    assert shown.said == []
    shown.page.close()


def test_the_gantt_chart_is_moved_by_keys_and_tells_what_it_shows(browser: Any, path: Path, run: Run) -> None:
    shown = Shown(browser, path)
    length = run.length_s
    gantt = shown.page.locator("#gantt")
    assert shown.view()["to"] - shown.view()["from"] == length
    gantt.press("+")
    assert (shown.view()["from"], shown.view()["to"]) == (length / 4, 3 * length / 4)
    gantt.press("ArrowLeft")
    assert shown.view()["from"] == pytest.approx(length / 4 - length / 10)
    gantt.press("Home")
    gantt.press("n")
    assert (
        shown.page.locator("#gantt-told")
        .text_content()
        .startswith(f"Job 0: {EVIL} of {EVIL}0, 1 devices of own pod ")
    )
    for _ in range(5):
        gantt.press("n")
    assert shown.page.locator("#gantt-told").text_content().startswith("Job ")
    assert shown.said == []
    shown.page.close()


@pytest.mark.parametrize(("usd", "label"), [(0.0095, "0.008"), (950, "800"), (54e6, "50M"), (2.5e9, "2.5B")])
def test_an_axis_of_dollars_knows_no_thousandths(usd: float, label: str) -> None:
    """d3 writes 0.008 as 8m, which reads as millions, and a billion as G."""
    vl_convert = pytest.importorskip("vl_convert", reason="the extra `page` is not installed")
    rows = [{"of": "cloud: rent", "amount": usd, "is": "job"}]
    svg = vl_convert.vegalite_to_svg(charts.spent(["cloud: rent"], ["job"]) | {"data": {"values": rows}})
    assert f">{label}</text>" in svg


def test_runs_of_one_name_are_told_apart_by_their_paths(run: Run, jobs: Trace, tmp_path: Path) -> None:
    other = build.run(scenario([pool(4)]), jobs, tmp_path / "other" / "run", load_catalog())
    assert names_apart(run, other) == (f"{run.folder.parent.name}/run", "other/run")
    assert names_apart(run, run) == ("run", "run")
