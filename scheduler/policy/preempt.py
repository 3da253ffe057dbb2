"""Which running job gives way to one that waits: `(waiting, running, level) -> whether it does`.

It is asked about the head of those that wait for owned devices and each job that runs on them, as that would
stand once stopped. `level` is the order's, of a job as it stands at this moment: lower first. Of all that
give way and are not protected by the scenario, the engine stops those furthest behind: of two that run, the
one of which the policy says that it would give way to the other.
"""

from __future__ import annotations

from collections.abc import Callable

from scheduler.policy.views import JobView

Level = Callable[[JobView], float]
Preempt = Callable[[JobView, JobView, Level], bool]


def nobody() -> None:
    """Nobody gives way."""
    return


def by_order() -> Preempt:
    """Whoever the order puts behind the job that waits; ties stay.

    With `srpt` this is preemptive SRPT, with `edf` preemptive EDF, with `las` Tiresias.
    """
    return lambda waiting, running, level: level(waiting) < level(running)


def by_priority() -> Preempt:
    """Whoever has a lower priority, whatever the order; meant for `priority:0`, without ageing."""
    return lambda waiting, running, level: waiting.priority > running.priority


PREEMPTS: dict[str, Callable[..., Preempt | None]] = {
    "nobody": nobody,
    "by_order": by_order,
    "by_priority": by_priority,
}
