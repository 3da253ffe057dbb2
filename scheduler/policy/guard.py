"""One's own policies see what `views.py` has, and nothing else: not the run time, nor a price to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.policy.errors import PolicyError
from scheduler.policy.patience_view import PatienceView
from scheduler.policy.views import JobView, OfferView, View

_JOB = frozenset(name for name in vars(JobView) if name[0] != "_")
_OFFER = frozenset(name for name in vars(OfferView) if name[0] != "_")
_VIEW = frozenset(name for name in vars(View) if name[0] != "_")
_PATIENCE_VIEW = _VIEW | {name for name in vars(PatienceView) if name[0] != "_"}
_SHOWN = {
    "order": (("job", _JOB),),
    "first": (("job", _JOB), ("view", _VIEW)),
    "place": (("job", _JOB),),
    "patience": (("job", _JOB), ("view", _PATIENCE_VIEW)),
    "offer": (("job", _JOB), ("offer", _OFFER)),
    "preempt": (("job", _JOB), ("job", _JOB), ("level", frozenset(["__call__"]))),
    "repatriate": (("job", _JOB), ("offer", _OFFER)),
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
        return self._of(*map(_itself, arguments))


def _asked(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: method(*map(_itself, arguments), **named)


def _itself(value: Any) -> Any:
    return value._of if isinstance(value, Shown) else value


class Guarded:
    """A policy of one's own, with the abilities that it has."""

    def __init__(self, policy: Callable[..., Any], seam: str) -> None:
        self._policy, self._seam = policy, seam
        for name in _ABILITIES:
            if hasattr(policy, name):
                setattr(self, name, self._shown(getattr(policy, name)))
        if hasattr(policy, "rations"):
            self.rations = bool(policy.rations)
        self._ask = self._shown(policy)

    def __call__(self, *arguments: Any) -> Any:
        """Ask it."""
        return self._ask(*arguments)

    def _shown(self, function: Callable[..., Any]) -> Callable[..., Any]:
        seam, shown = self._seam, _SHOWN[self._seam]

        def ask(*arguments: Any) -> Any:
            named = zip(arguments, shown, strict=False)
            seen = [Shown(of, f"policy.{seam}: {what}", allowed) for of, (what, allowed) in named]
            return function(*seen, *arguments[len(seen) :])

        return ask


def guarded(policy: Any, seam: str) -> Any:
    """Return a policy of one's own that sees what it may; others than functions of jobs are as they are."""
    return Guarded(policy, seam) if callable(policy) and seam in _SHOWN else policy
