"""One client's connection as the commands see it, and what all connections of a node share."""

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping

import attrs

from reference.core.events import Command
from reference.core.state import ClusterState
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_view import NodeView, Release, release_of
from reference.runtime.command_table import CommandInfo
from reference.runtime.keyspace import Keyspace, Watch
from reference.wire.resp import ErrorReply, SimpleString


@attrs.define(kw_only=True, eq=False)
class Service:
    """What a node offers to its clients."""

    node: NodeView
    keyspace: Keyspace
    sessions: set["Session"] = attrs.field(factory=set, init=False)
    run_id: str = attrs.field(factory=lambda: secrets.token_hex(20), init=False)
    _client_ids: Iterator[int] = attrs.field(factory=lambda: itertools.count(1), init=False)

    def next_client_id(self) -> int:
        """An id that no connection had before."""
        return next(self._client_ids)


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
    name: str = ""
    protocol: int = 2
    readonly: bool = False
    asking: bool = False  # for the next command, or for the transaction it is in
    transaction: Transaction | None = None
    watch: Watch | None = None
    closing: bool = False  # after the reply

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
        return release_of(self.state)

    def submit(self, command: Command) -> ClientReply:
        """The node's answer to a command that changes its state."""
        answer = self.node.submit(command)
        return SimpleString(answer.status) if answer.error is None else ErrorReply(answer.error)


Handler = Callable[[Session, list[bytes]], ClientReply]
"""A command: the session and the whole request in, the reply out."""

Handlers = Mapping[str, Handler]
"""Commands by name; those of a subcommand are called ``cluster|info``."""
