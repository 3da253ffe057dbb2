"""The document of a simulation beside a record."""

from __future__ import annotations

from typing import Annotated, Any

from scheduler.fidelity.answer import FidelityAnswer
from scheduler.fidelity.comparison import FidelityErrors, WaitError
from scheduler.fidelity.trials import Trial
from scheduler.report.documents.document import Document, Known, about


class FidelityDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `fidelity`."""

    trace: Annotated[str, about("file of the trace")]
    scenario: Annotated[str, about("name of the scenario")]
    jobs: Annotated[int, about("jobs that started by the record and in the simulation: those compared")]
    only_recorded: Annotated[int, about("jobs that started by the record alone")]
    only_simulated: Annotated[int, about("jobs that started in the simulation alone")]
    same_starts: Annotated[int, about("jobs that started in the same second")]
    start_error_s: Annotated[float, about("mean difference of the starts of a job, without its sign")]
    wasserstein_s: Annotated[float, about("distance of the two distributions of waits")]
    waits: Annotated[dict[str, Known], about("jobs, mean and p95 of their waits by both, and biases")]
    waits_by: Annotated[
        dict[str, dict[str, dict[str, Known]]], about("the same by gang, queue, owner and hour of the day")
    ]
    use: Annotated[
        dict[str, Any], about("share of devices held by both, bias, RMSE by hour, by hour of the day")
    ]
    reasons_s: Annotated[dict[str, int], about("seconds of waits of the record by reason")]
    rules: Annotated[
        list[dict[str, Any]], about("what the record is consistent with, what closes most first")
    ]
    together: Annotated[dict[str, Any] | None, about("all rules that closed something, at once")]


def fidelity_document(trace: str, scenario: str, answer: FidelityAnswer) -> FidelityDocument:
    """Return an answer."""
    found = answer.comparison
    return FidelityDocument(
        trace=trace,
        scenario=scenario,
        jobs=found.all.jobs,
        only_recorded=found.only_recorded,
        only_simulated=found.only_simulated,
        same_starts=found.same_starts,
        start_error_s=found.start_error_s,
        wasserstein_s=found.wasserstein_s,
        waits=_waits(found.all),
        waits_by={by: {name: _waits(each) for name, each in of.items()} for by, of in found.by.items()},
        use=found.use._asdict() | {"bias": found.use.bias},
        reasons_s=answer.reason_s,
        rules=[_rule(trial) for trial in answer.trials],
        together=None if answer.together is None else _rule(answer.together),
    )


def _waits(group: WaitError) -> dict[str, Known]:
    return group._asdict() | {"bias_mean_s": group.bias_mean_s, "bias_p95_s": group.bias_p95_s}


def _rule(trial: Trial) -> dict[str, Any]:
    rule = trial.rule
    return {
        "name": rule.name,
        "evidence": rule.evidence,
        "waited_s": rule.waited_s,
        "set": list(trial.change),
        "cannot": rule.cannot or None,
        "closed": trial.closed,
        "nearer": trial.nearer,
    } | _after(trial.comparison)


def _after(after: FidelityErrors | None) -> dict[str, Known]:
    if after is None:
        return {"simulated_mean_s": None, "start_error_s": None, "wasserstein_s": None, "same_starts": None}
    return {
        "simulated_mean_s": after.all.simulated_mean_s,
        "start_error_s": after.start_error_s,
        "wasserstein_s": after.wasserstein_s,
        "same_starts": after.same_starts,
    }
