"""Which tests reach which statements: each test once, on code that notes the blocks that run."""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import resource
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from benchmarks.mutants.changes import Block, begin, is_block
from benchmarks.mutants.session import cpu_s, session

SOURCES = ("scheduler", "traces", "workloads")
NOTES = "_reached_"
"""The builtin that notes what was reached: a byte for each block."""
CUT_S = 3
"""Seconds of a processor after which a test is cut off; what it has reached until then counts."""

Place = tuple[str, Block]


class Reach(NamedTuple):
    """What a test reaches, and what it takes."""

    blocks: frozenset[Place]
    cpu_s: float
    starts: bool
    """Starts processes, in which nothing is noted."""


class Cut(BaseException):
    """A test has taken long enough."""


def instrument(tree: Path) -> list[Place]:
    """Let the code of a tree note the blocks that it runs; return them in order."""
    blocks: list[Place] = []
    for name in SOURCES:
        for file in sorted((tree / name).rglob("*.py")):
            module = ast.parse(file.read_text(encoding="utf-8"))
            note(module, str(file.relative_to(tree)), None, blocks)
            file.write_text(ast.unparse(ast.fix_missing_locations(module)), encoding="utf-8")
    size = f"import builtins\nbuiltins.{NOTES} = bytearray({len(blocks)})\n"
    (tree / "sitecustomize.py").write_text(size, encoding="utf-8")  # for processes that tests start
    return blocks


def note(node: ast.AST, file: str, outer: Block | None, blocks: list[Place]) -> None:
    """Put a note at the beginning of each block below a node."""
    for _, value in ast.iter_fields(node):
        many = isinstance(value, list)
        inner = begin(value) if many and is_block(node, value, outer) else outer
        for child in list(value) if many else [value]:
            if isinstance(child, ast.AST):
                note(child, file, inner, blocks)
        if inner is not None and inner != outer and many:
            text = isinstance(value[0], ast.Expr) and isinstance(value[0].value, ast.Constant)
            value.insert(1 if text else 0, ast.parse(f"{NOTES}[{len(blocks)}] = 1").body[0])
            blocks.append((file, inner))


class Notes:
    """A plugin of pytest that writes after each test which blocks it has reached."""

    def __init__(self, blocks: int, into: Path) -> None:
        self._into = into.open("w", encoding="utf-8")
        self._reached = bytearray(blocks)
        self._fixtures: dict[str, bytes] = {}
        self._runs = False
        self._failed: set[str] = set()
        setattr(builtins, NOTES, self._reached)
        signal.signal(signal.SIGPROF, self._cut)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Note apart what a fixture reaches that several tests share."""
        if fixturedef.scope == "function":
            return (yield)
        before = bytes(self._reached)
        self._reached[:] = bytes(len(before))
        try:
            return (yield)
        finally:
            self._fixtures[fixturedef.argname] = bytes(self._reached)
            self._add(before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Run a test, and write what it has reached."""
        self._reached[:] = bytes(len(self._reached))
        began_s, others_s = cpu_s(), cpu_s(resource.RUSAGE_CHILDREN)
        try:
            return (yield)
        finally:
            for name in item.fixturenames:
                self._add(self._fixtures.get(name, b""))
            starts = cpu_s(resource.RUSAGE_CHILDREN) > others_s
            blocks = np.flatnonzero(np.frombuffer(bytes(self._reached), np.uint8)).tolist()
            fails = item.nodeid in self._failed
            self._into.write(json.dumps([item.nodeid, blocks, cpu_s() - began_s, starts, fails]) + "\n")
            self._into.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Cut off what takes too long."""
        signal.setitimer(signal.ITIMER_PROF, CUT_S)
        self._runs = True
        try:
            return (yield)
        except BaseException:
            if self._runs:  # else it was cut off, of which a library may have made something else
                raise
            return None
        finally:
            self._runs = False
            signal.setitimer(signal.ITIMER_PROF, 0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep who fails, as what starts processes may on a busy machine."""
        if report.failed:
            self._failed.add(report.nodeid)

    def _add(self, reached: bytes) -> None:
        for number in np.flatnonzero(np.frombuffer(reached, np.uint8)).tolist():
            self._reached[number] = 1

    def _cut(self, *_: object) -> None:
        if self._runs:
            self._runs = False
            raise Cut


def reach(unchanged: Path, noting: Path, files: Sequence[str], kept: Path) -> dict[str, Reach]:
    """Return what each test of some files reaches in an unchanged tree; what was kept of it is used again.

    The copy of the tree that notes is instrumented here, if it is not yet. What is kept is named by what the
    code and the test file hold.
    """
    listing = noting / "blocks.json"
    if not listing.exists():
        listing.write_text(json.dumps(instrument(noting)), encoding="utf-8")
    blocks = [(file, tuple(block)) for file, block in json.loads(listing.read_text(encoding="utf-8"))]
    code = digest([*(unchanged / name for name in SOURCES), *sorted((unchanged / "tests").glob("[!t]*.py"))])
    kept.mkdir(parents=True, exist_ok=True)
    found: dict[str, Reach] = {}
    for file in files:
        lines = kept / f"{digest([unchanged / file])}-{code}.jsonl"
        if not lines.exists():
            _run(noting, file, len(blocks), lines)
        for line in lines.read_text(encoding="utf-8").splitlines():
            test, numbers, taken_s, starts, fails = json.loads(line)
            if fails:
                print(f"{test}: fails without a mutant, and is left out", flush=True)
            else:
                found[test] = Reach(frozenset(blocks[number] for number in numbers), taken_s, starts)
    return found


def _run(noting: Path, file: str, blocks: int, lines: Path) -> None:
    """Run a test file that notes what it reaches."""
    part, log = lines.with_suffix(".part"), lines.with_suffix(".log")
    leaves_open = ("-W", "ignore::pytest.PytestUnraisableExceptionWarning")  # as a test does that is cut off
    if (code := session(noting, log, [file, *leaves_open], Notes(blocks, part))) not in (0, 1):
        raise SystemExit(f"{file}: does not run ({code}), see {log}")
    part.rename(lines)


def digest(paths: Sequence[Path]) -> str:
    """Return a short digest of files and of all Python below folders."""
    files = (file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.py"))))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]
