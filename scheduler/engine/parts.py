"""What a simulation is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from simpy import Environment

from scheduler.engine.closed_needs import ClosedNeeds
from scheduler.engine.dependencies import Dependencies
from scheduler.engine.fair_share import StartTags
from scheduler.engine.guests.room import GuestTerms
from scheduler.engine.log.runlog import RunLog
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.quota.rules import QuotaRules
from scheduler.engine.ranking import Ranking
from scheduler.engine.rented.queue_rent import QueueRent
from scheduler.engine.rented.rent_account import RentAccount
from scheduler.engine.storm.conditions import Conditions
from scheduler.policy import Policy


class Parts(NamedTuple):
    """What a run is put together from."""

    env: Environment
    cluster: Cluster
    policy: Policy
    log: RunLog
    dependencies: Dependencies
    start_tags: StartTags | None
    """Where the order may share by them."""
    conditions: Conditions | None
    """None where nothing can befall an attempt."""
    ranking: Ranking | None = None
    """Where the keys of the order change."""
    rules: QuotaRules | None = None
    """Where queues have quotas."""
    queue_most: int | None = None
    """So many may wait for pods alone; None: any number."""
    overrun_s: int | None = None
    """Seconds past its estimate after which an attempt is killed; None: it never is for that."""
    closed_needs: ClosedNeeds | None = None
    """Where something may start only later."""
    account: RentAccount | None = None
    """Where patience may look at what was rented, or is asked again."""
    guests: Mapping[str, GuestTerms] | None = None
    """Kinds of jobs that use what the others leave."""
    queue_rent: QueueRent | None = None
    """Where queues have limits on what they rent."""
