"""A study's cells, made from its file: everything that they name is looked up before anything is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from scheduler.scenario import read_scenario, scenario_of
from scheduler.study.cells.cell import Cell, jobs_digest
from scheduler.study.cells.policy_names import parse_policy, with_policy
from scheduler.study.live_checks import check_live_sources
from scheduler.study.sweep.study_file import StudyError, StudySpec, read_study, seeds_of
from traces.errors import nearest

AXES = ("policy", "scenario", "trace")

Labels = dict[str, str]
"""An axis of the study and the name of the choice made there."""


class Study(NamedTuple):
    """A study laid out."""

    name: str
    axes: dict[str, tuple[str, ...]]
    """The names of each axis that there is."""
    cells: list[Cell]
    """Seed by seed, those that share their jobs side by side."""


MOST_CELLS = 10_000


def lay_out(file: Path) -> Study:
    """Read a study file and make its cells; raises StudyError."""
    spec = read_study(file)
    try:
        made = {cell.place: cell for cell in _cells(spec, file)}
    except StudyError as error:
        raise StudyError(f"{file}: {error}") from None
    return Study(spec.name, spec.axes.names, list(made.values()))


def _cells(spec: StudySpec, file: Path) -> Iterator[Cell]:
    digest_of = cache(jobs_digest)
    rows, count = [], 0
    for labels, seeds in _rows(spec):
        count += len(seeds)
        if count > MOST_CELLS:
            raise StudyError(f"has more than {MOST_CELLS:,} cells, the most there may be")
        try:
            first = _cell(spec, file, labels, seeds[0], digest_of)
        except ValueError as error:
            where = ", ".join(f'{axis} "{name}"' for axis, name in labels.items())
            raise StudyError(f"{where}: {error}" if where else str(error)) from None
        rows.append((first, seeds if first.trace is None else seeds[:1]))  # a file's jobs do not vary
    for seed in dict.fromkeys(seed for _, seeds in rows for seed in seeds):
        yield from (dataclasses.replace(first, seed=seed) for first, seeds in rows if seed in seeds)


def _rows(spec: StudySpec) -> Iterator[tuple[Labels, list[int]]]:
    """Give the choices of each cell and the seeds for them; raises StudyError."""
    names = spec.axes.names
    if not spec.cells:
        axes = sorted(names, reverse=True)  # trace, scenario, policy: the last one varies fastest
        for chosen in product(*(names[axis] for axis in axes)):
            found = dict(zip(axes, chosen, strict=True))
            yield {axis: found[axis] for axis in names}, seeds_of(spec.seeds)
    for number, row in enumerate(spec.cells):
        given = {axis: getattr(row, axis) for axis in AXES if getattr(row, axis) is not None}
        for axis, name in given.items():
            if axis not in names:
                raise StudyError(f'cells[{number}].{axis} = "{name}": the study has no axes.{axis}')
        for axis, known in names.items():
            if axis not in given:
                raise StudyError(f"cells[{number}]: needs a {axis} (allowed: {', '.join(known)})")
            if given[axis] not in known:
                hint = nearest(given[axis], known)
                raise StudyError(f'cells[{number}].{axis} = "{given[axis]}": not in axes.{axis}{hint}')
        yield {axis: given[axis] for axis in names}, seeds_of(spec.seeds if row.seeds is None else row.seeds)


def _cell(spec: StudySpec, file: Path, labels: Labels, seed: int, digest_of: Callable[[Path], str]) -> Cell:
    """Raises what reading and looking up raise, all of them ValueError."""
    changes = spec.axes.scenario.get(labels.get("scenario", ""), ())
    if isinstance(spec.scenario, str):
        home = (file.parent / spec.scenario).parent
        scenario = read_scenario(file.parent / spec.scenario, changes)
    else:
        home = file.parent
        scenario = scenario_of(spec.scenario, file, changes)
    if "policy" in labels:
        chosen = spec.axes.policy[labels["policy"]]
        scenario = with_policy(scenario, parse_policy(chosen) if isinstance(chosen, str) else chosen)
    given = spec.axes.trace.get(labels.get("trace", ""), {})
    if isinstance(given, dict):
        jobs = home / scenario.trace if scenario.trace and not given else None
    else:
        jobs, given = file.parent / given, {}
    demand = {} if jobs else scenario.demand | given
    cell = Cell(
        msgspec.to_builtins(replace(scenario, trace=None, demand=demand)),
        seed,
        str(jobs.resolve()) if jobs else None,
        digest_of(jobs) if jobs else None,
        labels=tuple(labels.items()),
    )
    cell.key  # noqa: B018  what is wrong with it shows now
    if jobs is None:
        check_live_sources(scenario, None)
    return cell
