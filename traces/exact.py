"""Numbers as they are written, so that what is equal on paper is equal here.

A float is only near most decimals: 3 x 0.1 is a little more than 0.3. Where ties matter, sums are made of the
decimals themselves and become a float at the very end, rounded once: equal ones become equal floats.
"""

from __future__ import annotations

from decimal import Decimal


def as_decimal(number: float) -> Decimal:
    """Return the shortest decimal that is read as this float: 0.1 for 0.1."""
    return Decimal(repr(number))
