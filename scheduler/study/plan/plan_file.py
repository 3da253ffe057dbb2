"""plan.json: what a search for a plan has found, kept beside its runs, so that a page can be made of it."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from scheduler.stock.grounds import Grounds
from scheduler.study.plan.candidates import PlanError
from scheduler.study.plan.plan import Plan
from traces.files import read_bytes, written_whole

PLAN_FILE = "plan.json"


class KeptPlan(NamedTuple):
    """A plan, and what it rests on."""

    plan: Plan
    grounds: Grounds


def write_plan(folder: Path, kept: KeptPlan) -> None:
    """Write plan.json, which appears only once it is whole. A wait without an end is null."""
    with written_whole(folder / PLAN_FILE) as file:
        file.write(msgspec.json.encode(kept, enc_hook=_plain))


def read_plan(folder: Path | os.PathLike[str]) -> KeptPlan:
    """Return the plan of a folder; raises PlanError where its file is damaged, and OSError."""
    file = Path(folder) / PLAN_FILE
    try:
        told = msgspec.json.decode(read_bytes(file))
        return msgspec.convert(_with_no_ends(told), KeptPlan, dec_hook=_made)
    except ValueError as error:
        raise PlanError(f"{file}: is damaged, make the plan again: {error}") from None


def _plain(value: Any) -> list[int]:
    """Return a range as JSON has it."""
    assert isinstance(value, range)
    return [value.start, value.stop]


def _made(kind: type, value: Any) -> range:
    if kind is not range or not isinstance(value, list):
        raise NotImplementedError(kind)
    return range(*value)


def _with_no_ends(told: Any) -> Any:
    """Put the waits without an end back, wherever samples stand."""
    if isinstance(told, dict):
        waits = told.get("wait_s")
        if isinstance(waits, list):
            return told | {"wait_s": [inf if wait is None else wait for wait in waits]}
        return {key: _with_no_ends(value) for key, value in told.items()}
    return [_with_no_ends(value) for value in told] if isinstance(told, list) else told
