"""What became of the devices that were held: work that counts, and what everything else cost.

Goodput is the share of device time that went into work which is kept; what was lost and must be done again,
written into checkpoints or spent on starting is held, but no goodput.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Array, Bools, Floats, Ints, is_word, rows_of

CUT_SHORT = ("failed", "reclaimed", "preempted", "migrated", "killed")
"""Outcomes of attempts that ended before their work was done."""

_NUMBERS = ("job_id", "devices", "used", "alloc_s", "end_s", "kept_s", "checkpointing_s", "lost_device_s")


class DeviceTime:
    """The attempts of a run by column: the device-seconds that they held, and what became of them, exactly.

    `held` is `unused`, devices of a rented size that is larger than the gang, and of the others `starting`
    (booting, staging, restarting: all that comes before the work) + `checkpoints` + `lost` + `given_up` +
    `kept`. What a job did and kept is `given_up` if the job was killed in the end. Devices that send results
    home over a link are counted as working.
    """

    def __init__(self, run: Run) -> None:
        attempts = run.table("attempts", [*_NUMBERS, "where", "rented", "start_s", "outcome", "pods"])
        told = {name: attempts.column(name).to_numpy().astype(np.int64, copy=False) for name in _NUMBERS}
        self.job_id, self.used, self.kept_s = told["job_id"], told["used"], told["kept_s"]
        self.alloc_s, self.end_s = told["alloc_s"], told["end_s"]
        self.rented: Bools = attempts.column("rented").to_numpy()
        self.spans: Bools = pc.greater(pc.list_value_length(attempts.column("pods")), 1).to_numpy()
        self._words = attempts.select(["where", "outcome"])
        start_s = attempts.column("start_s")
        self.start_s: Ints = pc.coalesce(start_s, attempts.column("end_s")).to_numpy()
        self.held: Ints = told["devices"] * (self.end_s - self.alloc_s)
        self.unused: Ints = (told["devices"] - self.used) * (self.end_s - self.alloc_s)
        self.starting: Ints = self.used * (self.start_s - self.alloc_s)
        self.checkpoints: Ints = self.used * told["checkpointing_s"]
        self.lost: Ints = told["lost_device_s"]
        self._killed = _killed(run) if run.description["jobs"]["killed"] else np.empty(0, np.int64)

    @cached_property
    def work(self) -> Ints:
        """Device-seconds of work that were not lost with the attempt."""
        return self.held - self.unused - self.starting - self.checkpoints - self.lost

    @cached_property
    def counts(self) -> Bools:
        """Whether the job was not killed in the end, so that its work counts."""
        return ~np.isin(self.job_id, self._killed)

    @property
    def kept(self) -> Ints:
        """Work that counts."""
        return self.work * self.counts

    @property
    def given_up(self) -> Ints:
        """Work that would have counted, had the job not been killed."""
        return self.work * ~self.counts

    def parts(self) -> dict[str, Ints]:
        """Return what was held, and what it consists of, by name; without parts that are nothing in all."""
        lost = {f"lost: {outcome}": self.lost * self.ended(outcome) for outcome in self.cut_short()}
        rest = {"checkpoints": self.checkpoints, "starting": self.starting, "given up": self.given_up}
        rest |= {"unused": self.unused}
        parts = {name: device_s for name, device_s in (lost | rest).items() if device_s.any()}
        return {"held": self.held, "kept": self.kept} | parts

    def cut_short(self) -> list[str]:
        """Return those of `CUT_SHORT` in which some attempt ended."""
        return [outcome for outcome in CUT_SHORT if self.ended(outcome).any()]

    def at(self, name: str) -> Bools:
        """Say which attempts were on a pool or offer."""
        return self._is("where", name)

    def ended(self, outcome: str) -> Bools:
        """Say which attempts ended so."""
        return self._is("outcome", outcome)

    def within(self, start_s: int, end_s: int) -> Floats:
        """Return the share of each attempt's time in a window; what it came to is spread evenly over it."""
        inside = np.minimum(self.end_s, end_s) - np.maximum(self.alloc_s, start_s)
        length = np.maximum(1, self.end_s - self.alloc_s)
        return np.asarray(np.clip(inside, 0, None) / length)

    def of_jobs(self, job_id: Array, value: Array) -> Array:
        """Sum up a value of attempts by job, in the order of `job_id`."""
        return np.bincount(rows_of(job_id, self.job_id), weights=value, minlength=len(job_id))

    def _is(self, name: str, word: str) -> Bools:
        return is_word(self._words.column(name), word)


def _killed(run: Run) -> Any:
    jobs = run.table("jobs", ["job_id", "state"])
    return jobs.column("job_id").to_numpy()[is_word(jobs.column("state"), "killed")]
