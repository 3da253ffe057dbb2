"""The claims of the source documents: what they state, what is needed to test them, and the verdict rule.

Computations return ranges, from the ends of the ranges of their inputs (interval arithmetic: Moore,
"Interval Analysis", 1966); the verdict says how the range found lies to the range claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, isinf, nan, sqrt
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from scheduler.catalog import Catalog, CatalogError
from scheduler.catalog.arithmetic import rounding
from scheduler.catalog.catalog import find
from scheduler.catalog.models import Certainty
from scheduler.catalog.models import unit as unit_of
from traces.errors import read_toml

CLAIMS = Path(__file__).parents[2] / "catalog" / "claims.toml"
PER_PFLOP_DAY = "USD/PFLOP-day"
"""The unit of claims that the price readings read in different ways."""

_M = TypeVar("_M", bound=Struct)

Verdict = Literal["holds", "depends", "fails"]
VERDICTS: tuple[Verdict, ...] = ("holds", "depends", "fails")


class ClaimError(ValueError):
    """A claim or input that is broken or absent; says the file, the entry and what is allowed."""


Computation = Callable[..., "Range"]


def named(*computations: Computation) -> dict[str, Computation]:
    """Return computations by the keys of the claims that they are named after."""
    return {function.__name__.replace("_", "-"): function for function in computations}


class Range(NamedTuple):
    """From `low` to `high`, both included; either may be infinite."""

    low: float
    high: float

    def times(self, factor: float) -> Range:
        """Return both ends times a factor above 0."""
        return Range(self.low * factor, self.high * factor)

    @property
    def middle(self) -> float:
        """Geometric middle: the finite end of a range open to one side; nan where there is none."""
        if isinf(self.low) or isinf(self.high):
            finite = [end for end in self if not isinf(end)]
            return finite[0] if finite else nan
        return sqrt(self.low * self.high)


class ClaimInput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure that computations take by its name: a value, a range, or one of the catalog's."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    catalog: str | None = None
    """As `devices.h100.peak_pflops`."""
    unit: str = ""
    source: str = ""
    """Empty: assumed."""
    sure: Certainty = "medium"
    """How sure a figure with a source is, as those of the catalog are."""

    def __post_init__(self) -> None:
        forms = (self.value is not None, self.catalog is not None, self.low is not None)
        if sum(forms) != 1 or (self.low is None) != (self.high is None):
            raise ValueError("give `value`, or `low` and `high`, or `catalog`")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low:g} is above high = {self.high:g}")

    @property
    def certainty(self) -> Certainty:
        """How sure it is; without a source it is assumed."""
        return self.sure if self.source else "assumed"

    @property
    def range(self) -> Range:
        """Its range; one value stands for both ends."""
        if self.value is not None:
            return Range(self.value, self.value)
        return Range(_or(self.low, nan), _or(self.high, nan))


class Claim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a document claims, in our words."""

    text: str
    source: str
    unit: str
    about: float | None = None
    low: float | None = None
    high: float | None = None
    computed: str = ""
    """How it is tested."""
    untestable: str = ""
    """Why it is not, and what would be needed."""
    assumed: str = ""
    """What had to be assumed to give the words a figure."""

    def __post_init__(self) -> None:
        if (self.about is None) == (self.low is None and self.high is None):
            raise ValueError("give `about`, or `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low:g} is above high = {self.high:g}")
        if bool(self.computed) == bool(self.untestable):
            raise ValueError("say either how it is `computed` or why it is `untestable`")

    @property
    def stated(self) -> float:
        """The figure itself, the geometric middle of a range, or the end of an open one."""
        return self.claimed.middle if self.about is None else self.about

    @property
    def claimed(self) -> Range:
        """The range it covers: a single figure covers what rounds to it, an open end is infinite."""
        if self.about is not None:
            half = rounding(self.about) * (1 - 1e-9)
            return Range(self.about - half, self.about + half)
        return Range(_or(self.low, -inf), _or(self.high, inf))


class Dossier(NamedTuple):
    """The claims with all that is needed to test them, by key."""

    sources: Mapping[str, str]
    inputs: Mapping[str, ClaimInput]
    claims: Mapping[str, Claim]

    def claim(self, key: str) -> Claim:
        """Return a claim; raises ClaimError with the nearest known key."""
        try:
            return find(self.claims, "claim", key)
        except CatalogError as error:
            raise ClaimError(str(error)) from None


class _File(Struct, forbid_unknown_fields=True):
    """The file as it stands: tables of entries by key."""

    sources: dict[str, str]
    inputs: dict[str, dict[str, Any]]
    claims: dict[str, dict[str, Any]]


def load_claims(catalog: Catalog, path: Path = CLAIMS) -> Dossier:
    """Read the claims, and fill in the inputs that name a figure of the catalog; raises ClaimError."""
    raw_file = read_toml(path, ClaimError)
    try:
        file = _entry(_File, "file", raw_file)
        inputs = {key: _entry(ClaimInput, f"inputs.{key}", raw) for key, raw in file.inputs.items()}
        claims = {key: _entry(Claim, f"claims.{key}", raw) for key, raw in file.claims.items()}
        filled = {key: _filled(f"inputs.{key}", given, catalog) for key, given in inputs.items()}
    except (ClaimError, CatalogError) as error:
        raise ClaimError(f"{path}: {error}") from None
    return Dossier(dict(catalog.sources) | file.sources, filled, claims)


def _entry(model: type[_M], where: str, raw: dict[str, Any]) -> _M:
    """Make a checked `model` of a table; raises ClaimError with its key and value."""
    try:
        return msgspec.convert(raw, model)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`")
        shown = f".{field} = {raw[field]!r}" if field in raw else ""
        raise ClaimError(f"{where}{shown}: {text.replace('Expected', 'must be')}") from None


def _filled(where: str, given: ClaimInput, catalog: Catalog) -> ClaimInput:
    if given.catalog is None:
        return given
    table, _, rest = given.catalog.partition(".")
    key, _, field = rest.partition(".")
    tables: Mapping[str, Mapping[str, Any]] = {"devices": catalog.devices, "pods": catalog.pods}
    entry = find(find(tables, "table", table, where), table.removesuffix("s"), key, where)
    figure = find(entry.figures, "figure", field, where)
    return ClaimInput(value=float(figure.value), unit=unit_of(field), source=figure.source, sure=figure.sure)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def verdict(claimed: Range, computed: Range) -> Verdict:
    """Judge a claim by where the range computed lies.

    holds: all of it within the range claimed, so whichever ends of its inputs are true. fails: all of it
    outside. depends: it holds at some ends and not at others.
    """
    if claimed.low <= computed.low and computed.high <= claimed.high:
        return "holds"
    return "fails" if computed.high < claimed.low or claimed.high < computed.low else "depends"
