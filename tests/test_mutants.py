"""What mutants are made of, and which tests they meet."""

from __future__ import annotations

from benchmarks.mutants import GROUPS, ROOT, stages


def test_every_file_is_changed_in_some_group() -> None:
    changed = {path for group in GROUPS for path in stages(ROOT, group)}
    files = {path for room in ("scheduler", "traces", "workloads") for path in (ROOT / room).rglob("*.py")}
    assert {path for path in files - changed if path.name != "__init__.py"} == set()


def test_the_tests_that_they_meet_are_there() -> None:
    names = {name for rooms in GROUPS.values() for tests in rooms.values() for name in tests.split()}
    assert {name for name in names if not (ROOT / "tests" / f"test_{name}.py").is_file()} == set()
