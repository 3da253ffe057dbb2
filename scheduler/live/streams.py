"""Random streams of live sources, keyed by (seed, what, whose)."""

from __future__ import annotations

from traces.streams import Stream, streams


def live_streams(seed: int, what: str, whose: str) -> Stream:
    """Return the streams of one segment or campaign of a sort of source, the same under every policy."""
    return streams(seed, f"live {what}", whose)
