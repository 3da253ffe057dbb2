"""Small faults put into the code at random, and whether the tests notice: mutation testing.

A mutant is one change of one file: a comparison, a sign, a constant, a connective, a condition turned round,
or a statement left out. The tests of its group run on a copy of the tree up to the first failure. Those that
fail, or take much longer, have killed it; what survives is no fault, or a test is missing.

    make mutants
    python -m benchmarks.mutants engine --count 50 --seed 7 --only scheduler/policy/backfill.py
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

GROUPS: dict[str, tuple[str, str]] = {
    "engine": (
        "scheduler/engine/*.py scheduler/engine/log scheduler/engine/owned scheduler/engine/rented "
        "scheduler/policy scheduler/replay",
        "line frees stories policies lineup runlog source setup first schedules invariants",
    ),
    "storm": (
        "scheduler/engine/storm",
        "storm_stories preemption checkpoints links recordings preempting storms",
    ),
    "money": ("scheduler/money scheduler/stock", "ledger focus levels economics claims"),
    "study": ("scheduler/study", "plan study sweep bounds compare"),
    "traces": (
        "traces workloads",
        "numbers trace formats decoding submissions formats_fuzz source workloads workloads_shapes",
    ),
    "weather": ("scheduler/weather", "weather weather_files weathering recordings weather_theory"),
    "report": ("scheduler/report scheduler/run scheduler/cli", "levels work files runlog cli compare"),
}
"""By group, the files that are changed, and the tests that should notice, quick ones first."""

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


def passes(tree: Path, names: str, timeout_s: float | None = None) -> bool:
    """Whether tests pass in a copy of the tree, and in time."""
    tests = [f"tests/test_{name}.py" for name in names.split()]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", *tests]
    env = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def campaign(tree: Path, group: str, count: int, seed: int, only: str | None, tests: str | None) -> None:
    """Print how many of so many mutants of a group survive, and each that does."""
    where, names = GROUPS[group]
    rng, names = random.Random(f"{seed}/{group}"), tests or names
    found = [path for part in (only or where).split() for path in tree.glob(part)]
    files = sorted(file for path in found for file in ([path] if path.is_file() else path.rglob("*.py")))
    counts = [len(list(sites(ast.parse(file.read_text(encoding="utf-8"))))) for file in files]
    start_s = time.monotonic()
    if not files or not passes(tree, names):
        sys.exit(f"{group}: nothing to change, or its tests fail as it is")
    timeout_s, survived = 3 * (time.monotonic() - start_s) + 10, 0
    for _ in range(count):
        file = rng.choices(files, counts)[0]
        text = file.read_text(encoding="utf-8")
        change = mutate(file, rng)
        if passes(tree, names, timeout_s):
            survived += 1
            print(f"survived  {file.relative_to(tree)}:{change}", flush=True)
        file.write_text(text, encoding="utf-8")
    print(f"{group}: {count - survived} of {count} killed, {survived} survived", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all unless given"
    )
    parser.add_argument("--count", type=int, default=10, help="mutants a group (10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the files to change instead of a group's")
    parser.add_argument("--tests", help="the tests to run instead of a group's, as in 'stories lineup'")
    asked = parser.parse_args()
    if unknown := set(asked.groups) - set(GROUPS):
        parser.error(f"{', '.join(sorted(unknown))}: unknown (allowed: {', '.join(GROUPS)})")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "runs", "build"))
        for group in asked.groups or GROUPS:
            campaign(tree, group, asked.count, asked.seed, asked.only, asked.tests)


if __name__ == "__main__":
    main()
