"""roadmap.json: the answer of a roadmap as it is printed with `--json`, and what it rests on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from scheduler.report.documents.roadmaps import RoadmapDocument
from scheduler.stock.grounds import Grounds
from scheduler.study.plan.candidates import PlanError
from traces.files import read_bytes, written_whole

ROADMAP_FILE = "roadmap.json"


class KeptRoadmap(NamedTuple):
    """The answer of a roadmap, and its grounds."""

    answer: RoadmapDocument
    grounds: Grounds


def write_roadmap(folder: Path, kept: KeptRoadmap) -> None:
    """Write roadmap.json, which appears only once it is whole."""
    plain = {"answer": json.loads(kept.answer.text()), "grounds": msgspec.to_builtins(kept.grounds)}
    with written_whole(folder / ROADMAP_FILE) as file:
        file.write(msgspec.json.encode(plain))


def read_roadmap(folder: Path | os.PathLike[str]) -> KeptRoadmap:
    """Return the roadmap of a folder; raises PlanError where its file is damaged, and OSError."""
    file = Path(folder) / ROADMAP_FILE
    try:
        told = msgspec.json.decode(read_bytes(file))
        return KeptRoadmap(
            msgspec.convert(told["answer"], RoadmapDocument), msgspec.convert(told["grounds"], Grounds)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{file}: is damaged, make the roadmap again: {error}") from None
