"""What is logged of loops: loop.parquet, a row a campaign, and loop_hours.parquet, a row an hour."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
import pyarrow as pa

from scheduler.live.loop.loop import Campaign, FleetLoop
from scheduler.run.live_logs import LOOP, LOOP_HOURS
from scheduler.scenario import LoopSpec
from traces.times import HOUR_S


def releases(specs: Sequence[LoopSpec], loops: Sequence[FleetLoop]) -> pa.Table:
    """Return a row for each campaign of each loop, in order of their data."""
    rows = [
        _row(spec, campaign) for spec, loop in zip(specs, loops, strict=True) for campaign in loop.campaigns
    ]
    return pa.Table.from_pylist(rows, LOOP)


def hours(specs: Sequence[LoopSpec], loops: Sequence[FleetLoop]) -> pa.Table:
    """Return a row for each loop and hour."""
    rows = [
        {"loop": spec.name, **hour._asdict()}
        for spec, loop in zip(specs, loops, strict=True)
        for hour in loop.hours
    ]
    return pa.Table.from_pylist(rows, LOOP_HOURS)


def _row(spec: LoopSpec, campaign: Campaign) -> dict[str, Any]:
    row: dict[str, Any] = {
        "loop": spec.name,
        "campaign": campaign.number,
        "cut_s": campaign.cut_s,
        "clips": campaign.clips,
        "trained_s": campaign.trained_s,
        "gated_s": campaign.gated_s,
        "shipped_s": campaign.shipped_s,
        "fate": campaign.fate,
        "pflop_days": campaign.pflop_days,
        "interventions_per_mile": campaign.per_mile,
    }
    if campaign.shipped_s is not None:
        came = np.array(campaign.came, np.int64).reshape(-1, 2)
        waited = campaign.shipped_s - came[:, 0]
        row |= {
            "everywhere_s": campaign.shipped_s + ceil(spec.ota_h * HOUR_S),
            "shipped_clips": int(came[:, 1].sum()),
            "clip_wait_s": int((waited * came[:, 1]).sum()),
        }
    return row
