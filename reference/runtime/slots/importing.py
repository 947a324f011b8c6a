"""The target's end of an atomic slot migration: what the source says, carried out out of sight."""

import logging
from typing import Final, Protocol

from reference.clauses import clause
from reference.core.events import MigrationBroken, MigrationEvent, SyncSlotsReceived
from reference.core.messages import SyncSlots, SyncSlotsCall
from reference.core.migration_jobs import JobName
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.effects import Request
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replication.stream import Follower
from reference.wire.resp import encode_reply
from reference.wire.sync_slots import format_sync_slots, parse_call

_LOG = logging.getLogger(__name__)

_LOST: Final = (
    "Connection lost to source. Check CLUSTER GETSLOTMIGRATIONS on the source node for more "
    "information."
)
_NOT_DONE: Final = (
    "Failed to process command during slot migration. Check logs for more information"
)
_UNKNOWN_WORD: Final = "Unknown SYNCSLOTS subcommand used"
_NOT_TOLD: Final = frozenset({b"SELECT", b"PING", b"MULTI", b"EXEC"})
"""What replicas need not hear: all is in one database, and seen at once when it is done."""


class Teller(Protocol):
    """The node that the job is about."""

    def happened(self, event: MigrationEvent) -> None:
        """The core knows of it, and what it said has been done."""

    def passed_on(self, request: Request) -> None:
        """The replicas of this node are told the same."""

    def failed(self, error: BaseException) -> None:
        """The node cannot go on."""


class Outlet(Protocol):
    """The way back to the source."""

    def write(self, data: bytes) -> None:
        """The bytes are on their way."""

    def abort(self) -> None:
        """The connection is gone."""


class Import:
    """A connection on which a source sends keys (`client` with `slot_migration_job`)."""

    def __init__(self, name: JobName, keyspace: Keyspace, teller: Teller, outlet: Outlet) -> None:
        """The job is established; its keys go to this keyspace, where nobody sees them."""
        self.heard = False  # since somebody looked
        self.remaining = 0  # bytes that are still to be sent
        self.shown = ""
        self._name = name
        self._follower = Follower(keyspace, 0)
        self._teller = teller
        self._outlet = outlet
        self._over = False

    @clause("SM-36", "SM-37")
    def take(self, request: Request) -> bool:
        """The request has been carried out, unanswered; False if the connection is over.

        Counterpart: `clusterCommandSyncSlots`, `clusterHandleSlotMigrationErrorResponse`.
        """
        self.heard = True
        words = [word.upper() for word in request[:3]]
        if words[:2] == [b"CLUSTER", b"SYNCSLOTS"]:
            self._hear(words[-1])
        elif words[0] not in (b"MULTI", b"EXEC"):
            self._carry_out(request)
        return not self._over

    def _hear(self, word: bytes) -> None:
        call = parse_call(word)
        if call is not None:
            self._teller.happened(SyncSlotsReceived(message=SyncSlots(name=self._name, call=call)))
        elif word != b"CAPA":  # of which none is known yet
            self._teller.happened(MigrationBroken(name=self._name, reason=_UNKNOWN_WORD))

    def _carry_out(self, request: Request) -> None:
        try:
            self._follower.carry_out(request)
        except ReplicationError as error:
            _LOG.warning("slot migration %s: %s", self._name, error)
            self._teller.happened(MigrationBroken(name=self._name, reason=_NOT_DONE))
            return
        if request[0].upper() not in _NOT_TOLD:
            self._teller.passed_on(request)

    def say(self, call: SyncSlotsCall) -> None:
        """The source is told this."""
        words = format_sync_slots(SyncSlots(name=self._name, call=call))
        self._outlet.write(encode_reply(words))

    def lost(self) -> None:
        """The connection is over."""
        if not self._over:
            self._over = True
            self._teller.happened(MigrationBroken(name=self._name, reason=_LOST))

    def close(self) -> None:
        """Nothing more is heard or said."""
        if not self._over:
            self._over = True
            self._outlet.abort()
