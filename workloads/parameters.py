"""Parameters that carry their unit, meaning, source and bounds where they are declared, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from traces.dated import DatedError, Points, points_of

ASSUMED = "assumed"


class DemandError(ValueError):
    """A demand that cannot be generated: names the parameter, its value and what is allowed."""


class Parameter(NamedTuple):
    """What `Annotated` says about a field: its unit ("" for none), meaning, source and bounds."""

    unit: str
    meaning: str
    source: str = ASSUMED
    low: float = -math.inf
    high: float = math.inf


def parameters(record: type) -> Iterator[tuple[str, Parameter]]:
    """Yield the fields of a dataclass that are annotated with a Parameter, in their order."""
    for name, hint in _hints(record).items():
        if get_origin(hint) is Annotated:
            yield name, get_args(hint)[1]


def check_parameters(record: Any) -> None:
    """Raise DemandError for the first parameter of a dataclass that is not a number within its bounds.

    A parameter annotated `int` takes whole numbers only; None passes where the annotation allows it, and
    what is annotated as no number is left alone. Of dated points, each is held to the bounds.
    """
    kind: type = type(record)
    for name, parameter in parameters(kind):
        value, allowed_types = getattr(record, name), _types(kind, name)
        if not {int, float} & set(allowed_types) or (value is None and type(None) in allowed_types):
            continue
        dated = Points in allowed_types and isinstance(value, tuple)
        for each in [number for _, number in value] if dated else [value]:
            _check(name, parameter, each, whole=float not in allowed_types)


def take_points(record: Any) -> None:
    """Turn the lists that stand for dated points in a frozen dataclass into such; raises DemandError."""
    kind: type = type(record)
    for name, _ in parameters(kind):
        value = getattr(record, name)
        if Points in _types(kind, name) and isinstance(value, list | tuple):
            try:
                object.__setattr__(record, name, points_of(value))
            except DatedError as error:
                raise DemandError(f"{name}: {error}") from None


@cache  # a plan reads the demand of each of its cells, and annotations are parsed anew each time
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record, include_extras=True)


def _types(record: type, name: str) -> tuple[Any, ...]:
    hint = get_args(_hints(record)[name])[0]
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _check(name: str, parameter: Parameter, value: Any, *, whole: bool) -> None:
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not number or not parameter.low <= value <= parameter.high:
        allowed = f"{'a whole' if whole else 'a'} number from {parameter.low:g} to {parameter.high:g}"
        raise DemandError(f"{name} = {value!r}: must be {allowed} {parameter.unit}".rstrip())
