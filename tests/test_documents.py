"""What commands print with --json: each validates against its documented schema."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.report.documents.document import Document
from scheduler.report.documents.fidelity import FidelityDocument
from scheduler.report.documents.files import FileDocument, TraceDocument, VerifyDocument
from scheduler.report.documents.money import (
    CatalogDocument,
    ClaimsDocument,
    EconomicsDocument,
    LedgerDocument,
)
from scheduler.report.documents.roadmaps import RoadmapDocument
from scheduler.report.documents.runs import RunsDocument, SummaryDocument, WhyDocument, WhyJobDocument
from scheduler.report.documents.studies import (
    CompareDocument,
    PlanDocument,
    PowerDocument,
    PriceDocument,
    StudyDocument,
)
from scheduler.report.documents.trial import TryDocument
from scheduler.report.documents.weather import WeatherDocument
from scheduler.report.documents.years import YearsDocument

ROOT = Path(__file__).parents[1]
DOCUMENTS: list[type[Document]] = [
    *(
        SummaryDocument,
        RunsDocument,
        WhyDocument,
        WhyJobDocument,
        LedgerDocument,
        CompareDocument,
        PowerDocument,
    ),
    *(PlanDocument, RoadmapDocument, PriceDocument, TryDocument),
    *(StudyDocument, EconomicsDocument, ClaimsDocument, CatalogDocument, WeatherDocument),
    *(TraceDocument, FileDocument, VerifyDocument, FidelityDocument, YearsDocument),
]
SMALL = """
name = "small"
horizon_h = 48

[demand]
days = 2
devices = 24
load = 1.2

[[pools]]
name = "dojo"
device = "dojo-tile-case-study"
devices = 24
pods = 1
capital_usd = 80e6

[[offers]]
name = "cloud"
offer = "nebius-h100-eu-north1"
quota = 512
"""
STUDY = """
name = "both"
scenario = "small.toml"
seeds = 2

[axes.policy]
easy = "easy"
greedy = "greedy"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "small.toml").write_text(SMALL)
    (folder / "study.toml").write_text(STUDY)
    said(TraceDocument, "generate", "--days", 2, "--devices", 24, "-o", folder / "jobs.parquet")
    said(SummaryDocument, "replay", folder / "small.toml", "-o", folder / "run")
    return folder


def said(of: type[Any], *words: object) -> Any:
    """Type a command with --json; what it prints is one line, and just what its document may hold."""
    done = CliRunner().invoke(main, [*map(str, words), "--json"], prog_name="exaburst")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return msgspec.json.decode(done.stdout, type=of)


def test_commands_print_their_documents(home: Path) -> None:
    run, scenario = home / "run", home / "small.toml"
    summary = said(SummaryDocument, "summary", run, "--by", "owner", "--beside", run)
    assert summary.figures["jobs"] == sum(summary.jobs.values()) == summary.words["all"]["jobs"]
    assert summary.beside[str(run)]["usd_total"] == summary.figures["usd_total"]
    why = said(WhyDocument, "why", run)
    assert said(WhyJobDocument, "why", run, why.worst[0]["job"]).waited_s == why.worst[0]["waited_s"]
    bills = said(LedgerDocument, "ledger", run, "--by", "owner,month", "--idle", "use")
    assert bills.adds_up
    billed = sum(row["jobs_usd"] + row["shared_usd"] for row in bills.charges)
    assert billed == pytest.approx(bills.expected_usd)
    assert said(LedgerDocument, "ledger", run).charges
    assert said(FileDocument, "check", scenario).holds == "scenario"
    assert said(TraceDocument, "check", home / "jobs.parquet").jobs > 0
    (listed,) = said(RunsDocument, "runs", home / "run").runs
    assert datetime.fromisoformat(listed["start"]) == summary.start
    assert said(TraceDocument, "import", "csv", jobs_as_csv(home), "-o", home / "again.parquet").jobs > 0
    assert said(WeatherDocument, "weather", scenario).days == 0
    assert said(EconomicsDocument, "economics", "--draws", 100).draws == 100
    assert said(ClaimsDocument, "claims").results
    assert said(CatalogDocument, "catalog").offers["nebius-h100-eu-north1"]["usd_per_device_h"] == 2.95


@pytest.mark.slow
def test_verify_prints_its_document(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[[pools]]\nname = "a"\ndevice = "h100"\ndevices = 2\npods = 1'
    )
    (tmp_path / "jobs.csv").write_text("submit_s,runtime_s,gang\n0,60,1\n5,60,2\n")
    said(TraceDocument, "import", "csv", tmp_path / "jobs.csv", "-o", tmp_path / "jobs.parquet")
    run = tmp_path / "run"
    trace = ("--trace", tmp_path / "jobs.parquet")
    said(SummaryDocument, "replay", tmp_path / "own.toml", *trace, "-o", run)
    assert said(VerifyDocument, "verify", run, *trace).files > 0


def jobs_as_csv(home: Path) -> Path:
    out = home / "jobs.csv"
    assert said(FileDocument, "export", "csv", home / "jobs.parquet", "-o", out).rows > 0
    return out


def test_many_runs_print_their_documents(home: Path) -> None:
    scenario = home / "small.toml"
    found = said(
        CompareDocument, "compare", scenario, "-p", "easy", "-p", "greedy", "--seeds", 2, "--workers", 1
    )
    assert found.means["easy"].keys() == set(found.metrics)
    words = ("--target", "fsd.label:p50:40h", "--seeds", 2, "--patience", "at_once", "--max-pods", 1)
    plan = said(PlanDocument, "plan", scenario, *words, "--workers", 1, "-o", home / "plan")
    assert plan.target["group"] == "fsd.label"
    assert plan.frontier
    ahead = said(RoadmapDocument, "roadmap", scenario, *words, "--warm-up", 0, "-o", home / "roadmap")
    assert ahead.best is not None
    assert ahead.schedule[0]["pods"] == ahead.best["pods"][0] == 1
    sites = '[{name = "here", pools = ["dojo"], cap_kw = 300}]'
    capped = said(PowerDocument, "power", scenario, "--set", f"sites={sites}", "--seeds", 2, "--workers", 1)
    mean, half = capped.sites["here"]["lost_pflop_days"]
    assert mean is not None
    assert mean > 0
    assert half is not None
    study = said(StudyDocument, "study", "run", home / "study.toml", "-o", home / "study", "--workers", 1)
    assert (study.cells, study.computed, len(study.rows)) == (4, 4, 4)
    assert said(StudyDocument, "study", "show", home / "study").differences


def test_numbers_that_are_not_known_are_null() -> None:
    class Few(Document, frozen=True, kw_only=True):
        figures: dict[str, float | None]

    few = Few(figures={"a": float("nan"), "b": float("inf"), "c": 1.5})
    assert json.loads(few.text()) == {"figures": {"a": None, "b": None, "c": 1.5}}


def test_every_command_that_prints_has_json() -> None:
    lacking = [path for path, command in commands(main) if "as_json" not in {p.name for p in command.params}]
    assert lacking == []


def commands(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, f"{path}{name} ")
        else:
            found.append((path + name, command))
    return found


def test_the_page_shows_the_keys_of_each_document() -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^## (\w+)\n.*?\n\n(\|.*?)\n(?:\n|\Z)", page, re.MULTILINE | re.DOTALL))
    assert shown == {document.__name__.removesuffix("Document"): keys(document) for document in DOCUMENTS}


def keys(document: type[Document]) -> str:
    """Return a table of the keys of a document: name, type, meaning."""
    schema = msgspec.json.schema(document)["$defs"][document.__name__]
    rows = [
        f"| `{name}` | {kind(of)} | {of.get('description', '')} |"
        for name, of in schema["properties"].items()
    ]
    return "\n".join(["| key | type | is |", "|---|---|---|", *rows])


def kind(of: dict[str, Any]) -> str:
    """Return the type of a value in words of JSON."""
    if "anyOf" in of:
        return " or ".join(kind(each) for each in of["anyOf"])
    if of.get("type") == "array":
        return f"array of {kind(of['items'])}s"
    return str(of.get("type", "object"))
