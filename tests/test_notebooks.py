"""The notebooks run from scratch on small data, are committed clean, read only, and point somewhere."""

from __future__ import annotations

import ast
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient

from scheduler.replay import Setup, replay
from scheduler.run.quarters import QUARTERS_FILE, quarters_table, rows_of_run
from scheduler.scenario import parse_scenario
from scheduler.study.cells.workers import Workers
from scheduler.study.reference import reference_of
from scheduler.study.sweep.study_cells import lay_out
from scheduler.study.sweep.sweep import run_study
from workloads import Demand, generate

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SIMULATES = (
    "scheduler.engine",
    "scheduler.replay.replay",
    "scheduler.cli",
    "scheduler.policy",
    "workloads.generate",
    "simpy",
)
LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")

Notebook = Any


def read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


STUDY = """
name = "small"
seeds = 5

[axes.policy]
never = "never"
at_once = "at_once"
unlimited_owned = "unlimited_owned"

[scenario]
name = "small"
demand = {days = 1, devices = 120, load = 1.5}
pools = [{name = "dojo", pod = "exapod-case-study", pods = 1}]
offers = [{name = "aws", offer = "aws-h100-us-east-1", quota = 2_048}]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A run of eight busy days, and a study of two policies and a bound."""
    folder = tmp_path_factory.mktemp("data")
    trace = generate(Demand(days=8, devices=120, load=1.3), reference_of())
    trace.write(folder / "trace.parquet")
    scenario = parse_scenario(tomllib.loads(STUDY)["scenario"] | {"policy": {"patience": "after:1h"}})
    run = replay(Setup.of(scenario, trace), folder / "run")
    (folder / "years").mkdir()
    pq.write_table(quarters_table(rows_of_run(run, {"dojo": 9.0}, 0.07)), folder / "years" / QUARTERS_FILE)
    looping = parse_scenario(tomllib.loads((ROOT / "notebooks" / "loop.toml").read_text()))
    replay(Setup.of(looping, trace), folder / "loop")
    (folder / "study.toml").write_text(STUDY)
    workers = Workers(lambda: ThreadPoolExecutor(1), 1)
    assert run_study(lay_out(folder / "study.toml"), folder / "study", workers).failures == {}
    return {
        "EXABURST_RUN": str(folder / "run"),
        "EXABURST_TRACE": str(folder / "trace.parquet"),
        "EXABURST_STUDY": str(folder / "study"),
        "EXABURST_LOOP_RUN": str(folder / "loop"),
        "EXABURST_YEARS": str(folder / "years"),
    }


def executed(path: Path) -> Notebook:
    notebook = read(path)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": path.parent}}).execute()
    return notebook


@pytest.mark.parametrize(
    "path",
    [
        path if "utilization" in path.stem else pytest.param(path, marks=pytest.mark.slow)
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs_from_scratch_and_shows_every_picture(
    path: Path, data: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    for cell in executed(path).cells:
        if cell.cell_type == "code":
            outputs = cell.outputs
            assert [output.text for output in outputs if output.get("name") == "stderr"] == []
            pictures = sum("image/png" in output.get("data", {}) for output in outputs)
            assert pictures == drawn(cell.source), cell.source


def drawn(source: str) -> int:
    """How many pictures a cell asks for: calls of our own figures. A loop here runs over one pool."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    modules = ("demand", "usage", "policies", "money", "loop", "years")
    return sum(isinstance(call, ast.Attribute) and getattr(call.value, "id", "") in modules for call in calls)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_what_running_it_leaves(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.metadata.language_info) == {"name": "python"}
    for cell in notebook.cells:
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_says_before_what_to_see(path: Path) -> None:
    kinds = [cell.cell_type for cell in read(path).cells]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_reads_and_never_simulates(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ImportFrom | ast.Import):
                    names = (
                        [node.module or ""]
                        if isinstance(node, ast.ImportFrom)
                        else [n.name for n in node.names]
                    )
                    assert not [name for name in names if name.startswith(SIMULATES)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for link in LINK.findall(cell.source):
                assert (path.parent / link).exists(), link
