"""Recordings of how many nodes of an offer could be had.

The format is that of the spot traces of Wu et al., "Can't be late" (NSDI 2024): JSON with
`metadata.gap_seconds`, the length of a tick, and `data`, the nodes at each tick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from traces.errors import cannot_read
from traces.files import TEXT_BYTES, read_bytes


class RecordingError(ValueError):
    """A recording that breaks a rule; names the file, the key and what is allowed, but quotes nothing."""


class _Metadata(Struct, frozen=True):
    gap_seconds: Annotated[int, Meta(ge=1, le=10**6)]


class Recording(Struct, frozen=True):
    """A recording: the nodes that could be had at each tick."""

    metadata: _Metadata
    data: Annotated[list[Annotated[int, Meta(ge=0, le=10**6)]], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if not any(self.data):
            raise ValueError("data: all 0: must have a node at some tick")


def recorded_most(path: Path | str) -> int:
    """Return the most nodes that a recording ever has; raises RecordingError."""
    return max(read_recording(path).data)


def read_recording(path: Path | str) -> Recording:
    """Read a recording; raises RecordingError."""
    try:
        raw = msgspec.json.decode(read_bytes(path, TEXT_BYTES))
    except OSError as error:
        raise RecordingError(cannot_read(path, error)) from None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RecordingError(f"{path}: not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise RecordingError(f"{path}: must be an object with `metadata` and `data`")
    try:
        return msgspec.convert(raw, Recording)
    except msgspec.ValidationError as error:
        rule, _, place = str(error).partition(" - at `$.")
        named = f"{place.rstrip('`')}: " if place else ""
        raise RecordingError(f"{path}: {named}{rule.replace('Expected', 'must be')}") from None
