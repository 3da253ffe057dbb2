"""The documents of runs: what one came to, what its jobs waited for, and which runs there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from scheduler.report.documents.document import Document, Known, Plain, Sure, about
from scheduler.run.directory import Run
from scheduler.run.fairness import fairness, served
from scheduler.run.figures import main_figures
from scheduler.run.goodput import DeviceTime
from scheduler.run.job_figures import by_gang, by_word, worked_jobs
from scheduler.run.levels import DeviceLevels
from scheduler.run.live_figures import live_figures
from scheduler.run.queue_figures import queue_fairness, queue_figures
from scheduler.run.queue_levels import quota_levels
from scheduler.run.spend import spent_by
from scheduler.why.causes import Cause
from scheduler.why.job_story import JobStory
from scheduler.why.kept import kept_figures
from scheduler.why.run_figures import RunFigures
from traces.times import HOUR_S

Named = dict[str, Known]


class SummaryDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `demo`, `replay` and `summary`."""

    run: Annotated[str, about("folder of the run")]
    scenario: Annotated[str, about("name of the scenario")]
    start: Annotated[datetime, about("first instant, UTC")]
    end: Annotated[datetime, about("last instant, UTC")]
    policy: Annotated[dict[str, str | None], about("policy of each seam")]
    jobs: Annotated[dict[str, int], about("jobs by final state")]
    figures: Annotated[Named, about("figures of the whole run, by their names in `scheduler/run/figures.py`")]
    by: Annotated[str, about("column by which jobs are told apart")]
    words: Annotated[dict[str, Named], about("figures of the jobs of each word of that column")]
    gangs: Annotated[dict[str, Named], about("waits by work of each size of gang")]
    served: Annotated[dict[str, Named], about("what each word asked for, had and was due")]
    fairness: Annotated[Named, about("`jain_due`, `jain_speed` and `share_error` of these words")]
    queues: Annotated[dict[str, Named], about("quota, use, loans and waits of each queue with a quota")]
    queue_fairness: Annotated[Named, about("`jain_quota` and `quota_share_error`, where there are queues")]
    loops: Annotated[dict[str, Named], about("figures of each loop")]
    sales: Annotated[dict[str, Named], about("what each segment and lease asked for, bought and paid")]
    edge: Annotated[dict[str, Named], about("what each fleet of parked cars did, and for how much")]
    causes: Annotated[
        dict[str, Named] | None,
        about("device-hours waited, by cause and workload; null: not kept"),
    ]
    resources: Annotated[list[Plain], about("pools and offers with devices, device-hours and utilization")]
    spend: Annotated[list[Plain], about("the ledger by resource, line and bearer")]
    unsure: Sure
    prices_of: Annotated[str, about("month of the oldest of its prices")]
    beside: Annotated[dict[str, Named], about("figures of other runs, by folder")]


def summary_document(
    run: Run, by: str = "workload", beside: Mapping[str, Run] | None = None
) -> SummaryDocument:
    """Return what a run came to."""
    jobs = worked_jobs(run, DeviceTime(run))
    groups, description = served(run, jobs, by), run.description
    epoch = datetime.fromisoformat(description["trace"]["epoch"])
    levels = quota_levels(run)
    rows, _ = spent_by(run, ("resource", "line"))
    return SummaryDocument(
        run=str(run.folder),
        scenario=description["scenario"]["name"],
        start=epoch + timedelta(seconds=run.start_s),
        end=epoch + timedelta(seconds=run.end_s),
        policy=description["scenario"]["policy"],
        jobs=description["jobs"],
        figures=main_figures(run),
        by=by,
        words={name: dict(figures) for name, figures in by_word(run, jobs, by).items()},
        gangs={name: dict(figures) for name, figures in by_gang(jobs, run.end_s).items()},
        served={name: dict(group._asdict()) for name, group in groups.items()},
        fairness=dict(fairness(groups)),
        queues={name: dict(figures) for name, figures in queue_figures(run, jobs, levels).items()},
        queue_fairness=dict(queue_fairness(levels)) if levels else {},
        **{name: dict(figures) for name, figures in live_figures(run)._asdict().items()},
        causes=None if (waited := kept_figures(run)) is None else _in_hours(waited.by_cause),
        resources=list(_resources(DeviceLevels(run))),
        spend=rows,
        unsure=description["unsure"],
        prices_of=description["prices_of"],
        beside={name: main_figures(other) for name, other in (beside or {}).items()},
    )


def _resources(levels: DeviceLevels) -> list[Plain]:
    run, rows = levels.run, []
    for pool in run.description["pools"]:
        name = pool["name"]
        row: Plain = {
            "name": name,
            "device": pool["device"],
            "rented": False,
            "devices": run.pools[name],
        }
        rows.append(row | {"device_h": levels.held_s(name) / HOUR_S, "utilization": levels.utilization(name)})
    for offer in run.description["offers"]:
        name = offer["name"]
        row = {"name": name, "device": offer["device"], "rented": True, "devices": levels.most_rented(name)}
        rows.append(row | {"device_h": levels.held_s(name) / HOUR_S, "utilization": None})
    return rows


def _in_hours(causes: Mapping[Cause, Mapping[str, int]]) -> dict[str, Named]:
    return {
        cause.word: {name: device_s / HOUR_S for name, device_s in row.items()}
        for cause, row in causes.items()
    }


class WhyDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `why RUN`."""

    run: Annotated[str, about("folder of the run")]
    causes: Annotated[dict[str, Named], about("device-hours waited, by cause and workload")]
    patient_device_h: Annotated[float, about("of these, by jobs that might leave and were patient")]
    lacked_device_h: Annotated[Named, about("where the cause is about offers, what was lacked on pods")]
    worst: Annotated[list[Plain], about("jobs that waited the most device-hours")]


def why_document(run: Run, figures: RunFigures) -> WhyDocument:
    """Return what the jobs of a run waited for."""
    return WhyDocument(
        run=str(run.folder),
        causes=_in_hours(figures.by_cause),
        patient_device_h=figures.patient_device_s / HOUR_S,
        lacked_device_h={cause.word: device_s / HOUR_S for cause, device_s in figures.on_pods.items()},
        worst=[
            {
                "job": one.job,
                "workload": one.workload,
                "gang": one.gang,
                "waited_s": one.waited_s,
                **{f"{cause.word}_s": seconds for cause, seconds in one.causes.items()},
            }
            for one in figures.worst
        ],
    )


class WhyJobDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `why RUN JOB`."""

    run: Annotated[str, about("folder of the run")]
    job: Annotated[str, about("name of the job")]
    state: Annotated[str, about("finished, unfinished, rejected or killed")]
    reason: Annotated[str | None, about("why it was rejected or did not finish")]
    waited_s: Annotated[int, about("how long it waited once it was ready")]
    start_s: Annotated[int | None, about("when it began to work, from the epoch")]
    causes_s: Annotated[Named, about("seconds by cause")]
    spans: Annotated[
        list[Plain],
        about("each span of waiting: its cause, about what, who was first"),
    ]
    holders: Annotated[list[Plain], about("who held the pods meanwhile, the most device-hours first")]
    sooner: Annotated[list[Plain], about("when it could begin, had something been otherwise")]


def why_job_document(run: Run, story: JobStory) -> WhyJobDocument:
    """Return what one job waited for."""
    spans = [one._asdict() | {"cause": one.cause.word} for one in story.spans] if len(story.waits.row) else []
    return WhyJobDocument(
        run=str(run.folder),
        job=story.label,
        state=story.state,
        reason=story.reason,
        waited_s=story.waited_s,
        start_s=story.start_s,
        causes_s={cause.word: seconds for cause, seconds in story.by_cause.items()},
        spans=spans,
        holders=[one._asdict() for one in story.holders] if spans else [],
        sooner=[one._asdict() for one in story.sooner()] if spans else [],
    )


class RunsDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `runs`."""

    folder: Annotated[str, about("where was looked")]
    runs: Annotated[
        list[Plain], about("finished runs: folder, scenario, jobs, start, days, utilization, USD")
    ]
    unreadable: Annotated[dict[str, str], about("folders of runs that cannot be read, and why")]
