"""Which model the fleet drives with, hour by hour."""

from __future__ import annotations

from typing import NamedTuple

from scheduler.scenario import EffectSpec
from traces import portable


class RoadModel(NamedTuple):
    """What is on the road."""

    cut_s: int
    """When the last of its data came in."""
    shipped_s: int
    per_mile: float
    """Interventions."""
    campaign: int | None = None
    """None: the model of the start."""


class RoadHour(NamedTuple):
    """The fleet at a full hour, in the columns of loop_hours.parquet."""

    time_s: int
    interventions_per_mile: float
    age_s: float
    """Of the data of the models on the road."""
    newest: int | None
    """Campaign of the newest model on the road."""
    newest_share: float


def interventions(effect: EffectSpec, pflop_days: float, clips: float) -> float:
    """Return the interventions a mile of a model that was trained with so much in all."""
    compute = _power(1 + pflop_days / effect.start_pflop_days, effect.b)
    return effect.a * compute * _power(1 + clips / effect.start_clips, effect.c)


def _power(base: float, exponent: float) -> float:
    return float(portable.exp(-exponent * portable.log(base)))


class Road:
    """The models shipped so far, each of which reaches the fleet alike in every second of its roll-out."""

    def __init__(self, first: RoadModel, ota_s: int) -> None:
        self._models, self._ota_s = [first], ota_s

    def ship(self, model: RoadModel) -> None:
        """Let a model reach the fleet from now on."""
        self._models.append(model)

    def shares(self, now_s: int) -> list[tuple[RoadModel, float]]:
        """Return which share of the fleet drives with which model."""
        left, found = 1.0, []
        for model in reversed(self._models):
            since_s = now_s - model.shipped_s
            reached = 1.0 if since_s >= self._ota_s else since_s / self._ota_s
            if reached > 0:
                found.append((model, left * reached))
                left *= 1 - reached
            if left <= 0:
                break
        return found

    def newest(self, now_s: int) -> tuple[int | None, float]:
        """Return the campaign of the newest model on the road, and the share of the fleet that has it."""
        model, share = self.shares(now_s)[0]
        return model.campaign, share

    def per_mile(self, now_s: int) -> float:
        """Return the interventions a mile over the fleet."""
        return sum(share * model.per_mile for model, share in self.shares(now_s))

    def age_s(self, now_s: int) -> float:
        """Return how old the data of the models on the road are, over the fleet."""
        return sum(share * (now_s - model.cut_s) for model, share in self.shares(now_s))
