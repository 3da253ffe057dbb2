"""What a key is given within a cell, as 8 for gres/gpu in cpu=64,gres/gpu=8."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def of_key(text: pa.StringArray, key: str) -> pa.StringArray:
    """Return what a key is given in texts as a=1,b=2, or a:1,b:2 where there is no =; "" for nothing.

    A key between slashes is a regular expression for the part that is meant.
    """
    if len(key) > 1 and key.startswith("/") and key.endswith("/"):
        return _part(text, key[1:-1])
    with_equals = _given(text, key, "=")
    return pc.if_else(pc.match_substring(text, "="), with_equals, _given(text, key, ":"))


def _part(text: pa.StringArray, pattern: str) -> pa.StringArray:
    """Return the part of texts that is like a regular expression, "" where none is."""
    return pc.fill_null(pc.struct_field(pc.extract_regex(text, f"(?P<value>{pattern})"), "value"), "")


def _given(text: pa.StringArray, key: str, sign: str) -> pa.StringArray:
    pattern = rf"(?:^|[,;\s])\s*{_literal(key)}\s*{sign}\s*(?P<value>[^,;]*)"
    return pc.fill_null(pc.struct_field(pc.extract_regex(text, pattern), "value"), "")


def _literal(text: str) -> str:
    """Return a pattern for a key, in which * is any text."""
    return "".join(
        letter if letter.isalnum() else "[^=:,;]+" if letter == "*" else f"\\{letter}" for letter in text
    )
