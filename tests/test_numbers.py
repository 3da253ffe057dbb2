"""How numbers and tables are written: commas, signs, dashes and alignment, by hand."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from traces import numbers as of
from traces.confidence import BlocksDrawn, halfwidth, halfwidth_of_draws
from traces.tables import markdown, table

WRITTEN = [
    (of.count(1_234_567.4), "1,234,567"),
    (of.count(nan), "-"),
    (of.decimal(1234.5678), "1,234.57"),
    (of.decimal(1234.5678, 1, commas=False), "1234.6"),
    (of.decimal(3, signed=True), "+3.00"),
    (of.decimal(None), "-"),
    (of.ratio(1234.567), "1234.57"),
    (of.count_of(1_000, 2_000), "1,000 of 2,000"),
    (of.percent(0.1234), "12.3%"),
    (of.percent(-0.5, 0, signed=True), "-50%"),
    (of.percent(nan), "-"),
    (of.share_of(1, 0), "-"),
    (of.significant(123_456), "123,000"),
    (of.significant(0.012345, 2), "0.012"),
    (of.significant(inf), "inf"),
    (of.significant(0), "0"),
    (of.significant_percent(0.12345), "12%"),
    (of.shortest(1_234_567), "1.23457e+06"),
    (of.shortest(1_234_567, 10), "1,234,567"),
    (of.error(0), "0e+00"),
    (of.between(1, 2, of.count), "1 to 2"),
    (of.between(1.1, 1.2, of.count), "1"),
    (of.difference(-2, of.count), "-2"),
    (of.difference(0, of.count), "0"),
    (of.difference(-0.004, of.decimal), "0.00"),
    (of.difference(0.4, of.count), "0"),
    (of.money(1_000)(12.345), "12"),
    (of.money(-999)(12.345), "12.35"),
    (of.rounded_usd(1_234_567), "1.23M"),
    (of.rounded_usd(2.5e9), "2.5B"),
    (of.rounded_usd(9.999), "10.00"),
    (of.rounded_usd(1_234), "1,230"),
    (of.rounded_usd(-5.4e6), "-5.4M"),
    (of.rounded_usd(-1_234), "-1,230"),
    (of.rounded_usd(-9.999), "-10.00"),
    (of.hours(5_400, 1), "1.5"),
    (of.hours(None), "-"),
    (of.duration(119), "119 s"),
    (of.duration(120), "2 min"),
    (of.duration(7_200), "2.0 h"),
    (of.duration(7_200_000), "2000.0 h"),
    (of.duration(nan), "-"),
    (of.days(7_200), "2 h"),
    (of.days(86_400), "1 day"),
    (of.days(129_600), "1.5 days"),
]


@pytest.mark.parametrize(("written", "expected"), WRITTEN)
def test_a_number_is_written(written: str, expected: str) -> None:
    assert written == expected


def test_a_terminal_table_puts_columns_of_numbers_to_the_right() -> None:
    assert table(["name", "n"], [["a", "10"], ["long name", "9"]], numbers=[1]).splitlines() == [
        "name        n",
        "a          10",
        "long name   9",
    ]


def test_a_terminal_table_may_align_each_cell_by_itself() -> None:
    assert table(
        ["name", "price", ""], [["a", "2.10", "x"], ["b", "none", ""]], numbers=None
    ).splitlines() == [
        "name  price",
        "a      2.10  x",
        "b     none",
    ]


def test_a_markdown_table_is_aligned_too() -> None:
    assert markdown(("a", "long"), [("1", "2")]) == "| a | long |\n| - | ---- |\n| 1 | 2    |"


def test_a_row_has_as_many_cells_as_the_head() -> None:
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["1"]])


def test_intervals_by_hand() -> None:
    """1 and 3: a deviation of sqrt(2), and 12.7062 is Student's 97.5% for 1 degree of freedom, 4.3027 for 2.

    Drawn from 4 blocks of 3 that are free: the deviation times sqrt(4/3 + 1/3).
    """
    assert halfwidth(np.array([1.0, 3.0])) == pytest.approx(12.7062, abs=1e-4)
    assert halfwidth(np.array([1.0, 2.0, 3.0]), 0.9) == pytest.approx(2.9200 / 3**0.5, abs=1e-4)
    drawn = halfwidth_of_draws(np.array([1.0, 2.0, 3.0]), BlocksDrawn(4.0, 3))
    assert drawn == pytest.approx(4.3027 * (4 / 3 + 1 / 3) ** 0.5, abs=1e-4)
    assert BlocksDrawn(4.0, 3).freedom(9) == 3
