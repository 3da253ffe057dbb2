"""Which line-up a backfill has."""

from __future__ import annotations

from operator import attrgetter

from scheduler.engine.changing_queue import ChangingQueue
from scheduler.engine.owned.cluster import Cluster
from scheduler.engine.owned.committed import CommittedLineup
from scheduler.engine.owned.conservative import ConservativeLineup
from scheduler.engine.owned.head_only import HeadOnlyLineup
from scheduler.engine.owned.lineup import Lineup, PlannedLineup, StartOwned, Wait
from scheduler.engine.queue import LinedQueue, Queue
from scheduler.engine.ranking import Ranking
from scheduler.policy.backfill import Backfill, Committed, Conservative, HeadOnly, Planned


def lineup(
    backfill: Backfill | None,
    waits: bytearray,
    cluster: Cluster,
    wait: Wait,
    start: StartOwned,
    ranking: Ranking | None,
) -> Lineup:
    """Return the line-up of a backfill; `ranking` where the keys of the order change."""
    queue = _lined(waits, cluster, ranking)
    if isinstance(backfill, HeadOnly):
        return HeadOnlyLineup(backfill, queue, waits, cluster, wait, start)
    if isinstance(backfill, Conservative) and isinstance(queue, LinedQueue) and _plain(cluster):
        return ConservativeLineup(backfill, queue, waits, cluster, wait, start)
    if isinstance(backfill, Planned):
        return PlannedLineup(backfill, queue, waits, cluster, wait, start)
    any_queue = Queue(waits) if ranking is None and not cluster.bars else queue
    if isinstance(backfill, Committed):
        return CommittedLineup(backfill, any_queue, waits, cluster, wait, start)
    return Lineup(any_queue, waits, cluster, wait, start)


def _lined(waits: bytearray, cluster: Cluster, ranking: Ranking | None) -> LinedQueue | ChangingQueue:
    """Return a queue of those who wait for pods, a line for all that need the same."""
    needs, within = attrgetter("owned"), cluster.within if cluster.bars else None
    return (
        LinedQueue(waits, needs, within) if ranking is None else ChangingQueue(waits, needs, ranking, within)
    )


def _plain(cluster: Cluster) -> bool:
    """Say whether nothing but devices of pods that are there says who may start."""
    return not cluster.bars and not any(pool.endless or pool.power is not None for pool in cluster.pools)
