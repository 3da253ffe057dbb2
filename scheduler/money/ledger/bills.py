"""What is charged to whom and when: the ledger by owner and month, with idle devices shared out or apart.

What no job bears (idle, down, boot, minimum, unused commitment) stands apart under its bearer, or is shared
out within its period and resource: by use, as jobs there were charged, or by share, alike or by the weights
of the scenario. Where nobody used a resource in a period there is no use to share by, and it stays apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import fsum
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from scheduler.money.ledger.showback import showback
from scheduler.run.directory import Run
from scheduler.run.spend import SpendRow, sums
from traces.words import BY

PERIODS: dict[str, Callable[[datetime], str]] = {
    "period": lambda start: f"{start:%Y-%m-%d %H:%M}",
    "week": lambda start: f"{start - timedelta(days=start.weekday()):%Y-%m-%d}",
    "month": lambda start: f"{start:%Y-%m}",
}
"""How a charge period is told apart: by itself, by the Monday of its week, by its month, all UTC."""

IdleBy = Literal["use", "share"]


class Bill(NamedTuple):
    """What some jobs are charged, in USD; `of` are the words of the keys, in brackets where nobody's jobs."""

    of: tuple[str, ...]
    jobs_usd: float
    """For the time that jobs held devices, and for the data that they moved."""
    shared_usd: float
    """Their part of what no job bears; of nobody's jobs all that stands apart."""

    @property
    def usd(self) -> float:
        """All of it."""
        return self.jobs_usd + self.shared_usd


def bills(run: Run, by: Sequence[str], idle: IdleBy | None = None) -> list[Bill]:
    """Return the ledger without revenue by any of line, resource, `PERIODS` and `BY`; raises RunError.

    Sums over all bills are what the pools and offers cost.
    """
    words = [key for key in by if key in BY]
    periods = [key for key in by if key in PERIODS] or ["month"]
    keys = [*periods, "resource", "line", *words]
    rows = sums(_dated(run, words, periods), [*keys, "charged_to"], ["usd"])
    rows = [row for row in rows if row["line"] != "revenue"]
    ours = [row for row in rows if row["charged_to"] == "job"]
    apart = [row for row in rows if row["charged_to"] != "job"]
    amounts: dict[tuple[str, ...], list[list[float]]] = defaultdict(lambda: [[], []])
    for row in ours:
        amounts[_of(row, by)][0].append(row["usd"])
    for row in (
        _shared_out(run, ours, apart, words, periods, idle) if idle and words else _apart(apart, words)
    ):
        amounts[_of(row, by)][1].append(row["usd"])
    found = sorted(amounts.items(), key=lambda each: (any(map(_is_bearer, each[0])), each[0]))
    return [Bill(of, *map(fsum, parts)) for of, parts in found]


def _is_bearer(word: str) -> bool:
    """Say whether a word stands in brackets; such a one is listed behind the others."""
    return word.startswith("(")


def _of(row: SpendRow, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[key] for key in by)


def _dated(run: Run, words: Sequence[str], periods: Sequence[str]) -> pa.Table:
    """Return the ledger by words of jobs, with the names of its periods."""
    spend = showback(run, words) if words else run.table("spend")
    period_s = spend.column("period_s").combine_chunks().dictionary_encode()
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    starts = [epoch + timedelta(seconds=second) for second in period_s.dictionary.to_pylist()]
    for name in periods:
        names = pa.array(map(PERIODS[name], starts), pa.string())
        spend = spend.append_column(name, names.take(period_s.indices))
    return spend


def _apart(apart: Sequence[SpendRow], words: Sequence[str]) -> Iterator[SpendRow]:
    """Yield what no job bears, under its bearer in brackets."""
    return (row | dict.fromkeys(words, f"({row['charged_to']})") for row in apart)


def _shared_out(
    run: Run,
    ours: Sequence[SpendRow],
    apart: Sequence[SpendRow],
    words: Sequence[str],
    periods: Sequence[str],
    idle: IdleBy,
) -> Iterator[SpendRow]:
    """Yield what no job bears in as many parts as there are words to bear it."""
    used: dict[tuple[str, ...], dict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
    for row in ours:
        used[_of(row, [*periods, "resource"])][_of(row, words)] += row["usd"]
    shares = _shares(run, words)
    for row in apart:
        weights = shares if idle == "share" else used.get(_of(row, [*periods, "resource"]), {})
        total = fsum(weights.values())
        if not total:
            yield from _apart([row], words)
            continue
        for group, weight in weights.items():
            yield row | dict(zip(words, group, strict=True)) | {"usd": row["usd"] * weight / total}


def _shares(run: Run, words: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Return the weight of each combination of words in the jobs: its owner's, else 1."""
    given = run.description["scenario"]["shares"] if "owner" in words else {}
    jobs = run.table("jobs", list(words))
    groups = (
        pa.table({name: pc.cast(jobs.column(name), "string") for name in words}).group_by(words).aggregate([])
    )
    return {
        _of(row, words): float(given.get(row["owner"], 1.0)) if given else 1.0 for row in groups.to_pylist()
    }
