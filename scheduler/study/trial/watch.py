"""Keeps a policy's file from what a policy may not see: the clock, files, network and the engine's insides.

The guard of `scheduler/policy/guard.py` shows what is asked about; this adds what code reaches by itself. It
catches shortcuts and mistakes, and is no jail.
"""

from __future__ import annotations

import ast
import builtins
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from scheduler.policy.errors import PolicyError
from traces.errors import cannot_read

MAY_IMPORT = (
    *("__future__", "abc", "bisect", "collections", "dataclasses", "decimal", "enum", "fractions"),
    *("functools", "heapq", "itertools", "math", "numpy", "random", "scheduler.policy", "scipy"),
    *("statistics", "traces.arrays", "typing"),
)
NOTHING = "a policy sees no clock, file or network"
_NO_NAMES = frozenset({"open", "eval", "exec", "compile", "input", "globals", "breakpoint", "__import__"})
_NO_ATTRIBUTES = frozenset({"_of", "_policy", "_module"})
_METHODS = frozenset({"__init__", "__post_init__", "__call__", "__name__"})
_EVENTS = ("open", "os.", "socket.", "subprocess.", "shutil.", "ctypes.", "gc.", "sys._getframe")
"""What Python tells its audit hooks of, by how the name begins."""


def watch(file: Path) -> None:
    """Raise PolicyError for what stands in the file, and from now on for what it does; for good."""
    _read(file)
    _watch_imports(str(file))
    sys.addaudithook(_Hook(str(file)))


def _read(file: Path) -> None:
    """Raise PolicyError for names and attributes that lead out of what a policy sees."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise PolicyError(cannot_read(file, error)) from None
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise PolicyError(f"{file}: {type(error).__name__}: {error}") from None
    for node in ast.walk(tree):
        name = _leads_out(node)
        if name is not None:
            line = getattr(node, "lineno", 0)
            raise PolicyError(f"{file.name}, line {line}: {name}: is nothing that a policy may use")


def _leads_out(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) if name in _NO_NAMES or _hidden(name):
            return name
        case ast.Attribute(attr=name) if name in _NO_ATTRIBUTES or _hidden(name):
            return name
        case ast.Constant(value=str(name)) if name in _NO_ATTRIBUTES or _hidden(name):
            return name
    return None


def _hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _METHODS


def _watch_imports(file: str) -> None:
    plain = builtins.__import__

    def watched(name: str, within: Any = None, *rest: Any, **more: Any) -> Any:
        if within and within.get("__file__") == file and not _allowed(name):
            raise PolicyError(
                f"{Path(file).name} imports {name}: {NOTHING} (allowed: {', '.join(MAY_IMPORT)})"
            )
        return plain(name, within, *rest, **more)

    builtins.__import__ = watched  # type: ignore[assignment]


def _allowed(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in MAY_IMPORT)


class _Hook:
    """Raises PolicyError for an event that the file causes, itself or through a library."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at who causes it; called by Python."""
        if event.startswith(_EVENTS) and self._causes(_frame(), nearest=event == "sys._getframe"):
            what = f"{event} {arguments[0]}" if event == "open" and arguments else event
            raise PolicyError(f"{Path(self._file).name}: {what}: {NOTHING}")

    def _causes(self, frame: FrameType | None, *, nearest: bool) -> bool:
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self._file:
                return True
            if nearest or name.startswith("<frozen importlib"):
                return False
            frame = frame.f_back
        return False


def _frame() -> FrameType | None:
    """Return the frame of whoever caused the event; `sys._getframe` would be an event itself."""
    try:
        raise PolicyError  # noqa: TRY301
    except PolicyError as error:
        assert error.__traceback__ is not None
        hook = error.__traceback__.tb_frame.f_back
        return hook and hook.f_back
