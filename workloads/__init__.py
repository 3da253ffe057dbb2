"""Synthetic demand: from fleets of cars and robots through training campaigns to a trace of jobs.

    trace = generate(Demand(days=28, seed=1), reference)

`reference` is the device that run times speak of, with its rates: the catalog's, as whoever composes says.
Read `demand.py` first, then `generate.py`; `kinds.py` draws the jobs of one kind.
`workloads.realism` compares a trace with the published statistics of real training clusters.
"""

from workloads.demand import Demand, demand_of
from workloads.generate import generate
from workloads.parameters import DemandError
from workloads.reference import Reference

__all__ = ["Demand", "DemandError", "Reference", "demand_of", "generate"]
