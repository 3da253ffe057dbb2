"""What a key is given within a cell, as 8 for gres/gpu in cpu=64,gres/gpu=8."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_ANY, _VALUE = "[^=:,;]+", "[^,;]*"
"""What a star stands for, and what a key is given."""


def of_key(text: pa.StringArray, key: str, *, name: bool = False) -> pa.StringArray:
    """Return what a key is given in texts as a=1,b=2, or a:1,b:2 where there is no =; "" for nothing.

    A `*` in a key is any text; where `name`, that text itself is returned. A key between slashes is a regular
    expression for the part that is meant.
    """
    if len(key) > 1 and key.startswith("/") and key.endswith("/"):
        return _found(text, f"(?P<value>{key[1:-1]})")
    with_equals, with_colon = (_given(text, key, sign, name=name and "*" in key) for sign in "=:")
    return pc.if_else(pc.match_substring(text, "="), with_equals, with_colon)


def _given(text: pa.StringArray, key: str, sign: str, *, name: bool) -> pa.StringArray:
    first, *others = (_literal(part) for part in key.split("*"))
    if others:
        first += (f"(?P<value>{_ANY})" if name else _ANY) + _ANY.join(others)
    value = _VALUE if name else f"(?P<value>{_VALUE})"
    return _found(text, rf"(?:^|[,;\s])\s*{first}\s*{sign}\s*{value}")


def _literal(text: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text)


def _found(text: pa.StringArray, pattern: str) -> pa.StringArray:
    return pc.fill_null(pc.struct_field(pc.extract_regex(text, pattern), "value"), "")
