"""What replications of a log are, in words."""

from __future__ import annotations

from pathlib import Path

from scheduler.study.cells.log import LogDraws
from traces.numbers import count, shortest


def draw_lines(log: LogDraws, seeds: range, days: float) -> list[str]:
    """Say what seeds draw of a log, for runs of so many days, and what intervals know of."""
    blocks, asked = log.blocks, log.resampling
    more = [f"{asked.scale:g} times its jobs"] * (asked.scale != 1)
    more += [f"{asked.growth:g} times as many a year on"] * (asked.growth != 1)
    width = f"{_times(blocks.whole, blocks.block)} make them, and more seeds do not narrow them;"
    if log.drawn.freedom(len(seeds)) < log.drawn.free:
        width = f"{len(seeds)} seeds of {_times(blocks.whole, blocks.block)} make them;"
    return [
        f"{len(seeds)} common seeds from {seeds[0]} on, {shortest(days)} days each, "
        f"drawn from {Path(log.name).name}: for each",
        f"{_times(asked.places, blocks.block)} in a row, with replacement, of the {count(blocks.whole)} "
        f"whole ones that the log has{''.join(f'; {one}' for one in more)};",
        f"intervals are as wide as {width}",
        f"what reaches from one {blocks.block} into the next is cut there",
    ]


def _times(number: int, block: str) -> str:
    return f"{count(number)} {block}{'s' * (number != 1)}"
