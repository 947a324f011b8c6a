"""What the client side asks of a node, and what releases say of themselves to clients."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import attrs

from reference.core.events import Command
from reference.core.state import ClusterState
from reference.core.types import NodeId


class OptionsView(Protocol):
    """The settings of a node that clients may ask for."""

    @property
    def port(self) -> int:
        """The port of the clients."""

    @property
    def cport(self) -> int:
        """The port of the bus."""

    @property
    def bind(self) -> str:
        """The address that is listened at."""

    @property
    def announce_ip(self) -> str | None:
        """The address other nodes are told to use, None if it is found out."""

    @property
    def node_timeout_ms(self) -> int:
        """How long a PING may be unanswered."""

    @property
    def cluster_config_file(self) -> str:
        """The name of the node's own file."""

    @property
    def directory(self) -> Path:
        """Where that file is."""


class NodeView(Protocol):
    """A node as its clients see it."""

    @property
    def state(self) -> ClusterState:
        """The node's state; the very same object as long as nothing changes."""

    @property
    def options(self) -> OptionsView:
        """The settings of the node."""

    @property
    def cluster_ok(self) -> bool:
        """Whether the node serves clients, after the delays of a start or a return."""

    @property
    def messages_sent(self) -> Mapping[str, int]:
        """How many messages of each type were sent, by the names in CLUSTER INFO."""

    @property
    def messages_received(self) -> Mapping[str, int]:
        """How many messages of each type were received, by the names in CLUSTER INFO."""

    def submit(self, command: Command) -> str | None:
        """The command is carried out: None for OK, else the error text."""

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether our own link to this node stands."""

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """When the PING in flight to this node was sent, ms since 1970; 0 if there is none."""

    def pong_received_ms(self, node_id: NodeId) -> int:
        """When this node last answered, ms since 1970; 0 if it never did."""

    def new_temporary_id(self) -> NodeId:
        """A name that no node has."""


@attrs.frozen(kw_only=True)
class Release:
    """How a release names itself, and the texts in which it differs."""

    server: str
    version: str
    version_lines: tuple[str, ...]  # at the head of INFO
    mode_field: str
    select_error: str
    port_word: str  # in the errors of CLUSTER MEET
    has_shard_ids: bool
    counts_failed_nodes: bool  # in CLUSTER INFO


_REDIS_7_0: Final = Release(
    server="redis",
    version="7.0.15",
    version_lines=("redis_version:7.0.15",),
    mode_field="redis_mode",
    select_error="ERR SELECT is not allowed in cluster mode",
    port_word="TCP ",
    has_shard_ids=False,
    counts_failed_nodes=False,
)

_VALKEY_9_1: Final = Release(
    server="valkey",
    version="9.1.2",
    version_lines=("redis_version:7.2.4", "server_name:valkey", "valkey_version:9.1.2"),
    mode_field="server_mode",
    select_error="ERR DB index is out of range",
    port_word="",
    has_shard_ids=True,
    counts_failed_nodes=True,
)

_RELEASES: Final = {"redis-7.0": _REDIS_7_0, "valkey-9.1": _VALKEY_9_1}


def release_of(state: ClusterState) -> Release:
    """The release whose dialect the node speaks; the newest known if the dialect is our own."""
    return _RELEASES.get(state.rules.dialect, _VALKEY_9_1)
