"""Jobs as the engine sees them, and what a gang takes on each pool and offer.

Whatever depends only on gang, words and the places where it may run is worked out once per combination, a
`Shape`; rows of the trace become `Job` tuples block by block, so that a million jobs are never a million
objects at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from scheduler.engine.owned.pools import PodNeed
from scheduler.engine.places import ANYWHERE, Places
from scheduler.engine.rented.offers import Rental
from traces.arrays import Array, Ints
from traces.trace import NO_VALUE, Trace

JOBS_AT_ONCE = 16_384
_NOWHERE = "pool or offer that it may use is large enough"


class Shape:
    """What jobs of one gang, of the same words, and that may run in the same places share.

    Where there is no such place, `nowhere` says why.
    """

    __slots__ = ("kind", "least", "most", "nowhere", "only", "owned", "owner", "rented", "roams", "workload")

    def __init__(
        self,
        owned: list[PodNeed],
        rented: list[Rental],
        workload: str,
        kind: str,
        owner: str,
        nowhere: str = "",
    ) -> None:
        self.owned = owned
        self.rented = rented
        self.roams = any(need.whole or need.pool.endless for need in owned)
        """It spans pods somewhere, or may be given new ones."""
        self.only = owned[0] if len(owned) == 1 and not self.roams else None
        """What it takes, where there is one pool for it, and one pod of that."""
        self.most = max((need.devices for need in owned), default=0)
        """Devices that it holds at most, wherever on owned pods it starts."""
        self.least = min((need.least for need in owned), default=0)
        """Devices that must be free in one pod before it can start."""
        self.workload = workload
        self.kind = kind
        self.owner = owner
        self.nowhere = nowhere

    def elsewhere(self) -> Shape:
        """Return the shape of the same jobs where they take no owned devices."""
        return self.on([])

    def on(self, owned: list[PodNeed]) -> Shape:
        """Return the shape of the same jobs where those are all the owned devices that they may take."""
        return Shape(owned, self.rented, self.workload, self.kind, self.owner)


class Job(NamedTuple):
    """One row of the trace; `after` are the rows of the jobs that must finish first.

    None: it waits for nothing. Where there are none, it waits for its lag alone.

    `turn` is the number under which it waits: its row, or once it was interrupted, one after all rows.
    """

    turn: int
    job_id: int
    submit_s: int
    runtime_s: int
    estimate_s: int
    gang: int
    priority: int
    deadline_s: int | None
    after: tuple[int, ...] | None
    input_tb: float
    shape: Shape

    def shaped(self, shape: Shape) -> Job:
        """Return it with other places where it may run."""
        return self._replace(shape=shape)

    @property
    def row(self) -> int:
        """Its row in the trace."""
        return self.turn

    @property
    def done_s(self) -> int:
        """Reference seconds of its run time that earlier attempts got done and kept."""
        return 0

    @property
    def asked_s(self) -> int:
        """Run time asked for, whatever is done of it."""
        return self.estimate_s

    @property
    def attained_device_s(self) -> int:
        """Device-seconds of work that it has had, lost ones included."""
        return 0

    @property
    def reclaims(self) -> int:
        """How often its devices were reclaimed."""
        return 0

    @property
    def impatient(self) -> bool:
        """It need not be patient, as it was on rented devices before."""
        return False

    @property
    def workload(self) -> str:
        """Whose work it is."""
        return self.shape.workload

    @property
    def kind(self) -> str:
        """Sort of job."""
        return self.shape.kind

    @property
    def owner(self) -> str:
        """Who asked."""
        return self.shape.owner


Fit = Callable[[int, str, bool, Places], tuple[list[PodNeed], list[Rental]]]
"""(gang, kind, may leave, places) -> what it takes of each pool and offer that could ever hold it."""


def jobs(trace: Trace, fit: Fit) -> Iterator[list[Job]]:
    """Yield the trace's jobs in order, in blocks of at most `JOBS_AT_ONCE`."""
    some = of_rows(trace, fit)
    for first in range(0, len(trace), JOBS_AT_ONCE):
        yield some(np.arange(first, min(first + JOBS_AT_ONCE, len(trace))))


def rows_of(trace: Trace, fit: Fit, rows: Ints) -> list[Job]:
    """Return the jobs of some rows of the trace."""
    return of_rows(trace, fit)(rows)


def of_rows(trace: Trace, fit: Fit) -> Callable[[Ints], list[Job]]:
    """Return what makes jobs of rows of the trace."""
    columns = [
        *(_numbers(trace, name) for name in ("job_id", "submit_s", "runtime_s", "estimate_s", "gang")),
        _numbers(trace, "priority"),
        _nullable(trace.numpy("deadline_s")),
        _tuples(trace),
        _numbers(trace, "input_tb"),
        _shapes(trace, fit),
    ]

    def jobs_of(rows: Ints) -> list[Job]:
        return list(map(_job, zip(rows.tolist(), *(column(rows) for column in columns), strict=False)))

    return jobs_of


_Column = Callable[[Ints], Iterable[Any]]
"""The values of some rows, or one value for ever."""

_job = partial(tuple.__new__, Job)
"""Job._make without its check of the length, which `zip` has made."""


def _numbers(trace: Trace, name: str) -> _Column:
    values = trace.numpy(name)
    if len(values) and (values == values[0]).all():
        return _constant(values[0].item())
    return lambda rows: values[rows].tolist()


def _nullable(values: Array) -> _Column:
    if (values == NO_VALUE).all():
        return _constant(None)
    return lambda rows: [None if value == NO_VALUE else value for value in values[rows].tolist()]


def _constant(value: Any) -> _Column:
    return lambda rows: repeat(value)


def _tuples(trace: Trace) -> _Column:
    """None where a job waits for nothing; it may wait for its lag alone where a trace opens warm."""
    after = trace.after
    waits = after.counts() > 0
    if trace.opens_s is not None:
        waits |= trace.numpy("after_lag_s") > 0
    if not waits.any():
        return _constant(None)

    def column(rows: Ints) -> list[tuple[int, ...] | None]:
        ends = zip(
            waits[rows].tolist(), after.offsets[rows].tolist(), after.offsets[rows + 1].tolist(), strict=True
        )
        return [tuple(after.rows[low:high].tolist()) if wait else None for wait, low, high in ends]

    return column


def _shapes(trace: Trace, fit: Fit) -> _Column:
    codes, shapes = shapes_by_row(trace, fit)
    return lambda rows: shapes[codes[rows]].tolist()


def shapes_by_row(trace: Trace, fit: Fit) -> tuple[Array, Array]:
    """Return the number of each job's shape, and the shapes; the jobs of a shape share it."""
    gangs = trace.numpy("gang")
    words = [trace.codes(name) for name in ("workload", "kind", "owner", "residency", *Places._fields)]
    codes, rows = _encode(gangs)
    for of_word, table in words:
        if (of_word[1:] != of_word[:-1]).any():
            codes, rows = _encode(codes.astype(np.int64) * (len(table) + 1) + of_word + 1)
    shapes = np.empty(len(rows), object)
    for at, row in enumerate(rows.tolist()):
        said = [table[of_word[row]] if of_word[row] >= 0 else None for of_word, table in words]
        shapes[at] = shape_of(fit, int(gangs[row]), *said)
    return codes, shapes


def shape_of(
    fit: Fit, gang: int, workload: Any, kind: Any, owner: Any, residency: Any, *places: Any
) -> Shape:
    """Return the shape of jobs of these words; `places` are what they require and exclude."""
    may_leave, asked = residency == "any", Places(*places)
    owned, rented = fit(gang, kind, may_leave, asked)
    nowhere = ""
    if not owned and not rented:
        picky = asked != ANYWHERE and any(fit(gang, kind, may_leave, ANYWHERE))
        nowhere = f"{asked}: no such {_NOWHERE}" if picky else f"no {_NOWHERE}"
    return Shape(owned, rented, workload, kind, owner, nowhere)


def _encode(values: Array) -> tuple[Array, Array]:
    """Return small codes for the values, by first appearance, and a row that has each."""
    encoded = pa.array(values).dictionary_encode()
    codes = np.asarray(encoded.indices)
    rows = np.zeros(len(encoded.dictionary), np.int64)
    rows[codes] = np.arange(len(codes))
    return codes, rows
