"""Parked cars in a run: shards are done, lost at unplugging and done again, or late and given back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from scheduler.engine.jobs import Job
from scheduler.live.source import Ask
from scheduler.live.streams import live_streams
from scheduler.run.edge_worth import loss, shard_s
from scheduler.scenario import EdgeSpec
from traces.times import HOUR_S


@dataclass(slots=True)
class ShardBatch:
    """A job that was taken, in results still to come; each is a shard done so often as is asked."""

    job: Job
    results: int
    left: int
    due_s: int


class ParkedCars:
    """A live source: it takes jobs of its kinds, and submits what is late."""

    def __init__(
        self, spec: EdgeSpec, seed: int, span_s: tuple[int, int], midnight_s: int, jobs: int
    ) -> None:
        self.spec, self._midnight_s = spec, midnight_s
        (self._start_s, self._end_s), self.most = span_s, jobs
        self.owners: Sequence[str] = []
        self._streams = live_streams(seed, "edge", spec.name)
        self._length_s, self._loss = shard_s(spec), loss(spec)
        self._takes_from_s = span_s[0] + round(spec.from_h * HOUR_S)
        self._tick_s = span_s[0] + HOUR_S
        self._batches: deque[ShardBatch] = deque()
        self._late: list[tuple[int, Ask]] = []
        self._carried_s = self._replicas = 0.0
        self.asked = self.late = 0
        self.hours: list[dict[str, Any]] = []

    def takes(self, job: Job) -> bool:
        """Say whether it takes a job, which then is its own."""
        if job.kind not in self.spec.kinds or job.after is not None or job.submit_s < self._takes_from_s:
            return False
        pflop = job.gang * job.runtime_s * self.spec.pflops_per_device
        results = ceil(pflop / self.spec.shard_pflop)
        due_s = job.submit_s + round(self.spec.deadline_h * HOUR_S)
        self._batches.append(ShardBatch(job, results, results, due_s))
        self.asked += results
        return True

    def next_s(self) -> int | None:
        """Return the next full hour of the run."""
        return self._tick_s if self._tick_s < self._end_s else None

    def take(self, now_s: int) -> list[Ask]:
        """Do the work of the last hour; return what is late by now."""
        hour = (now_s - self._start_s) // HOUR_S - 1
        self._tick_s += HOUR_S
        row = self._work(hour, now_s)
        late = [batch for batch in self._batches if batch.due_s <= now_s]
        self._batches = deque(batch for batch in self._batches if batch.due_s > now_s)
        row["late"] = sum(batch.left for batch in late)
        self.late += row["late"]
        self.hours.append(row)
        return [self._back(batch) for batch in late]

    def _work(self, hour: int, now_s: int) -> dict[str, Any]:
        """Return a row of edge.parquet: cars there and at work, shards done and lost."""
        spec, length_s = self.spec, self._length_s
        parked = spec.parked_by_hour[(now_s - HOUR_S + self._midnight_s) // HOUR_S % 24]
        draws = self._streams(f"hour {hour}")
        available = int(draws.binomial(spec.cars, parked * spec.wired_share * spec.opt_in))
        wanted = max(0, self.waiting() * spec.replication - int(self._replicas))
        cars = min(available, wanted)
        seconds = cars * HOUR_S + self._carried_s
        tries = min(int(seconds / length_s), ceil(wanted / max(1e-12, 1 - self._loss)))
        self._carried_s = min(seconds - tries * length_s, length_s) if cars else 0.0
        lost = int(draws.binomial(tries, self._loss)) if tries else 0
        done = min(tries - lost, wanted)
        results, self._replicas = divmod(done + self._replicas, spec.replication)
        self._give(int(results))
        busy_h = tries * length_s / HOUR_S
        return {
            "edge": spec.name,
            "time_s": now_s - HOUR_S,
            "available": available,
            "busy_car_h": busy_h,
            "done": int(results),
            "lost": lost,
            "kwh": busy_h * spec.w / 1_000,
            "gb": tries * spec.shard_gb,
            "usd": busy_h * spec.usd_per_car_h,
        }

    def _give(self, results: int) -> None:
        """Count results for the batches, first come, first served."""
        while results and self._batches:
            batch = self._batches[0]
            taken = min(results, batch.left)
            batch.left -= taken
            results -= taken
            if not batch.left:
                self._batches.popleft()

    def _back(self, batch: ShardBatch) -> Ask:
        job = batch.job
        runtime_s = max(1, ceil(job.runtime_s * batch.left / batch.results))
        return Ask(
            tag=job.job_id,
            runtime_s=runtime_s,
            gang=job.gang,
            estimate_s=max(1, ceil(job.estimate_s * batch.left / batch.results)),
            workload=job.workload,
            kind=job.kind,
            owner=job.owner,
            queue="edge",
            priority=job.priority,
            residency="any" if job.shape.rented else "owned",
            input_tb=job.input_tb,
        )

    def waiting(self) -> int:
        """Return the results that are still to come."""
        return sum(batch.left for batch in self._batches)

    def started(self, tag: int, now_s: int) -> None:
        """It does not care what becomes of late work."""

    def ended(self, tag: int, outcome: int, now_s: int) -> None:
        """Nor of how it ends."""
