"""Small faults put into the code at random, and whether the tests notice: mutation testing.

A mutant is one change of one file: a comparison, a sign, a constant, a connective, a condition turned round,
or a statement left out. It meets the tests that know its file best, then the others of its group, up to the
first that fails, or does not end: it is killed. What survives is no fault, or a test is missing.

    make mutants
    python -m benchmarks.mutants engine --count 50 --seed 7 --only scheduler/policy/backfill.py
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

GROUPS: dict[str, dict[str, str]] = {
    "engine": {
        "scheduler/engine/*.py": "stories source line invariants",
        "scheduler/engine/log": "runlog stories",
        "scheduler/engine/owned": "stories lineup frees preemption",
        "scheduler/engine/fast": "fast stories",
        "scheduler/engine/quota": "quotas queue_rent budget",
        "scheduler/engine/rented": "stories first storm_stories",
        "scheduler/policy": "stories policies frees first",
        "scheduler/replay": "setup start places submissions",
        "": "ties endings kills schedules storms",
    },
    "storm": {
        "scheduler/engine/storm": "storm_stories preemption checkpoints links recordings kills",
        "": "preempting storms",
    },
    "money": {
        "scheduler/money/claims": "claims",
        "scheduler/money/economics": "economics levels",
        "scheduler/money/focus": "focus",
        "scheduler/money/ledger": "ledger",
        "scheduler/stock": "setup rates ledger weather_files",
        "": "links",
    },
    "study": {
        "scheduler/study/compare": "bounds windows compare",
        "scheduler/study/plan": "plan",
        "scheduler/study/sweep": "sweep",
        "scheduler/study/cells": "sweep study dask",
        "scheduler/study/gym": "gym",
        "scheduler/study/price": "market",
        "scheduler/study/roadmap": "roadmap",
        "scheduler/study/trial": "trial",
        "scheduler/study/years": "years warm",
        "scheduler/study/*.py": "study claims",
        "": "theory",
    },
    "traces": {
        "traces/*.py": "trace numbers submissions files portable",
        "traces/formats": "formats mapping presets exports decoding formats_fuzz",
        "workloads": "workloads workloads_shapes rates",
        "": "source levels workloads_realism parquet_readers",
    },
    "input": {
        "scheduler/catalog": "catalog dated_prices",
        "scheduler/scenario": "start stories contracts catalog",
        "": "quotas assets sites weather_files setup cli",
    },
    "live": {
        "scheduler/live/*.py": "live",
        "scheduler/live/edge": "edge",
        "scheduler/live/loop": "loop",
        "scheduler/live/market": "market",
        "scheduler/engine/guests": "market",
        "": "live files",
    },
    "weather": {
        "scheduler/weather": "weather weather_files weathering recordings",
        "": "storms weather_theory",
    },
    "report": {
        "scheduler/cli": "cli start_up",
        "scheduler/report/*.py": "work cli",
        "scheduler/report/claims.py": "claims",
        "scheduler/report/compare.py": "compare",
        "scheduler/report/draws.py": "economics",
        "scheduler/report/economics.py": "economics",
        "scheduler/report/plan.py": "plan",
        "scheduler/report/study.py": "sweep study",
        "scheduler/report/figures": "levels notebooks",
        "scheduler/report/why.py": "why",
        "scheduler/run": "levels work files runlog ledger",
        "scheduler/report/documents": "documents",
        "scheduler/report/page": "page answer_pages",
        "scheduler/report/timeline": "timeline",
        "scheduler/why": "why",
        "scheduler/fidelity": "fidelity as_recorded",
        "": "endings kills weathering compare",
    },
}
"""By group, the files that are changed and the tests that know them best, quick ones first; then others."""

TEST_S = 100
"""A test that takes longer does not end."""
MEMORY_BYTES = 12 << 30

OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And},
}
UNSEEN = ("annotation", "returns", "decorator_list")
"""Fields of a node that no test is to notice."""


Site = tuple[ast.AST, str, int | None, ast.AST, ast.AST]
"""(parent, field, place where that is a list, what stands there, what it may become)."""


def sites(node: ast.AST) -> Iterator[Site]:
    """Yield all that may be changed below a node, in order of the text.

    Assertions, and the `strict` of zip, which is one, are left alone.
    """
    for field, value in ast.iter_fields(node):
        if field in UNSEEN or isinstance(node, ast.Assert) or getattr(node, "arg", None) == "strict":
            continue
        for at, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                place = at if isinstance(value, list) else None
                yield from ((node, field, place, child, new) for new in changed(child))
                yield from sites(child)


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node may become."""
    if (other := OTHERS.get(type(node))) is not None:
        yield other()
    match node:
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.If() | ast.While():
            yield type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete() | ast.Break() | ast.Continue():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()


def mutate(path: Path, rng: random.Random) -> str:
    """Change a file at random; return where and how."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parent, field, at, old, new = rng.choice(list(sites(tree)))
    whole = isinstance(old, ast.stmt | ast.expr)  # else a mere operator, which is shown with its operands
    shown = old if whole else parent
    line, before = getattr(shown, "lineno", 0), ast.unparse(shown)
    if at is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[at] = new
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")
    after = ast.unparse(new if whole else parent)
    return f"{line}: {before.splitlines()[0]}  ->  {after.splitlines()[0]}"


def stages(tree: Path, group: str) -> dict[Path, tuple[str, str]]:
    """Return by file of a group the tests that know it best, and the others."""
    rooms = GROUPS[group]
    names = dict.fromkeys(" ".join(rooms.values()).split())
    found: dict[Path, tuple[str, str]] = {}
    for where, best in rooms.items():
        for path in tree.glob(where) if where else ():
            others = " ".join(name for name in names if name not in best.split())
            found |= dict.fromkeys([path] if path.is_file() else path.rglob("*.py"), (best, others))
    return dict(sorted(found.items()))


def failure(tree: Path, names: str) -> str:
    """Return the first of some tests that fails in a copy of the tree or takes too long, if any.

    What random tests find is not shrunk.
    """
    ends = ["-o", f"faulthandler_timeout={TEST_S}", "-o", "faulthandler_exit_on_timeout=true"]
    tests = [f"tests/test_{name}.py" for name in names.split()]
    command = [sys.executable, "-m", "pytest", "-x", "-m", "not slow", *ends, *tests]
    env = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "EXABURST_WORLDS": "unshrunk",
    }
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return (failed[1] if failed else f"too long, or broken: {names}") if done.returncode else ""


failure_unchanged = cache(failure)


def killer(unchanged: Path, tree: Path, tests: tuple[str, ...]) -> str:
    """Return the first test that fails in a changed copy of the tree, if any, but not in an unchanged one."""
    for names in tests:
        if failed := failure_unchanged(unchanged, names):
            sys.exit(f"{failed}: fails without a mutant")
        if failed := failure(tree, names):
            return failed
    return ""


def campaign(unchanged: Path, tree: Path, group: str, asked: argparse.Namespace) -> list[str]:
    """Return the mutants of a group that survive, of so many; print each with its fate."""
    rng = random.Random(f"{asked.seed}/{group}")
    tests = stages(tree, group)
    files = [file for file in tests if asked.only in (None, str(file.relative_to(tree)))]
    counts = [len(list(sites(ast.parse(file.read_text(encoding="utf-8"))))) for file in files]
    survivors = []
    for _ in range(asked.count):
        file = rng.choices(files, counts)[0]
        text = file.read_text(encoding="utf-8")
        change = f"{file.relative_to(tree)}:{mutate(file, rng)}"
        killed_by = killer(unchanged, tree, (asked.tests,) if asked.tests else tests[file])
        file.write_text(text, encoding="utf-8")
        survivors += [] if killed_by else [change]
        print(f"{change}\n    {killed_by or 'SURVIVED'}", flush=True)
    return survivors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all unless given"
    )
    parser.add_argument("--count", type=int, default=10, help="mutants a group (10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the file to change instead of all of a group")
    parser.add_argument("--tests", help="the tests to run instead of a group's, as in 'stories lineup'")
    asked = parser.parse_args()
    if unknown := set(asked.groups) - set(GROUPS):
        parser.error(f"{', '.join(sorted(unknown))}: unknown (allowed: {', '.join(GROUPS)})")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))  # some mutants never have enough
    with tempfile.TemporaryDirectory() as folder:
        unchanged, tree = Path(folder) / "unchanged", Path(folder) / "tree"
        for copy in (unchanged, tree):
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "runs", "build"))
        survivors = {group: campaign(unchanged, tree, group, asked) for group in asked.groups or GROUPS}
    print(f"\n{'group':<8}  tried  killed  survived")
    for group, changes in survivors.items():
        print(f"{group:<8}  {asked.count:5}  {asked.count - len(changes):6}  {len(changes):8}")
    print(*(change for changes in survivors.values() for change in changes), sep="\n")


if __name__ == "__main__":
    main()
