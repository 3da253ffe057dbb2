"""One's own policies from a file: `./mine.py:widest`, or with an argument `./mine.py:widest:5`."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from scheduler.policy.backfill import Committed, HeadOnly, Planned
from scheduler.policy.changing import Changing
from scheduler.policy.errors import PolicyError
from scheduler.policy.first import KeepFree
from traces.errors import ALIKE, cannot_read, nearest

_SUFFIX = ".py:"
_ANNOTATED = {
    "Order": "order",
    "Changing": "order",
    "First": "first",
    "KeepFree": "first",
    "Place": "place",
    "Backfill": "backfill",
    "HeadOnly": "backfill",
    "Planned": "backfill",
    "Patience": "patience",
    "OfferScore": "offer",
    "Preempt": "preempt",
    "Repatriate": "repatriate",
}
"""The seam of what a policy is said to return."""
_KINDS: tuple[tuple[Any, str], ...] = (
    (Changing, "order"),
    (KeepFree, "first"),
    ((HeadOnly, Planned, Committed), "backfill"),
)


class FilePolicy(NamedTuple):
    """A policy that stands in a file."""

    path: Path
    name: str
    argument: str | None

    @property
    def where(self) -> str:
        """What it is called in what is said of it."""
        return f"{self.path.name}:{self.name}"


def in_file(spec: str) -> FilePolicy | None:
    """Return the file, the name and the argument that a spec names; None where it names no file."""
    at = spec.find(_SUFFIX)
    if at < 0:
        return None
    name, colon, argument = spec[at + len(_SUFFIX) :].partition(":")
    return FilePolicy(Path(spec[: at + len(_SUFFIX) - 1]), name, argument if colon else None)


def beside(spec: str, folder: Path) -> str:
    """Return a spec whose file, which is relative to a folder, is named by its whole path."""
    if in_file(spec) is None:
        return spec
    stem, _, rest = spec.partition(_SUFFIX)
    return f"{(folder / stem).resolve()}{_SUFFIX}{rest}"


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file of policies; raises PolicyError."""
    return hashlib.sha256(_source(path)).hexdigest()


def _source(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(cannot_read(path, error)) from None


def made_in(found: FilePolicy) -> Callable[..., Any]:
    """Return what makes the policy; raises PolicyError where the file does not run, or has no such name."""
    module = _module(found.path, _source(found.path))
    make = getattr(module, found.name, None)
    if not callable(make):
        names = [name for name, value in vars(module).items() if callable(value) and name[:1] != "_"]
        hint = nearest(found.name, names, ALIKE)
        raise PolicyError(f'{found.path}: no policy "{found.name}" there{hint}')
    return make  # type: ignore[no-any-return]


@cache
def _module(path: Path, source: bytes) -> ModuleType:
    """Run a file, once as long as it is the same."""
    module = ModuleType(f"exaburst_policies_{hashlib.sha256(source).hexdigest()[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where its classes look for themselves
    vars(module)["print"] = _print
    try:
        exec(compile(source, str(path), "exec"), vars(module))
    except MemoryError:  # a trial says how much there is
        raise
    except (Exception, SystemExit) as error:
        text = str(error).partition("\n")[0]
        raise PolicyError(f"{path}: {type(error).__name__}: {text}") from None
    return module


def _print(*values: object, **how: Any) -> None:
    """Print beside the answer of a command, and never into it."""
    print(*values, **{"file": sys.stderr, **how})


def seam_said(found: FilePolicy) -> str | None:
    """Return the seam of a policy by what its maker is said to return; None where it does not say."""
    said = getattr(made_in(found), "__annotations__", {}).get("return")
    return _ANNOTATED.get(str(getattr(said, "__name__", said)).rpartition(".")[2])


def seam_seen(policy: Any) -> str:
    """Return the seam of a policy by what it is, or by the names of what it is asked about.

    Who asks about a job and a view, and does not say more, is an order.
    """
    for kind, seam in _KINDS:
        if isinstance(policy, kind):
            return seam
    asked = list(inspect.signature(policy).parameters) if callable(policy) else []
    if asked[:2] == ["waiting", "running"]:
        return "preempt"
    return {"devices": "place", "offer": "offer"}.get(asked[1] if len(asked) > 1 else "", "order")
