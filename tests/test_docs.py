"""What the pages say is so: examples run, tables are those of the code, links lead somewhere.

In a page, a ```console block holds `$ exaburst ...` commands with what they print, and a ```pycon or
```python block is Python; all run in order, in one folder. `...` stands for whatever is left out. Before
a block,

    <!-- file NAME -->           writes it to NAME
    <!-- entry points -->        announces its entry points, as an installed package would
    <!-- needs DATA as NAME -->  runs it only where the file DATA is at hand, under the name NAME
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pytest
from click.testing import CliRunner

from scheduler import scenario
from scheduler.cli import main
from scheduler.policy import SEAMS
from scheduler.replay import Setup, replay
from scheduler.run import columns as schema
from scheduler.run.assets import ASSETS
from scheduler.run.directory import Run
from scheduler.run.live_logs import LIVE_LOGS
from scheduler.study.reference import reference_of
from scheduler.why.causes import WAITS, Cause
from traces.schema import type_name
from workloads import Demand, generate

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block, and the marker before it."""

    marker: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


HELD_ELSEWHERE = {ROOT / "docs" / "workloads.md"}
"""By test_workloads_realism.py: what this page shows is a table, which it compares itself."""

RUNNABLE = [
    page
    for page in PAGES
    if page not in HELD_ELSEWHERE
    and {block.language for block in blocks(page)} & {"console", "python", "pycon"}
]


@pytest.mark.parametrize("page", RUNNABLE, ids=named)
def test_examples_do_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for folder in ("scheduler", "traces"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    absent = []
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        verb, _, rest = block.marker.partition(" ")
        if verb == "needs" and (missing := provide(rest)):
            absent.append(missing)
        elif verb == "file":
            Path(rest).write_text(block.text, encoding="utf-8")
        elif verb == "entry":
            announce(block.text)
        elif block.language == "console":
            type_in(block.text)
        elif block.language == "pycon":
            ask(block.text, names, page)
        elif block.language == "python":
            exec(block.text, names)
    if absent:
        pytest.skip(f"all but the examples that need {', '.join(absent)}")


def provide(rest: str) -> str:
    """Put a data file into the folder under the page's name for it; return what is missing."""
    data, _, name = rest.partition(" as ")
    if not (DATA / data).exists():
        return f"shared/data/{data}"
    Path(name).symlink_to(DATA / data)
    return ""


def announce(pyproject: str) -> None:
    """Lay down the metadata that installing a package with these entry points would."""
    groups = tomllib.loads(pyproject)["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in entries.items())
        for group, entries in groups.items()
    ]
    folder = Path("our_policies-1.0.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: our-policies\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("\n".join(lines))
    importlib.invalidate_caches()


def type_in(console: str) -> None:
    """Run the commands of a console block, and hold what they print against what is shown."""
    for typed in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, shown = typed.partition("\n")
        program, *words = shlex.split(command)
        assert program == "exaburst", command
        result = CliRunner().invoke(main, words, prog_name=program)
        fails = re.match(r"exaburst: (?!warning: |kept )", shown) is not None
        assert (result.exit_code == 0) != fails, result.output
        matches(shown, result.output, command)


def matches(shown: str, printed: str, what: str) -> None:
    same = doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)
    assert same, f"{what}\nthe page shows:\n{shown}\nit prints:\n{printed}"


def ask(session: str, names: dict[str, Any], page: Path) -> None:
    test = doctest.DocTestParser().get_doctest(session, names, page.name, named(page), 0)
    failures: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=flags).run(test, out=failures.append, clear_globs=False)
    names.update(test.globs)
    assert not failures, "".join(failures)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A pod with too much to do, beside an offer that is billed by the minute."""
    folder = tmp_path_factory.mktemp("run")
    raw = {
        "name": "small",
        "pools": [{"name": "dojo", "pod": "exapod-case-study", "pods": 1}],
        "offers": [{"name": "cloud", "offer": "lambda-h100-us-east-1", "quota": 4_096}],
        "policy": {"patience": "at_once"},
    }
    demand = generate(Demand(days=3, devices=120, load=2), reference_of())
    return replay(Setup.of(scenario.parse_scenario(raw), demand), folder)


def test_the_picture_can_be_drawn_again(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run.png"
    script = ROOT / "docs" / "picture.py"
    subprocess.run([sys.executable, "-W", "error", script, run.folder, out], check=True, timeout=60)
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{named(page)}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{named(page)}: {link}"


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, cell by cell, without its head."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    lines: Iterator[str] = iter(text.splitlines())
    rows = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


LOGS = {
    "jobs": schema.JOBS,
    "attempts": schema.ATTEMPTS,
    "states": schema.states(["POOL"], ["OFFER"], sites=["SITE"]),
    "spend": schema.SPEND,
}


def test_causes_and_columns_of_waits() -> None:
    assert [row[0].strip("`") for row in table("why.md", "## The causes")] == [cause.word for cause in Cause]
    assert table("why.md", "## waits.parquet") == [column(field) for field in WAITS]


@pytest.mark.parametrize("log", LOGS)
def test_columns_are_those_of_the_logs(log: str) -> None:
    assert table("run.md", f"## {log}.parquet") == [column(field) for field in LOGS[log]]


def test_columns_of_assets() -> None:
    assert table("assets.md", "### assets.parquet") == [column(field) for field in ASSETS]


def column(field: pa.Field) -> list[str]:
    kind = type_name(field.type)
    unit, meaning = (field.metadata[key].decode() for key in (b"unit", b"meaning"))
    return [f"`{field.name}`", kind + (", null" if field.nullable else ""), unit, meaning]


def test_keys_of_run_json(run: Run) -> None:
    described = " ".join(row[0] for row in table("run.md", "## run.json"))
    assert re.findall(r"`(\w+)`", described) == list(run.description)


def test_lines_and_bearers_of_the_ledger(run: Run) -> None:
    described = {row[0].strip("`"): row[2] for row in table("money.md", "## Lines")}
    assert described == schema.LINES
    assert set(zip(run.spend.line, run.spend.unit, strict=True)) <= described.items()
    text = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")
    bearers = re.findall(r"^\| `(\w+)` \| ", text.partition("| charged to | is |")[2], re.MULTILINE)
    assert bearers[: len(schema.CHARGED_TO)] == list(schema.CHARGED_TO)


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (scenario.Scenario, "## Keys"),
        (scenario.PoolSpec, "### `[[pools]]`"),
        (scenario.OfferSpec, "### `[[offers]]`"),
        (scenario.SiteSpec, "### `[[sites]]`"),
        (scenario.CurtailmentSpec, "#### `[[sites.curtailments]]`"),
        (scenario.SeriesFile, "#### A year of hours"),
        (scenario.PolicySpec, "### `[policy]`"),
        (scenario.MultifactorSpec, "#### `[policy.multifactor]`"),
        (scenario.QueueSpec, "### `[[queues]]`"),
        (scenario.AdmissionSpec, "### `[admission]`"),
        (scenario.MoneySpec, "### `[money]`"),
        (scenario.FailureSpec, "#### `[[pools.failures]]`"),
        (scenario.MaintenanceSpec, "#### `[[pools.maintenance]]`"),
        (scenario.PurchaseSpec, "#### `[[pools.purchases]]`"),
        (scenario.RetirementSpec, "#### `[[pools.retirements]]`"),
        (scenario.ClosureSpec, "### `[[closures]]`"),
        (scenario.PortSpec, "### `[[ports]]`"),
        (scenario.CommitmentSpec, "#### `[[offers.commitments]]`"),
        (scenario.BlockSpec, "#### `[[offers.blocks]]`"),
        (scenario.SurgeSpec, "#### `[[offers.surges]]`"),
        (scenario.ReclaimSpec, "#### `[offers.reclaim]`"),
        (scenario.ShortageSpec, "#### `[[offers.shortages]]`"),
        (scenario.RefusalSpec, "#### `[offers.refusals]`"),
        (scenario.BootSpec, "#### `[offers.boots]`"),
        (scenario.DriftSpec, "#### `[offers.drift]`"),
        (scenario.CheckpointSpec, "### `[checkpoints]`"),
        (scenario.RetrySpec, "### `[retries]`"),
        (scenario.PreemptionSpec, "### `[preemption]`"),
        (scenario.LinkSpec, "### `[[links]]`"),
    ],
)
def test_keys_and_defaults_of_a_scenario(model: type[msgspec.Struct], heading: str) -> None:
    described = {row[0].strip("`"): row[2] for row in table("scenario.md", heading)}
    assert described == {field.name: default(field) for field in msgspec.structs.fields(model)}


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (scenario.MarketSpec, "### `[market]`"),
        (scenario.PriceSpec, "### `market.price`"),
        (scenario.SegmentSpec, "### `[[market.segments]]`"),
        (scenario.LeaseSpec, "### `[[market.leases]]`"),
    ],
)
def test_keys_and_defaults_of_a_market(model: type[msgspec.Struct], heading: str) -> None:
    described = {row[0].strip("`"): row[2] for row in table("market.md", heading)}
    assert described == {field.name: default(field) for field in msgspec.structs.fields(model)}


def test_keys_and_defaults_of_an_edge() -> None:
    described = {row[0].strip("`"): row[2] for row in table("edge.md", "### `[[edge]]`")}
    assert described == {field.name: default(field) for field in msgspec.structs.fields(scenario.EdgeSpec)}


@pytest.mark.parametrize(
    ("model", "heading"),
    [(scenario.LoopSpec, "### `[[loops]]`"), (scenario.EffectSpec, "### `loops.effect`")],
)
def test_keys_and_defaults_of_a_loop(model: type[msgspec.Struct], heading: str) -> None:
    described = {row[0].strip("`"): row[2] for row in table("loop.md", heading)}
    assert described == {field.name: default(field) for field in msgspec.structs.fields(model)}


@pytest.mark.parametrize(
    ("page", "log"),
    [("market.md", "sales"), ("loop.md", "loop"), ("loop.md", "loop_hours"), ("edge.md", "edge")],
)
def test_columns_of_what_live_sources_log(page: str, log: str) -> None:
    assert table(page, f"## {log}.parquet") == [column(field) for field in LIVE_LOGS[log]]


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "`{}`" if field.default_factory is dict else "all defaults"
    if field.default is None:
        return "none"
    return f'`"{field.default}"`' if isinstance(field.default, str) else f"`{field.default}`"


def test_bounds() -> None:
    assert [row[0].strip("`") for row in table("scenario.md", "## Bounds")] == list(scenario.BOUNDS)


@pytest.mark.parametrize(("seam", "choices"), SEAMS.items(), ids=SEAMS)
def test_policies_and_their_arguments(seam: str, choices: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    (heading,) = re.findall(rf"^## {seam}: .+$", text, re.MULTILINE)
    described = [row[0].strip("`").partition(":") for row in table("policies.md", heading)]
    takes = [(name, bool(argument)) for name, _, argument in described]
    assert takes == [(name, bool(inspect.signature(make).parameters)) for name, make in choices.items()]
