"""Random tests: the same worlds each time, so that a red build can be seen again; fresh ones where asked.

No time limit an example: a busy machine is no defect. Mutants need no small failures: "unshrunk".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import Phase, settings

from scheduler.cli import terminal
from tests.both_engines import both_engines, most_jobs

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None)
settings.register_profile(
    "unshrunk", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("EXABURST_WORLDS", "same"))


_MOST_JOBS = most_jobs()


@pytest.fixture(scope="session", autouse=True)
def twice() -> Iterator[None]:
    """Run on both engines whatever both cover."""
    with both_engines(_MOST_JOBS):
        yield


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command say how far it is, which it does each half minute on a slow machine."""
    monkeypatch.setattr(terminal, "Heartbeat", partial(terminal.Heartbeat, lambda: 0.0))


@pytest.fixture(scope="session", autouse=True)
def one_processor() -> Iterator[None]:
    """Have commands take one process each where they are not told how many: the tests fill the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        yield
