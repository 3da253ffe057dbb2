"""What stands for a column in a mapping: a column of the file, a key in one, or sums and products of these.

`Submit`, `AllocTRES:gres/gpu`, `End - Start`, `nodes * gpus`, and `=1` for a number that is always the same.
A name that is a column of the file is that column, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan

from traces.errors import nearest
from traces.formats.mapping.spec import MappingError, check_search_pattern
from traces.schema import quoted


@dataclass(frozen=True)
class Operand:
    """A column of the file, or what a key in its cells is given, or a number."""

    column: str = ""
    key: str = ""
    number: float = 0.0


@dataclass(frozen=True)
class Term:
    """A sum of products; each has its sign."""

    text: str
    products: tuple[tuple[int, tuple[Operand, ...]], ...]

    def operands(self) -> Iterator[Operand]:
        """Yield each that stands for a column."""
        for _, factors in self.products:
            yield from (factor for factor in factors if factor.column)

    @property
    def single(self) -> Operand | None:
        """The column that stands alone, if it does."""
        (_, factors), *more = self.products
        return factors[0] if not more and len(factors) == 1 and factors[0].column else None


def parse_term(text: str, names: Sequence[str]) -> Term:
    """Return the term of a text; raises MappingError where it names no column of the file."""
    if text in names or text.startswith("="):
        return Term(text, ((1, (_operand(text, names),)),))
    first, *rest = re.split(r"\s([+-])\s", text)
    signs = [1, *(1 if sign == "+" else -1 for sign in rest[::2])]
    products = [
        tuple(_operand(part.strip(), names) for part in re.split(r"\s\*\s", product))
        for product in (first, *rest[1::2])
    ]
    return Term(text, tuple(zip(signs, products, strict=True)))


def _operand(text: str, names: Sequence[str]) -> Operand:
    if text in names:
        return Operand(text)
    if text.startswith("="):
        return Operand(number=_number(text[1:]))
    column, colon, key = text.partition(":")
    if colon and column in names:
        if len(key) > 1 and key.startswith("/") and key.endswith("/"):
            check_search_pattern(key[1:-1])
            if re.search(r"(?<!\\)\((?!\?)", key):
                raise MappingError(f"{quoted(text)}: groups must be without a capture, as (?:...)")
        return Operand(column, key)
    known = ", ".join(name for name in names if name)
    raise MappingError(f"no column {quoted(text)}{nearest(text, names, 0.6)}; the file has {known}")


def _number(text: str) -> float:
    """Return a number, or NaN for a word that is always the same."""
    try:
        return float(text)
    except ValueError:
        return nan
