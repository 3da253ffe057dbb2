"""Every parameter of the generator with its default, unit, meaning and source, as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workloads.demand import Demand
from workloads.generate import all_kinds
from workloads.kinds import Kind
from workloads.parameters import markdown, parameters


def listing(record: Any) -> str:
    """Return the parameters of a Demand, Fleet or Habits: parameter, value, unit, meaning, source."""
    rows = [("parameter", "value", "unit", "meaning", "source")]
    for name, parameter in parameters(type(record)):
        value = _text(getattr(record, name))
        rows.append((name, value, parameter.unit, parameter.meaning, parameter.source))
    return markdown(rows)


def kind_fields() -> str:
    """Return what the columns of `kind_listing` mean."""
    rows = [("column", "unit", "meaning", "source")]
    rows += [(name, field.unit, field.meaning, field.source) for name, field in parameters(Kind)]
    return markdown(rows)


def kind_listing(*fields: str) -> str:
    """Return the given fields of every kind of job that a default demand asks for."""
    rows = [("name", *fields)]
    rows += [(kind.name, *(_text(getattr(kind, field)) for field in fields)) for kind in all_kinds(Demand())]
    return markdown(rows)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(part)}" for key, part in value.items())
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return ", ".join(value) if len(value) < 7 else f"{value[0]} to {value[-1]}"
    return str(value)
