"""Whose data a node follows: the link to its master, again after each end, and what is known."""

import asyncio
import logging
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.effects import Effect, Happening, Notice
from reference.core.events import (
    ClusterFailover,
    ClusterSetslot,
    DatasetReplaced,
    Event,
    SetslotFromMaster,
    SyncSlotsFromMaster,
)
from reference.core.messages import SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_jobs import JobName
from reference.core.state import ClusterState
from reference.core.types import NodeId
from reference.pacing.pace import Pace
from reference.pacing.replication import (
    advance_offset,
    hear_master,
    lose_master,
    never_heard_master,
)
from reference.runtime.clock import Clock, entropy
from reference.runtime.data.arrivals import drop_all
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.faults import NodeFaults
from reference.runtime.options import NodeOptions
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.client import History, NoStreamError, ReplicaLink
from reference.runtime.replication.master import Replicas
from reference.runtime.tls.settings import Tls

_DIAL_AGAIN_S: Final = 1.0
_ASK_AGAIN_S: Final = 10.0
"""For a master that has no stream, which may be another program tomorrow."""


class Owner(Protocol):
    """The node whose data it is."""

    state: ClusterState
    pace: Pace
    clock: Clock
    options: NodeOptions
    failed: "asyncio.Future[None]"
    faults: NodeFaults
    tls: Tls

    def rearm(self) -> None:
        """The alarm rings at the next deadline."""

    def step(self, event: Event) -> tuple[Effect, ...]:
        """The event has been answered by the core, and every effect carried out."""


@attrs.frozen
class Master:
    """Whose data it is to be, and where it is found."""

    node_id: NodeId
    ip: str
    port: int


class Replication:
    """The replica's side of replication; a master has no link (`server.master`)."""

    def __init__(
        self,
        node: Owner,
        keyspace: Keyspace,
        replicas: Replicas,
        log: "logging.LoggerAdapter[logging.Logger]",
    ) -> None:
        """Nobody is followed."""
        self.master_link_up = False
        self.loading = False  # the master's file is being read
        self.heard_s = 0.0  # when the master was last heard on the link
        self._node = node
        self._keyspace = keyspace
        self._replicas = replicas
        self._log = log
        self._master: Master | None = None
        self._is_master = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._reason = ""
        self._writer: asyncio.StreamWriter | None = None

    @property
    def _stream(self) -> Stream:
        return self._replicas.stream

    @property
    def _history(self) -> History | None:
        """Whose data this is, None if that is nobody's."""
        stream = self._stream
        return History(stream.replid, stream.offset) if stream.active else None

    @property
    def heard_s_ago(self) -> int:
        """How long ago the master was heard, in seconds; -1 if the link is down."""
        now = asyncio.get_running_loop().time()
        return int(now - self.heard_s) if self.master_link_up else -1

    @property
    def offset(self) -> int:
        """How far the data goes, in bytes of the stream; 0 if it is in no stream."""
        return self._stream.offset if self._stream.active else 0

    @clause("RE-10", "RE-11")
    def follow(self) -> None:
        """The link is to the master that the state names, or there is none.

        Counterpart: `replicationSetPrimary`, `replicationUnsetPrimary`.
        """
        master, is_master = _master_of(self._node), self._node.state.myself.is_master
        if master == self._master and is_master == self._is_master:
            return
        self._is_master = is_master
        self._stop()
        old, self._master = self._master, master
        self._keyspace.follows(master=not is_master)
        if not is_master:
            self._replicas.lose_waiters()
        if is_master:
            self._replicas.fork()
            self._node.pace = attrs.evolve(self._node.pace, master_link=None)
        if master is None:
            return
        if old is None or old.node_id != master.node_id:
            self._replicas.drop_all()
            if old is None or not self._stream.active:
                self._node.pace = never_heard_master(self._node.pace)
            self._advance(self.offset)
        self._reason = ""
        self._task = asyncio.get_running_loop().create_task(self._follow(master))
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """There is no link, and nothing of it runs any more."""
        self._stop()
        self._master = None
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._lose()

    def _lose(self) -> None:
        self.master_link_up = self.loading = False
        self._node.pace = lose_master(self._node.pace, self._node.clock.now())

    async def _follow(self, master: Master) -> None:
        pause_s = 0.0
        try:
            while True:
                await asyncio.sleep(pause_s)
                pause_s = await self._try(master)
        except Exception as error:
            if not self._node.failed.done():
                self._node.failed.set_exception(error)
            raise

    @clause("RE-12")
    async def _try(self, master: Master) -> float:
        """The link has ended, and the log says why; the answer is when to dial again, in seconds.

        After bad data all of it is asked for again. Counterpart: `replicationCron`.
        """
        try:
            await self._link(master)
        except NoStreamError as error:
            self._tell(master, str(error))
            self._node.pace = attrs.evolve(self._node.pace, master_link=None)
            return _ASK_AGAIN_S
        except ReplicationError as error:
            self._stream.end()
            self._tell(master, str(error))
        except TimeoutError:
            self._tell(master, "the master is silent")
        except OSError as error:
            self._tell(master, str(error))
        self._lose()
        return _DIAL_AGAIN_S

    async def _link(self, master: Master) -> None:
        timeout_s = self._node.pace.directives.repl_timeout / 1000
        if self._node.faults.any and self._node.faults.unreachable(master.node_id):
            raise ConnectionError("there is no way to it")
        context = self._node.tls.for_master(self._node.options)
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(master.ip, master.port, ssl=context)
        self._writer = writer
        try:
            link = ReplicaLink((reader, writer), self._keyspace, self, timeout_s=timeout_s)
            await link.follow(self._node.options, self._history)
        finally:
            self._writer = None
            writer.transport.abort()

    @clause("RT-42")
    def look_at_faults(self) -> None:
        """The link is gone if there is no way to the master any more."""
        cut = self._master is not None and self._node.faults.unreachable(self._master.node_id)
        if cut and self._writer is not None:
            self._writer.transport.abort()

    @clause("CM-87")
    def drop(self, address: str) -> bool:
        """The link is gone if its master is there; whether there was one. It is dialled again."""
        master, writer = self._master, self._writer
        if master is None or writer is None or address != f"{master.ip}:{master.port}":
            return False
        writer.transport.abort()
        return True

    @clause("RT-41")
    def freeze(self) -> None:
        """Nothing of what the master sends is read, until `thaw`."""
        if self._writer is not None:
            self._reading(self._writer, on=False)

    def thaw(self) -> None:
        """What the master has sent in the meantime is read."""
        if self._writer is not None:
            self._reading(self._writer, on=True)

    def _reading(self, writer: asyncio.StreamWriter, *, on: bool) -> None:
        transport = writer.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            (transport.resume_reading if on else transport.pause_reading)()

    def _tell(self, master: Master, reason: str) -> None:
        """The same reason is told once."""
        if reason != self._reason:
            self._reason = reason
            self._log.warning("no data of %s:%d: %s", master.ip, master.port, reason)

    # What the link tells.

    def starts_over(self) -> None:
        """The master sends all of its data; what we have does not count any more."""
        self._log.info("full resync: the master sends all of its data")
        if self._node.state.slot_migrations:
            self._node.step(DatasetReplaced())
        drop_all(self._keyspace)
        self._stream.end()
        self._replicas.drop_all()
        self.loading = True
        if self._node.pace.master_link is None:
            self._node.pace = never_heard_master(self._node.pace)
        self._advance(0)

    def loaded(self, history: History) -> None:
        """All of the master's data is ours, up to there."""
        self.loading = False
        self._stream.adopt(history.replid, history.offset)
        self._replicas.listen()
        for name, arrival in self._keyspace.arrivals.items():
            job = SyncSlotsEstablish(name=JobName(name), source=NodeId(""), slots=arrival.slots)
            self.migrates(job)
        self.reached(b"")

    @clause("SM-31")
    def migrates(self, message: SyncSlotsEstablish | SyncSlotsFinish) -> None:
        """The master begins to import slots, or has ended it."""
        self._node.step(SyncSlotsFromMaster(message=message))

    @clause("SM-8")
    def opens(self, command: ClusterSetslot) -> bool:
        """What the master says of a slot has been carried out; whether it is still our master."""
        master = self._master
        self._node.step(SetslotFromMaster(command=command))
        return self._master == master

    @clause("MF-11", "RT-10")
    def succeeds(self, command: ClusterFailover) -> None:
        """The master, which is about to end, has named who is to take over."""
        effects = self._node.step(command)
        if Notice(what=Happening.MANUAL_FAILOVER_CAN_START) in effects:
            self._log.info("Forced failover primary request accepted.")

    @property
    def name(self) -> NodeId | None:
        """Our name, for a master that may name us; None if masters of this release do not."""
        state = self._node.state
        return state.myself_id if state.rules.master_names_successor else None

    def goes_on(self, replid: str) -> None:
        """The stream goes on where our data ends, under this name."""
        if replid != self._stream.replid:
            self._stream.rename(replid)
            self._replicas.drop_all()
        self.reached(b"")

    def heard(self) -> None:
        """The master has sent something; before there is data that says nothing about its age."""
        self.heard_s = asyncio.get_running_loop().time()
        if self.master_link_up:
            self._node.pace = hear_master(self._node.pace, self._node.clock.now())

    @clause("RE-13", "RE-16")
    def reached(self, data: bytes) -> None:
        """These bytes of the stream have been carried out; elections and heartbeats know it.

        Counterpart: `replicationGetReplicaOffset`.
        """
        self._replicas.proxy(data)
        if not self.master_link_up:
            self._log.info("in sync with the master from offset %d on", self.offset)
            self.master_link_up, self._reason = True, ""
        self._node.pace = hear_master(self._node.pace, self._node.clock.now())
        self._advance(self.offset)

    def _advance(self, offset: int) -> None:
        node = self._node
        if node.pace.repl_offset == offset:
            return
        node.pace = advance_offset(
            node.pace, node.state, offset, now=node.clock.now(), entropy=entropy()
        )
        node.rearm()


def _master_of(node: Owner) -> Master | None:
    state = node.state
    master = state.my_master if state.myself.is_replica else None
    if master is None or master.address is None:
        return None
    port = node.options.replication_port(master.address)
    return Master(master.node_id, master.address.ip, port) if port else None
