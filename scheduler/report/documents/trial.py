"""The document of a policy that was tried."""

from __future__ import annotations

from typing import Annotated

from scheduler.report.documents.document import Document, Plain, about
from scheduler.report.documents.studies import difference_rows
from scheduler.report.trial import says
from scheduler.study.trial.trial import TrialAnswer


class TryDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `try`."""

    policy: Annotated[str, about("that was tried")]
    seam: Annotated[str, about("what it chooses, seams joined by +")]
    against: Annotated[list[str], about("policies that it was held against")]
    replications: Annotated[int, about("worlds in each part of a suite")]
    metrics: Annotated[list[str], about("figures compared")]
    differences: Annotated[
        list[Plain], about("by suite, part and policy `against`: paired differences, and what each `says`")
    ]
    costs: Annotated[list[Plain], about("CPU seconds and most MB of each policy over all worlds")]
    rows: Annotated[list[Plain], about("figures of each policy and world")]


def try_document(answer: TrialAnswer) -> TryDocument:
    """Return what came of a policy that was tried."""
    judged = [verdict.difference for verdict in answer.verdicts]
    rows = zip(answer.verdicts, difference_rows(judged), strict=True)
    return TryDocument(
        policy=answer.trial.spec,
        seam=answer.seam,
        against=[cost.policy for cost in answer.costs[1:]],
        replications=answer.trial.seeds,
        metrics=list(answer.trial.metrics),
        differences=[
            {"suite": of.suite, "part": of.part, "against": of.against, **row, "says": says(of)}
            for of, row in rows
        ],
        costs=[cost._asdict() for cost in answer.costs],
        rows=answer.rows,
    )
