"""The scenario: what is owned, what can be rented, under which policy and in which weather.

Every default of a key stands here. Read `scenario.py` first, which holds the whole and reads it from TOML; a
model ends in `Spec` where the rest of the program makes something of it.
"""

from scheduler.scenario.assets import ClosureSpec, LeadSpec, PortSpec, PurchaseSpec, RetirementSpec
from scheduler.scenario.base import Name, ScenarioError
from scheduler.scenario.contracts import BlockSpec, CommitmentSpec
from scheduler.scenario.edge import EdgeSpec
from scheduler.scenario.jobs import CheckpointSpec, LinkSpec, PreemptionSpec, RetrySpec
from scheduler.scenario.loop import EffectSpec, LoopSpec
from scheduler.scenario.market import LeaseSpec, MarketSpec, PriceSpec, SegmentSpec
from scheduler.scenario.money import MoneySpec
from scheduler.scenario.owned import FailureSpec, MaintenanceSpec, PoolSpec
from scheduler.scenario.policy import MultifactorSpec, PolicySpec
from scheduler.scenario.queues import AdmissionSpec, QueueSpec
from scheduler.scenario.rented import (
    BootSpec,
    DriftSpec,
    OfferSpec,
    PriceFile,
    ReclaimSpec,
    RefusalSpec,
    ShortageSpec,
    SurgeSpec,
)
from scheduler.scenario.scenario import (
    BOUNDS,
    Scenario,
    parse_scenario,
    read_scenario,
    run_start_s,
    scenario_of,
)
from scheduler.scenario.sites import CurtailmentSpec, SeriesFile, SiteSpec

__all__ = [
    "BOUNDS",
    "AdmissionSpec",
    "BlockSpec",
    "BootSpec",
    "CheckpointSpec",
    "ClosureSpec",
    "CommitmentSpec",
    "CurtailmentSpec",
    "DriftSpec",
    "EdgeSpec",
    "EffectSpec",
    "FailureSpec",
    "LeadSpec",
    "LeaseSpec",
    "LinkSpec",
    "LoopSpec",
    "MaintenanceSpec",
    "MarketSpec",
    "MoneySpec",
    "MultifactorSpec",
    "Name",
    "OfferSpec",
    "PolicySpec",
    "PoolSpec",
    "PortSpec",
    "PreemptionSpec",
    "PriceFile",
    "PriceSpec",
    "PurchaseSpec",
    "QueueSpec",
    "ReclaimSpec",
    "RefusalSpec",
    "RetirementSpec",
    "RetrySpec",
    "Scenario",
    "ScenarioError",
    "SegmentSpec",
    "SeriesFile",
    "ShortageSpec",
    "SiteSpec",
    "SurgeSpec",
    "parse_scenario",
    "read_scenario",
    "run_start_s",
    "scenario_of",
]
