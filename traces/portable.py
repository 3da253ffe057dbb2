"""Exponentials and logarithms with the same bits on every processor.

numpy takes other routines for `exp`, `log` and `power` where a processor has AVX-512, and the C library
others where it has fused multiply-add: their last bits differ. These take sums, products, quotients and
powers of two alone, which IEEE 754 rounds in one way; they are right to about two units in the last place.
"""

from __future__ import annotations

from itertools import accumulate
from math import frexp, ldexp, sqrt

import numpy as np

from traces.arrays import Floats

_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62E42FEE00000p-1"), float.fromhex("0x1.A39EF35793C76p-33")
"""Their sum is ln 2; the first has so few bits that whole multiples are exact (Cody and Waite, 1980)."""
_TAYLOR = [1 / factorial for factorial in accumulate(range(1, 15), lambda product, n: product * n)]
"""1/1!, 1/2! ...; the first that is left out is below 1e-17 where the argument is at most ln(2) / 2."""
_ATANH = [2 / odd for odd in range(1, 25, 2)]
_SQRT_HALF = sqrt(0.5)
_BEYOND = 1500.0
"""From here on exp is infinite, or 0."""
_TAIL_GRID = 2.0**40


def exp(x: Floats | float) -> Floats:
    """Return e^x."""
    twos, rest = _reduced(x)
    return np.asarray(np.ldexp(1 + rest, twos))


def expm1(x: Floats | float) -> Floats:
    """Return e^x - 1, as precise near 0 as elsewhere."""
    twos, rest = _reduced(x)
    return np.asarray(np.ldexp(rest, twos) + (np.ldexp(1.0, twos) - 1))


def log(x: Floats | float) -> Floats:
    """Return the natural logarithm of numbers above 0: 2 atanh((m - 1) / (m + 1)) of the mantissa m."""
    mantissa, twos = np.frexp(x)
    small = mantissa < _SQRT_HALF
    mantissa, twos = np.where(small, 2 * mantissa, mantissa), twos - small
    ratio = (mantissa - 1) / (mantissa + 1)
    return np.asarray(twos * _LN2_HIGH + (ratio * _polynomial(_ATANH, ratio * ratio) + twos * _LN2_LOW))


def log_of(x: float) -> float:
    """Return the natural logarithm of one number above 0: the bits of `log`, without an array's cost."""
    mantissa, twos = frexp(x)
    if mantissa < _SQRT_HALF:
        mantissa, twos = 2 * mantissa, twos - 1
    ratio = (mantissa - 1) / (mantissa + 1)
    value = ratio * _polynomial_of(_ATANH, ratio * ratio)
    return twos * _LN2_HIGH + (value + twos * _LN2_LOW)


def exp_of(x: float) -> float:
    """Return e^x of one number: the bits of `exp`, but for an error where it is beyond all floats."""
    twos, rest = _reduced_of(x)
    return ldexp(1 + rest, twos)


def expm1_of(x: float) -> float:
    """Return e^x - 1 of one number: the bits of `expm1`."""
    twos, rest = _reduced_of(x)
    return ldexp(rest, twos) + (ldexp(1.0, twos) - 1)


def power(x: Floats, exponent: float) -> Floats:
    """Return x^exponent of numbers above 0."""
    return exp(exponent * log(x))


def standard_normal(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
    """Draw normal numbers on a grid of 2^-40: numpy draws the far tail with the C library's logarithm."""
    return np.asarray(np.rint(rng.standard_normal(shape) * _TAIL_GRID) / _TAIL_GRID)


def standard_exponential(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
    """Draw exponential numbers of mean 1, likewise."""
    return np.asarray(np.rint(rng.standard_exponential(shape) * _TAIL_GRID) / _TAIL_GRID)


def _reduced(x: Floats | float) -> tuple[Floats, Floats]:
    """Return k and e^r - 1, where x = k ln 2 + r with r at most ln(2) / 2 by size."""
    near = np.clip(x, -_BEYOND, _BEYOND)
    twos = np.rint(near / (_LN2_HIGH + _LN2_LOW))
    rest = (near - twos * _LN2_HIGH) - twos * _LN2_LOW
    return twos.astype(np.int32), rest * _polynomial(_TAYLOR, rest)


def _reduced_of(x: float) -> tuple[int, float]:
    near = max(-_BEYOND, min(x, _BEYOND))
    twos = round(near / (_LN2_HIGH + _LN2_LOW))
    rest = (near - twos * _LN2_HIGH) - twos * _LN2_LOW
    return twos, rest * _polynomial_of(_TAYLOR, rest)


def _polynomial(coefficients: list[float], x: Floats) -> Floats:
    """Evaluate c0 + c1 x + c2 x^2 ... (Horner)."""
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value *= x
        value += coefficient
    return value


def _polynomial_of(coefficients: list[float], x: float) -> float:
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value
