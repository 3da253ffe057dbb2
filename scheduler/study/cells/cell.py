"""A cell: everything that one run of a study depends on, as plain data, and the key it is known by.

Cells with the same demand and seed meet the same jobs, whatever their policy: common random numbers, so
that differences between policies are not drowned by differences between their jobs (Law, "Simulation
Modeling and Analysis", on variance reduction).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

import scheduler
from scheduler.catalog import load_catalog
from scheduler.catalog.reading import own_files
from scheduler.scenario import Scenario, parse_scenario
from scheduler.stock.reference import check_rates
from scheduler.stock.stock import stock_of
from scheduler.study.reference import reference_of
from scheduler.weather import has_weather
from traces.errors import cannot_read
from traces.files import read_bytes
from traces.resample import Resampling
from traces.trace import Trace
from workloads import Demand, demand_of

PROGRAM = ("scheduler", "workloads", "traces")
_NO_MATTER = ("name", "seed", "trace", "demand")
"""Keys of a scenario that its stock, the cell's seed and its jobs stand for, or that say nothing."""


class CellError(ValueError):
    """A cell that cannot be computed as it stands; says why."""


@dataclass(frozen=True)
class Cell:
    """One run to be made: over the jobs of a seed, those of a trace file, or a seed's draw of its blocks.

    Make it with `cell_of`. It can be pickled and says nothing of where or by whom it is computed.
    """

    scenario: Mapping[str, Any]
    """As in TOML, with overrides applied."""
    seed: int
    """Of the generated demand, in place of the scenario's own."""
    trace: str | None = None
    """File of the jobs; without it they are generated from the scenario's demand."""
    trace_sha256: str | None = None
    """Digest of that file's jobs when the cell was made."""
    waits_of: tuple[str, ...] = ()
    """Groups whose waits are kept one by one, for statistics over the jobs of several cells."""
    windows: tuple[tuple[int, int], ...] = ()
    """Seconds from which and before which the run is measured, each on its own; without any, all of it."""
    by: tuple[str, ...] = ()
    """Columns by whose words figures of jobs are told apart."""
    resampling: Resampling | None = None
    """How the seed draws its jobs from blocks of the trace file; None: they are that file's."""
    rent_levels: bool = False
    """Whether is kept, for each window, what was paid of each offer by how many of its devices were held."""
    labels: tuple[tuple[str, str], ...] | None = None
    """What a study calls it, (axis, name) pairs, which change nothing in the run; None: it is of no study."""
    study_jobs: int = 0
    """Jobs of all cells that come with it, if that is known: with many of them it pays to compile."""

    @property
    def place(self) -> str:
        """Folder of its results in that of the study: `policy=easy/seed=3`, elsewhere `cells/KEY`."""
        if self.labels is None:
            return f"cells/{self.key}"
        levels = (*self.labels, ("seed", str(self.seed)))
        return "/".join(f"{axis}={quote(name, safe='')}" for axis, name in levels)

    @property
    def demand(self) -> Demand:
        """The demand that its jobs are generated from; raises DemandError."""
        return demand_of({**self.scenario.get("demand", {}), "seed": self.seed})

    @cached_property
    def jobs_key(self) -> str:
        """Digest of what its jobs depend on: the trace file's jobs, or the demand, rates and program."""
        if self.resampling is not None:
            return digest([program(), self.trace_sha256, self.resampling, self.seed])
        return self.trace_sha256 or digest([program(), _own_catalog(), asdict(self.demand), reference_of()])

    @cached_property
    def key(self) -> str:
        """Digest of every input of the run and of what is kept of it.

        Two scenarios that mean the same have the same key; other figures in the catalog, other jobs or
        another version of the program give another one.
        """
        scenario = parse_scenario(self.scenario)
        plain = msgspec.to_builtins(scenario)
        matters = {name: value for name, value in plain.items() if name not in _NO_MATTER}
        stock = stock_of(scenario, load_catalog())
        sky = (
            [self.seed, *map(_contents, _files(scenario))]
            if scenario.lives or has_weather(scenario, stock)
            else None
        )
        stock = msgspec.to_builtins(stock)
        own = scenario.policy.files()
        kept = (sorted(self.waits_of), self.windows, self.by, *(["rent levels"] if self.rent_levels else []))
        return digest([program(), _own_catalog(), matters, stock, sky, self.jobs_key, *kept, own])


def cell_of(
    scenario: Scenario,
    seed: int,
    trace: Path | str | None = None,
    waits_of: tuple[str, ...] = (),
    windows: tuple[tuple[int, int], ...] = (),
    by: tuple[str, ...] = (),
) -> Cell:
    """Return the cell of a scenario, a seed and, in place of the demand, a trace file.

    Raises TraceError, DemandError or CatalogError for what could not be computed.
    """
    file, known = (None, None) if trace is None else (str(Path(trace).resolve()), jobs_digest(trace))
    cell = Cell(msgspec.to_builtins(scenario), seed, file, known, waits_of, windows, by)
    cell.key  # noqa: B018  what is wrong with it shows now
    return cell


def jobs_digest(file: Path | str) -> str:
    """Return the digest of a trace file's jobs; raises TraceError, and CatalogError for other rates."""
    trace = Trace.read(file)
    check_rates(trace, load_catalog())
    return trace.sha256


def digest(data: Any) -> str:
    """SHA-256 of plain data, in hexadecimal; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _files(scenario: Scenario) -> list[str]:
    """The files that a scenario draws its weather from."""
    recordings = (offer.reclaim.recording for offer in scenario.offers if offer.reclaim is not None)
    return [file for file in (scenario.weather, *recordings) if file is not None]


def _contents(file: str) -> str:
    try:
        return hashlib.sha256(read_bytes(file)).hexdigest()
    except OSError as error:
        raise CellError(cannot_read(file, error)) from None


@cache
def program() -> str:
    """Version and digest of the installed program, its catalog included: results of another one differ."""
    sums = hashlib.sha256()
    root = Path(scheduler.__file__).parents[1]
    files = (file for package in PROGRAM for file in (root / package).rglob("*") if file.suffix in _SOURCES)
    for file in sorted(files):
        sums.update(file.relative_to(root).as_posix().encode())
        sums.update(file.read_bytes())
    return f"{scheduler.__version__}+{sums.hexdigest()[:16]}"


def _own_catalog() -> list[str]:
    """Digests of the files that are laid over the catalog."""
    return [_contents(str(file)) for file in own_files()]


_SOURCES = (".py", ".toml", ".csv")
