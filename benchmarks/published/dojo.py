"""The same waiting budgets on the demand and cluster of the demo: seven ExaPODs and rented H100 servers.

Nothing is published about it: it shows whether what Starburst found on Philly carries over to large gangs,
bursty arrivals, servers that boot, and jobs whose data may not leave.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.published.runs import Figures, Task, replay_all
from benchmarks.published.tables import table
from benchmarks.published.waiting import AT_ONCE, NAMES, patiences, trade
from scheduler.scenario import read_scenario
from scheduler.study.reference import reference_of
from workloads import demand_of, generate

SCENARIO = Path(__file__).parents[2] / "scheduler" / "scenarios" / "seven_exapods.toml"
BUDGETS = (25, 100)
SEEDS = range(1, 5)

Case = tuple[str, int]
"""(way to wait, budget in percent); of those who do not wait the budget is 0."""


def redo(folder: Path, executor: Executor, **demand: Any) -> dict[tuple[Case, int], Figures]:
    """Run every way to wait under every budget; `demand` changes the demo's."""
    scenario = read_scenario(SCENARIO)
    base = msgspec.to_builtins(scenario) | {"demand": {}, "horizon_h": None}
    tasks: dict[tuple[Case, int], Task] = {}
    for seed in SEEDS:
        trace = generate(demand_of(scenario.demand | demand | {"seed": seed}), reference_of())
        file = folder / f"dojo-{seed}.parquet"
        trace.write(file)
        waits = {(AT_ONCE, 0): AT_ONCE} | {
            (way, budget): patience
            for budget in BUDGETS
            for way, patience in patiences(trace, budget).items()
        }
        for case, patience in waits.items():
            tasks[case, seed] = Task(base | {"policy": base["policy"] | {"patience": patience}}, file)
    return replay_all(tasks, executor)


def page(figures: dict[tuple[Case, int], Figures]) -> str:
    """Return what each way to wait saves and costs, by budget."""
    rows = [
        [f"{budget}%", *(trade(figures, (way, budget), (AT_ONCE, 0), "rent_usd") for way in NAMES)]
        for budget in BUDGETS
    ]
    return table(["budget", *NAMES.values()], rows)
