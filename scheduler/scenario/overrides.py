"""`--set key=value`: one value of a TOML document, changed from outside."""

from __future__ import annotations

import tomllib
from typing import Any


def override(document: dict[str, Any], change: str) -> None:
    """Set one `dotted.key=value` in place; an item of a list is named by its number or its `name`.

    Raises ValueError, which says what is wrong with `change`.
    """
    path, equals, text = change.partition("=")
    *parents, last = path.strip().split(".")
    if not equals or not last:
        raise ValueError("must be key=value, as in policy.patience=after:4h")
    node: Any = document
    for part in parents:
        node = _child(node, part)
    if not isinstance(node, dict):
        raise ValueError(f"{'.'.join(parents)} is not a table")  # noqa: TRY004
    node[last] = _value(text.strip())


def _child(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return node.setdefault(part, {})
    if isinstance(node, list):
        for number, item in enumerate(node):
            if part == str(number) or (isinstance(item, dict) and item.get("name") == part):
                return item
        names = ", ".join(str(item.get("name")) for item in node if isinstance(item, dict))
        raise ValueError(f'no "{part}" there (allowed: {names})')
    raise ValueError(f'"{part}" is inside a plain value')


def _value(text: str) -> Any:
    """A TOML value, or a bare word as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
