"""One client's connection as the commands see it, and what all connections of a node share."""

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping

import attrs

from reference.core.state import ClusterState
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_view import NodeView, Release, release_of
from reference.runtime.keyspace import Keyspace


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
class Session:
    """One connection (`client`)."""

    service: Service
    client_id: int
    local_ip: str = ""  # the address the client reached us by
    name: str = ""
    protocol: int = 2
    readonly: bool = False
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


Handler = Callable[[Session, list[bytes]], ClientReply]
"""A command: the session and the whole request in, the reply out."""

Handlers = Mapping[str, Handler]
"""Commands by name; those of a subcommand are called ``cluster|info``."""
