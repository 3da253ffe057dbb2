"""A study's results as text: means over the seeds, a row for each choice on its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from scheduler.report.compare import differences
from scheduler.study.compare.differences import Difference, compare
from scheduler.study.sweep.study_cells import AXES
from traces.numbers import count, count_of, decimal, hours, percent, ratio
from traces.tables import table

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
    told = {key.decode(): text.decode() for key, text in (results.schema.metadata or {}).items()}
    head = f"{told['study']}: means over the seeds, {count_of(results.num_rows, int(told['cells']))} cells"
    if not results.num_rows:
        return head
    axes = [axis for axis in AXES if axis in results.column_names]
    figures = [name for name in _SHOWN if name in results.column_names]
    plain = results.select([*axes, "seed", *figures])
    for axis in axes:
        plain = plain.set_column(
            plain.column_names.index(axis), axis, pc.cast(plain.column(axis), pa.string())
        )
    grouped = plain.group_by(axes, use_threads=False).aggregate(
        [("seed", "count"), *((name, "mean") for name in figures)]
    )
    rows = [
        [*(row[axis] for axis in axes), count(row["seed_count"]), *(_written(name, row) for name in figures)]
        for row in grouped.to_pylist()
    ]
    heads = [*axes, "seeds", *(_SHOWN[name][0] for name in figures)]
    return f"{head}\n\n{table(heads, rows, range(len(axes), len(heads)))}"


def _written(name: str, row: dict[str, float | None]) -> str:
    value = row[f"{name}_mean"]
    return "" if value is None else _SHOWN[name][1](value)


def compared(results: pa.Table, baseline: str | None = None) -> str:
    """Return the paired differences of policies to a baseline, by default the first, as text.

    A table for each choice of scenario and trace; pairs are cells with the same seed, and p-values are
    adjusted over each table (Holm). Empty where there is one policy or one seed. Raises CompareError.
    """
    told = []
    for where, named, found in paired_by_place(results, baseline):
        text = differences(found, named)
        told += [f"{where}\n{text}" if where else text] if text else []
    return "\n\n".join(told)


def paired_by_place(
    results: pa.Table, baseline: str | None = None
) -> Iterator[tuple[str, str, list[Difference]]]:
    """Yield for each choice of scenario and trace its name, the baseline and the paired differences to it."""
    if "policy" not in results.column_names or pc.count_distinct(results.column("seed")).as_py() < 2:
        return
    named = baseline or results.column("policy").cast(pa.string()).to_pylist()[0]
    for where, part in _parts(results):
        yield where, named, compare(part, named)


def _parts(results: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Give the rows of each choice of scenario and trace, in the order in which they come, and its name."""
    axes = [axis for axis in AXES[1:] if axis in results.column_names]
    words = [[f"{axis} {name}" for name in results.column(axis).to_pylist()] for axis in axes]
    places = [", ".join(row) for row in zip(*words, strict=True)] if axes else [""] * results.num_rows
    for place in dict.fromkeys(places):
        yield place, results.filter(pa.array([one == place for one in places]))
