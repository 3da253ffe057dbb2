"""A simulation beside a record, as tables: waits by group, use by hour, and what would explain the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scheduler.fidelity.answer import FidelityAnswer
from scheduler.fidelity.comparison import FidelityErrors, UseError, WaitError
from scheduler.fidelity.recorded import OTHER, REASONS
from scheduler.fidelity.trials import Trial
from traces.numbers import count, count_of, difference, duration, money, percent, share_of
from traces.tables import TableCells
from traces.times import HOUR_S

SHOWN_OWNERS = 8
"""So many owners, those whose waits differ most in all, are shown; a document has all."""
LITTLE = 0.05
"""What closes less of the difference explains next to nothing."""


def fidelity(name: str, answer: FidelityAnswer) -> str:
    """Return what a comparison came to, and what the record is consistent with."""
    parts = [_headline(name, answer.comparison), *_groups(answer.comparison), _reasons(answer)]
    if answer.comparison.is_exact:
        parts.append("every job that started did so when it does in the simulation")
    else:
        parts += [_rules(answer).text(), _evidence(answer), _verdict(answer)]
    return "\n\n".join(part for part in parts if part)


def _headline(name: str, found: FidelityErrors) -> str:
    use, jobs = found.use, found.all.jobs
    lines = [
        f"{name}: {count(jobs)} job{'s' * (jobs != 1)} started by the record and in the simulation, "
        f"{count(found.same_starts)} of them in the same second",
        f"starts differ by {duration(found.start_error_s)} on average; the distributions of waits by "
        f"{duration(found.wasserstein_s)} (Wasserstein)",
        f"devices held: {percent(use.recorded)} by the record, {percent(use.simulated)} simulated; "
        f"by hour they differ by {percent(use.rmse)} of all devices (RMSE), bias {_points(use.bias)}",
    ]
    if found.only_recorded or found.only_simulated:
        lines.append(
            f"left out: {count(found.only_recorded)} jobs that started by the record alone, "
            f"{count(found.only_simulated)} in the simulation alone"
        )
    return "\n".join(lines)


def _points(share: float) -> str:
    return percent(round(share, 9) + 0.0, signed=bool(round(share, 9)))


def _groups(found: FidelityErrors) -> Iterator[str]:
    """Yield a table of waits for each way to tell jobs apart by which they differ."""
    for by, groups in found.by.items():
        shown = groups
        if by == "owner":
            worst = sorted(groups, key=lambda name: -abs(groups[name].bias_mean_s) * groups[name].jobs)
            shown = {name: groups[name] for name in worst[:SHOWN_OWNERS]}
        if len(groups) > 1 or by == "gang":
            everything = {"all": found.all} if by == "gang" and len(groups) > 1 else {}
            yield _waits(by, shown | everything, found.use if by == "hour" else None).text()


def _waits(by: str, groups: dict[str, WaitError], use: UseError | None) -> TableCells:
    header = [by, "jobs", "wait mean", "simulated", "bias", "p95", "simulated", "bias"]
    header += ["held", "simulated"] if use else []
    rows = [[name, *_wait(group), *(_held(use, int(name)) if use else [])] for name, group in groups.items()]
    return TableCells(header, rows, range(1, len(header)))


def _wait(group: WaitError) -> list[str]:
    return [
        count(group.jobs),
        *(duration(group.recorded_mean_s), duration(group.simulated_mean_s)),
        difference(group.bias_mean_s, duration),
        *(duration(group.recorded_p95_s), duration(group.simulated_p95_s)),
        difference(group.bias_p95_s, duration),
    ]


def _held(use: UseError, hour: int) -> list[str]:
    return [percent(use.recorded_by_hour[hour]), percent(use.simulated_by_hour[hour])]


def _reasons(answer: FidelityAnswer) -> str:
    total, write = sum(answer.reason_s.values()), _job_hours(answer)
    rows = [
        [REASONS[reason], write(waited_s), share_of(waited_s, total)]
        for reason, waited_s in answer.reason_s.items()
        if waited_s
    ]
    return TableCells(["why jobs waited by the record", "job-hours", "share"], rows, (1, 2)).text()


def _rules(answer: FidelityAnswer) -> TableCells:
    if not answer.trials:
        return TableCells([], [], ())
    base = answer.comparison
    rows = [["as it is", "", duration(base.all.simulated_mean_s), "", duration(base.start_error_s), ""]]
    rows += [_rule(trial, _job_hours(answer)) for trial in _tried(answer)]
    header = ["rule", "job-hours", "wait mean", "closes", "starts differ", "tried"]
    return TableCells(header, rows, (1, 2, 3, 4))


def _tried(answer: FidelityAnswer) -> list[Trial]:
    return [*answer.trials, *([answer.together] if answer.together else [])]


def _job_hours(answer: FidelityAnswer) -> Callable[[float], str]:
    """Return what writes the waits of the record, or parts of them, in hours."""
    write = money(sum(answer.reason_s.values()) / HOUR_S)
    return lambda waited_s: write(waited_s / HOUR_S)


def _rule(trial: Trial, write: Callable[[float], str]) -> list[str]:
    waited = "" if trial.rule.waited_s is None else write(trial.rule.waited_s)
    after = trial.comparison
    if after is None:
        why = trial.rule.cannot or "no job started in both"
        return [trial.rule.name, waited, "", "", "", f"not simulated: {why}"]
    figures = [duration(after.all.simulated_mean_s), _closes(trial.closed), duration(after.start_error_s)]
    return [trial.rule.name, waited, *figures, _short("; ".join(trial.change))]


def _short(change: str, most: int = 60) -> str:
    return change if len(change) <= most else f"{change[:most]}..."


def _evidence(answer: FidelityAnswer) -> str:
    return "\n".join(f"{trial.rule.name}: {trial.rule.evidence}" for trial in answer.trials)


def _closes(share: float | None) -> str:
    return "-" if share is None else percent(round(share, 2) + 0.0, 0)


def _verdict(answer: FidelityAnswer) -> str:
    """Return what the record is consistent with, and how much of its waits no reason is found for."""
    gap_s, waits = answer.comparison.all.bias_mean_s, answer.comparison.all
    longer = "longer" if gap_s < 0 else "shorter"
    apart = f"{duration(abs(gap_s))} {longer} than simulated" if gap_s else "as simulated, but starts differ"
    lines = [f"the record's mean wait is {duration(waits.recorded_mean_s)}, {apart}", _best(answer)]
    other = answer.reason_s[OTHER] / max(1, sum(answer.reason_s.values()))
    if other >= LITTLE and not any(trial.nearer == 1 for trial in _tried(answer)):
        lines.append(f"{percent(other, 0)} of the record's waits had room, and none of the reasons above")
    return "\n".join(lines)


def _best(answer: FidelityAnswer) -> str:
    best = max(_tried(answer), key=lambda trial: trial.helps, default=None)
    if best is None or best.comparison is None or best.helps < LITTLE:
        return f"no rule that was tried closes {percent(LITTLE, 0)} of that"
    closes = f"{best.rule.name}, which closes"
    if best is answer.together:
        closes = f"{best.rule.evidence}, which together close"
    starts = count_of(best.comparison.same_starts, best.comparison.all.jobs)
    return (
        f"it is consistent with {closes} {percent(best.helps, 0)} of that; {starts} starts are then the same"
    )
