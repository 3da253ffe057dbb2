"""What became of the devices that were held: work that counts, and what everything else cost.

Goodput is the share of device time that went into work which is kept; what was lost and must be done again,
written into checkpoints or spent on starting is held, but no goodput.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scheduler.run.directory import Run
from traces.arrays import Bools, Floats, Ints, is_word

CUT_SHORT = ("failed", "reclaimed", "preempted", "migrated", "killed")
"""Outcomes of attempts that ended before their work was done."""

_NUMBERS = ("job_id", "devices", "used", "alloc_s", "end_s", "kept_s", "checkpointing_s", "lost_device_s")
_COLUMNS = [*_NUMBERS, "where", "rented", "start_s", "outcome"]


class DeviceTime:
    """The attempts of a run by column: the device-seconds that they held, and what became of them, exactly.

    `held` is `unused`, devices of a rented size that is larger than the gang, and of the others `starting`
    (booting, staging, restarting: all that comes before the work) + `checkpoints` + `lost` + `given_up` +
    `kept`. What a job did and kept is `given_up` if the job was killed in the end. Devices that send results
    home over a link are counted as working. Each is worked out when it is asked for: of a million attempts,
    all of them together are more than the columns that they come from.
    """

    def __init__(self, run: Run) -> None:
        pods = run.table("attempts", ["pods"]).column("pods")  # the largest column: let go of before the rest
        self.spans: Bools = pc.greater(pc.list_value_length(pods), 1).to_numpy()
        del pods
        attempts = run.table("attempts", _COLUMNS)
        told = {name: _whole(attempts.column(name)) for name in _NUMBERS}
        self.job_id, self.kept_s = told["job_id"], told["kept_s"]
        self.alloc_s, self.end_s = told["alloc_s"], told["end_s"]
        self.rented: Bools = attempts.column("rented").to_numpy()
        self._words = attempts.select(["where", "outcome"])
        self.start_s: Ints = pc.coalesce(attempts.column("start_s"), attempts.column("end_s")).to_numpy()
        self._devices, self._used = (told[name].astype(np.int32) for name in ("devices", "used"))
        self._checkpointing_s, self.lost = told["checkpointing_s"], told["lost_device_s"]
        self._killed = _killed(run) if run.description["jobs"]["killed"] else np.empty(0, np.int64)

    @property
    def used(self) -> Ints:
        """Devices that work."""
        return self._used.astype(np.int64)

    @property
    def held(self) -> Ints:
        """Device-seconds that were held."""
        return self._devices * (self.end_s - self.alloc_s)

    @property
    def unused(self) -> Ints:
        """Of devices of a rented size that is larger than the gang."""
        return (self._devices - self._used) * (self.end_s - self.alloc_s)

    @property
    def starting(self) -> Ints:
        """Of what comes before the work."""
        return self._used * (self.start_s - self.alloc_s)

    @property
    def checkpoints(self) -> Ints:
        """Of writing checkpoints."""
        return self._used * self._checkpointing_s

    @property
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

    def _is(self, name: str, word: str) -> Bools:
        return is_word(self._words.column(name), word)


def _whole(column: pa.ChunkedArray) -> Ints:
    """Return a column of numbers as int64; one that is 0 throughout takes no memory."""
    numbers = np.asarray(column.to_numpy().astype(np.int64, copy=False))
    return numbers if numbers.any() else np.broadcast_to(np.int64(0), len(numbers))


def _killed(run: Run) -> Any:
    jobs = run.table("jobs", ["job_id", "state"])
    return jobs.column("job_id").to_numpy()[is_word(jobs.column("state"), "killed")]
