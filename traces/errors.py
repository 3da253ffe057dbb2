"""What is wrong with a TOML document, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from msgspec import Struct


def explain(message: str, raw: Mapping[str, Any], models: Iterable[type[Struct]]) -> str:
    """Put the key and its value first, and name the nearest key of the models where one is unknown."""
    text, _, place = message.partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    if "unknown field" in text:
        wrong = text.split("`")[1]
        known = sorted({key for model in models for key in model.__struct_fields__})
        near = get_close_matches(wrong, known, 1)
        return f"unknown key {key + '.' if key else ''}{wrong}" + (
            f"; did you mean {near[0]}?" if near else ""
        )
    value: Any = raw
    for name, number in re.findall(r"([a-z_]+)|\[(\d+)\]", key):
        value = value[name] if name else value[int(number)]
    shown = "" if isinstance(value, dict | list | tuple) else f" = {value!r}"
    return f"{key}{shown}: {text.replace('Expected', 'must be')}" if key else text
