"""A long line finds the first job that is short enough, as one that looks at each in turn does."""

from __future__ import annotations

import random
from collections import namedtuple
from typing import Any

import pytest

from scheduler.engine.line import BLOCK, Line

Asked = namedtuple("Asked", ["turn", "estimate_s"])


def line() -> Line:
    shape: Any = None
    return Line(shape, 1, 0.0)


def entry(score: float, turn: int, estimate_s: int) -> Any:
    return (score, turn, Asked(turn, estimate_s))


@pytest.mark.parametrize("in_order", [True, False], ids=["at the end", "anywhere"])
@pytest.mark.parametrize("seed", range(5))
def test_the_first_that_is_short_enough(seed: int, in_order: bool) -> None:
    """Up to thousands wait, of whom some leave without a word, from the front or from anywhere."""
    rng = random.Random(seed)
    ours, waits = line(), bytearray(20_000)
    all_of_them: list[Any] = []
    for turn in range(9_000):
        new = entry(turn if in_order else rng.random(), turn, int(rng.lognormvariate(7, 2)) + 1)
        ours.push(new)
        all_of_them.append(new)
        waits[turn] = 1
        if rng.random() < (0.3 if turn < 6_000 else 0.97):
            leaves = rng.randrange(turn + 1)
            waits[leaves] = 0
        if rng.random() < 0.02:
            living = sorted(each for each in all_of_them if waits[each[1]])
            limit = rng.choice([1, 50, 1_000, 10**9])
            naive = next((each for each in living if each[2].estimate_s <= limit), None)
            if ours.head(waits) is not None:
                assert ours.within(limit, waits) == naive
            assert ours.head(waits) == (living[0] if living else None)


def test_nobody_is_looked_at_twice_who_cannot_be_the_one() -> None:
    """Whoever has found nobody in a block passes it over, until a shorter job comes there."""
    ours, waits = line(), bytearray(b"\1" * (60 * BLOCK))
    for turn in range(50 * BLOCK):
        ours.push(entry(turn, turn, 100))
    waits[7 * BLOCK] = 0
    looked = 0

    class Counting(bytearray):
        def __getitem__(self, turn: Any) -> Any:
            nonlocal looked
            looked += 1
            return super().__getitem__(turn)

    counting = Counting(waits)
    assert ours.within(99, counting) is None
    assert looked == 0
    ours.push(entry(7.5 * BLOCK, 55 * BLOCK, 9))
    found = ours.within(99, counting)
    assert found is not None
    assert (found[1], looked) == (55 * BLOCK, BLOCK // 2 + 2)  # from the first of its block to it
    waits[55 * BLOCK] = counting[55 * BLOCK] = 0
    assert ours.within(99, counting) is None
    before = looked
    assert ours.within(99, counting) is None
    assert looked == before


@pytest.mark.parametrize("place", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5])
def test_a_newcomer_moves_the_last_of_each_block_to_the_next(place: int) -> None:
    """The only short job stands last in a block; somebody comes before it, and it is found all the same."""
    for block in range(1, 6):
        ours, waits, short = line(), bytearray(b"\1" * 1_000), block * BLOCK - 1
        for turn in range(6 * BLOCK):
            ours.push(entry(turn, turn, 5 if turn == short else 100))
        assert ours.within(4, waits) is None
        ours.push(entry(place - 0.5, 900, 100))
        found = ours.within(5, waits)
        assert found is not None
        assert found[1] == short


def test_a_line_that_is_cut_at_its_front() -> None:
    """Of 1,000 the first 600 leave; whoever is left is found, and whoever comes then."""
    ours, waits = line(), bytearray(b"\1" * 2_000)
    for turn in range(1_000):
        ours.push(entry(turn, turn, 50 if turn in (10, 700) else 100))
    found = ours.within(50, waits)
    assert found is not None
    assert found[1] == 10
    waits[:600] = bytes(600)
    assert ours.head(waits) == entry(600, 600, 100)
    found = ours.within(50, waits)
    assert found is not None
    assert found[1] == 700
    ours.push(entry(650.5, 1_500, 50))
    found = ours.within(50, waits)
    assert found is not None
    assert found[1] == 1_500
    waits[600:1_000] = bytes(400)
    assert ours.pop(waits) == entry(650.5, 1_500, 50)
    waits[1_500] = 0
    assert ours.head(waits) is None
    assert ours.entries == []
