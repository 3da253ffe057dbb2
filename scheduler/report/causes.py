"""Waiting by cause, as the summary and `why` show it."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.why.causes import Cause
from traces.numbers import hours, share_of
from traces.tables import table


def causes_table(sums: Mapping[Cause, Mapping[str, int]], meanings: Mapping[Cause, str]) -> str:
    """Return device-hours of waiting by cause and workload, with what each means where that is given."""
    workloads = list(next(iter(sums.values())))
    waited = {cause: sums[cause] for cause in sums if cause != Cause.DEPENDENCY}
    total = {name: sum(row[name] for row in waited.values()) for name in workloads}
    together = sum(total.values())

    def line(name: str, row: Mapping[str, int], share: str, meaning: str = "") -> list[str]:
        return [name, *(hours(row[word]) for word in workloads), hours(sum(row.values())), share, meaning]

    lines = [
        line(cause.word, row, share_of(sum(row.values()), together), meanings.get(cause, ""))
        for cause, row in waited.items()
    ]
    lines.append(line("all", total, share_of(together, together)))
    if before := sums.get(Cause.DEPENDENCY):
        lines.append(line("before: dependency", before, "", meanings.get(Cause.DEPENDENCY, "")))
    header = ["device-h waited for", *workloads, "all", "share", ""]
    return table(header, lines, numbers=range(1, len(header) - 1))
