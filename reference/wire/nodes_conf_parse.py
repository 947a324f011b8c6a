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
from reference.wire.dialects import COMMON, WireDialect
from reference.wire.nodes_conf import CONNECTED, DISCONNECTED, FLAGS, NodeLine, NodesConf
from reference.wire.texts import is_aux_value, is_ipv4, is_ipv6

MAX_FILE: Final = 64 * 1024 * 1024
"""Bytes of the longest file; a cluster of a thousand nodes has about 200 KB."""

MEMORY_PER_BYTE: Final = 32
"""Bytes that parsing allocates at most for each byte of the file; bitmaps of slots cost most."""

MEMORY_BESIDE: Final = 64 * 1024
"""Bytes that it allocates at most beside those."""

CPORT_INCREMENT: Final = 10000
"""From the client port to the bus port where none is given (`CLUSTER_PORT_INCR`)."""

_SHOWN_LENGTH: Final = 120
_MAX_EPOCH: Final = 2**64 - 1
_MAX_PORT: Final = 65535
_NODE_ID: Final = re.compile(r"[0-9a-z]{40}")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_WORD: Final = re.compile(r"\S+", re.ASCII)
_BROKEN: Final = re.compile(r"""[\x00-\x08\x0e-\x1f\x7f"']""")
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


@clause("NC-5", "NC-6", "NC-7", "NC-8", "NC-D1")
def parse_nodes_conf(data: bytes, dialect: WireDialect = COMMON) -> NodesConf:
    """The content of the file; NodesConfError if it is damaged, or no file of the dialect.

    An empty file is damaged too: ask for that before, since it is what a node finds that was
    stopped between locking and first writing it. Counterpart: `clusterLoadConfig`.
    """
    if len(data) > MAX_FILE:
        raise NodesConfError(0, "", f"{len(data)} bytes, more than the limit of {MAX_FILE}")
    lines = data.decode("latin-1").split("\n")
    file = _File(dialect)
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
        taken_from=tuple(file.taken_from),
    )


@clause("NC-2", "NC-3")
def parse_node_line(text: str, dialect: WireDialect = COMMON) -> NodeLine:
    """The node of one line of the file or of CLUSTER NODES; NodesConfError if it is damaged.

    Counterpart: `clusterLoadConfig`.
    """
    try:
        return _read_node(_words(text), dialect)
    except _DamagedError as error:
        raise NodesConfError(1, text, str(error)) from None


@attrs.define
class _File:
    """What was read so far: ids, `myself` and the owner of each slot are single."""

    dialect: WireDialect
    nodes: dict[NodeId, NodeLine] = attrs.field(factory=dict)
    myself: NodeId | None = None
    owned: SlotSet = NO_SLOTS
    current_epoch: Epoch | None = None
    last_vote_epoch: Epoch | None = None
    taken_from: list[tuple[NodeId, SlotSet]] = attrs.field(factory=list)

    def add_line(self, text: str, *, ended: bool) -> None:
        if not ended:
            raise _DamagedError("the line does not end, the file was cut off")
        words = _words(text)
        if words[0].lower() == "vars":
            self._add_variables(words)
        else:
            self._add_node(_read_node(words, self.dialect))

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
                case "takenfrom":
                    self.taken_from.append(_taken(value))
                case _:  # of a later release
                    pass


def _words(text: str) -> list[str]:
    """The words of the line; servers would unquote some of them, and end the line at a NUL."""
    if broken := _BROKEN.search(text):
        raise _DamagedError(f"{broken[0]!r} does not belong into a line")
    return _WORD.findall(text)


def _read_node(words: list[str], dialect: WireDialect) -> NodeLine:
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
        aux=_aux(aux, dialect),
        flags=tuple(_flag(word, dialect) for word in flag_words.split(",")),
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
    cport = _number(cport_text if at else str(port + CPORT_INCREMENT), _MAX_PORT, "bus port")
    return ip, port, cport


@clause("NC-9")
def _aux(fields: list[str], dialect: WireDialect) -> tuple[tuple[str, str], ...]:
    read: dict[str, str] = {}
    for text in fields:
        field, equals, value = text.partition("=")
        if field not in dialect.aux_fields or not equals or "=" in value:
            raise _DamagedError(f"unknown auxiliary field {text!r}")
        if field in read:
            raise _DamagedError(f"{field} is given twice")
        if not _is_aux(field, value):
            raise _DamagedError(f"bad {field} {value!r}")
        read[field] = value
    return tuple(read.items())


def _is_aux(field: str, value: str) -> bool:
    match field:
        case "shard-id":
            return _NODE_ID.fullmatch(value) is not None
        case "client-ipv4":
            return not value or is_ipv4(value)
        case "client-ipv6":
            return not value or is_ipv6(value)
        case "nodename" | "availability-zone":
            return is_aux_value(value)
        case _:  # the ports
            return _PORT.fullmatch(value) is not None and int(value) <= _MAX_PORT


@clause("NC-12")
def _flag(word: str, dialect: WireDialect) -> str:
    flag = word.lower()
    if dialect.role_synonyms:
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
        slots |= _run(word)
    return slots, tuple(migrating), tuple(importing)


def _run(word: str) -> SlotSet:
    first, dash, last = word.partition("-")
    run = SlotSet.between(_slot(first), _slot(last if dash else first))
    if not run:
        raise _DamagedError(f"bad slot range {word!r}")
    return run


@clause("NC-13")
def _taken(word: str) -> tuple[NodeId, SlotSet]:
    node_id, _, runs = word.partition(":")
    slots = NO_SLOTS
    for run in runs.split(","):
        slots |= _run(run)
    return _node_id(node_id), slots


def _slot(word: str) -> int:
    return _number(word, SLOT_COUNT - 1, "slot")
