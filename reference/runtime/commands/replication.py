"""What replicas say and ask, and what clients may know of it: PSYNC, REPLCONF, WAIT, ROLE."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Final

from reference.clauses import clause
from reference.core.types import NodeId
from reference.runtime.clients.acknowledged import answer_when_acknowledged
from reference.runtime.clients.arguments import CommandError, parse_integer, parse_node_id
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.limits import OutputClass
from reference.runtime.replication.feed import Feed, FeedState, ReplicaFacts
from reference.runtime.replies import ClientReply, Raw
from reference.wire.resp import OK, ErrorReply

_NO_LINK: Final = "NOMASTERLINK Can't SYNC while not connected with my master"


def _facts(session: Session) -> ReplicaFacts:
    if session.replica is None:
        session.replica = ReplicaFacts(ip=session.address.rpartition(":")[0])
    return session.replica


@clause("RE-22")
def replconf(session: Session, arguments: list[bytes]) -> ClientReply:
    """What the replica says of itself is known, or how far it has come.

    Counterpart: `replconfCommand`.
    """
    if len(arguments) % 2 == 0:
        return ErrorReply("ERR syntax error")
    facts = _facts(session)
    for word, value in zip(arguments[1::2], arguments[2::2], strict=True):
        option = word.lower()
        if option == b"ack":
            if session.feed is not None:
                session.node.replicas.ack(session.feed, parse_integer(value))
            return Raw()
        if option == b"set-cluster-node-id" and session.state.rules.master_names_successor:
            facts.node_id = _known_id(session, value)
        elif not _take(facts, option, value, session.release.server):
            name = word.decode("utf-8", "surrogateescape")
            return ErrorReply(f"ERR Unrecognized REPLCONF option: {name}")
    return OK


def _known_id(session: Session, word: bytes) -> NodeId:
    node_id = parse_node_id(word)
    if session.state.nodes.get(node_id) is None:
        raise CommandError(f"ERR Unknown node {node_id}")
    return node_id


def _take(facts: ReplicaFacts, option: bytes, value: bytes, server: str) -> bool:
    """Whether a server of this kind knows the option."""
    match option:
        case b"listening-port":
            facts.port = parse_integer(value)
        case b"ip-address":
            facts.ip = value.decode("utf-8", "surrogateescape")
        case b"capa":
            facts.eof |= value.lower() == b"eof"
            facts.psync2 |= value.lower() == b"psync2"
        case b"version" if server == "valkey":
            head = value.partition(b".")[0]
            facts.release = int(head) if head.isdigit() and len(head) < 4 else 0
        case _:
            return option in (b"rdb-only", b"rdb-filter-only", b"getack")
    return True


@clause("RE-14")
def psync(session: Session, arguments: list[bytes]) -> ClientReply:
    """The connection is a replica's: it goes on in the stream, or gets all data first.

    Counterpart: `syncCommand`.
    """
    if session.feed is not None:
        return Raw()
    if session.state.myself.is_replica and not session.node.master_link_up:
        return ErrorReply(_NO_LINK)
    first = parse_integer(arguments[2])
    return _become_replica(session, arguments[1].decode("latin-1"), first)


def _sync(session: Session, _arguments: list[bytes]) -> ClientReply:
    """All data and then the stream, without a word of where in the stream that is."""
    if session.feed is not None:
        return Raw()
    if session.state.myself.is_replica and not session.node.master_link_up:
        return ErrorReply(_NO_LINK)
    return _become_replica(session, "", 0)


def _become_replica(session: Session, replid: str, first: int) -> ClientReply:
    if session.outlet is None:
        raise CommandError("ERR a replica needs a connection")
    session.output_class = OutputClass.REPLICA
    replicas, outlet = session.node.replicas, session.outlet
    session.feed = feed = replicas.ask(outlet, _facts(session), replid, first)
    session.at_end.append(partial(replicas.leave, feed))
    return Raw()


@clause("RE-20")
def wait(session: Session, arguments: list[bytes]) -> ClientReply:
    """So many replicas have what this node has written, or the time is over: how many have.

    Counterpart: `waitCommand`.
    """
    if session.state.myself.is_replica:
        return ErrorReply(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis "
            "4.0 if a replica is configured to be writable (which is not the default) writes to "
            "replicas are just local and are not propagated."
        )
    count, timeout_ms = parse_integer(arguments[1]), parse_integer(arguments[2])
    if timeout_ms < 0:
        return ErrorReply("ERR timeout is negative")
    replicas = session.node.replicas
    offset = replicas.stream.offset

    def told() -> int:
        return replicas.count(offset)

    if told() >= count or session.service.keyspace.in_group:
        return told()
    return answer_when_acknowledged(session, count, timeout_ms, reached=told, over=told)


@clause("CM-60")
def role(session: Session, _arguments: list[bytes]) -> ClientReply:
    """Whether it is a master, with its replicas, or a replica, with its master.

    Counterpart: `roleCommand`.
    """
    node, state = session.node, session.state
    if not state.myself.is_replica:
        replicas: list[ClientReply] = [
            [feed.facts.ip, str(feed.facts.port), str(feed.acked)] for feed in node.replicas.online
        ]
        return ["master", node.repl_offset(state.myself_id), replicas]
    address = state.my_master.address if state.my_master is not None else None
    linked = "connected" if node.master_link_up else "connect"
    offset = node.repl_offset(state.myself_id) if node.master_link_up else -1
    return ["slave", address.ip if address else "", address.port if address else 0, linked, offset]


def _replicaof(session: Session, arguments: list[bytes]) -> ClientReply:
    del session
    name = arguments[0].decode("latin-1").upper()
    return ErrorReply(f"ERR {name} not allowed in cluster mode.")


@clause("CM-60")
def replication_lines(session: Session) -> Iterator[str]:
    """The section `Replication` of INFO. Counterpart: `genRedisInfoString`."""
    node, state = session.node, session.state
    stream = node.replicas.stream
    if state.myself.is_replica:
        yield "role:slave"
        yield from _master_lines(session)
    else:
        yield "role:master"
    yield f"connected_slaves:{len(node.replicas.feeds)}"
    now = asyncio.get_running_loop().time() if node.replicas.feeds else 0
    for number, feed in enumerate(node.replicas.feeds):
        yield f"slave{number}:{_told(feed, now)}"
    yield "master_failover_state:no-failover"
    yield f"master_replid:{stream.replid}"
    yield f"master_replid2:{stream.old_replid}"
    yield f"master_repl_offset:{node.repl_offset(state.myself_id)}"
    yield f"second_repl_offset:{stream.old_end + 1 if stream.old_end >= 0 else -1}"
    yield f"repl_backlog_active:{int(stream.active)}"
    yield f"repl_backlog_size:{stream.limit}"
    yield f"repl_backlog_first_byte_offset:{stream.first if stream.active else 0}"
    yield f"repl_backlog_histlen:{stream.kept}"


def _told(feed: Feed, now: float) -> str:
    online = feed.state is FeedState.ONLINE
    state = "online" if online else "send_bulk"
    lag = int(now - feed.heard) if online else 0
    facts = feed.facts
    return f"ip={facts.ip},port={facts.port},state={state},offset={feed.acked},lag={lag}"


def _master_lines(session: Session) -> Iterator[str]:
    node, master = session.node, session.state.my_master
    address = master.address if master else None
    offset = node.repl_offset(session.state.myself_id)
    yield f"master_host:{address.ip if address else ''}"
    yield f"master_port:{address.port if address else 0}"
    yield f"master_link_status:{'up' if node.master_link_up else 'down'}"
    yield f"master_last_io_seconds_ago:{node.master_heard_s_ago}"
    yield f"master_sync_in_progress:{int(node.master_sends_all)}"
    yield f"slave_read_repl_offset:{offset}"
    yield f"slave_repl_offset:{offset}"
    yield "slave_priority:100"
    yield "slave_read_only:1"
    yield "replica_announced:1"


def sync_lines(session: Session) -> Iterator[str]:
    """What the section `Stats` of INFO says of replicas that have asked for the stream."""
    counts = session.node.replicas.counts
    yield f"sync_full:{counts.full}"
    yield f"sync_partial_ok:{counts.partial}"
    yield f"sync_partial_err:{counts.refused}"


def append_log_lines(session: Session) -> Iterator[str]:
    """What the section `Persistence` of INFO says of the append-only file."""
    recorder = session.service.keyspace.recorder
    yield f"aof_enabled:{int(recorder is not None)}"
    yield f"aof_rewrite_in_progress:{int(recorder is not None and recorder.rewriting)}"
    yield "aof_rewrite_scheduled:0"
    yield "aof_last_bgrewrite_status:ok"
    yield "aof_last_write_status:ok"  # a node that cannot write ends


REPLICATION_HANDLERS: Final[Handlers] = {
    "psync": psync,
    "replconf": replconf,
    "replicaof": _replicaof,
    "role": role,
    "slaveof": _replicaof,
    "sync": _sync,
    "wait": wait,
}
"""The handlers of this module by command."""
