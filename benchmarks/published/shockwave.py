"""How far Shockwave's simulator was from its real cluster: Zheng et al., NSDI 2023, 120 jobs on 32 GPUs.

The artifact (github.com/uw-mad-dash/shockwave) has six policies on both. Its policies need jobs whose batch
size changes while they run, which no job here does; what can be redone is the band that a simulator is held
to.
"""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.published.tables import Claim, equal

PAPER = "Shockwave"
CLOCK_WENT_BACK_S = 3_600.0
"""Added to Themis' makespan by its authors (analyze_fidelity.py), as the clocks went back during the run."""
THEMIS = "finish_time_fairness"
BAND = {"makespan": ("0.0%", "9.9%"), "mean completion": ("0.8%", "9.2%")}
"""Least and greatest error over the policies."""


def claims(data: Path) -> list[Claim]:
    """Work the band out of the figures of both, and hold it against the published one."""
    found = {name: [f"{100 * error:.1f}%" for error in sorted(errors(data, name))] for name in BAND}
    return [
        equal(PAPER, f"{word} error of {name}, cluster beside simulation", band[at], found[name][at])
        for name, band in BAND.items()
        for at, word in ((0, "least"), (-1, "greatest"))
    ]


def errors(data: Path, figure: str) -> list[float]:
    """Return by how much the cluster differs from the simulator, for each policy."""
    column = {"makespan": "makespan_s", "mean completion": "mean_jct_s"}[figure]
    with (data / "shockwave" / "results.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["set"] == "tacc_32gpus_comparison"]
    values = {(row["policy"], row["where"]): float(row[column]) for row in rows}
    if figure == "makespan":
        values[THEMIS, "physical"] += CLOCK_WENT_BACK_S
    policies = sorted({policy for policy, _where in values})
    return [abs(values[name, "physical"] / values[name, "simulation"] - 1) for name in policies]
