"""Changes that were looked at and are no faults: they change nothing that could be noticed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from benchmarks.mutants.changes import Mutant

KINDS = {
    "same": "gives the same values, by arithmetic or by what the types allow",
    "never": "differs only in what cannot happen",
    "speed": "gives the same later or earlier",
    "tie": "decides between what is worth the same",
}
"""Why a change is none."""

Key = tuple[str, str, str]


class Judgement(NamedTuple):
    """Why a change is none: a word of `KINDS`, and a sentence."""

    kind: str
    because: str


def judged() -> dict[Key, Judgement]:
    """Return what was judged, by file, statement and change."""
    entries = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    return {
        (file, entry["statement"], change): Judgement(entry["kind"], entry["because"])
        for file, found in entries.items()
        for entry in found
        for change in entry["changes"]
    }


def key(mutant: Mutant) -> Key:
    """Return by what a change is found again, though lines move."""
    return mutant.file, mutant.statement, mutant.change
