"""What all models of a scenario share: frozen, by name, no unknown keys; and the sorts of their values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scheduler.catalog.models import Amount

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Whole = Annotated[int, Meta(ge=0, le=10**6)]
Hours = Annotated[float, Meta(gt=0, le=1e9)]
Share = Annotated[float, Meta(gt=0, le=1)]
Probability = Annotated[float, Meta(ge=0, le=1)]
ByHour = Annotated[tuple[Amount, ...], Meta(min_length=24, max_length=24)]


class ScenarioError(ValueError):
    """A scenario that breaks a rule; names the file, the key, the value and what is allowed."""


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen, by name, no unknown keys."""


class WindowSpec(Model, frozen=True, kw_only=True):
    """From one hour to another, counted from the start of the run."""

    from_h: Amount
    to_h: Amount

    def __post_init__(self) -> None:
        if self.to_h <= self.from_h:
            raise ValueError(f"to_h = {self.to_h:g}: must be after from_h, {self.from_h:g}")


def models(model: type[Model] = Model) -> list[type[Model]]:
    """Return a model and all that are made from it: of `Model`, every one of a scenario."""
    return [model, *(each for child in model.__subclasses__() for each in models(child))]
