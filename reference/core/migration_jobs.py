"""Jobs of atomic slot migration: what is moved, between whom, and how far it is."""

from enum import Enum
from typing import Final, NewType

import attrs

from reference.core.slots import SlotSet
from reference.core.types import NodeId

JobName = NewType("JobName", str)
"""40 lower-case hex digits, drawn at the source: all who take part know the job by it."""


class MigrationStage(Enum):
    """How far a job is, in the server's words."""

    # At the source.
    CONNECTING = "connecting"  # or giving the password
    ESTABLISHING = "reading-establish-response"
    SNAPSHOTTING = "snapshotting"  # or waiting to
    REPLICATING = "replicating"
    WAITING_TO_PAUSE = "waiting-to-pause"
    FAILOVER_PAUSED = "failover-paused"
    FAILOVER_GRANTED = "failover-granted"
    # At the target.
    WAITING_FOR_ACK = "waiting-for-ack"
    RECEIVING_SNAPSHOT = "receiving-snapshot"
    WAITING_FOR_PAUSED = "waiting-for-paused"
    FAILOVER_REQUESTED = "failover-requested"
    # At a replica of the target.
    OCCURRING_ON_PRIMARY = "occurring-on-primary"


_AT_SOURCE: Final = (
    MigrationStage.CONNECTING,
    MigrationStage.ESTABLISHING,
    MigrationStage.SNAPSHOTTING,
    MigrationStage.REPLICATING,
    MigrationStage.WAITING_TO_PAUSE,
    MigrationStage.FAILOVER_PAUSED,
    MigrationStage.FAILOVER_GRANTED,
)
_HOLDING_WRITES: Final = (MigrationStage.FAILOVER_PAUSED, MigrationStage.FAILOVER_GRANTED)


@attrs.frozen(kw_only=True, cache_hash=True)
class SlotMigration:
    """A job under way (`slotMigrationJob`); of one that has ended nothing is left here."""

    name: JobName
    slots: SlotSet
    source: NodeId
    target: NodeId  # at a replica of the target: its master when it heard of the job
    stage: MigrationStage

    @property
    def is_export(self) -> bool:
        """Whether the slots are leaving this node."""
        return self.stage in _AT_SOURCE

    @property
    def is_tracked(self) -> bool:
        """Whether this node only knows that its master is importing the slots."""
        return self.stage is MigrationStage.OCCURRING_ON_PRIMARY

    @property
    def is_import(self) -> bool:
        """Whether this node is the target."""
        return not self.is_export and not self.is_tracked

    @property
    def holds_writes(self) -> bool:
        """Whether clients that write wait for it."""
        return self.stage in _HOLDING_WRITES

    @property
    def is_granted(self) -> bool:
        """Whether this node, the source, has let the target take the slots."""
        return self.stage is MigrationStage.FAILOVER_GRANTED


class MigrationOutcome(Enum):
    """How a job ended."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
