"""What a roadmap rests on: which policies were searched, what was run, and what was said without a run."""

from __future__ import annotations

from scheduler.report.plan_tables import thousands
from scheduler.report.roadmap_trials import pods_of_quarters
from scheduler.study.plan.candidates import mean_interval
from scheduler.study.roadmap.roadmap import Roadmap
from scheduler.study.roadmap.schedules import ScheduleOutcome
from traces.tables import table


def policies(roadmap: Roadmap) -> str:
    """Return how policies were compared before the quarters were searched."""
    found = roadmap.policies
    kept = ", ".join(found.starts)
    rows = []
    for each in found.policies:
        low, high = each.more_usd
        meets = [thousands(each.usd), f"{thousands(low)} to {thousands(high)}"] if each.usd else ["-", ""]
        rows.append([each.burst, *(meets if low or high else [meets[0], ""])])
    names = ", ".join(roadmap.quarters[at].name for at in found.quarters)
    title = f"policies, compared on parts of the horizon, each as its quarter in the middle ({names});"
    title += (
        f"\nby quarter were searched, as not dearer for sure: {kept}; -: misses the target with all pods:"
    )
    return f"{title}\n{table(['bursting', 'USD k', 'more, 95% interval'], rows, (1, 2))}"


def generations(roadmap: Roadmap, best: ScheduleOutcome) -> str:
    """Return each generation's own cheapest schedule."""
    rows = []
    for name, found in roadmap.generations:
        if found is None:
            rows.append([name, "none meets the target", "", "", "", ""])
            continue
        more = found.npv_usd() - best.npv_usd()
        low, high = mean_interval(more)
        interval = f"{thousands(low)} to {thousands(high)}"
        schedule = [pods_of_quarters(found.schedule.pods), found.schedule.burst]
        told = [thousands(found.mean_usd), f"{more.mean() / 1e3:+,.0f}", interval]
        rows.append([name, *schedule, *told])
    header = ["generation", "pods by quarter", "bursting", "USD k", "more", "95% interval"]
    title = "which generation to buy, each by its own cheapest schedule:"
    return f"{title}\n{table(header, rows, (3, 4, 5))}"


def what_was_run(roadmap: Roadmap) -> str:
    """Return how many months were run, and what was said of others without a run."""
    runs = roadmap.runs
    whole = f"runs: {runs.computed + runs.reused} ({runs.computed} computed, {runs.reused} reused)"
    return "\n".join(
        [
            f"{whole}, a month each,",
            f"  of {runs.numbers} numbers of pods by quarter, policy, demand and seeds. Of {runs.decided} of",
            "  them one seed alone shows that they miss the target. Others were not run: fewer pods than",
            "  miss it are taken to miss it, more than meet it to meet it, to cost at least their operations",
            "  more, and to spare at most all rent",
        ]
    )
