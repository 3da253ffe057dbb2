"""What may be changed in a file, and where."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And},
}
UNSEEN = ("annotation", "returns", "decorator_list")
"""Fields of a node that no test is to notice."""

SHOWN = 200
"""Characters of a statement that are printed."""

Block = tuple[int, int]
"""Where a block of statements begins: line and column of its first one."""


class Site(NamedTuple):
    """A change that may be made."""

    parent: ast.AST
    field: str
    at: int | None
    """Place in the field, where that is a list."""
    old: ast.AST
    new: ast.AST
    block: Block | None
    """The block that runs it; none for what runs on import."""
    statement: ast.AST


class Mutant(NamedTuple):
    """A change, and the file with it."""

    file: str
    line: int
    statement: str
    change: str
    block: Block | None
    text: str

    def __str__(self) -> str:
        """Return where and how the file is changed."""
        return f"{self.file}:{self.line}: {self.statement[:SHOWN]}\n    {self.change[:SHOWN]}"


def sites(node: ast.AST, block: Block | None = None, statement: ast.AST | None = None) -> Iterator[Site]:
    """Yield all that may be changed below a node, in order of the text.

    Assertions, and the `strict` of zip, which is one, are left alone; so is what a class or a decorator is
    told of how it is built, as `frozen`.
    """
    for field, value in ast.iter_fields(node):
        if field in UNSEEN or isinstance(node, ast.Assert) or getattr(node, "arg", None) == "strict":
            continue
        if isinstance(node, ast.ClassDef) and field == "keywords":
            continue
        many = isinstance(value, list)
        inner = begin(value) if many and is_block(node, value, block) else block
        for at, child in enumerate(value if many else [value]):
            if isinstance(child, ast.AST):
                said = child if isinstance(child, ast.stmt) or statement is None else statement
                place = at if many else None
                yield from (Site(node, field, place, child, new, inner, said) for new in changed(child))
                yield from sites(child, inner, said)


def is_block(node: ast.AST, value: Sequence[ast.AST], outer: Block | None) -> bool:
    """Return whether a list of nodes are statements of a function that run together."""
    if not value or not isinstance(value[0], ast.stmt):
        return False
    return outer is not None or isinstance(node, ast.FunctionDef)


def begin(statements: Sequence[ast.stmt]) -> Block:
    """Return where a block begins."""
    return statements[0].lineno, statements[0].col_offset


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


def sample(root: Path, files: Sequence[Path], count: int, rng: random.Random) -> list[Mutant]:
    """Draw so many changes of some files, evenly over their text, so that each has its share; shuffled."""
    places = [(file, at) for file in files for at in range(len(list(sites(parse(file)))))]
    step = len(places) / count
    drawn = [places[int((number + rng.random()) * step)] for number in range(count)]
    rng.shuffle(drawn)
    return [mutant(root, file, at) for file, at in drawn]


def mutant(root: Path, file: Path, number: int) -> Mutant:
    """Make one change of a file, given its number."""
    tree = parse(file)
    site = list(sites(tree))[number]
    whole = isinstance(
        site.old, ast.stmt | ast.expr
    )  # else a mere operator, which is shown with its operands
    shown = site.old if whole else site.parent
    line, before = getattr(shown, "lineno", 0), first_line(shown)
    statement = first_line(site.statement)
    if site.at is None:
        setattr(site.parent, site.field, site.new)
    else:
        getattr(site.parent, site.field)[site.at] = site.new
    change = f"{before}  ->  {first_line(site.new if whole else site.parent)}"
    text = ast.unparse(ast.fix_missing_locations(tree))
    return Mutant(str(file.relative_to(root)), line, statement, change, site.block, text)


def first_line(node: ast.AST) -> str:
    """Return the first line of a node's text that is no decorator."""
    return next(line for line in ast.unparse(node).splitlines() if not line.startswith("@"))


def parse(file: Path) -> ast.Module:
    """Read a file."""
    return ast.parse(file.read_text(encoding="utf-8"))
