"""XGROUP CREATE, XINFO STREAM and XSETID, in the words of the servers."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.replies import ClientReply
from reference.wire.rdb_values import (
    ZERO_ID,
    RdbStream,
    StreamConsumer,
    StreamEntry,
    StreamGroup,
    StreamId,
    StreamPending,
)
from reference.wire.resp import OK, ErrorReply

_SHOWN: Final = 10
_IN_A_NODE: Final = 100
"""Entries that servers keep together."""

_SMALLER: Final = "ERR The ID specified in XSETID is smaller than {}"

_Fields: TypeAlias = Mapping[bytes | str, ClientReply]


def _misfit(arguments: Sequence[bytes]) -> ErrorReply:
    container, word = (each.decode("utf-8", "surrogateescape") for each in arguments[:2])
    return ErrorReply(
        f"ERR unknown subcommand or wrong number of arguments for '{word}'. "
        f"Try {container.upper()} HELP."
    )


@clause("CM-93")
def create_group(session: Session, arguments: list[bytes]) -> ClientReply:
    """The stream has the group, or the reply says why not. Counterpart: `xgroupCommand`."""
    rest = [argument.upper() for argument in arguments[5:]]
    while rest:
        if rest[0] == b"MKSTREAM":
            del rest[0]
        elif rest[0] == b"ENTRIESREAD" and len(rest) > 1:
            del rest[:2]
        else:
            return _misfit(arguments)
    reply = session.service.keyspace.execute(arguments, session.protocol)
    if isinstance(reply, ErrorReply) and reply.text.startswith("ERR BUSYGROUP"):
        return ErrorReply(reply.text.removeprefix("ERR "))
    return reply


@clause("CM-93")
def describe_stream(session: Session, arguments: list[bytes]) -> ClientReply:
    """What is known of the stream, with FULL all of it. Counterpart: `xinfoReplyWithStreamInfo`."""
    words, count = [argument.upper() for argument in arguments[3:]], _SHOWN
    full = bool(words)
    if words and not (words[0] == b"FULL" and words[1:2] in ([], [b"COUNT"]) and len(words) != 2):
        return _misfit(arguments)
    if len(words) > 3:
        return _misfit(arguments)
    if len(words) == 3:
        given = parse_integer(words[2])
        count = given if given >= 0 else _SHOWN
    keyspace, key = session.service.keyspace, arguments[2]
    groups = keyspace.execute([b"XINFO", b"GROUPS", key])
    if isinstance(groups, ErrorReply):
        return groups
    entry = keyspace.entry(key)
    if entry is None or not isinstance(entry.value, RdbStream):
        return ErrorReply("ERR no such key")
    stream = entry.value
    fields = _common(stream)
    if not full:
        first, last = stream.entries[:1], stream.entries[-1:]
        return fields | {
            "groups": len(stream.groups),
            "first-entry": _entry(first[0]) if first else None,
            "last-entry": _entry(last[0]) if last else None,
        }
    most = count or len(stream.entries) + sum(len(group.pending) for group in stream.groups)
    knows_activity = session.release.dialect != "redis-7.0"
    return fields | {
        "entries": [_entry(each) for each in stream.entries[:most]],
        "groups": [
            _group(group, _lag(groups, group.name), most, active=knows_activity)
            for group in sorted(stream.groups, key=lambda each: each.name)
        ],
    }


def _common(stream: RdbStream) -> dict[bytes | str, ClientReply]:
    nodes = -(-len(stream.entries) // _IN_A_NODE)
    return {
        "length": len(stream.entries),
        "radix-tree-keys": nodes,
        "radix-tree-nodes": nodes + 1,
        "last-generated-id": str(stream.last_id),
        "max-deleted-entry-id": str(stream.max_deleted_id),
        "entries-added": stream.entries_added,
        "recorded-first-entry-id": str(
            stream.entries[0].entry_id if stream.entries else StreamId(0, 0)
        ),
    }


def _entry(entry: StreamEntry) -> ClientReply:
    return [str(entry.entry_id), [word for pair in entry.pairs for word in pair]]


def _lag(groups: ClientReply, name: bytes) -> tuple[ClientReply, ClientReply]:
    """How many entries the group has read, and how many it has not, as the data says."""
    for row in groups if isinstance(groups, list) else ():
        fields = row if isinstance(row, list) else []
        known = dict(zip(map(_bytes, fields[::2]), fields[1::2], strict=True))
        if known.get(b"name") == name:
            return known.get(b"entries-read"), known.get(b"lag")
    return None, None


def _bytes(value: ClientReply) -> bytes:
    return value if isinstance(value, bytes) else b""


def _group(
    group: StreamGroup, read: tuple[ClientReply, ClientReply], most: int, *, active: bool
) -> _Fields:
    owners = {owned: each.name for each in group.consumers for owned in each.pending}
    known = {each.entry_id: each for each in group.pending}
    return {
        "name": group.name,
        "last-delivered-id": str(group.last_id),
        "entries-read": read[0],
        "lag": read[1],
        "pel-count": len(group.pending),
        "pending": [
            [
                str(each.entry_id),
                owners.get(each.entry_id, b""),
                each.delivery_time,
                each.delivery_count,
            ]
            for each in group.pending[:most]
        ],
        "consumers": [
            _consumer(each, known, most, active=active)
            for each in sorted(group.consumers, key=lambda each: each.name)
        ],
    }


def _consumer(
    consumer: StreamConsumer, known: Mapping[StreamId, StreamPending], most: int, *, active: bool
) -> _Fields:
    pending = [known[each] for each in consumer.pending]
    times: dict[bytes | str, ClientReply] = {"seen-time": consumer.seen_time}
    if active:
        times["active-time"] = consumer.active_time
    name: dict[bytes | str, ClientReply] = {"name": consumer.name}
    return (
        name
        | times
        | {
            "pel-count": len(pending),
            "pending": [
                [str(each.entry_id), each.delivery_time, each.delivery_count]
                for each in pending[:most]
            ],
        }
    )


_ID: Final = re.compile(rb"(\d{1,20})(?:-(\d{1,20}))?")


def _parse_id(word: bytes) -> StreamId:
    found = _ID.fullmatch(word)
    numbers = [int(part or 0) for part in found.groups()] if found else [-1]
    if not all(0 <= number < 2**64 for number in numbers):
        raise CommandError("ERR Invalid stream ID specified as stream command argument")
    return StreamId(*numbers)


def _as_pair(entry_id: StreamId) -> tuple[int, int]:
    return entry_id.ms, entry_id.seq


def _counts(last: StreamId, words: list[bytes]) -> tuple[int, StreamId]:
    """How many entries were added, -1 if it is not said, and the highest id that was deleted."""
    added, deleted = -1, ZERO_ID
    for at in range(0, len(words), 2):
        match [words[at].upper(), *words[at + 1 : at + 2]]:
            case [b"ENTRIESADDED", word]:
                added = parse_integer(word)
                if added < 0:
                    raise CommandError("ERR entries_added must be positive")
            case [b"MAXDELETEDID", word]:
                deleted = _parse_id(word)
                if _as_pair(last) < _as_pair(deleted):
                    raise CommandError(_SMALLER.format("the provided max_deleted_entry_id"))
            case _:
                raise CommandError("ERR syntax error")
    return added, deleted


@clause("CM-116")
def set_last_id(session: Session, arguments: list[bytes]) -> ClientReply:
    """The stream's last id, and what is counted of it, are these. Counterpart: `xsetidCommand`."""
    last = _parse_id(arguments[2])
    added, deleted = _counts(last, arguments[3:])
    keyspace, key = session.service.keyspace, arguments[1]
    length = keyspace.execute([b"XLEN", key])
    if isinstance(length, ErrorReply):
        return length
    entry = keyspace.entry(key)
    if entry is None or not isinstance(entry.value, RdbStream):
        return ErrorReply("ERR no such key")
    new = session.release.dialect != "redis-7.0"
    error = _why_not_last(entry.value, _as_pair(last), added, new=new)
    if error is not None:
        return ErrorReply(error)
    request = [*arguments[:2], str(last).encode()]
    if added >= 0:
        request += [b"ENTRIESADDED", b"%d" % added]
    if deleted != ZERO_ID:
        request += [b"MAXDELETEDID", str(deleted).encode()]
    keyspace.change_stream_ids(request)
    return OK


def _why_not_last(stream: RdbStream, last: tuple[int, int], added: int, *, new: bool) -> str | None:
    if new and last < _as_pair(stream.max_deleted_id):
        return _SMALLER.format("current max_deleted_entry_id")
    if stream.entries and last < _as_pair(stream.entries[-1].entry_id):
        return _SMALLER.format("the target stream top item")
    if stream.entries and 0 <= added < len(stream.entries):
        return "ERR The entries_added specified in XSETID is smaller than the target stream length"
    return None


STREAM_HANDLERS: Final[Handlers] = {
    "xgroup|create": create_group,
    "xinfo|stream": describe_stream,
    "xsetid": set_last_id,
}
"""The handlers of this module by command."""
