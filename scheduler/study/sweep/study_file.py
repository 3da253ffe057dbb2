"""The study file: policies, scenarios, traces and seeds whose product are the cells of a study.

TOML, read into frozen, validated models like a scenario's. Rows of `[[cells]]` name a few cells instead of
the whole product.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct, field

from scheduler.scenario import Name
from traces.errors import explain, read_toml

SeedCount = Annotated[int, Meta(ge=1, le=100_000)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]

LONGEST = 200
"""Characters of a name as it stands in a path."""


class StudyError(ValueError):
    """A study that breaks a rule; names the file, the key, the value and what is allowed."""


class _Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen, by name, no unknown keys."""


class SeedRange(_Model, frozen=True, kw_only=True):
    """So many seeds in a row."""

    first: Seed = 1
    count: SeedCount


Seeds = SeedCount | Annotated[tuple[Seed, ...], Meta(min_length=1)] | SeedRange
"""A count, which begins with 1, or the seeds themselves."""


class Axes(_Model, frozen=True, kw_only=True):
    """What is varied: named choices, in the order in which results list them."""

    policy: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """Compact names, as `easy+after:4h`, or tables of seams; what they leave open is the scenario's."""
    scenario: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Changes of the scenario, each `key=value` as for `--set`."""
    trace: dict[str, str | dict[str, Any]] = field(default_factory=dict)
    """Trace files, relative to the study file, or tables of arguments that change the demand."""

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names of the choices, of each axis that there is."""
        choices = msgspec.structs.asdict(self)
        return {axis: tuple(choices[axis]) for axis in choices if choices[axis]}

    def __post_init__(self) -> None:
        for axis, names in self.names.items():
            for name in names:
                if not 0 < len(quote(name, safe="")) <= LONGEST:
                    raise ValueError(f'{axis} "{name}": a name has 1 to {LONGEST} characters in a path')
            if len({name.casefold() for name in names}) < len(names):
                raise ValueError(f"{axis}: two names differ in their capitals alone")


class CellRow(_Model, frozen=True, kw_only=True):
    """Cells that are named: one choice of each axis."""

    policy: str | None = None
    scenario: str | None = None
    trace: str | None = None
    seeds: Seeds | None = None
    """The study's own where they are absent."""


class StudySpec(_Model, frozen=True, kw_only=True):
    """A study as it stands in its file."""

    name: Name
    scenario: str | dict[str, Any]
    """The scenario to start from: a file, relative to the study file, or a table."""
    seeds: Seeds = 1
    axes: Axes = field(default_factory=Axes)
    cells: tuple[CellRow, ...] = ()


def read_study(path: Path | str) -> StudySpec:
    """Read a study file; raises StudyError."""
    raw = read_toml(path, StudyError)
    try:
        return msgspec.convert(raw, StudySpec)
    except msgspec.ValidationError as error:
        models = (StudySpec, Axes, CellRow, SeedRange)
        raise StudyError(f"{path}: {explain(str(error), raw, models)}") from None


def seeds_of(seeds: Seeds) -> list[int]:
    """Return the seeds that a count, a list or a range stands for; a count begins with 1."""
    if isinstance(seeds, int):
        return list(range(1, seeds + 1))
    if isinstance(seeds, SeedRange):
        return list(range(seeds.first, seeds.first + seeds.count))
    return list(seeds)
