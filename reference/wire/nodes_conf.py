"""The file nodes.conf, in which a node keeps what it must not forget, and CLUSTER NODES."""

from collections.abc import Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Epoch, NodeId
from reference.wire.texts import is_aux_value, is_word

CONNECTED: Final = "connected"
DISCONNECTED: Final = "disconnected"

FLAGS: Final = (
    "myself", "master", "slave", "fail?", "fail", "handshake", "noaddr", "nofailover", "noflags",
)  # fmt: skip
"""The words for what a node is, in the order in which servers print them."""


@attrs.frozen(kw_only=True)
class NodeLine:
    """What is known of one node (a line of `clusterGenNodesDescription`)."""

    node_id: NodeId
    ip: str  # empty: unknown
    port: int
    cport: int
    hostname: str = ""
    aux: tuple[tuple[str, str], ...] = ()  # (field, value) as in the file; none in redis-7.0
    flags: tuple[str, ...]  # of FLAGS; at least one
    replicaof: NodeId | None = None
    ping_sent: int = 0  # ms since 1970; 0: no ping is in flight
    pong_received: int = 0  # ms since 1970; 0: never
    config_epoch: Epoch = 0  # on the line of a replica, that of its master
    link_state: str = CONNECTED  # or DISCONNECTED
    slots: SlotSet = NO_SLOTS
    migrating: tuple[tuple[int, NodeId], ...] = ()  # (slot, to whom), ascending; only of myself
    importing: tuple[tuple[int, NodeId], ...] = ()  # (slot, from whom), ascending; only of myself


@attrs.frozen(kw_only=True)
class NodesConf:
    """The whole file: every known node, and the two numbers that safety rests on."""

    nodes: tuple[NodeLine, ...]
    current_epoch: Epoch = 0
    last_vote_epoch: Epoch = 0
    taken_from: tuple[tuple[NodeId, SlotSet], ...] = ()  # from whom own slots were taken

    @property
    def myself(self) -> NodeLine:
        """The node whose file it is; StopIteration if none is flagged so."""
        return next(node for node in self.nodes if "myself" in node.flags)


@clause("NC-1", "NC-2", "NC-3")
def format_node_line(node: NodeLine, *, with_aux: bool = False) -> str:
    """The line of the node without its end, as CLUSTER NODES prints it, or with aux as the file.

    ValueError if a text would not be read back. Counterpart: `clusterGenNodeDescription`.
    """
    return " ".join(
        [
            node.node_id,
            _address(node, with_aux=with_aux),
            ",".join(node.flags),
            node.replicaof or "-",
            str(node.ping_sent),
            str(node.pong_received),
            str(node.config_epoch),
            node.link_state,
            *_slot_words(node),
        ]
    )


@clause("NC-1", "NC-4", "NC-13")
def format_nodes_conf(conf: NodesConf) -> bytes:
    """The bytes of the file, a line for each node and then the variables.

    Handshake nodes are the caller's to leave out; ValueError if a text would not be read back.
    Counterpart: `clusterSaveConfig`.
    """
    lines = [format_node_line(node, with_aux=True) for node in conf.nodes]
    words = [f"vars currentEpoch {conf.current_epoch} lastVoteEpoch {conf.last_vote_epoch}"]
    words += [f"takenFrom {node_id}:{','.join(_runs(slots))}" for node_id, slots in conf.taken_from]
    lines.append(" ".join(words) + "\n")
    return "\n".join(lines).encode("latin-1")


@clause("NC-10")
def _address(node: NodeLine, *, with_aux: bool) -> str:
    for what, text in (("address", node.ip), ("host name", node.hostname)):
        if not is_word(text):
            raise ValueError(f"a line of nodes.conf cannot hold the {what} {text!r}")
    fields = [node.hostname]
    for field, value in node.aux if with_aux else ():
        if not is_aux_value(value):
            raise ValueError(f"a line of nodes.conf cannot hold the {field} {value!r}")
        fields.append(f"{field}={value}")
    address = f"{node.ip}:{node.port}@{node.cport}"
    return ",".join([address, *fields]) if any(fields) else address


def _runs(slots: SlotSet) -> Iterator[str]:
    for first, last in slots.ranges:
        yield f"{first}" if first == last else f"{first}-{last}"


def _slot_words(node: NodeLine) -> Iterator[str]:
    yield from _runs(node.slots)
    opened = [(slot, f"[{slot}->-{target}]") for slot, target in node.migrating]
    opened += [(slot, f"[{slot}-<-{source}]") for slot, source in node.importing]
    for _, word in sorted(opened):
        yield word
