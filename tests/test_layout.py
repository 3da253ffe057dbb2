"""The shape of the house: which way imports run, that no room is in a circle, how long things are."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pyarrow as pa
import pytest

from scheduler.report.colours import LINE_COLOURS
from scheduler.run import columns as schema
from scheduler.weather import WEATHER
from scheduler.why.causes import WAITS
from traces import TRACE_SCHEMA

ROOT = Path(__file__).parents[1]
PACKAGES = ("scheduler", "workloads", "traces")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST = 260
LONGEST_FUNCTION = 40
"""Lines of a function, tables of kinds of jobs aside."""
MOST_CALLBACKS = 2

FLOORS = (
    ("traces",),
    ("scheduler.catalog", "scheduler.policy", "workloads"),
    ("scheduler.scenario",),
    ("scheduler.stock",),
    ("scheduler.run", "scheduler.weather"),
    ("scheduler.engine", "scheduler.money"),
    ("scheduler.live",),
    ("scheduler.replay",),
    ("scheduler.study", "scheduler.why", "scheduler.fidelity"),
    ("scheduler.report",),
    ("scheduler.cli",),
)
"""Rooms from the ground up. A room imports rooms below its own floor."""

FORBIDDEN = {
    "traces": ("scheduler", "workloads"),
    "workloads": ("scheduler",),
    "scheduler.policy": ("scheduler.scenario", "scheduler.catalog"),
    "scheduler.run": ("scheduler.engine", "scheduler.money"),
    "scheduler.weather": ("scheduler.policy",),
    "scheduler.money": ("scheduler.engine",),
    "scheduler.report": ("scheduler.engine",),
    "scheduler.engine.owned": ("scheduler.engine.rented", "scheduler.engine.storm"),
    "scheduler.engine.rented": ("scheduler.engine.owned", "scheduler.engine.storm"),
    "scheduler.engine.log": ("scheduler.engine.owned", "scheduler.engine.storm"),
}
"""What a room does not know at all, whatever its floor."""

COMPOSERS = ("scheduler.cli", "scheduler.study")
"""The only ones in scheduler that see workloads."""


def test_imports_run_down() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = [
        f"{importer} imports {imported}: {room_of(imported)} is no floor below {room_of(importer)}"
        for importer, imported in edges()
        if (below := floor.get(room_of(imported))) is not None
        and (above := floor.get(room_of(importer))) is not None
        and room_of(importer) != room_of(imported)
        and below >= above
    ]
    assert wrong == []


def test_rooms_do_not_know_what_they_need_not() -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in edges()
        if any(within(importer, room) and within(imported, *unknown) for room, unknown in FORBIDDEN.items())
    ]
    assert wrong == []


def test_only_what_composes_sees_workloads() -> None:
    seen = {importer for importer, imported in edges() if within(imported, "workloads")}
    assert {module for module in seen if not within(module, "workloads", *COMPOSERS)} == set()
    assert any(within(module, "scheduler.cli") for module in seen)


def test_no_file_is_in_a_circle() -> None:
    files = {module_of(path) for path in MODULES}
    arrows: dict[str, set[str]] = defaultdict(set)
    for importer, imported in edges():
        target = imported if imported in files else imported.rpartition(".")[0]
        if target in files and target != importer and not within(importer, target):
            arrows[importer].add(target)
    assert circle(arrows) == [], "these import each other in a loop: move what they share below them"


def test_no_room_is_in_a_circle() -> None:
    """Folders, those within a room too; a folder's own files are the room around its inner rooms."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for importer, imported in edges():
        here, there = folder_of(importer), folder_of(imported)
        if there and here != there and not within(here, there) and not within(there, here):
            arrows[here].add(there)
    assert circle(arrows) == [], "these rooms import each other in a loop"


def test_no_import_between_rooms_is_for_types_alone() -> None:
    """An import that only the type checker sees hides a circle; the command line imports late to be quick."""
    hidden = [
        f"{path}: {inner.module}"
        for path in MODULES
        if room_of(module_of(path)) != "scheduler.cli"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in node.body
        if isinstance(inner, ast.ImportFrom) and within(str(inner.module), *PACKAGES)
        if room_of(str(inner.module)) != room_of(module_of(path))
    ]
    assert hidden == [], "move the type below both rooms"


def test_no_file_stands_loose_at_the_top() -> None:
    assert sorted(path.name for path in (ROOT / "scheduler").glob("*.py")) == ["__init__.py"]


def edges() -> Iterator[tuple[str, str]]:
    """(module, name that it imports), wherever in the module; `from a import b` counts as a.b too."""
    for path in MODULES:
        importer = module_of(path)
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                yield from ((importer, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: a relative import hides what is imported"
                yield importer, str(node.module)
                yield from ((importer, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """The room of a module: a folder of scheduler, or one of the other packages."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "scheduler" else parts[0]


def folder_of(name: str) -> str:
    """The folder that holds what is imported under a name; empty where it is not ours."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() and within(name, *PACKAGES):
        return name
    return folder_of(name.rpartition(".")[0]) if "." in name else ""


def circle(arrows: Mapping[str, Set[str]]) -> list[str]:
    """Some of those that are in a loop, or wait for one: what is left when all that is free has gone."""
    left = dict(arrows)
    while free := [name for name in left if not any(target in left for target in left[name])]:
        for name in free:
            del left[name]
    return sorted(left)


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


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in MODULES:
        yield from ((path, node) for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef))


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{path}: {node.name}"
        for path, node in functions()
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION and node.name != "kinds"
    ]
    assert long == []


def test_a_constructor_takes_few_callbacks_and_is_handed_no_lambda() -> None:
    takes = [
        f"{path}: takes {callbacks} callbacks"
        for path, node in functions()
        if node.name == "__init__" and (callbacks := called_back(node)) > MOST_CALLBACKS
    ]
    handed = [
        f"{path}:{node.lineno}: a lambda for {ast.unparse(node.func)}"
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2][:1].isupper()
        for value in [*node.args, *(word.value for word in node.keywords)]
        if isinstance(value, ast.Lambda)
    ]
    assert takes + handed == [], "hand over an object with a Protocol, or a function with a name"


def called_back(constructor: ast.FunctionDef) -> int:
    named = {"Wait", "StartOwned", "Rent", "Lost", "Pick", "Price", "Fit", "OfferScore"}
    named |= {"ReplayProgress", "StudyProgress"}
    arguments = [*constructor.args.args, *constructor.args.kwonlyargs]
    types = [ast.unparse(argument.annotation) for argument in arguments if argument.annotation]
    return sum("Callable" in text or text.partition(" ")[0] in named for text in types)


def test_one_word_stands_for_one_thing() -> None:
    """No two files define a public class, type or constant of one name."""
    names = Counter(name for path in MODULES for name in defined(parsed(path)) if not name.startswith("_"))
    assert [name for name, times in names.items() if times > 1] == []


def defined(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize(
    "columns",
    [
        TRACE_SCHEMA,
        WEATHER,
        schema.JOBS,
        schema.ATTEMPTS,
        schema.SPEND,
        WAITS,
        schema.states(["pool"], ["offer"]),
    ],
    ids=["trace", "weather", "jobs", "attempts", "spend", "waits", "states"],
)
def test_every_column_says_its_unit_and_meaning(columns: pa.Schema) -> None:
    units = {"_device_s": "device-second", "_s": "s", "usd": "USD", "_tb": "TB", "device_h": "device-hour"}
    for column in columns:
        said = {key.decode(): text.decode() for key, text in (column.metadata or {}).items()}
        assert said.keys() == {"unit", "meaning"}, column.name
        assert said["meaning"], column.name
        stands_in_name = [unit for suffix, unit in units.items() if column.name.endswith(suffix)]
        assert said["unit"] == (stands_in_name or [said["unit"]])[0], column.name


def test_every_line_of_the_ledger_has_a_colour_of_its_own() -> None:
    assert LINE_COLOURS.keys() == schema.LINES.keys() - {"revenue"}
    assert len(set(LINE_COLOURS.values())) == len(LINE_COLOURS)


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
