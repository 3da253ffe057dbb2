"""What replications of a log are, in words."""

from __future__ import annotations

from pathlib import Path

from scheduler.study.cells.log import LogDraws
from traces.numbers import count, shortest


def draw_lines(log: LogDraws, seeds: str, days: float) -> list[str]:
    """Say what seeds draw of a log, for runs of so many days, and what intervals know of."""
    blocks, asked = log.blocks, log.resampling
    more = [f"{asked.scale:g} times its jobs"] * (asked.scale != 1)
    more += [f"{asked.growth:g} times as many a year on"] * (asked.growth != 1)
    return [
        f"{seeds}, {shortest(days)} days each, drawn from {Path(log.file).name}: for each",
        f"{_times(asked.places, blocks.block)} in a row, with replacement, of the {count(blocks.whole)} "
        f"whole ones that the log has{''.join(f'; {one}' for one in more)};",
        f"intervals are as wide as {_times(blocks.whole, blocks.block)} make them, and more seeds do not "
        "narrow them;",
        f"what reaches from one {blocks.block} into the next is cut there",
    ]


def _times(number: int, block: str) -> str:
    return f"{count(number)} {block}{'s' * (number != 1)}"
