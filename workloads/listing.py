"""Every parameter of the generator with its default, unit, meaning and source, as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traces.numbers import shortest
from traces.tables import markdown
from workloads.demand import Demand
from workloads.kinds import Kind
from workloads.parameters import parameters


def listing(record: Any) -> str:
    """Return the parameters of a Demand, Fleet or Habits: parameter, value, unit, meaning, source."""
    rows = [
        (name, _text(getattr(record, name)), parameter.unit, parameter.meaning, parameter.source)
        for name, parameter in parameters(type(record))
    ]
    return markdown(("parameter", "value", "unit", "meaning", "source"), rows)


def kind_fields() -> str:
    """Return what the columns of `kind_listing` mean."""
    rows = [(name, field.unit, field.meaning, field.source) for name, field in parameters(Kind)]
    return markdown(("column", "unit", "meaning", "source"), rows)


def kind_listing(*fields: str) -> str:
    """Return the given fields of every kind of job that a default demand asks for."""
    rows = [(kind.name, *(_text(getattr(kind, field)) for field in fields)) for kind in Demand().kinds()]
    return markdown(("name", *fields), rows)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int | float):
        return shortest(value, 10)
    if isinstance(value, Mapping):
        if not value:
            return "none"
        return ", ".join(f"{key}: {_text(part)}" for key, part in value.items())
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return ", ".join(value) if len(value) < 7 else f"{value[0]} to {value[-1]}"
    return str(value)
