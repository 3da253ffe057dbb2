"""The schedule of a roadmap by quarter: what is bought, committed to and rented, and how it serves."""

from __future__ import annotations

from scheduler.report.plan_tables import percentile, thousands, waited
from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.roadmap import Roadmap
from scheduler.study.roadmap.schedules import ScheduleOutcome
from traces.numbers import percent, shortest
from traces.tables import table


def schedule(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    """Return the schedule by quarter; what is committed to is shown where that was asked for."""
    target, usd, commits = roadmap.target, best.by_quarter(), bool(roadmap.question.contracts)
    header = ["quarter", "from", "pods", "bought", *(["committed"] if commits else []), "rent USD k"]
    header += ["screening", "USD k", percentile(target), "stranded", "sure"]
    rows = [
        [
            roadmap.quarters[at].name,
            roadmap.starts(at).isoformat(),
            str(best.schedule.pods[at]),
            str(count or ""),
            *([_newly_committed(best, at)] if commits else []),
            thousands(float(best.terms.rent_usd(at, each).mean())),
            str(roadmap.screening[at]),
            thousands(float(usd[at].mean())),
            waited(each.wait_at(target.share)),
            percent(each.stranded),
            percent(each.confidence(target), 0),
        ]
        for at, (count, each) in enumerate(
            zip(best.schedule.bought(best.present), best.quarters, strict=True)
        )
    ]
    title = "the schedule; `rent` is paid in the quarter, contracts included, `screening` are the pods that\n"
    title += "the load alone would have one own, with no queue; nothing is retired:"
    return f"{title}\n{table(header, rows, range(2, len(header)))}"


def _newly_committed(best: ScheduleOutcome, quarter: int) -> str:
    begun = (term for term in best.terms.commitments if term.quarter == quarter)
    return " ".join(f"+{term.devices} {term.contract.offer}" for term in begun)


def commitments(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    """Return the terms that are best beside the schedule, and what they spare."""
    asked = ", ".join(
        f"{each.offer} for {each.months} months at {shortest(each.usd_per_device_h, 4)} USD/device-h"
        for each in roadmap.question.contracts
    )
    text = f"commitments, taken or paid, of those that may be made ({asked}):"
    if not best.terms.commitments:
        return f"{text}\n  none pays within the horizon: what is rented is rented on demand"
    rows = [
        [
            term.contract.offer,
            str(term.devices),
            roadmap.quarters[term.quarter].name,
            roadmap.quarters[term.quarter + term.contract.quarters - 1].name,
            shortest(term.contract.usd_per_device_h, 4),
        ]
        for term in best.terms.commitments
    ]
    saved = -best.more_usd(best.uncommitted())
    low, high = mean_interval(saved)
    told = f"they spare USD {thousands(float(saved.mean()))} k in present dollars beside the same pods with"
    told += f" none ({thousands(low)} to {thousands(high)});\njobs rent as they would without them"
    header = ["offer", "devices", "from", "to the end of", "USD/device-h"]
    return f"{text}\n{table(header, rows, (1, 4))}\n{told}"
