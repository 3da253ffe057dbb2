"""A rule that may have been in force where a log was written, and what one looks at to find it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scheduler.fidelity.recorded import RecordedJobs, Timeline, WaitAccount, account
from scheduler.replay.setup import Setup
from scheduler.run.directory import Run
from traces.arrays import Bools


class UnmodelledRule(NamedTuple):
    """A rule that a record is consistent with. That is all: others may be, too."""

    name: str
    evidence: str
    """What there is of it in the record."""
    waited_s: int | None
    """Seconds of waits of the record in which it may have been the reason; None: it shows otherwise."""
    tries: tuple[tuple[str, ...], ...] = ()
    """Changes of the scenario that say it, each as for `--set`; the first that closes most stands for it."""
    cannot: str = ""
    """Why the emulator cannot say it, where it cannot."""


@dataclass(frozen=True)
class Findings:
    """A set-up, the record of its trace and its simulation, and where the waits of the record went."""

    setup: Setup
    was: Run
    would: Run
    line: Timeline
    waits: WaitAccount

    @classmethod
    def of(cls, setup: Setup, was: Run, would: Run) -> Findings:
        """Return those of the run as recorded, and of the simulated one."""
        line = Timeline(RecordedJobs.of(was), sum(was.pools.values()))
        return cls(setup, was, would, line, account(line))


def unreserved(line: Timeline, row: int) -> Bools:
    """Say when a job waits with room, on a cluster that runs, and nobody is there to hold it for."""
    at = line.waiting_at(row)
    has_room = line.jobs.devices[row] <= line.free[at]
    return np.asarray(has_room & ~line.stopped[at] & (line.lacking[at] == 0))


def toml(value: Any) -> str:
    """Return a value as TOML on one line, as `--set` takes it."""
    if isinstance(value, Mapping):
        pairs = (f"{key} = {toml(each)}" for key, each in value.items() if each is not None)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def listed(words: Sequence[str], most: int = 3) -> str:
    """Return the first few of some words, and how many there are besides."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more:,} more" if more > 0 else "")
