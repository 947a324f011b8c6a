"""What the client side asks of a node, and what releases say of themselves to clients."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final, Protocol

import attrs

from reference.core.effects import Reply
from reference.core.events import Command
from reference.core.state import ClusterState
from reference.core.types import Link, NodeId, ShardId
from reference.runtime.command_table.table import CommandTable, table_of
from reference.runtime.debugging import Debugging
from reference.runtime.options import NodeOptions
from reference.runtime.pause import WritePause
from reference.runtime.replication.master import Replicas
from reference.runtime.slots.migrations import Migrations
from reference.runtime.tls.settings import Tls
from reference.wire.announced import Announced


@attrs.frozen(kw_only=True)
class LinkView:
    """A link of the bus as clients are told of it (`clusterLink`)."""

    direction: Link
    node_id: NodeId
    created_ms: int  # since 1970
    unsent: int  # bytes


class NodeView(Protocol):
    """A node as its clients see it."""

    @property
    def state(self) -> ClusterState:
        """The node's state; the very same object as long as nothing changes."""

    @property
    def options(self) -> NodeOptions:
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

    @property
    def bytes_sent(self) -> int:
        """How many bytes these messages had."""

    @property
    def bytes_received(self) -> int:
        """How many bytes these messages had."""

    @property
    def published_bytes(self) -> tuple[int, int]:
        """How many of the bytes sent, and of those received, were publications."""

    def forget_traffic(self) -> None:
        """All these counts, and that of links with too much, begin again."""

    @property
    def links_overfull(self) -> int:
        """How many links were closed because too much waited for them."""

    @property
    def writes(self) -> WritePause:
        """Whether clients that write have to wait."""

    @property
    def tls(self) -> Tls:
        """The certificates that connections begin with."""

    @property
    def debugging(self) -> Debugging:
        """What DEBUG does to the node."""

    def submit(self, command: Command) -> Reply:
        """The command is carried out, or the reply says why not."""

    def publish(self, channel: bytes, message: bytes, *, shard: bool) -> None:
        """The message is on its way to the nodes whose clients may listen to the channel."""

    def when_changed(self, follower: Callable[[], None]) -> None:
        """It is called after each change of the state, and of whether clients are served."""

    def shut_down(self) -> None:
        """The node is asked to end."""

    def configure(self, options: NodeOptions) -> None:
        """The node runs with these options from now on."""

    def announced(self, node_id: NodeId) -> Announced:
        """What this node, or another one, says of itself beside the header of its messages."""

    def links(self) -> Iterable[LinkView]:
        """Every link whose node is known, by node."""

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether our own link to this node stands."""

    def repl_offset(self, node_id: NodeId) -> int:
        """How far the node's data goes, in bytes of its master's stream; 0 if it has none."""

    @property
    def master_link_up(self) -> bool:
        """Whether our data follows that of our master."""

    def drop_master_link(self, address: str) -> bool:
        """The link for our master's data is gone if it leads there; whether there was one."""

    @property
    def master_heard_s_ago(self) -> int:
        """How long ago our master was heard on the link for its data, in seconds; -1 if never."""

    @property
    def master_sends_all(self) -> bool:
        """Whether our master's data is on its way as a whole."""

    @property
    def replicas(self) -> Replicas:
        """Those who follow this node's data."""

    @property
    def migrations(self) -> Migrations:
        """Slots that move atomically, from this node or to it."""

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """When the PING in flight to this node was sent, ms since 1970; 0 if there is none."""

    def pong_received_ms(self, node_id: NodeId) -> int:
        """When this node last answered, ms since 1970; 0 if it never did."""

    def new_temporary_id(self) -> NodeId:
        """A name that no node has."""

    def new_shard_id(self) -> ShardId:
        """A name that no shard has."""


@attrs.frozen(kw_only=True)
class Release:
    """How a release names itself, and the texts in which it differs."""

    dialect: str
    server: str
    version: str
    version_lines: tuple[str, ...]  # at the head of INFO
    mode_field: str
    select_error: str
    port_word: str  # in the errors of CLUSTER MEET
    ports_are_judged_first: bool  # there too
    shards_are_kept: bool  # CLUSTER SHARDS shows shards without a master too
    shards_have_ids: bool  # in CLUSTER SHARDS
    shards_show_slots_of_replicas: bool  # there too, as long as a replica has any
    counts_failed_nodes: bool  # in CLUSTER INFO
    counts_bytes: bool  # there too
    setslot_has_options: bool
    failover_takes_more: bool  # words than one
    mistakes_empty_transactions: bool  # so that EXEC is not routed any more
    zones: bool  # in CLUSTER SLOTS and SHARDS
    knows_libraries: bool  # CLIENT LIST shows with which library a client was made
    has_databases: bool  # users may be kept to some
    knows_later_acl: bool  # what ACL tells, and is told of it, is that of releases after 7.0
    tells_strangers_nothing: bool  # not even which commands there are
    copy_error: str  # to another database
    sort_error: str  # by, or of, other keys; with a place for the option
    sort_takes_self: bool  # GET # is allowed
    bad_client_id: str  # to CLIENT KILL
    unbalanced: str  # XREAD with keys and ids that do not pair, with a place for its name
    pushes_follow_replies: bool  # those that a client's own request has caused
    knows_both_ports: bool  # with TLS and without; others know one, and it stands for both
    judges_ranges_first: bool  # of bits, and ranks, though there is no such key
    ranges_may_be_open: bool  # BITCOUNT takes a start alone
    knows_later_options: bool  # IFEQ of SET, NOSCORES of ZSCAN, an error for unknown types of SCAN
    script_words: tuple[str, str]  # what errors call commands in scripts, and those they lack
    scripts_may_block: bool  # and take nothing then, also XREAD
    fields_without_values: bool  # HSCAN knows NOVALUES
    addresses_are_names: bool  # in its log, of nodes that people have given none

    @cached_property
    def table(self) -> CommandTable:
        """The commands that it has."""
        return table_of(self.dialect)


_REDIS_7_0: Final = Release(
    dialect="redis-7.0",
    server="redis",
    version="7.0.15",
    version_lines=("redis_version:7.0.15",),
    mode_field="redis_mode",
    select_error="ERR SELECT is not allowed in cluster mode",
    port_word="TCP ",
    ports_are_judged_first=False,
    shards_are_kept=False,
    shards_have_ids=False,
    shards_show_slots_of_replicas=False,
    counts_failed_nodes=False,
    counts_bytes=False,
    setslot_has_options=False,
    failover_takes_more=False,
    mistakes_empty_transactions=False,
    zones=False,
    knows_libraries=False,
    has_databases=False,
    knows_later_acl=False,
    tells_strangers_nothing=False,
    copy_error="ERR Copying to another database is not allowed in cluster mode",
    sort_error="ERR {} option of SORT denied in Cluster mode.",
    sort_takes_self=False,
    bad_client_id="ERR client-id should be greater than 0",
    unbalanced=(
        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
    ),
    pushes_follow_replies=False,
    knows_both_ports=False,
    judges_ranges_first=False,
    ranges_may_be_open=False,
    knows_later_options=False,
    script_words=(" Redis", " Redis"),
    scripts_may_block=False,
    fields_without_values=False,
    addresses_are_names=False,
)

_REDIS_8_0: Final = attrs.evolve(
    _REDIS_7_0,
    dialect="redis-8.0",
    version="8.0.6",
    version_lines=("redis_version:8.0.6",),
    port_word="",
    sort_error=(
        "ERR {} option of SORT denied in Cluster mode when keys formed by the pattern may be in "
        "different slots."
    ),
    sort_takes_self=True,
    shards_are_kept=True,
    knows_libraries=True,
    knows_later_acl=True,
    unbalanced=(
        "ERR Unbalanced '{}' list of streams: for each stream key an ID or '$' must be specified."
    ),
    pushes_follow_replies=True,
    knows_both_ports=True,
    judges_ranges_first=True,
    scripts_may_block=True,
    fields_without_values=True,
)

_VALKEY_8_1: Final = attrs.evolve(
    _REDIS_8_0,
    dialect="valkey-8.1",
    server="valkey",
    version="8.1.1",
    version_lines=("redis_version:7.2.4", "server_name:valkey", "valkey_version:8.1.1"),
    mode_field="server_mode",
    shards_have_ids=True,
    shards_show_slots_of_replicas=True,
    setslot_has_options=True,
    mistakes_empty_transactions=True,
    ranges_may_be_open=True,
    script_words=("", " Valkey"),
    knows_later_options=True,
)

_VALKEY_9_1: Final = attrs.evolve(
    _VALKEY_8_1,
    dialect="valkey-9.1",
    version="9.1.2",
    version_lines=("redis_version:7.2.4", "server_name:valkey", "valkey_version:9.1.2"),
    select_error="ERR DB index is out of range",
    ports_are_judged_first=True,
    failover_takes_more=True,
    counts_failed_nodes=True,
    counts_bytes=True,
    zones=True,
    copy_error="ERR DB index is out of range",
    bad_client_id="ERR syntax error",
    has_databases=True,
    tells_strangers_nothing=True,
    addresses_are_names=True,
)

RELEASES: Final = {
    release.dialect: release for release in (_REDIS_7_0, _REDIS_8_0, _VALKEY_8_1, _VALKEY_9_1)
}
"""By the dialect's name."""


def release_of(state: ClusterState) -> Release:
    """The release whose dialect the node speaks; the newest known if the dialect is our own."""
    return RELEASES.get(state.rules.dialect, _VALKEY_9_1)
