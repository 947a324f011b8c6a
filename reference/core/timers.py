"""Which timers are pending: derived from the state, so that they cannot disagree with it."""

from collections.abc import Iterator
from functools import lru_cache

from reference.clauses import clause
from reference.core.election import why_no_failover
from reference.core.events import (
    BlacklistExpired,
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HandshakeExpired,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MigrationPauseOver,
    MigrationSilent,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
    Timer,
)
from reference.core.migration_jobs import SlotMigration
from reference.core.nodes import ClusterNode
from reference.core.replica_migration import possible_migrations
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.types import Health


@clause("MO-5")
def timers(state: ClusterState) -> tuple[Timer, ...]:
    """The events that time alone may bring in this state; when they come is not said here."""
    pending: list[Timer] = []
    for node in state.nodes:
        if node.node_id != state.myself_id:
            pending += _timers_about(node)
    pending += [BlacklistExpired(node=node_id) for node_id in sorted(state.nodes_black_list)]
    if state.election is not None:
        pending.append(ElectionExpired())
    elif why_no_failover(state) is None:
        pending.append(ElectionDue())
    if state.manual_failover is not None:
        pending += _timers_of_manual_failover(state, state.manual_failover)
    pending += [ReplicaMigrationDue(orphan=orphan) for orphan in possible_migrations(state)]
    for job in state.slot_migrations:
        pending += _timers_of_migration(job)
    return tuple(pending)


def _timers_of_migration(job: SlotMigration) -> Iterator[Timer]:
    """A source that has granted its slots waits for the claim on the bus, and for nothing else."""
    if not job.is_tracked and not job.is_granted:
        yield MigrationSilent(name=job.name)
    if job.holds_writes:
        yield MigrationPauseOver(name=job.name, granted=job.is_granted)


def _timers_of_manual_failover(state: ClusterState, under_way: ManualFailover) -> Iterator[Timer]:
    catching_up = under_way.stage is ManualFailoverStage.CATCHING_UP
    if catching_up and state.myself.is_replica:
        yield ManualFailoverOffsetReached()
    yield ManualFailoverExpired()


@lru_cache(maxsize=8192)
def _timers_about(node: ClusterNode) -> tuple[Timer, ...]:
    """The same objects as before, as long as the node is the same."""
    return tuple(_each_timer_about(node))


def _each_timer_about(node: ClusterNode) -> Iterator[Timer]:
    if node.handshake:
        yield HandshakeExpired(peer=node.node_id)
    elif node.health is Health.OK and not node.noaddr:
        yield PongOverdue(peer=node.node_id)
    elif node.health is Health.FAIL and node.is_voting_master:
        yield FailUndoAllowed(peer=node.node_id)
    for reporter in sorted(node.fail_reports):
        yield ReportExpired(subject=node.node_id, reporter=reporter)
