"""What is fixed for a run is worked out once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scheduler.cli import main
from scheduler.policy import Policy
from scheduler.stock.stock import stock_of
from scheduler.weather import weather_of

WEEK = ["--set", "demand.days=2", "--set", "horizon_h=48"]


def counted(function: Callable[..., Any], calls: Counter[str]) -> Callable[..., Any]:
    def call(*arguments: Any, **words: Any) -> Any:
        calls[function.__name__] += 1
        return function(*arguments, **words)

    return call


@pytest.mark.parametrize(("demo", "runs"), [("seven-exapods", 1), ("bad-weather", 2)])
def test_a_run_looks_up_its_stock_draws_its_weather_and_builds_its_policy_once(
    demo: str, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the functions are imported; what has weather runs in fair weather too."""
    done = CliRunner().invoke(main, ["demo", demo, *WEEK, "-o", str(tmp_path / "warm")])
    assert done.exit_code == 0, done.output
    calls: Counter[str] = Counter()
    for function in (stock_of, weather_of):
        for module in [each for name, each in sys.modules.items() if name.startswith("scheduler.")]:
            if getattr(module, function.__name__, None) is function:
                monkeypatch.setattr(module, function.__name__, counted(function, calls))
    monkeypatch.setattr(Policy, "build", counted(Policy.build, calls))
    done = CliRunner().invoke(main, ["demo", demo, *WEEK, "-o", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert calls == {"stock_of": runs, "weather_of": runs, "build": runs}
