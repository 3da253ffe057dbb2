"""What the jobs of a run waited for, as the summary and `why` show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from scheduler.run.directory import Run
from scheduler.why.causes import MEANINGS, Cause
from scheduler.why.run_figures import RunFigures, StrandedStep, Worst
from traces.numbers import count, duration, hours, minute, share_of
from traces.tables import table

_NOTHING = "No job waited."


def run_why(run: Run, figures: RunFigures) -> str:
    """Render what a run waited for."""
    if not figures.by_cause:
        return _NOTHING
    parts = [causes_table(figures.by_cause, MEANINGS), _beside(figures), _worst(figures.worst)]
    parts.append(_stranded(run, figures.stranded_capacity))
    return "\n\n".join(part for part in parts if part)


def _beside(figures: RunFigures) -> str:
    """Say what stands beside the causes."""
    patient, lacked = figures.patient_device_s, figures.on_pods
    lines = [lacked_on_pods(lacked)] if lacked else []
    if patient:
        lines.append(f"{hours(patient)} device-h of it by jobs that might leave and were patient.")
    return "\n".join(lines)


def lacked_on_pods(lacked: Mapping[Cause, int]) -> str:
    """Say what was lacked on pods where the cause is about offers."""
    shares = [f"{cause.word} {share_of(part, sum(lacked.values()))}" for cause, part in lacked.items()]
    return f"Where the cause is about offers, this was lacked on pods: {', '.join(shares)}."


def _worst(worst: Sequence[Worst]) -> str:
    rows = [
        [
            one.job,
            one.workload,
            count(one.gang),
            duration(one.waited_s),
            hours(one.gang * one.waited_s),
            _listed(one.causes),
        ]
        for one in worst
    ]
    header = ["waited most", "workload", "gang", "waited", "device-h", "causes"]
    return table(header, rows, numbers=(2, 3, 4)) if rows else ""


def _listed(causes: Mapping[Cause, int]) -> str:
    return ", ".join(f"{cause.word} {duration(seconds)}" for cause, seconds in [*causes.items()][:3])


def _stranded(run: Run, steps: Sequence[StrandedStep]) -> str:
    epoch = datetime.fromisoformat(run.description["trace"]["epoch"])
    rows = [
        [
            minute(epoch + timedelta(seconds=step.from_s)),
            share_of(step.waited_s, step.to_s - step.from_s),
            count(step.free_device_s / step.waited_s if step.waited_s else 0),
            hours(step.free_device_s),
        ]
        for step in steps
    ]
    header = ["stranded from", "somebody waits", "free then, mean", "device-h free"]
    return table(header, rows, numbers=(1, 2, 3)) if run.pools else ""


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
