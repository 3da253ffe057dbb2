"""What was out of service, by the weather that the run met."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scheduler.engine.storm.outages import Outage
from scheduler.why.step_function import BEGIN_S, StepFunction


def concerned(outages: Iterable[Outage], devices: int, *, announced: bool) -> StepFunction:
    """Return how many devices of a pod or an offer some outage concerns, each counted once.

    `devices` is how many there are. With `announced`, an outage counts from when it is known.
    """
    changes = sorted(
        (time_s, at, sign, outage.devices)
        for outage in outages
        for time_s, at, sign in (
            (outage.from_s - (outage.notice_s if announced else 0), outage.first, 1),
            (outage.to_s, outage.first, -1),
        )
    )
    troubles = np.zeros(devices if changes else 0, np.int64)
    time_s, count = [int(BEGIN_S)], [0]
    for second, first, sign, length in changes:
        troubles[first : first + length] += sign
        time_s.append(second)
        count.append(int(np.count_nonzero(troubles)))
    return StepFunction(np.array(time_s), np.array(count)).shortest()
