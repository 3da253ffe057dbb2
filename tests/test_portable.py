"""Exponentials and logarithms of basic arithmetic: right to the last bits, and the same bits everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest

from traces import portable
from traces.arrays import Floats

RNG = np.random.default_rng(1)
NEAR, FAR = RNG.uniform(-1e-3, 1e-3, 300), RNG.uniform(-3, 3, 300)
POSITIVE = np.concatenate([RNG.random(300), 10.0 ** RNG.uniform(-300, 300, 300), 1 + NEAR])


def units_off(found: Floats, wanted: list[Decimal]) -> float:
    """The largest error, in units in the last place."""
    return max(
        float(abs(Decimal(here) - exact) / Decimal(math.ulp(float(exact))))
        for here, exact in zip(found.tolist(), wanted, strict=True)
    )


CASES: list[tuple[Callable[[Floats], Floats], Callable[[Decimal], Decimal], Floats]] = [
    (portable.exp, Decimal.exp, np.concatenate([NEAR, FAR, RNG.uniform(-700, 709, 300)])),
    (portable.expm1, lambda x: x.exp() - 1, np.concatenate([NEAR, FAR])),
    (portable.log, Decimal.ln, POSITIVE),
]


@pytest.mark.parametrize(("function", "exact", "arguments"), CASES, ids=["exp", "expm1", "log"])
def test_results_are_right_to_three_units_in_the_last_place(
    function: Callable[[Floats], Floats], exact: Callable[[Decimal], Decimal], arguments: Floats
) -> None:
    with localcontext(prec=60):
        wanted = [exact(Decimal(argument)) for argument in arguments.tolist()]
        assert units_off(function(arguments), wanted) < 3


def test_plain_numbers_and_ends() -> None:
    assert portable.exp(0.0) == portable.power(np.array([1.0]), 7.0)[0] == 1
    assert portable.expm1(0.0) == portable.log(1.0) == 0
    assert portable.exp(-1e9) == 0
    with np.errstate(over="ignore"):
        assert portable.exp(1e9) == math.inf
    assert portable.power(np.array([0.5, 4.0]), 1.5) == pytest.approx([0.5**1.5, 8.0], rel=1e-14)


def test_drawn_numbers_are_numpys_on_a_grid() -> None:
    for name in ("standard_normal", "standard_exponential"):
        ours = getattr(portable, name)(np.random.default_rng(2), 1000)
        numpys = getattr(np.random.default_rng(2), name)(1000)
        assert (ours * 2**40 % 1 == 0).all()
        assert np.abs(ours - numpys).max() <= 2**-41
