"""One mutant meets its tests, until one fails."""

from __future__ import annotations

import os
import resource
import signal
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutants.changes import Mutant
from benchmarks.mutants.reach import Reach
from benchmarks.mutants.session import cpu_s, session

FACTOR, GRACE_S = 6, 5
"""A test that takes so many times the processor's seconds that it takes without a mutant, and so many more
beside what its file takes, does not end. Wall time says nothing on a busy machine."""

_VERSIONS = count(1)


class Trial:
    """A plugin of pytest that runs some tests in their order, up to the first that fails, and tells which."""

    def __init__(self, tests: Mapping[str, float], into: Path) -> None:
        self._order = {test: place for place, test in enumerate(tests)}
        self._most_s = tests
        self._into = into

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the tests that are asked for, in order."""
        items[:] = sorted((i for i in items if i.nodeid in self._order), key=lambda i: self._order[i.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Limit what a test may take of the processor, and say that it began."""
        self._into.write_text(f"does not end: {item.nodeid}", encoding="utf-8")
        most_s = int(cpu_s() + self._most_s[item.nodeid]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most_s, resource.RLIM_INFINITY))
        return (yield)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Say which test failed, and end."""
        if report.failed:
            self._into.write_text(report.nodeid, encoding="utf-8")
            os._exit(1)


def in_order(mutant: Mutant, reached: Mapping[str, Reach], best: Sequence[str]) -> list[dict[str, float]]:
    """Return the tests that a mutant meets, and how long: of the files that know it best, then others.

    Quick files come first, and in them quick tests. Of tests that start processes it is not known what they
    reach, and what runs on import is reached by all that look at it: these are asked where they know the file
    best.
    """
    near = {test for test, found in reached.items() if reaches(found, mutant)}
    for test, found in reached.items():
        if file_of(test) in best and (found.starts or mutant.block is None):
            near.add(test)
    if not near and mutant.block is None:
        near = set(reached)
    stages: list[dict[str, float]] = [{}, {}]
    asked_s, all_s = seconds(reached, near), seconds(reached, reached)
    for test in sorted(
        near, key=lambda test: (reached[test].starts, asked_s[file_of(test)], reached[test].cpu_s)
    ):
        most_s = FACTOR * reached[test].cpu_s + all_s[file_of(test)] + GRACE_S
        stages[0 if file_of(test) in best else 1][test] = most_s
    return stages


def seconds(reached: Mapping[str, Reach], tests: Iterable[str]) -> dict[str, float]:
    """Return what some tests take by file."""
    taken_s: defaultdict[str, float] = defaultdict(float)
    for test in tests:
        taken_s[file_of(test)] += reached[test].cpu_s
    return taken_s


def file_of(test: str) -> str:
    """Return the file in which a test stands."""
    return test.partition("::")[0]


def reaches(found: Reach, mutant: Mutant) -> bool:
    """Return whether a test runs what was changed; of what runs on import, the file."""
    if mutant.block is not None:
        return (mutant.file, mutant.block) in found.blocks
    return any(file == mutant.file for file, _ in found.blocks)


def killer(tree: Path, mutant: Mutant, stages: Sequence[Mapping[str, float]], log: Path) -> str:
    """Return the first test that a mutant does not pass, if any; change a tree for it, and change it back."""
    file = tree / mutant.file
    text, stat = file.read_bytes(), file.stat()
    file.write_text(mutant.text, encoding="utf-8")
    version = next(_VERSIONS)
    os.utime(file, (version, version))  # so that what was compiled of another is out of date
    try:
        for tests in stages:
            if tests and (killed_by := _killer(tree, tests, log)):
                return killed_by
    finally:
        file.write_bytes(text)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return ""


def _killer(tree: Path, tests: Mapping[str, float], log: Path) -> str:
    """Return the first of some tests that fails; what does not start, or only waits, is tried again."""
    files = list(dict.fromkeys(map(file_of, tests)))
    fate = log.with_suffix(".fate")
    for _ in range(2):
        fate.write_text(f"does not start: {' '.join(files)}", encoding="utf-8")
        code = session(tree, log, files, Trial(tests, fate))
        if code in (0, 1, -signal.SIGXCPU):
            break
    return fate.read_text(encoding="utf-8") if code else ""
