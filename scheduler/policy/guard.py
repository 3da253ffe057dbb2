"""One's own policies see what `views.py` has, and nothing else: not the run time, nor a price to come."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np

from scheduler.policy.answers import ALLOWED_ANSWERS, check_kind
from scheduler.policy.changing import Changing, ChangingView, Decays, JobColumns
from scheduler.policy.errors import PolicyError
from scheduler.policy.order import OrderError
from scheduler.policy.patience_view import PatienceView
from scheduler.policy.place import checked
from scheduler.policy.views import JobView, OfferView, View
from traces.arrays import Floats

JOB_SEEN = frozenset(name for name in vars(JobView) if name[0] != "_")
_OFFER = frozenset(name for name in vars(OfferView) if name[0] != "_")
_VIEW = frozenset(name for name in vars(View) if name[0] != "_")
_PATIENCE_VIEW = _VIEW | {name for name in vars(PatienceView) if name[0] != "_"}
_CHANGING_VIEW = frozenset(name for name in vars(ChangingView) if name[0] != "_")
_SHOWN = {
    "order": (("job", JOB_SEEN),),
    "first": (("job", JOB_SEEN), ("view", _VIEW)),
    "place": (("job", JOB_SEEN),),
    "patience": (("job", JOB_SEEN), ("view", _PATIENCE_VIEW)),
    "offer": (("job", JOB_SEEN), ("offer", _OFFER)),
    "preempt": (("job", JOB_SEEN), ("job", JOB_SEEN), ("level", frozenset(["__call__"]))),
    "repatriate": (("job", JOB_SEEN), ("offer", _OFFER)),
}
"""What each argument of a policy may be asked for; further ones are plain values, or guarded already."""
_ABILITIES = ("level", "turns_s", "decides_s", "reconsiders", "again_s")


class Shown:
    """Something of the engine's, of which a policy sees what is allowed."""

    __slots__ = ("_allowed", "_of", "_where")

    def __init__(self, of: Any, where: str, allowed: frozenset[str]) -> None:
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "_where", where)
        object.__setattr__(self, "_allowed", allowed)

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            allowed = ", ".join(sorted(self._allowed))
            raise PolicyError(f"{self._where}.{name}: is nothing that a policy sees (allowed: {allowed})")
        value = getattr(self._of, name)
        return _asked(value) if callable(value) else value

    def __setattr__(self, name: str, value: Any) -> None:
        raise PolicyError(f"{self._where}.{name}: cannot be written, as policies change nothing")

    def __call__(self, *arguments: Any) -> Any:
        """Ask it, where it is a function."""
        return self._of(*map(itself, arguments))


def _asked(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: method(*map(itself, arguments), **named)


def itself(value: Any) -> Any:
    """Return what is shown, for the engine that is asked about it."""
    return value._of if isinstance(value, Shown) else value


class Guarded:
    """A policy of one's own, with the abilities that it has; `where` names it in what is said of it."""

    def __init__(self, policy: Callable[..., Any], seam: str, where: str) -> None:
        self._seam, self._blamed = seam, Blamed(where)
        for name in _ABILITIES:
            if hasattr(policy, name):
                setattr(self, name, self._shown(getattr(policy, name), name))
        if hasattr(policy, "rations"):
            self.rations = bool(policy.rations)
        self._ask = self._shown(policy, seam) if callable(policy) else None

    def __call__(self, *arguments: Any) -> Any:
        """Ask it."""
        assert self._ask is not None
        return self._ask(*arguments)

    def _shown(self, function: Callable[..., Any], ability: str) -> Callable[..., Any]:
        seam, shown, answer = self._seam, _SHOWN[self._seam], ALLOWED_ANSWERS[ability]
        said = f"policy.{seam}:{'' if ability == seam else f' {ability}'}"

        def ask(*arguments: Any) -> Any:
            named = zip(arguments, shown, strict=False)
            seen = [Shown(of, f"policy.{seam}: {what}", allowed) for of, (what, allowed) in named]
            with self._blamed:
                given = function(*seen, *arguments[len(seen) :])
                if not answer.allows(given):
                    job_id = arguments[0].job_id
                    raise PolicyError(
                        f"{said} gives {given!r:.80} for job {job_id}; must be {answer.allowed}"
                    )
            return given

        return ask


class GuardedKeys(Guarded):
    """An order of one's own whose keys change."""

    def __init__(self, order: Changing, where: str) -> None:
        super().__init__(order, "order", where)  # type: ignore[arg-type]
        self._order = order
        if isinstance(order, Decays):
            self.half_life_s = order.half_life_s
            if not (isinstance(self.half_life_s, Real) and self.half_life_s > 0):
                raise PolicyError(f"policy.order: half_life_s {order.half_life_s!r}: must be above 0 seconds")

    def keys(self, jobs: JobColumns, view: ChangingView) -> Floats:
        """Ask it."""
        with self._blamed:
            given: Any = self._order.keys(jobs, Shown(view, "policy.order: view", _CHANGING_VIEW))
            count = len(jobs.job_id)
            if not isinstance(given, np.ndarray) or given.shape != (count,) or given.dtype.kind not in "fiub":
                raise OrderError(
                    f"policy.order: gives {given!r:.80} for {count} jobs; must give an array of so many keys"
                )
            if np.isnan(given).any():
                raise OrderError(f"policy.order: gives NaN for job {jobs.job_id[np.isnan(given).argmax()]}")
        return given


class Blamed:
    """Turns whatever goes wrong in code of one's own into one line that begins with its name and place."""

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """End; raises PolicyError for what was raised, but for want of memory, of which a trial says more."""
        if isinstance(error, PolicyError):
            raise type(error)(f"{self._where}: {error}") from None
        if isinstance(error, Exception | SystemExit) and not isinstance(error, MemoryError):
            raise PolicyError(f"{self._where}{_line(error, self._where)}: {of_error(error)}") from None


def of_error(error: BaseException) -> str:
    """Return an error's kind and first line."""
    text = str(error).partition("\n")[0]
    return type(error).__name__ + (f": {text}" if text else "")


def _line(error: BaseException, where: str) -> str:
    """Return at which line of the file it came up, where that is known."""
    file = where.partition(".py:")[0] + ".py"
    lines = [
        line for frame, line in walk_tb(error.__traceback__) if Path(frame.f_code.co_filename).name == file
    ]
    return f", line {lines[-1]}" if lines else ""


def guarded(policy: Any, seam: str, where: str) -> Any:
    """Return a policy of one's own that sees what it may, and answers as it must; raises PolicyError.

    Others than functions of jobs are as they are.
    """
    with Blamed(where):
        check_kind(policy, seam)
        if seam == "order" and isinstance(policy, Changing):
            return GuardedKeys(policy, where)
        if seam == "place":
            policy = checked(policy)
    return Guarded(policy, seam, where) if callable(policy) and seam in _SHOWN else policy
