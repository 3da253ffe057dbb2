"""A study's results as text: means over the seeds, a row for each choice on its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from scheduler.report.compare import differences
from scheduler.study.compare.differences import Difference, compare
from scheduler.study.sweep.results import facts_of
from scheduler.study.sweep.study_cells import AXES
from traces.numbers import count, count_of, decimal, hours, percent, ratio
from traces.tables import TableCells

_SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "waited_mean_s": ("waited mean h", partial(hours, places=2, commas=False)),
    "waited_p95_s": ("p95 h", partial(hours, places=2, commas=False)),
    "slowdown_mean": ("slowdown", ratio),
    "utilization": ("utilization", percent),
    "rented_device_h": ("rented device-h", count),
    "usd_total": ("USD", count),
    "usd_avoidable": ("not sunk", count),
    "missed": ("missed", partial(decimal, places=1)),
    "unfinished": ("unfinished", partial(decimal, places=1)),
    "rejected": ("rejected", partial(decimal, places=1)),
}
"""What is shown of a study: column, its head, and how its mean is written."""


def means(results: pa.Table) -> str:
    """Return the means over the seeds; `results` is a study's results.parquet.

    p95 is the mean over the seeds of each one's 95th percentile. A figure that some cell does not have is
    the mean over those that do.
    """
    facts = facts_of(results)
    head = f"{facts.name}: means over the seeds, {count_of(results.num_rows, facts.cells)} cells"
    return "\n\n".join(part for part in (head, mean_cells(results).text()) if part)


def mean_cells(results: pa.Table) -> TableCells:
    """Return the means as a table: a row for each choice on the axes."""
    axes = [axis for axis in AXES if axis in results.column_names]
    figures = [name for name in _SHOWN if name in results.column_names]
    rows = [
        [*(row[axis] for axis in axes), count(row["seed_count"]), *(_written(name, row) for name in figures)]
        for row in mean_figures(results, figures)
    ]
    heads = [*axes, "seeds", *(_SHOWN[name][0] for name in figures)]
    return TableCells(heads, rows, range(len(axes), len(heads)))


def mean_figures(results: pa.Table, figures: Sequence[str]) -> list[dict[str, Any]]:
    """Return by choice on the axes its `seed_count` and the means of figures, as `usd_total_mean`."""
    axes = [axis for axis in AXES if axis in results.column_names]
    plain = results.select([*axes, "seed", *figures])
    for axis in axes:
        plain = plain.set_column(
            plain.column_names.index(axis), axis, pc.cast(plain.column(axis), pa.string())
        )
    grouped = plain.group_by(axes, use_threads=False).aggregate(
        [("seed", "count"), *((name, "mean") for name in figures)]
    )
    found: list[dict[str, Any]] = grouped.to_pylist()
    return found


def _written(name: str, row: dict[str, float | None]) -> str:
    value = row[f"{name}_mean"]
    return "" if value is None else _SHOWN[name][1](value)


def compared(results: pa.Table, baseline: str | None = None) -> str:
    """Return the `contrasts` as text: a table for each choice of scenario and trace."""
    told = []
    for where, against, found in contrasts(results, baseline):
        text = differences(found, against)
        told += [f"{where}\n{text}" if where else text]
    return "\n\n".join(told)


class Contrast(NamedTuple):
    """What policies change, all else being the same."""

    where: str
    """The choice of scenario and trace, as `scenario usual`; empty where there is but one."""
    baseline: str
    differences: list[Difference]


def contrasts(results: pa.Table, baseline: str | None = None) -> list[Contrast]:
    """Return the paired differences of policies to a baseline, by default the first.

    Pairs are cells with the same seed, and p-values are adjusted over each choice of scenario and trace
    (Holm). There are none where there is one policy or one seed. Raises CompareError.
    """
    if "policy" not in results.column_names or pc.count_distinct(results.column("seed")).as_py() < 2:
        return []
    against = baseline or results.column("policy").cast(pa.string()).to_pylist()[0]
    found = (Contrast(where, against, compare(part, against)) for where, part in _parts(results))
    return [one for one in found if one.differences]


def _parts(results: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Give the rows of each choice of scenario and trace, in the order in which they come, and its name."""
    axes = [axis for axis in AXES[1:] if axis in results.column_names]
    words = [[f"{axis} {name}" for name in results.column(axis).to_pylist()] for axis in axes]
    places = [", ".join(row) for row in zip(*words, strict=True)] if axes else [""] * results.num_rows
    for place in dict.fromkeys(places):
        yield place, results.filter(pa.array([one == place for one in places]))
