"""When jobs had no quota of their queue, from admissions.parquet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.replay.setup import Setup
from scheduler.run.admissions import ENDINGS, NO_POD
from scheduler.run.directory import Run
from scheduler.scenario.queues import queue_of_owners
from scheduler.why.causes import Cause
from scheduler.why.gaps import ids_of
from scheduler.why.step_function import BEGIN_S, StepFunction
from traces.arrays import Ints, is_word, rows_of

ASKS, RESTS = 1, 2
"""A job waits for quota; or it rests, as it has given some back. Of both, it waits."""


class QuotaSpans(NamedTuple):
    """What jobs lacked of quota, at instants that stand as row of the trace x `width` + second."""

    width: int
    level: StepFunction
    queue: Ints
    """By row of the trace."""
    names: list[str]
    """Of the queues."""

    @classmethod
    def of(cls, run: Run, setup: Setup, rows: Ints | None) -> QuotaSpans | None:
        """Read them, of all jobs or at least of some rows of the trace; None where there are no queues."""
        if not run.has("admissions"):
            return None
        trace, queues, backoff_s = setup.trace, setup.scenario.queues, setup.scenario.admission.backoff_s
        table = run.table("admissions", limits=ids_of(trace, rows))
        width = run.end_s + backoff_s + 1
        first_s = width * rows_of(trace.numpy("job_id"), table.column("job_id").to_numpy())
        asked_s, until_s = (table.column(name).to_numpy() + first_s for name in ("asked_s", "until_s"))
        admitted = table.column("admitted_s").combine_chunks()
        had_s = np.where(admitted.is_null(), until_s, admitted.fill_null(0).to_numpy() + first_s)
        given_s = until_s[is_word(table.column("ending"), ENDINGS[NO_POD])]
        parts = [(asked_s, ASKS), (had_s, -ASKS), (given_s, RESTS), (given_s + backoff_s, -RESTS)]
        changes = [np.full(len(second), step) for second, step in parts]
        level = StepFunction.of(0, np.concatenate([second for second, _ in parts]), np.concatenate(changes))
        codes, owners = trace.codes("owner")
        of_owner = queue_of_owners(queues, owners)
        number = np.array([of_owner[owner] for owner in owners], np.int64)
        return cls(width, level, number[codes], [queue.name for queue in queues])

    def had_by(self, row: int) -> StepFunction:
        """Return when the job of a row of the trace lacked no quota of its queue, and did not rest."""
        first_s = row * self.width
        inside = (self.level.time_s > first_s) & (self.level.time_s < first_s + self.width)
        before = self.level.at(np.array([first_s]))
        time_s = np.append(BEGIN_S, self.level.time_s[inside] - first_s)
        return StepFunction(time_s, np.append(before, self.level.value[inside]) == 0).shortest()


def lacking(level: Ints, cause: Ints, on_pods: Ints) -> tuple[Ints, Ints]:
    """Return causes, and what was lacked on pods, where quotas have a part in them: the first that holds."""
    asks, rests = level & ASKS > 0, level == RESTS
    cause = np.where(asks, np.minimum(cause, Cause.QUOTA), np.where(rests, Cause.BACK_OFF, cause))
    lacked = np.where(asks & (on_pods >= 0), np.minimum(on_pods, Cause.QUOTA), on_pods)
    return cause, np.where(rests, -1, lacked)
