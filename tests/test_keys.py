"""Every key of files that users write, and columns of jobs: what is allowed, and what it is where left out.

They stand in `keys.txt`, a line each. A file that was right stays right and means what it meant, so a line
changes only where that is meant; `python -m tests.test_keys` writes them anew, with keys that have joined.
"""

from __future__ import annotations

import inspect as python
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from scheduler.catalog import models
from scheduler.money.claims import claim_file
from scheduler.money.economics import inputs
from scheduler.scenario.base import Model
from scheduler.scenario.base import models as scenario_models
from scheduler.study.sweep import study_file
from traces.formats.mapping import spec
from traces.validate import LIMITS, WORDS

KEYS = Path(__file__).with_name("keys.txt")
BOUNDS = {"gt": "> ", "ge": ">= ", "lt": "< ", "le": "<= ", "min_length": "from ", "max_length": "to "}
BOUNDS |= {"pattern": "like "}


def keys() -> Iterator[str]:
    """Yield each key with what is allowed and its default, by file."""
    modules = (models, claim_file, inputs, study_file, spec)
    found = [each for module in modules for _, each in python.getmembers(module, python.isclass)]
    for each in sorted({*found, *scenario_models()} - {Struct, Model}, key=lambda each: each.__qualname__):
        if issubclass(each, Struct):
            yield from (f"{each.__qualname__}.{line(field)}" for field in of_struct(each).fields)
    yield from (f"jobs.{name}: {low!r} to {high!r}" for name, (low, high) in LIMITS.items())
    yield from (f"jobs.{name}: {words!r}" for name, words in WORDS.items())


def of_struct(struct: type[Struct]) -> types.StructType:
    found = types.type_info(struct)
    assert isinstance(found, types.StructType)
    return found


def line(field: types.Field) -> str:
    left_out = field.default if field.default is not msgspec.NODEFAULT else field.default_factory
    default = (
        "" if left_out is msgspec.NODEFAULT else f" = {getattr(left_out, '__qualname__', repr(left_out))}"
    )
    return f"{field.encode_name}{default}: {allowed(field.type)}"


def allowed(of: Any) -> str:
    """Return what a type allows, in words."""
    limits = [
        f"{word}{getattr(of, name)!r}" for name, word in BOUNDS.items() if getattr(of, name, None) is not None
    ]
    match of:
        case types.UnionType():
            name = " | ".join(map(allowed, of.types))
        case types.StructType():
            name = of.cls.__qualname__
        case types.LiteralType():
            name = " | ".join(map(repr, of.values))
        case types.TupleType():
            name = f"({', '.join(map(allowed, of.item_types))})"
        case types.DictType():
            name = f"{{{allowed(of.key_type)}: {allowed(of.value_type)}}}"
        case types.CollectionType():
            name = f"[{allowed(of.item_type)}]"
        case _:
            name = type(of).__name__.removesuffix("Type").lower()
    return " ".join([name, *limits])


def test_a_file_that_was_right_stays_right_and_means_the_same() -> None:
    assert sorted(set(KEYS.read_text(encoding="utf-8").splitlines()) - set(keys())) == []


if __name__ == "__main__":
    KEYS.write_text("\n".join(keys()) + "\n", encoding="utf-8")
