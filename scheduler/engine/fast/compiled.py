"""Functions over arrays that numba compiles when they are first called, and keeps on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

_LOOP = f"{__package__}.loop"


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
    """Say whether an earlier process has compiled the loop, where numba keeps that first of all."""
    kept = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(kept) if kept else Path(__file__).parent / "__pycache__"
    return any(folder.rglob("loop.go_on-*.nbi"))


def compiled(function: AnyFunction) -> AnyFunction:
    """Let numba compile a function; without numba it stays as it is, and slow."""
    if not numba_is_here():
        return function
    from numba import njit

    decorate: Any = njit(cache=True, error_model="numpy")
    fast: AnyFunction = decorate(function)
    return fast
