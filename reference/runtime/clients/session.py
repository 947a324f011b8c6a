"""One client's connection as the commands see it, and what all connections of a node share."""

import itertools
import secrets
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from enum import Enum
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.events import Command
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState
from reference.runtime.clients.channels import Channels
from reference.runtime.clients.ending import Ending
from reference.runtime.clients.key_events import teller
from reference.runtime.clients.slow_log import monitor_line
from reference.runtime.clients.stats import Stats
from reference.runtime.clients.tracking import Reader, Tracker, Tracking
from reference.runtime.clients.view import RELEASES, NodeView, Release, release_of
from reference.runtime.clients.waits import Waits
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.data.watch import Watch
from reference.runtime.limits import OutputClass
from reference.runtime.options import NodeOptions
from reference.runtime.replication.feed import Feed, ReplicaFacts
from reference.runtime.replies import ClientReply, encode
from reference.runtime.saving.data_file import DataFile
from reference.runtime.scripts.functions import Functions
from reference.runtime.scripts.known_scripts import Scripts
from reference.runtime.slots.importing import Import
from reference.runtime.slots.migrate import Moves
from reference.runtime.users.rules import User
from reference.runtime.users.users import Users
from reference.wire.resp import ErrorReply, SimpleString

_REDIS: Final = RELEASES["redis-7.0"]


class Served:
    """Cases that the core has decided to be served here, as long as nothing changes."""

    def __init__(self) -> None:
        """None yet."""
        self._state: ClusterState | None = None
        self._ok = False
        self._cases: set[Hashable] = set()

    def at(self, state: ClusterState, *, ok: bool) -> set[Hashable]:
        """Those of this state, and of whether the cluster is ok."""
        if state is not self._state or ok != self._ok:
            self._state, self._ok, self._cases = state, ok, set()
        return self._cases


@attrs.define(kw_only=True, eq=False)
class Service:
    """What a node offers to its clients."""

    node: NodeView
    keyspace: Keyspace
    moves: Moves = attrs.field(factory=Moves, init=False)
    sessions: set["Session"] = attrs.field(factory=set, init=False)
    monitors: set["Session"] = attrs.field(factory=set, init=False)  # they hear every request
    stats: Stats = attrs.field(factory=Stats, init=False)
    channels: Channels = attrs.field(factory=Channels, init=False)
    waits: Waits = attrs.field(init=False)
    scripts: Scripts = attrs.field(factory=Scripts, init=False)
    functions: Functions = attrs.field(init=False)
    served: Served = attrs.field(factory=Served, init=False)
    users: Users = attrs.field(init=False)
    file: DataFile = attrs.field(init=False)
    ending: Ending = attrs.field(init=False)
    listen_at: Callable[[NodeOptions], None] | None = attrs.field(default=None, init=False)
    tracking: Tracking = attrs.field(init=False)
    _own_slots: SlotSet = attrs.field(default=NO_SLOTS, init=False)
    _rules: Rules | None = attrs.field(default=None, init=False)
    _release: Release = attrs.field(default=_REDIS, init=False)
    run_id: str = attrs.field(factory=lambda: secrets.token_hex(20), init=False)
    _client_ids: Iterator[int] = attrs.field(factory=lambda: itertools.count(1), init=False)

    @waits.default
    def _no_waits(self) -> Waits:
        return Waits(self.keyspace.database)

    @file.default
    def _no_file(self) -> DataFile:
        node = self.node
        return DataFile(self.keyspace, lambda: node.options, lambda: node.replicas.stream)

    @ending.default
    def _nobody_has_asked(self) -> Ending:
        return Ending(self.node, self.file)

    @users.default
    def _configured_users(self) -> Users:
        return Users(release_of(self.node.state).dialect, self.node.options)

    @functions.default
    def _no_functions(self) -> Functions:
        return Functions(self.keyspace.libraries)

    @tracking.default
    def _no_tracking(self) -> Tracking:
        node = self.node
        most = lambda: int(kept_text(node.options, "tracking-table-max-keys"))  # noqa: E731
        return Tracking(self, most)

    def find(self, client_id: int) -> "Session | None":
        """The client of this id, None if it has gone."""
        return next((each for each in self.sessions if each.client_id == client_id), None)

    def listens(self, reader: Reader) -> bool:
        """Whether the client listens to any channel."""
        return self.channels.listens(reader)

    def observe_keys(self) -> None:
        """The data tells which keys change, if any client wants to know."""
        observer = self.tracking if self.tracking.trackers else None
        self.keyspace.database().observer = observer

    def tell_events(self) -> None:
        """Clients hear what happens to keys, as far as the node's options say so."""
        letters = kept_text(self.node.options, "notify-keyspace-events")
        self.keyspace.events.listener = teller(self.channels, letters)

    @clause("CM-74", "CM-82", "CM-114")
    def follow_node(self) -> None:
        """Clients neither wait for nor listen to nor count on what has left this node."""
        self.waits.look_again()
        state = self.node.state
        self.channels.leave_slots_of_others(state)
        holder = state.my_master if state.myself.is_replica else state.myself
        before, self._own_slots = self._own_slots, NO_SLOTS if holder is None else holder.slots
        if before is not self._own_slots:
            self.tracking.leave(before - self._own_slots)

    @property
    def release(self) -> Release:
        """The release the node presents itself as."""
        state = self.node.state
        if state.rules is not self._rules:
            self._rules, self._release = state.rules, release_of(state)
        return self._release

    def next_client_id(self) -> int:
        """An id that no connection had before."""
        return next(self._client_ids)


class Outlet(Protocol):
    """The way back to a client."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read them."""

    def write(self, data: bytes) -> None:
        """The bytes are on their way."""

    def answer(self, data: bytes) -> None:
        """The request that was held is answered, and those behind it follow."""

    def abort(self) -> None:
        """The connection is gone."""


class Replies(Enum):
    """Which requests are answered (CLIENT REPLY)."""

    ON = "all"
    OFF = "none"
    SKIP_NEXT = "all but the next"
    SKIP = "all but this one"


@attrs.define(kw_only=True, eq=False)
class Transaction:
    """The commands that wait for EXEC (`multiState`)."""

    queue: list[tuple[CommandInfo, list[bytes]]] = attrs.field(factory=list)
    spoiled: bool = False  # one was refused


@attrs.define(kw_only=True, eq=False)
class Session:
    """One connection (`client`)."""

    service: Service
    client_id: int
    local_ip: str = ""  # the address the client reached us by
    address: str = ""  # of the client, with its port
    local_address: str = ""
    by_tls: bool = False
    outlet: Outlet | None = None
    output_class: OutputClass = OutputClass.NORMAL
    slow_since: float | None = None  # s, since too much waits for the client
    created_s: float = attrs.field(factory=time.monotonic)
    heard_s: float = attrs.field(factory=time.monotonic)
    last_command: str = "NULL"
    lib_name: str = ""
    lib_ver: str = ""
    no_evict: bool = False
    mode: Replies = Replies.ON
    authenticated: bool = True
    user: User = attrs.field()
    plain: bool = False  # nothing that was asked for before bears on the next request
    name: str = ""
    protocol: int = 2
    readonly: bool = False
    asking: bool = False  # for the next command, or for the transaction it is in
    transaction: Transaction | None = None
    watch: Watch | None = None
    closing: bool = False  # after the reply
    replica: ReplicaFacts | None = None  # what it says of itself as a replica
    feed: Feed | None = None  # once it gets the stream
    importing: Import | None = None  # once it sends keys of slots that move here
    running: bool = False  # the request at hand is being carried out
    pushed: bytearray = attrs.field(factory=bytearray)  # to be sent after its reply
    held: bool = False  # the request at hand is answered later
    held_among: tuple[list[ClientReply], int] | None = None  # replies of EXEC, and which it is
    tracker: Tracker = attrs.field()
    at_end: list[Callable[[], None]] = attrs.field(factory=list)  # when the connection is over

    @user.default
    def _nobody_else(self) -> User:
        return self.service.users.default

    @tracker.default
    def _tracks_nothing(self) -> Tracker:
        return Tracker(reader=self)

    @property
    def replies(self) -> bool:
        """Whether the request at hand is answered."""
        return self.mode in (Replies.ON, Replies.SKIP_NEXT)

    @property
    def waits(self) -> bool:
        """Whether the request at hand is answered later."""
        return self.held

    def become(self, user: User) -> None:
        """The client may do from now on what this user may do."""
        self.user = user
        self.plain = False

    def hold(self) -> None:
        """The request at hand is answered by `settle`, and the client's next ones after it."""
        self.held = True

    def settle(self, reply: ClientReply) -> None:
        """The request that was held is answered, unless the client has gone."""
        if not self.held:
            return
        self.held = False
        self.service.stats.count_error(reply)
        if self.held_among is not None:
            replies, place = self.held_among
            self.held_among = None
            replies[place] = reply
            reply = replies
        data = encode(reply, self.protocol) if self.replies else b""
        self.after_command()
        if self.outlet is not None:
            self.outlet.answer(data)

    def after_command(self) -> None:
        """The request has been answered."""
        if self.mode is Replies.SKIP_NEXT:
            self.mode = Replies.SKIP
        elif self.mode is Replies.SKIP:
            self.mode = Replies.ON

    @clause("CM-76")
    def send(self, reply: ClientReply) -> None:
        """The client hears this, whether or not it has asked.

        What its own request has caused comes after the reply where the release does it so.
        Counterpart: `_addReplyToBufferOrList`.
        """
        data = encode(reply, self.protocol)
        if self.running and self.release.pushes_follow_replies:
            self.pushed += data
        elif self.outlet is not None:
            self.outlet.write(data)

    def send_after_reply(self, reply: ClientReply) -> None:
        """The client hears this once the request at hand is answered, whatever the release."""
        if self.running:
            self.pushed += encode(reply, self.protocol)
        else:
            self.send(reply)

    def note_slow(self, spent_ns: int, arguments: list[bytes]) -> None:
        """The request is kept if it took long."""
        service = self.service
        service.stats.slow.note(
            service.node.options, spent_ns, arguments, self.address, self.name
        )  # fmt: skip

    @clause("CM-101")
    def tell_monitors(self, arguments: list[bytes]) -> None:
        """Clients that watch hear of the request."""
        line = SimpleString(monitor_line(arguments, self.address))
        for each in self.service.monitors:
            each.send(line)

    def end(self) -> None:
        """Nobody counts on the client any more."""
        self.service.channels.end_all(self)
        self.service.waits.forget(self)
        if self.tracker.reader is self and self.tracker.on:
            self.service.tracking.end(self.tracker)
            self.service.observe_keys()
        self.held = False
        for end in self.at_end:
            end()

    @property
    def node(self) -> NodeView:
        """The node the client talks to."""
        return self.service.node

    @property
    def state(self) -> ClusterState:
        """The node's state at this moment."""
        return self.service.node.state

    @property
    def release(self) -> Release:
        """The release the node presents itself as."""
        return self.service.release

    def submit(self, command: Command) -> ClientReply:
        """The node's answer to a command that changes its state."""
        answer = self.node.submit(command)
        return SimpleString(answer.status) if answer.error is None else ErrorReply(answer.error)


Handler = Callable[[Session, list[bytes]], ClientReply]
"""A command: the session and the whole request in, the reply out."""

Handlers = Mapping[str, Handler]
"""Commands by name; those of a subcommand are called ``cluster|info``."""
