"""The jobs of atomic slot migration of one node: their connections, their keys, and their rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, assert_never

import attrs

from reference.clauses import clause
from reference.core.effects import (
    ConnectTo,
    Effect,
    EndMigration,
    LeaveMigration,
    MigrationEffect,
    PausePurpose,
    ReplicateSyncSlots,
    Reply,
    SendSnapshot,
    SendSyncSlots,
)
from reference.core.events import (
    DatasetFlushed,
    Event,
    MigrationCaughtUp,
    MigrationEvent,
    SyncSlotsReceived,
)
from reference.core.messages import SyncSlots, SyncSlotsCall, SyncSlotsEstablish
from reference.core.migration_jobs import JobName, MigrationOutcome, MigrationStage, SlotMigration
from reference.core.state import ClusterState
from reference.core.types import NodeId
from reference.pacing.pace import Pace
from reference.runtime.clock import Clock
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.arrivals import drop_all, expect, settle
from reference.runtime.data.effects import Request
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.faults import NodeFaults
from reference.runtime.limits import OutputClass, output_limits
from reference.runtime.options import NodeOptions
from reference.runtime.replication.client import password_of
from reference.runtime.replication.master import Replicas
from reference.runtime.replication.snapshot import save_delay_s
from reference.runtime.replies import ClientReply
from reference.runtime.slots.exporting import Export, Streams
from reference.runtime.slots.importing import Import, Outlet
from reference.runtime.tls.settings import Tls
from reference.wire.sync_slots import format_sync_slots

_TICK_S: Final = 0.1
_ACK_EVERY_S: Final = 1.0
_LEAST_PAUSE_MS: Final = 2000
_AFTER_THE_JOB_MS: Final = 1000

_SAYS_NO_ACK: Final = frozenset(
    {
        MigrationStage.CONNECTING,
        MigrationStage.ESTABLISHING,
        MigrationStage.SNAPSHOTTING,
        MigrationStage.FAILOVER_GRANTED,
        MigrationStage.WAITING_FOR_ACK,
        MigrationStage.OCCURRING_ON_PRIMARY,
    }
)


class Owner(Protocol):
    """The node whose jobs they are."""

    state: ClusterState
    options: NodeOptions
    pace: Pace
    clock: Clock
    faults: NodeFaults
    failed: "asyncio.Future[None]"
    replicas: Replicas
    tls: Tls

    def step(self, event: Event) -> tuple[Effect, ...]:
        """The event has been answered by the core, and every effect carried out."""


@attrs.define(kw_only=True)
class Row:
    """A job as an operator is shown it, under way or over."""

    job: SlotMigration
    created_s: int
    updated_s: int
    acked_s: int
    state: str
    message: str = ""
    over: bool = False


@clause("SM-30")
def longest_pause_ms(pace: Pace, purpose: PausePurpose) -> int:
    """After which time clients write again whatever has become of what they wait for.

    A job has failed a moment before, so that none is under way when they do.
    """
    if purpose is PausePurpose.SLOT_MIGRATION:
        return max(pace.pause_timeout, _LEAST_PAUSE_MS) + _AFTER_THE_JOB_MS
    return pace.pause_timeout


class Migrations:
    """All jobs of a node (`server.cluster->slot_migration_jobs`)."""

    def __init__(
        self, node: Owner, keyspace: Keyspace, log: "logging.LoggerAdapter[logging.Logger]"
    ) -> None:
        """There are none."""
        self.rows: list[Row] = []  # the newest first
        self.pauses = True  # whether the source pauses when little is left to send
        self._node = node
        self._keyspace = keyspace
        self._log = log
        self._ends: dict[JobName, Export | Import] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._acked = 0.0
        self._frozen = False

    @property
    def busy(self) -> bool:
        """Whether any job that leaves this node still listens to its target, or sends anything."""
        return any(isinstance(end, Export) and end.tasks for end in self._ends.values())

    # What the core has decided.

    @clause("SM-37", "SM-39")
    def follow(self, before: ClusterState) -> None:
        """Each job has a row, and each import a place for its keys."""
        if self._node.state.slot_migrations is before.slot_migrations:
            return
        known = {row.job.name: row for row in self.rows if not row.over}
        now_s = self._now_s()
        for job in reversed(self._node.state.slot_migrations):
            row = known.get(job.name)
            if row is None:
                self.rows.insert(
                    0,
                    Row(
                        job=job,
                        created_s=now_s,
                        updated_s=now_s,
                        acked_s=now_s,
                        state=job.stage.value,
                    ),
                )
                self._log.info("slot migration %s of slots %s begins", job.name, job.slots)
            elif row.job != job:
                row.job, row.state, row.updated_s = job, job.stage.value, now_s
                self._log.info("slot migration %s: %s", job.name, job.stage.value)
            if not job.is_export:
                expect(self._keyspace, job.name, job.slots)
        if self._node.state.slot_migrations:
            self._tick_from_now_on()

    def carry_out(self, effect: MigrationEffect) -> None:
        """The effect has happened."""
        match effect:
            case ConnectTo():
                self._connect(effect.job)
            case SendSyncSlots():
                self._say(effect.message)
            case SendSnapshot():
                end = self._ends.get(effect.job.name)
                if isinstance(end, Export):
                    end.send_keys()
            case ReplicateSyncSlots():
                self.passed_on(format_sync_slots(effect.message))
            case EndMigration():
                self._end(effect)
            case LeaveMigration():
                self._close(effect.job.name)
            case _:
                assert_never(effect)

    def _say(self, message: SyncSlotsEstablish | SyncSlots) -> None:
        end = self._ends.get(message.name)
        if isinstance(message, SyncSlots):
            if end is not None:
                end.say(message.call)
        elif isinstance(end, Export):
            end.ask(message)

    @clause("SM-37", "SM-39")
    def _end(self, effect: EndMigration) -> None:
        """The row says how the job ended, and its keys are this node's or gone.

        Counterpart: `finishSlotMigrationJob`.
        """
        job, done = effect.job, effect.outcome is MigrationOutcome.SUCCESS
        self._close(job.name)
        if not job.is_export:
            count = settle(self._keyspace, job.name, keep=done)
            self._log.info("%d keys of slots %s %s", count, job.slots, "taken" if done else "gone")
        for row in self.rows:
            if row.job.name == job.name and not row.over:
                row.state, row.message, row.over = effect.outcome.value, effect.reason, True
                row.updated_s = self._now_s()
        self._forget_old()
        told = effect.reason or "none"
        self._log.info("slot migration %s: %s, message: %s", job.name, effect.outcome.value, told)

    def _close(self, name: JobName) -> None:
        end = self._ends.pop(name, None)
        if end is not None:
            self._keep_tasks(end)
            end.close()

    def _keep_tasks(self, end: Export | Import) -> None:
        for task in end.tasks if isinstance(end, Export) else ():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # The ends of connections.

    def _connect(self, job: SlotMigration) -> None:
        directives = self._node.options
        limits = output_limits(kept_text(directives, "client-output-buffer-limit"))
        export = Export(
            job,
            self._keyspace,
            self,
            turn=self._turn,
            most=limits[OutputClass.REPLICA].hard,
            delay_s=lambda: save_delay_s(self._node.options),
        )
        self._ends[job.name] = export
        export.start(self._dialling(job.target), password_of(directives))

    def _dialling(self, target: NodeId) -> Callable[[], Awaitable[Streams]]:
        node = self._node

        async def dial() -> Streams:
            known = node.state.nodes.get(target)
            if known is None or known.address is None:
                raise ConnectionError("target node not found")
            if node.faults.any and node.faults.unreachable(target):
                raise ConnectionError("there is no way to it")
            async with asyncio.timeout(node.pace.directives.repl_timeout / 1000):
                return await asyncio.open_connection(
                    known.address.ip,
                    node.options.replication_port(known.address),
                    ssl=node.tls.for_master(node.options),
                )

        return dial

    @clause("SM-24", "SM-37")
    def establish(self, outlet: Outlet, asked: SyncSlotsEstablish) -> tuple[Reply, Import | None]:
        """The answer to the source, and the end of its connection if the slots are imported.

        Counterpart: `clusterCommandSyncSlotsEstablish`.
        """
        replies = [
            effect
            for effect in self._node.step(SyncSlotsReceived(message=asked))
            if isinstance(effect, Reply)
        ]
        reply = replies[-1] if replies else Reply()
        if reply.error is not None:
            return reply, None
        hidden = expect(self._keyspace, asked.name, asked.slots)
        end = self._ends[asked.name] = Import(asked.name, hidden, self, outlet)
        return reply, end

    def happened(self, event: MigrationEvent) -> None:
        """The core knows of it, and what it said has been done."""
        if isinstance(event, SyncSlotsReceived):
            for row in self.rows:
                if row.job.name == event.message.name and not row.over:
                    row.acked_s = self._now_s()
        self._node.step(event)
        self._look_at_pauses()

    def passed_on(self, request: Request) -> None:
        """The replicas of this node are told the same."""
        self._node.replicas.publish([request])

    def failed(self, error: BaseException) -> None:
        """The node cannot go on."""
        if not self._node.failed.done():
            self._node.failed.set_exception(error)

    def data_flushed(self) -> None:
        """An operator has deleted all keys."""
        if self._node.state.slot_migrations:
            self.happened(DatasetFlushed())

    # Time.

    def _now_s(self) -> int:
        return self._node.clock.unix_ms(self._node.clock.now()) // 1000

    def _tick_from_now_on(self) -> None:
        if self._alarm is None and not self._frozen:
            self._alarm = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    @clause("SM-36", "SM-39")
    def _tick(self) -> None:
        """Both ends hear from each other, and jobs that are over are forgotten in the end.

        Counterpart: `clusterSlotMigrationCron`.
        """
        self._alarm = None
        self._look_at_pauses()
        now = asyncio.get_running_loop().time()
        if now - self._acked >= _ACK_EVERY_S:
            self._acked = now
            for job in self._node.state.slot_migrations:
                self._say_that_it_is_there(job)
        if self._node.state.slot_migrations:
            self._tick_from_now_on()

    def _say_that_it_is_there(self, job: SlotMigration) -> None:
        end = self._ends.get(job.name)
        if end is None or job.stage in _SAYS_NO_ACK:
            return
        end.say(SyncSlotsCall.ACK)
        if isinstance(end, Import) and end.heard:
            end.heard = False
            there = SyncSlots(name=job.name, call=SyncSlotsCall.ACK)
            self._node.step(SyncSlotsReceived(message=there))

    @clause("SM-26")
    def _look_at_pauses(self) -> None:
        """A source that was asked to pause does so as soon as little is left to send.

        Counterpart: `slotExportTryDoPause`.
        """
        most = int(kept_text(self._node.options, "slot-migration-max-failover-repl-bytes"))
        for job in self._node.state.slot_migrations:
            end = self._ends.get(job.name)
            if job.stage is not MigrationStage.WAITING_TO_PAUSE or end is None or not self.pauses:
                continue
            if most < 0 or end.remaining <= most:
                self._node.step(MigrationCaughtUp(name=job.name))

    # What an operator sees.

    @clause("SM-39")
    def told(self) -> ClientReply:
        """Every job that is known, the newest first.

        Counterpart: `clusterCommandGetSlotMigrations`.
        """
        self._forget_old()
        return [self._described(row) for row in self.rows]

    def _forget_old(self) -> None:
        """No more jobs that are over are kept than `cluster-slot-migration-log-max-len` says.

        Counterpart: `clusterCleanupSlotMigrationLog`.
        """
        most = int(kept_text(self._node.options, "cluster-slot-migration-log-max-len"))
        for row in reversed(self.rows.copy()):
            if len(self.rows) > most and row.over:
                self.rows.remove(row)

    def _described(self, row: Row) -> ClientReply:
        job, end = row.job, self._ends.get(row.job.name)
        told: dict[bytes | str, ClientReply] = {
            "name": job.name,
            "operation": "EXPORT" if job.is_export else "IMPORT",
            "slot_ranges": " ".join(f"{first}-{last}" for first, last in job.slots.ranges),
        }
        if not job.is_tracked:
            told |= {"target_node": job.target, "source_node": job.source}
        told |= {
            "create_time": row.created_s,
            "last_update_time": row.updated_s,
            "last_ack_time": row.acked_s,
            "state": (end.shown if end is not None else "") or row.state,
            "message": row.message,
            "cow_size": 0,
            "remaining_repl_size": 0 if end is None else end.remaining,
        }
        return told

    # The process.

    def look_at_faults(self) -> None:
        """Connections that a partition does not let stand are gone."""
        for job in self._node.state.slot_migrations:
            end = self._ends.get(job.name)
            if isinstance(end, Export) and self._node.faults.unreachable(job.target):
                end.cut()

    def freeze(self) -> None:
        """Nothing is heard or said, until `thaw`."""
        self._frozen = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for end in self._ends.values():
            if isinstance(end, Export):
                end.freeze()

    def thaw(self) -> None:
        """What was said in the meantime is heard."""
        self._frozen = False
        for end in list(self._ends.values()):
            if isinstance(end, Export):
                end.thaw()
        if self._node.state.slot_migrations:
            self._tick_from_now_on()

    async def close(self) -> None:
        """There are no connections, no hidden keys, and nothing runs any more."""
        self._frozen = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for name in list(self._ends):
            self._close(name)
        while self._tasks:
            await asyncio.wait(self._tasks)
        drop_all(self._keyspace)
