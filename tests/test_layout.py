"""The shape of the project: which way imports run, how long files are, what columns say of themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pyarrow as pa
import pytest

from scheduler.run import columns as schema
from scheduler.weather import WEATHER
from traces import TRACE_SCHEMA

ROOT = Path(__file__).parents[1]
PACKAGES = ("scheduler", "workloads", "traces")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST = 260

FORBIDDEN = {
    "traces": ("scheduler", "workloads"),
    "workloads": ("scheduler",),
    "scheduler.engine": ("scheduler.money", "scheduler.run.metrics", "scheduler.report", "scheduler.cli"),
    "scheduler.policy": ("scheduler.engine", "scheduler.money", "scheduler.report", "scheduler.cli"),
    "scheduler.money": ("scheduler.engine", "scheduler.report", "scheduler.cli"),
    "scheduler.run.metrics": ("scheduler.engine", "scheduler.report", "scheduler.cli"),
    "scheduler.report": ("scheduler.engine", "scheduler.cli"),
    "scheduler.catalog": ("scheduler.engine", "scheduler.policy", "scheduler.scenario", "scheduler.cli"),
}
"""What modules below the one may not import, not even where types are checked alone."""

COMPOSERS = ("scheduler.cli", "scheduler.study")
"""The only ones in scheduler that see workloads."""


def test_imports_run_one_way() -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in edges()
        if any(within(importer, above) and within(imported, *below) for above, below in FORBIDDEN.items())
    ]
    assert wrong == []


def test_only_what_composes_sees_workloads() -> None:
    seen = {importer for importer, imported in edges() if within(imported, "workloads")}
    assert {module for module in seen if not within(module, "workloads", *COMPOSERS)} == set()
    assert any(within(module, "scheduler.cli") for module in seen)


def edges() -> Iterator[tuple[str, str]]:
    """(module, name that it imports), wherever in the module; `from a import b` counts as a.b too."""
    for path in MODULES:
        importer = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((importer, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: a relative import hides what is imported"
                yield importer, str(node.module)
                yield from ((importer, f"{node.module}.{alias.name}") for alias in node.names)


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_is_ours_and_nobody_elses(package: str) -> None:
    others = sorted(set(packages_distributions().get(package, ())) - {"exaburst"})
    assert not others, (
        f"the distribution {', '.join(others)} also installs a package named {package}: "
        "which of the two is imported is a matter of luck; uninstall it, or use an environment of one's own"
    )
    found = Path(str(import_module(package).__file__)).parent
    assert found == ROOT / package, f"{package} is imported from {found}, not from {ROOT / package}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_fits_in_the_head(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(text)) or not text, "a module says what it is for"


@pytest.mark.parametrize(
    "columns",
    [TRACE_SCHEMA, WEATHER, schema.JOBS, schema.ATTEMPTS, schema.SPEND, schema.states(["pool"], ["offer"])],
    ids=["trace", "weather", "jobs", "attempts", "spend", "states"],
)
def test_every_column_says_its_unit_and_meaning(columns: pa.Schema) -> None:
    units = {"_device_s": "device-second", "_s": "s", "usd": "USD", "_tb": "TB", "device_h": "device-hour"}
    for column in columns:
        said = {key.decode(): text.decode() for key, text in (column.metadata or {}).items()}
        assert said.keys() == {"unit", "meaning"}, column.name
        assert said["meaning"], column.name
        stands_in_name = [unit for suffix, unit in units.items() if column.name.endswith(suffix)]
        assert said["unit"] == (stands_in_name or [said["unit"]])[0], column.name


def test_help_imports_nothing_that_costs() -> None:
    code = """
import sys
from scheduler.cli import main
try:
    main(["--help"])
finally:
    print(sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "pandas", "pyarrow", "simpy"}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage:")
    assert done.stdout.splitlines()[-1] == "[]"
