"""Functions over arrays that numba compiles when they are first called, and keeps on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

_LOOP = f"{__package__}.loop"
_ROOM = Path(__file__).parent

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
"""Without numba's own memory, as nobody makes arrays: it counts who has one, at each call."""


def numba_is_here() -> bool:
    """Say whether numba is installed, without importing it."""
    return find_spec("numba") is not None


def numba_compiles() -> bool:
    """Say whether it is, and has not been told to compile nothing."""
    return numba_is_here() and os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}


def is_loaded() -> bool:
    """Say whether this process has what was compiled at hand."""
    return _LOOP in sys.modules


def is_on_disk() -> bool:
    """Say whether an earlier process has compiled the loop, as it is now."""
    changed_s = _changed_s()
    return any(index.stat().st_mtime >= changed_s for index in _kept().rglob("loop.go_on-*.nbi"))


def _kept() -> Path:
    """Return where numba keeps what it has compiled, first of all."""
    kept = os.environ.get("NUMBA_CACHE_DIR")
    return Path(kept) if kept else _ROOM / "__pycache__"


def _changed_s() -> float:
    """Return when a file of the room was last changed."""
    return max(file.stat().st_mtime for file in _ROOM.glob("*.py"))


@cache
def _forget_stale() -> None:
    """Have numba compile anew what it compiled before the room was last changed.

    By itself it looks only at the file of a function, not at those of the functions and names that it uses.
    """
    changed_s, files = _changed_s(), {file.stem for file in _ROOM.glob("*.py")}
    for index in _kept().rglob("*.nbi"):
        if index.name.partition(".")[0] in files and index.stat().st_mtime < changed_s:
            with suppress(OSError):  # not ours to change
                index.unlink()


def compiled(function: AnyFunction) -> AnyFunction:
    """Let numba compile a function; without numba it stays as it is, and slow."""
    if not numba_is_here():
        return function
    from numba import njit

    _forget_stale()
    decorate: Any = njit(**_OPTIONS)
    fast: AnyFunction = decorate(function)
    return fast
