"""The loop in a run: clips fill a buffer, a campaign trains on them, and what passes is shipped."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

import numpy as np

from scheduler.engine.log.outcomes import FINISHED
from scheduler.live.loop.road import Road, RoadHour, RoadModel, interventions
from scheduler.live.source import Ask
from scheduler.live.streams import live_streams
from scheduler.scenario import LoopSpec
from traces.arrays import Floats
from traces.dated import points_of
from traces.interpolation import linear
from traces.times import DAY_S, HOUR_S

TRAIN, EVALUATE = range(2)
STAGES = ("train", "evaluate")


@dataclass(slots=True)
class Campaign:
    """A release on its way, from its data to the road."""

    number: int
    cut_s: int
    clips: int
    pflop_days: float
    per_mile: float
    """Interventions, once it is on the road."""
    came: list[tuple[int, int]] = field(default_factory=list)
    """(second, clips that came then), of its own and of campaigns that did not pass before it."""
    trained_s: int | None = None
    gated_s: int | None = None
    shipped_s: int | None = None
    fate: str = "open"


class FleetLoop:
    """A live source; campaigns may overlap, so waits never hold back the data of the next."""

    def __init__(self, spec: LoopSpec, seed: int, start_s: int, end_s: int, epoch: datetime) -> None:
        self._spec, self._seed, self._end_s = spec, seed, end_s
        self.owners: Sequence[str] = [spec.name]
        self.campaigns: list[Campaign] = []
        first = RoadModel(start_s, start_s - ceil(spec.ota_h * HOUR_S), interventions(spec.effect, 0, 0))
        self.road = Road(first, ceil(spec.ota_h * HOUR_S))
        self.hours: list[RoadHour] = []
        self._tick_s = start_s
        self._cut_s = start_s - round(spec.since_days * DAY_S)
        self._carried = 0.0
        self._trained_clips = 0
        self._pflop_days = 0.0
        self._due: deque[tuple[int, int]] = deque()
        self._passes = live_streams(seed, "loop", spec.name)
        a_unit = spec.miles_per_unit_day * spec.clips_per_mile * spec.curation_share
        ends_s = np.arange(start_s, end_s + HOUR_S, HOUR_S, dtype=np.float64)
        self._clips_per_h = a_unit / 24 * _units(spec, epoch, ends_s)
        self._clips = int(self._clips_per_h[0] * 24 * spec.since_days)
        self._came: list[tuple[int, int]] = [(start_s, self._clips)] if self._clips else []
        days = (end_s - start_s) / DAY_S + spec.since_days
        each = spec.trigger_days or max(1.0, spec.trigger_clips or 1.0) / (24 * self._clips_per_h.max())
        self.most = len(STAGES) * (int(min(days / each, days * 24)) + 2)

    def next_s(self) -> int | None:
        """Return the next full hour, or when an evaluation is due."""
        due_s = min((at_s for at_s, _ in self._due), default=self._tick_s)
        return min(due_s, self._tick_s) if min(due_s, self._tick_s) < self._end_s else None

    def take(self, now_s: int) -> list[Ask]:
        """Return evaluations that are due, and the training of a campaign that begins now."""
        asks = [self._ask(number, EVALUATE) for at_s, number in self._due if at_s == now_s]
        self._due = deque(due for due in self._due if due[0] > now_s)
        if now_s == self._tick_s:
            self._tick_s += HOUR_S
            self._look(now_s)
            if self._triggered(now_s):
                asks.append(self._begin(now_s))
        return asks

    def _look(self, now_s: int) -> None:
        """Count the clips of the last hour; uploads fall with interventions."""
        per_mile = self.road.per_mile(now_s)
        if self.hours:
            self._carried += float(self._clips_per_h[len(self.hours)]) * per_mile / self._spec.effect.a
            came = int(self._carried + 1e-6)
            self._carried -= came
            self._clips += came
            self._came.append((now_s, came))
        self.hours.append(RoadHour(now_s, per_mile, self.road.age_s(now_s), *self.road.newest(now_s)))

    def _triggered(self, now_s: int) -> bool:
        spec = self._spec
        if spec.trigger_clips is not None:
            return self._clips >= spec.trigger_clips
        return self._clips > 0 and now_s - self._cut_s >= (spec.trigger_days or 0) * DAY_S

    def _begin(self, now_s: int) -> Ask:
        """Cut off the data of a campaign, and train."""
        spec, number = self._spec, len(self.campaigns)
        self._trained_clips += self._clips
        self._pflop_days += self._clips * spec.device_h_per_clip * spec.pflops_per_device / 24
        per_mile = interventions(spec.effect, self._pflop_days, self._trained_clips)
        campaign = Campaign(number, now_s, self._clips, self._pflop_days, per_mile, self._came)
        self.campaigns.append(campaign)
        self._clips, self._came, self._cut_s = 0, [], now_s
        return self._ask(number, TRAIN)

    def _ask(self, number: int, stage: int) -> Ask:
        spec, campaign = self._spec, self.campaigns[number]
        work_s = campaign.clips * spec.device_h_per_clip * HOUR_S
        run_s = max(1, ceil(work_s / spec.gang)) if stage == TRAIN else ceil(spec.evaluation_h * HOUR_S)
        return Ask(
            tag=len(STAGES) * number + stage,
            runtime_s=run_s,
            gang=spec.gang if stage == TRAIN else spec.evaluation_gang,
            estimate_s=run_s,
            workload="loop",
            kind=f"loop.{STAGES[stage]}",
            owner=spec.name,
            queue="loop",
            residency="any",
        )

    # what it hears

    def started(self, tag: int, now_s: int) -> None:
        """It goes by ends alone."""

    def ended(self, tag: int, outcome: int, now_s: int) -> None:
        """Let a campaign go on, or be lost."""
        campaign = self.campaigns[tag // len(STAGES)]
        if outcome != FINISHED:
            self._fail(campaign, "lost")
        elif tag % len(STAGES) == TRAIN:
            campaign.trained_s = now_s
            self._due.append((now_s, campaign.number))
        else:
            campaign.gated_s = now_s
            drawn = float(self._passes(f"gate {campaign.number}").random())
            if drawn >= self._spec.pass_probability:
                self._fail(campaign, "failed")
            else:
                self._ship(campaign, now_s)

    def _fail(self, campaign: Campaign, fate: str) -> None:
        """Hand its data to the next campaign that is not over."""
        campaign.fate = fate
        after = (one for one in self.campaigns[campaign.number + 1 :] if one.fate == "open")
        heir = next(after, None)
        (self._came if heir is None else heir.came)[:0] = campaign.came
        campaign.came = []

    def _ship(self, campaign: Campaign, now_s: int) -> None:
        """Put it on the road, with the data of all that came before it, unless a later one is there."""
        if any(one.fate == "shipped" for one in self.campaigns[campaign.number :]):
            campaign.fate = "superseded"
            return
        campaign.fate, campaign.shipped_s = "shipped", now_s
        for before in self.campaigns[: campaign.number]:
            if before.fate == "open":
                campaign.came[:0] = before.came
                before.came = []
        self.road.ship(RoadModel(campaign.cut_s, now_s, campaign.per_mile, campaign.number))


def _units(spec: LoopSpec, epoch: datetime, at_s: Floats) -> Floats:
    """Return how many units there are at some seconds."""
    if isinstance(spec.units, tuple):
        return linear(points_of(spec.units), epoch, at_s)
    return np.full(len(at_s), spec.units)
