"""What queues had of their quotas, as a table, and how fair that was."""

from __future__ import annotations

import pyarrow as pa

from scheduler.run.directory import Run
from scheduler.run.queue_figures import queue_fairness, queue_figures
from scheduler.run.queue_levels import quota_levels
from traces.numbers import count, duration, percent, ratio
from traces.tables import table

_SHOWN = (
    ("quota", count, "quota"),
    ("used", percent, "use"),
    ("device-h used", count, "used_device_h"),
    ("borrowed", count, "borrowed_device_h"),
    ("lent", count, "lent_device_h"),
    ("reclaimed", count, "reclaimed_devices"),
    ("jobs", count, "jobs"),
    ("wait p50", duration, "wait_p50_s"),
    ("p95", duration, "wait_p95_s"),
    ("for quota mean", duration, "quota_wait_mean_s"),
    ("rho mean", ratio, "rho_mean"),
    ("max", ratio, "rho_max"),
)


def queues(run: Run, jobs: pa.Table) -> str:
    """Render use, loans and waits by queue; nothing where there are none."""
    levels = quota_levels(run)
    rows = [
        [name, *(write(figures[key]) for _, write, key in _SHOWN)]
        for name, figures in queue_figures(run, jobs, levels).items()
    ]
    if not rows:
        return ""
    fair = queue_fairness(levels)
    header = ["queue", *(head for head, *_ in _SHOWN)]
    return "\n".join(
        [
            table(header, rows, range(1, len(header))),
            f"Jain's index of quota used beside due: {ratio(fair['jain_quota'])}; "
            f"share error {percent(fair['quota_share_error'])}",
        ]
    )
