"""Which files are changed together, and which tests know them best."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

GROUPS: dict[str, dict[str, str]] = {
    "engine": {
        "scheduler/engine/*.py": "stories source line invariants",
        "scheduler/engine/log": "runlog stories",
        "scheduler/engine/owned": "stories lineup frees preemption",
        "scheduler/engine/fast": "fast stories",
        "scheduler/engine/quota": "quotas queue_rent budget",
        "scheduler/engine/rented": "stories first storm_stories",
        "scheduler/policy": "stories policies frees first",
        "scheduler/replay": "setup start places submissions",
        "scheduler/replay/living.py": "live live_input loop edge",
        "": "ties endings kills schedules storms changing caps assets own_policies warm",
    },
    "storm": {
        "scheduler/engine/storm": "storm_stories preemption checkpoints links recordings kills",
        "": "preempting storms assets sites caps",
    },
    "money": {
        "scheduler/money/claims": "claims",
        "scheduler/money/economics": "economics levels",
        "scheduler/money/focus": "focus",
        "scheduler/money/ledger": "ledger assets",
        "scheduler/stock": "setup rates ledger weather_files sites",
        "": "links",
    },
    "study": {
        "scheduler/study/compare": "bounds windows compare",
        "scheduler/study/plan": "plan",
        "scheduler/study/sweep": "sweep",
        "scheduler/study/cells": "sweep study dask",
        "scheduler/study/gym": "gym",
        "scheduler/study/price": "market",
        "scheduler/study/roadmap": "roadmap",
        "scheduler/study/trial": "trial",
        "scheduler/study/years": "years warm",
        "scheduler/study/*.py": "study claims",
        "": "theory plan_on_log power_worth resample",
    },
    "traces": {
        "traces/*.py": "trace numbers submissions files portable",
        "traces/validate.py": "keys trace",
        "traces/confidence.py": "numbers",
        "traces/formats": "formats mapping presets exports decoding formats_fuzz",
        "workloads": "generated workloads workloads_shapes rates",
        "": "source levels workloads_realism parquet_readers arrays resample stored",
    },
    "input": {
        "scheduler/catalog": "keys catalog dated_prices",
        "scheduler/scenario": "keys key_limits start stories contracts catalog",
        "": "quotas assets sites caps live_input weather_files setup cli",
    },
    "live": {
        "scheduler/live/*.py": "live warm",
        "scheduler/live/edge": "edge",
        "scheduler/live/loop": "loop",
        "scheduler/live/market": "market",
        "scheduler/engine/guests": "market",
        "": "live files warm live_figures live_panels",
    },
    "weather": {
        "scheduler/weather": "weather weather_files weathering recordings",
        "": "storms weather_theory",
    },
    "report": {
        "scheduler/cli": "cli start_up",
        "scheduler/report/*.py": "work cli",
        "scheduler/report/claims.py": "claims",
        "scheduler/report/compare.py": "compare",
        "scheduler/report/draws.py": "economics",
        "scheduler/report/economics.py": "economics",
        "scheduler/report/plan.py": "plan",
        "scheduler/report/study.py": "sweep study",
        "scheduler/report/figures": "levels notebooks",
        "scheduler/report/why.py": "why",
        "scheduler/run": "levels work files runlog ledger",
        "scheduler/report/documents": "documents",
        "scheduler/report/page": "page answer_pages",
        "scheduler/report/timeline": "timeline",
        "scheduler/why": "why",
        "scheduler/fidelity": "fidelity as_recorded",
        "": "endings kills weathering compare first_in_order why_queue_rent queue_figures live_figures",
    },
}
"""By group, the files that are changed and the tests that know them best, quick ones first; then others."""


def best_tests(tree: Path, group: str) -> dict[Path, list[str]]:
    """Return by file of a group the test files that know it best, in order."""
    found: dict[Path, list[str]] = {}
    for where, best in GROUPS[group].items():
        for path in tree.glob(where) if where else ():
            found |= dict.fromkeys([path] if path.is_file() else path.rglob("*.py"), test_files(best))
    return dict(sorted(found.items()))


def all_tests(group: str) -> list[str]:
    """Return the test files of a group."""
    return test_files(" ".join(GROUPS[group].values()))


def test_files(names: str) -> list[str]:
    """Return test files by their short names, each once."""
    return [f"tests/test_{name}.py" for name in dict.fromkeys(names.split())]
