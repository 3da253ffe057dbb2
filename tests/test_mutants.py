"""What mutants are made of, and which tests they meet."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutants.changes import Mutant, sample, sites
from benchmarks.mutants.groups import GROUPS, ROOT, all_tests, best_tests
from benchmarks.mutants.judged import KINDS, judged
from benchmarks.mutants.reach import Reach, instrument
from benchmarks.mutants.trial import in_order

CODE = '''"""A file."""
MOST = 3

def least(values):
    """Return it."""
    if not values:
        return MOST
    for value in values:
        if value < 1:
            break
    else:
        value = max(values)
    return value + 1
'''


def test_every_file_is_changed_in_some_group() -> None:
    changed = {path for group in GROUPS for path in best_tests(ROOT, group)}
    files = {path for room in ("scheduler", "traces", "workloads") for path in (ROOT / room).rglob("*.py")}
    assert {path for path in files - changed if path.name != "__init__.py"} == set()


def test_the_tests_that_they_meet_are_there() -> None:
    assert {test for group in GROUPS for test in all_tests(group) if not (ROOT / test).is_file()} == set()


def test_what_is_judged_to_be_no_fault_has_a_reason_and_a_file() -> None:
    for (file, _, _), judgement in judged().items():
        assert (ROOT / file).is_file(), file
        assert judgement.kind in KINDS and judgement.because, file


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for room in ("scheduler", "traces", "workloads"):
        (tmp_path / room).mkdir()
    (tmp_path / "traces" / "least.py").write_text(CODE)
    return tmp_path


def test_changes_stand_in_the_block_that_runs_them(tree: Path) -> None:
    found = [(type(site.old).__name__, site.block) for site in sites(ast.parse(CODE))]
    body, loop, inner = (5, 4), (9, 8), (10, 12)
    assert found == [
        *[("Constant", None)] * 2,
        *[("If", body), ("UnaryOp", body)],
        *[("If", loop), ("Lt", loop), ("Constant", loop), ("Constant", loop), ("Break", inner)],
        *[("Add", body), ("Constant", body), ("Constant", body)],
    ]


def test_a_sample_has_its_share_of_each_part_and_is_code(tree: Path) -> None:
    drawn = sample(tree, [tree / "traces" / "least.py"], 12, random.Random(1))
    assert len({(mutant.line, mutant.change) for mutant in drawn}) == 12
    for mutant in drawn:
        assert ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(CODE))


def test_code_that_notes_what_it_reaches_does_the_same(tree: Path) -> None:
    blocks = instrument(tree)
    reached = bytearray(len(blocks))
    space: dict[str, Any] = {"_reached_": reached}
    exec((tree / "traces" / "least.py").read_text(), space)
    assert (space["least"]([2, 0, 5]), [blocks[at] for at, note in enumerate(reached) if note]) == (
        1,
        [("traces/least.py", place) for place in [(10, 12), (9, 8), (5, 4)]],
    )
    assert "Return it." in space["least"].__doc__


def test_tests_that_reach_a_change_are_asked_quick_files_first() -> None:
    here, there = ("a.py", (1, 0)), ("a.py", (9, 0))
    reached = {
        "tests/test_x.py::slow": Reach(frozenset({here}), 9.0, False),
        "tests/test_y.py::one": Reach(frozenset({here}), 2.0, False),
        "tests/test_y.py::two": Reach(frozenset({here}), 1.0, False),
        "tests/test_y.py::not": Reach(frozenset({there}), 0.1, False),
        "tests/test_z.py::others": Reach(frozenset(), 0.1, True),
        "tests/test_v.py::others": Reach(frozenset(), 0.1, True),
    }
    mutant = Mutant("a.py", 1, "", "", (1, 0), "")
    best, others = in_order(mutant, reached, ["tests/test_y.py", "tests/test_z.py"])
    assert list(best) == ["tests/test_y.py::two", "tests/test_y.py::one", "tests/test_z.py::others"]
    assert list(others) == ["tests/test_x.py::slow"]
    everywhere = in_order(mutant._replace(block=None), reached, [])
    assert set(everywhere[1]) == {test for test in reached if "others" not in test}
