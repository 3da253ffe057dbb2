"""What is wrong with what a user wrote, in one line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from errno import ENOMEM
from pathlib import Path
from typing import Any

from msgspec import Struct

from traces.files import TOML_BYTES, read_text

NO_MEMORY = ("failed to map segment", "can't start new thread", "cannot allocate memory")
"""What is said where a library finds no room to be loaded in, or a thread none for its stack."""
ALIKE = 0.6
"""How alike two words are, of 1, where one may be the other misspelt."""


def explain(message: str, raw: Mapping[str, Any], models: Iterable[type[Struct]]) -> str:
    """Put the key and its value first, and name the nearest key of the models where one is unknown."""
    text, _, place = message.partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    if "unknown field" in text:
        wrong = text.split("`")[1]
        known = sorted({key for model in models for key in model.__struct_fields__} - {wrong})
        return f"unknown key {key + '.' if key else ''}{wrong}{nearest(wrong, known, ALIKE)}"
    known_key, some_key, _ = key.partition("[...]")  # so it stands for a key of a user's own
    value: Any = raw
    for name, number in re.findall(r"([a-z_]+)|\[(\d+)\]", known_key):
        value = value[name] if name else value[int(number)]
    shown = "" if some_key or isinstance(value, dict | list | tuple) else f" = {value!r}"
    return f"{key}{shown}: {text.replace('Expected', 'must be')}" if key else text


def nearest(word: str, known: Iterable[str], alike: float = 0.0) -> str:
    """Return "; did you mean ...?" with the known word that is most like `word`; "" if none is so alike."""
    near = get_close_matches(word, list(known), 1, alike)
    return f"; did you mean {near[0]}?" if near else ""


def first_twice(words: Iterable[str]) -> str | None:
    """Return the first word that stands there twice; None where there is none."""
    words = list(words)
    return next((word for word in words if words.count(word) > 1), None)


def short_of_memory(error: BaseException) -> bool:
    """Say whether an error, of whatever kind, comes of too little memory."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == ENOMEM):
        return True
    said = str(error).lower() if isinstance(error, ImportError | RuntimeError) else ""
    return any(sign in said for sign in NO_MEMORY)


def cannot_read(path: Path | str, error: OSError) -> str:
    """Return the name of a file and why the system could not read it."""
    return f"{path}: {(error.strerror or 'cannot be read').lower()}"


def read_toml(path: Path | str, wrong: type[ValueError]) -> dict[str, Any]:
    """Return the plain data of a TOML file; raises `wrong`, naming the file, where there is none."""
    try:
        return tomllib.loads(read_text(path, TOML_BYTES))
    except OSError as error:
        raise wrong(cannot_read(path, error)) from None
    except RecursionError:
        raise wrong(f"{path}: not TOML that can be read: nested too deeply") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise wrong(f"{path}: not TOML: {error}") from None


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
