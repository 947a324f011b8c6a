"""Reading nodes.conf: what is damaged is refused with the line and the reason, never repaired.

Servers read numbers up to the first other character, take the first of two owners of a slot and
start without the variables. A file like that was cut off or edited, so it is refused here: what
is lost may be the epoch of a vote.
"""

import re
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import SLOT_COUNT, Epoch, NodeId
from reference.wire.nodes_conf import CONNECTED, DISCONNECTED, FLAGS, NodeLine, NodesConf

AUX_FIELDS: Final = frozenset(
    {
        "shard-id", "nodename", "tcp-port", "tls-port", "client-ipv4", "client-ipv6",
        "client-tcp-port", "client-tls-port", "availability-zone",
    }
)  # fmt: skip
"""The facts that dialects after redis-7.0 add to the address (`auxFieldHandlers`)."""

CPORT_INCREMENT: Final = 10000
"""From the client port to the bus port where none is given (`CLUSTER_PORT_INCR`)."""

_SHOWN_LENGTH: Final = 120
_MAX_EPOCH: Final = 2**64 - 1
_MAX_PORT: Final = 65535
_NODE_ID: Final = re.compile(r"[0-9a-z]{40}")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_OPEN_SLOT: Final = re.compile(r"\[([0-9]{1,5})-([<>])-([0-9a-z]{40})\]")
_SYNONYMS: Final = {"primary": "master", "replica": "slave"}


class NodesConfError(Exception):
    """The file is damaged: in which line (from 1; 0: the file as a whole), its text, and why."""

    def __init__(self, line_number: int, text: str, reason: str) -> None:
        if len(text) > _SHOWN_LENGTH:
            text = text[: _SHOWN_LENGTH - 3] + "..."
        where = f"line {line_number}: {reason}: {text!r}" if line_number else reason
        super().__init__(where)
        self.line_number = line_number
        self.text = text
        self.reason = reason


class _DamagedError(Exception):
    """Why a line cannot be read."""


@clause("NC-5", "NC-6", "NC-7", "NC-8")
def parse_nodes_conf(data: bytes) -> NodesConf:
    """The content of the file; NodesConfError if it is damaged.

    An empty file is damaged too: ask for that before, since it is what a node finds that was
    stopped between locking and first writing it. Counterpart: `clusterLoadConfig`.
    """
    lines = data.decode("latin-1").split("\n")
    file = _File()
    for number, text in enumerate(lines, start=1):
        if not text.strip("\0\r\t "):
            continue
        try:
            file.add_line(text, ended=number < len(lines))
        except _DamagedError as error:
            raise NodesConfError(number, text, str(error)) from None
    if file.myself is None:
        raise NodesConfError(0, "", "no node is flagged myself")
    if file.current_epoch is None or file.last_vote_epoch is None:
        raise NodesConfError(0, "", "currentEpoch or lastVoteEpoch is missing")
    return NodesConf(
        nodes=tuple(file.nodes.values()),
        current_epoch=file.current_epoch,
        last_vote_epoch=file.last_vote_epoch,
    )


@clause("NC-2", "NC-3")
def parse_node_line(text: str) -> NodeLine:
    """The node of one line of the file or of CLUSTER NODES; NodesConfError if it is damaged.

    Counterpart: `clusterLoadConfig`.
    """
    try:
        return _read_node(text.split())
    except _DamagedError as error:
        raise NodesConfError(1, text, str(error)) from None


@attrs.define
class _File:
    """What was read so far: ids, `myself` and the owner of each slot are single."""

    nodes: dict[NodeId, NodeLine] = attrs.field(factory=dict)
    myself: NodeId | None = None
    owned: SlotSet = NO_SLOTS
    current_epoch: Epoch | None = None
    last_vote_epoch: Epoch | None = None

    def add_line(self, text: str, *, ended: bool) -> None:
        if not ended:
            raise _DamagedError("the line does not end, the file was cut off")
        words = text.split()
        if words[0].lower() == "vars":
            self._add_variables(words)
        else:
            self._add_node(_read_node(words))

    def _add_node(self, node: NodeLine) -> None:
        if node.node_id in self.nodes:
            raise _DamagedError(f"duplicate node id {node.node_id}")
        if "myself" in node.flags:
            if self.myself is not None:
                raise _DamagedError(f"two nodes are flagged myself, the first is {self.myself}")
            self.myself = node.node_id
        if twice := self.owned & node.slots:
            raise _DamagedError(f"slots {twice} have an owner already")
        self.nodes[node.node_id] = node
        self.owned |= node.slots

    def _add_variables(self, words: list[str]) -> None:
        if len(words) % 2 == 0:
            raise _DamagedError("a variable has no value")
        for name, value in zip(words[1::2], words[2::2], strict=True):
            match name.lower():
                case "currentepoch":
                    self.current_epoch = _epoch(value)
                case "lastvoteepoch":
                    self.last_vote_epoch = _epoch(value)
                case _:  # of a later release
                    pass


def _read_node(words: list[str]) -> NodeLine:
    if len(words) < 8:
        raise _DamagedError(f"{len(words)} fields, a node has at least 8")
    node_id, where, flag_words, replicaof, ping, pong, config_epoch, link_state = words[:8]
    address, _, rest = where.partition(",")
    ip, port, cport = _address(address)
    hostname, *aux = rest.split(",")
    if link_state not in (CONNECTED, DISCONNECTED):
        raise _DamagedError(f"unknown link state {link_state!r}")
    slots, migrating, importing = _slots(words[8:])
    return NodeLine(
        node_id=_node_id(node_id),
        ip=ip,
        port=port,
        cport=cport,
        hostname=hostname,
        aux=tuple(_aux_field(field) for field in aux),
        flags=tuple(_flag(word) for word in flag_words.split(",")),
        replicaof=None if replicaof == "-" else _node_id(replicaof),
        ping_sent=_number(ping, _MAX_EPOCH, "time"),
        pong_received=_number(pong, _MAX_EPOCH, "time"),
        config_epoch=_epoch(config_epoch),
        link_state=link_state,
        slots=slots,
        migrating=migrating,
        importing=importing,
    )


def _node_id(word: str) -> NodeId:
    if not _NODE_ID.fullmatch(word):
        raise _DamagedError(f"bad node id {word!r}")
    return NodeId(word)


def _number(word: str, largest: int, what: str) -> int:
    if not _DIGITS.fullmatch(word) or int(word) > largest:
        raise _DamagedError(f"bad {what} {word!r}")
    return int(word)


def _epoch(word: str) -> Epoch:
    return _number(word, _MAX_EPOCH, "epoch")


def _address(text: str) -> tuple[str, int, int]:
    ip, colon, ports = text.rpartition(":")
    if not colon:
        raise _DamagedError(f"address without a port {text!r}")
    port_text, at, cport_text = ports.partition("@")
    port = _number(port_text, _MAX_PORT, "port")
    cport = _number(cport_text, _MAX_PORT, "bus port") if at else port + CPORT_INCREMENT
    return ip, port, cport


def _aux_field(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if field not in AUX_FIELDS or not equals or "=" in value:
        raise _DamagedError(f"unknown auxiliary field {text!r}")
    return field, value


def _flag(word: str) -> str:
    flag = word.lower()
    flag = _SYNONYMS.get(flag, flag)
    if flag not in FLAGS:
        raise _DamagedError(f"unknown flag {word!r}")
    return flag


def _slots(
    words: list[str],
) -> tuple[SlotSet, tuple[tuple[int, NodeId], ...], tuple[tuple[int, NodeId], ...]]:
    slots = NO_SLOTS
    migrating: list[tuple[int, NodeId]] = []
    importing: list[tuple[int, NodeId]] = []
    for word in words:
        if word.startswith("["):
            opened = _OPEN_SLOT.fullmatch(word)
            if not opened:
                raise _DamagedError(f"bad open slot {word!r}")
            entry = (_slot(opened[1]), NodeId(opened[3]))
            (migrating if opened[2] == ">" else importing).append(entry)
            continue
        first, dash, last = word.partition("-")
        run = SlotSet.between(_slot(first), _slot(last if dash else first))
        if not run:
            raise _DamagedError(f"bad slot range {word!r}")
        slots |= run
    return slots, tuple(migrating), tuple(importing)


def _slot(word: str) -> int:
    return _number(word, SLOT_COUNT - 1, "slot")
