"""Figures as a catalog file has them: a number, alone or with source, certainty and date; or dated points."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from scheduler.catalog.models import CatalogError, Figure
from traces.dated import DatedError, Points, month_of, points_of

_PARTS = ("number", "source", "certainty")
_ALLOWED = f"[{', '.join(_PARTS)}], certainty being high, medium or low"


def plain_figure(where: str, value: Any) -> Figure:
    """Return a number, or [number, source, certainty]; raises CatalogError."""
    parts = value if isinstance(value, list) else [value]
    try:
        figure = msgspec.convert(parts, Figure)
    except msgspec.ValidationError:
        figure = None
    if figure is None or len(parts) > len(_PARTS):
        raise CatalogError(f"{where} = {value!r}: must be a number, or {_ALLOWED}")
    return figure


def dated_figure(where: str, value: Any) -> Figure:
    """Return a price or a capital, which may bear a date of its own, or be a series of dated points.

    [number, source, certainty, date] is a series of one point; a series is [[date, number], ...], alone or
    followed by source and certainty. Raises CatalogError.
    """
    parts = value if isinstance(value, list) else [value]
    try:
        points, told = _series(parts)
    except DatedError as error:
        raise CatalogError(f"{where}: {error}") from None
    if not points:
        return plain_figure(where, value)
    figure = plain_figure(where, [points[-1][1], *told])
    return replace(figure, as_of=month_of(points[-1][0]), points=points)


def _series(parts: list[Any]) -> tuple[Points, list[Any]]:
    """Return the points, none where there is no date, and what is told of them; raises DatedError."""
    if parts and isinstance(parts[0], list):
        bare = len(parts[0]) == 2 and not isinstance(parts[0][0], list)
        points, told = points_of(parts if bare else parts[0]), [] if bare else parts[1:]
    elif len(parts) == 4:
        points, told = points_of([[parts[3], parts[0]]]), parts[1:3]
    else:
        return (), []
    if (lowest := min(usd for _, usd in points)) <= 0:
        raise DatedError(f"{lowest:g}: must be above 0, as it changes by factors between points")
    return points, told
