"""Real servers load what we write in the RDB format, and we read what they write.

Clauses: RB-1, RB-4, RB-5, RB-6, RB-7, RB-9, RB-10, RB-11, RB-12.
"""

import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import redis

from reference.wire.rdb import (
    RdbAux,
    RdbDecoder,
    RdbEntry,
    RdbFunction,
    RdbKey,
    format_rdb,
    parse_rdb,
)
from reference.wire.rdb_decode import RdbType
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.rdb_encode import VALKEY_VERSION
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbStream,
    RdbString,
    RdbValue,
    StreamConsumer,
    StreamEntry,
    StreamGroup,
    StreamId,
    StreamPending,
)
from tests.rdb_samples import (
    ENTRIES,
    EXPIRING,
    LONG,
    LONGER,
    SAMPLES,
    STREAM,
    Sample,
    payload,
    without_active_times,
)
from tests.support import LOOPBACK, Server, free_ports, redis_binary, valkey_binary, wait_until

pytestmark = pytest.mark.interop

FUNCTION: Final = b"#!lua name=lib\nredis.register_function('f', function() return 1 end)"
LATER: Final = 4102444800000
"""The year 2100 in milliseconds."""

SETTINGS: Final[dict[str, dict[str, int | str]]] = {
    "packed": {
        "list-max-listpack-size": 128, "hash-max-listpack-entries": 512,
        "zset-max-listpack-entries": 512, "set-max-intset-entries": 512, "rdbcompression": "no",
        "hash-max-listpack-value": 64, "zset-max-listpack-value": 64,
    },
    "nodes": {
        "list-max-listpack-size": 3, "hash-max-listpack-entries": 512,
        "zset-max-listpack-entries": 512, "set-max-intset-entries": 512, "rdbcompression": "yes",
        "hash-max-listpack-value": 70000, "zset-max-listpack-value": 70000,
        "stream-node-max-entries": 2,
    },
    "plain": {
        "list-max-listpack-size": -1, "hash-max-listpack-entries": 0,
        "zset-max-listpack-entries": 0, "set-max-intset-entries": 0, "rdbcompression": "yes",
    },
}  # fmt: skip


class Standalone:
    """A server that is no cluster node, and a client whose replies are as they come."""

    def __init__(self, kind: str, directory: Path, *options: str) -> None:
        self.kind = kind
        self.directory = directory
        binary = valkey_binary() if kind == "valkey" else redis_binary()
        [port] = free_ports(1)
        words: list[str | Path] = [
            binary, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no",
            "--databases", "400", "--dbfilename", "dump.rdb", "--dir", str(directory),
            "--sanitize-dump-payload", "yes", "--repl-diskless-sync", "yes",
            "--repl-diskless-sync-delay", "0", *options,
        ]  # fmt: skip
        self.server = Server(kind, port, directory, words)
        self.raw = redis.Redis(host=LOOPBACK, port=port, protocol=2, socket_timeout=20)
        self.raw.response_callbacks.clear()

    def start(self) -> None:
        """It answers."""
        self.server.start()

    def __call__(self, *words: str | bytes | float) -> Any:
        """The reply to a command."""
        return self.raw.execute_command(*words)  # type: ignore[no-untyped-call]

    def end(self) -> None:
        """The process is gone."""
        self.raw.close()
        self.server.end()

    @property
    def rdb_version(self) -> int:
        """The version that it writes."""
        return VALKEY_VERSION if self.kind == "valkey" else 10


@pytest.fixture(scope="module", params=["valkey", "redis"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standalone]:
    made = Standalone(request.param, tmp_path_factory.mktemp(request.param))
    made.start()
    yield made
    made.end()


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Standalone]:
    made = Standalone(request.param, tmp_path)
    yield made
    made.end()


def _fill(server: Standalone, settings: str) -> None:
    """The server holds a key of every type, in the encodings that these settings lead to."""
    server("FLUSHALL")
    for name, value in SETTINGS[settings].items():
        server("CONFIG", "SET", name, value)
    strings = (b"", b"text", b"-12", b"300", b"-70000", b"12345678901234", LONGER, b"\xff\0\r\n")
    for number, text in enumerate(strings):
        server("SET", f"string{number}", text)
    server("SET", "expiring", "x", "PXAT", LATER)
    elements = [b"a", b"-1", b"4096", b"70000", b"-9000000000", LONG, LONGER, b"a" * 70, b""]
    server("RPUSH", "list", *elements, *elements)
    server("SADD", "set", *elements)
    for name, numbers in {"s16": [1, -5], "s32": [70000, -5], "s64": [2**40, -(2**63)]}.items():
        server("SADD", name, *numbers)
    server("HSET", "hash", *(word for pair in pairwise(elements) for word in pair))
    for name, words in {"zset": [LONGER], "zlong": [LONG * 2]}.items():
        server("ZADD", name, "inf", "a", "-inf", "b", 1 / 3, "c", 5, "d", -1e300, "7", 0, *words)
    server("SADD", "ssmall", "a", "b", 3)
    server("HSET", "hsmall", "a", "b", 3, -4)
    server("ZADD", "zsmall", 1.5, "a", -2, 3)
    if server.kind == "valkey":
        server("HSET", "fields", "f", "v", "g", "w", LONG, 3)
        server("HPEXPIREAT", "fields", LATER, "FIELDS", 2, "f", LONG)
    _fill_streams(server)


def _fill_streams(server: Standalone) -> None:
    for number in range(1, 8):
        server("XADD", "stream", f"{number}-{number * 3 % 5}", "a", number, "b", LONG)
    server("XADD", "stream", "9-1", "other", "x", "more", "y", "a", "z")
    server("XADD", "stream", f"9-{2**64 - 1}", "a", "", "b", LONGER)
    server("XDEL", "stream", "2-1", "9-1")
    server("XGROUP", "CREATE", "stream", "unread", "0")
    server("XGROUP", "CREATE", "stream", "odd", "3-0")
    server("XGROUP", "CREATE", "stream", "g", "0")
    server("XGROUP", "CREATECONSUMER", "stream", "g", "idle")
    server("XREADGROUP", "GROUP", "g", "eve", "COUNT", 2, "STREAMS", "stream", ">")
    server("XREADGROUP", "GROUP", "g", "bob", "COUNT", 2, "STREAMS", "stream", ">")
    server("XCLAIM", "stream", "g", "bob", 0, "1-3")
    server("XACK", "stream", "g", "3-4")
    server("XADD", "emptied", "5-5", "a", "b")
    server("XDEL", "emptied", "5-5")


def _pairs(flat: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _told(server: Standalone, key: bytes | str) -> RdbValue:
    """The value of a key, as the server tells it to clients."""
    match server("TYPE", key):
        case b"string":
            return RdbString(server("GET", key))
        case b"list":
            return RdbList(tuple(server("LRANGE", key, 0, -1)))
        case b"set":
            return RdbSet(frozenset(server("SMEMBERS", key)))
        case b"zset":
            scores = _pairs(server("ZRANGE", key, 0, -1, "WITHSCORES"))
            return RdbSortedSet(tuple((member, float(score)) for member, score in scores))
        case b"hash":
            return _told_hash(server, key)
        case _:
            return _told_stream(server, key)


def _told_hash(server: Standalone, key: bytes | str) -> RdbHash:
    pairs = _pairs(server("HGETALL", key))
    if server.kind == "redis":
        return RdbHash(tuple(pairs))
    fields = [field for field, _ in pairs]
    times = server("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)
    expiries = zip(fields, times, strict=True)
    return RdbHash(tuple(pairs), tuple((field, ms) for field, ms in expiries if ms != -1))


def _facts(flat: Sequence[Any]) -> dict[bytes, Any]:
    return dict(_pairs(flat))


def _stream_id(text: bytes) -> StreamId:
    ms, _, seq = text.partition(b"-")
    return StreamId(int(ms), int(seq))


def _told_stream(server: Standalone, key: bytes | str) -> RdbStream:
    facts = _facts(server("XINFO", "STREAM", key, "FULL", "COUNT", 0))
    return RdbStream(
        entries=tuple(
            StreamEntry(_stream_id(entry_id), tuple(_pairs(flat)))
            for entry_id, flat in server("XRANGE", key, "-", "+")
        ),
        last_id=_stream_id(facts[b"last-generated-id"]),
        max_deleted_id=_stream_id(facts[b"max-deleted-entry-id"]),
        entries_added=int(facts[b"entries-added"]),
        groups=tuple(map(_told_group, map(_facts, facts[b"groups"]))),
    )


def _told_group(facts: dict[bytes, Any]) -> StreamGroup:
    return StreamGroup(
        name=facts[b"name"],
        last_id=_stream_id(facts[b"last-delivered-id"]),
        entries_read=facts[b"entries-read"],
        pending=tuple(
            StreamPending(_stream_id(entry_id), time, count)
            for entry_id, _, time, count in facts[b"pending"]
        ),
        consumers=tuple(
            StreamConsumer(
                name=consumer[b"name"],
                seen_time=consumer[b"seen-time"],
                active_time=consumer.get(b"active-time", consumer[b"seen-time"]),
                pending=tuple(_stream_id(row[0]) for row in consumer[b"pending"]),
            )
            for consumer in map(_facts, facts[b"consumers"])
        ),
    )


def _without_active_times(value: RdbValue) -> RdbValue:
    return without_active_times(value) if isinstance(value, RdbStream) else value


def _expected_types(server: Standalone, settings: str) -> set[int]:
    types: set[int] = {RdbType.STRING, RdbType.LIST_QUICKLIST_2, RdbType.SET}
    if server.kind == "valkey":
        types |= {RdbType.STREAM_LISTPACKS_3, RdbType.HASH_2, RdbType.SET_LISTPACK}
    else:
        types |= {RdbType.STREAM_LISTPACKS_2}
    if settings != "nodes":
        types |= {RdbType.HASH, RdbType.ZSET_2}
    if settings != "plain":
        types |= {RdbType.HASH_LISTPACK, RdbType.ZSET_LISTPACK, RdbType.SET_INTSET}
    return types


@pytest.mark.parametrize("settings", SETTINGS)
def test_what_the_server_dumps_is_what_it_tells(server: Standalone, settings: str) -> None:
    _fill(server, settings)
    types = set()

    for key in server("KEYS", "*"):
        dump = server("DUMP", key)
        types.add(dump[0])
        assert parse_dump(dump) == _told(server, key), key
    assert types == _expected_types(server, settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_server_restores_what_we_dump(server: Standalone, settings: str) -> None:
    _fill(server, settings)

    for key in server("KEYS", "*"):
        value = _told(server, key)
        expiring = isinstance(value, RdbHash) and value.expires_at_ms
        for version in {VALKEY_VERSION if expiring else 10, server.rdb_version}:
            data = format_dump(value, version)
            assert server("RESTORE", "copy", 0, data, "REPLACE") == b"OK"
            copy = _told(server, "copy")
            if version == VALKEY_VERSION:
                assert copy == value, key
            else:
                assert _without_active_times(copy) == _without_active_times(value), key
        server("DEL", "copy")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind.name)
def test_server_reads_each_encoding_as_we_do(server: Standalone, sample: Sample) -> None:
    server("DEL", "k")
    data = payload(bytes((sample.kind,)) + sample.body, server.rdb_version)
    if sample.kind > RdbType.STREAM_LISTPACKS_2 and server.kind == "redis":
        with pytest.raises(redis.ResponseError, match="Bad data format"):
            server("RESTORE", "k", 0, data)
        return

    assert server("RESTORE", "k", 0, data) == b"OK"

    told, value = _told(server, "k"), sample.value
    if isinstance(told, RdbStream) and isinstance(value, RdbStream):
        told = _as_read(told, value, server, sample.kind)
        value = without_active_times(value) if server.kind == "redis" else value
    assert told == value


def _as_read(told: RdbStream, value: RdbStream, server: Standalone, kind: RdbType) -> RdbStream:
    """Without what the server guesses: the entries read by a group in form 1."""
    told = without_active_times(told) if server.kind == "redis" else told
    if kind != RdbType.STREAM_LISTPACKS:
        return told
    groups = zip(told.groups, value.groups, strict=True)
    return attrs.evolve(
        told,
        groups=tuple(attrs.evolve(one, entries_read=other.entries_read) for one, other in groups),
    )


def _fill_file(server: Standalone) -> None:
    _fill(server, "nodes")
    server("FUNCTION", "LOAD", "REPLACE", FUNCTION)
    server("RESTORE", "other", LATER, format_dump(RdbString(b"x")), "ABSTTL", "REPLACE")


def _assert_same(server: Standalone, entries: Sequence[RdbEntry]) -> None:
    """The entries are what the server holds, functions and expiries included."""
    keys = [entry for entry in entries if isinstance(entry, RdbKey)]
    for db in {entry.db for entry in keys}:
        server("SELECT", db)
        assert {entry.key for entry in keys if entry.db == db} == set(server("KEYS", "*"))
        for entry in keys:
            if entry.db == db:
                assert _without_active_times(_told(server, entry.key)) == _without_active_times(
                    entry.value
                ), entry.key
                expires = server("PEXPIRETIME", entry.key)
                assert (-1 if entry.expires_at_ms is None else entry.expires_at_ms) == expires
    server("SELECT", 0)
    codes = [entry.code for entry in entries if isinstance(entry, RdbFunction)]
    listed = [
        dict(_pairs(flat))[b"library_code"] for flat in server("FUNCTION", "LIST", "WITHCODE")
    ]
    assert codes == listed


def test_saved_file_is_what_the_server_holds(server: Standalone) -> None:
    _fill_file(server)
    server("SAVE")

    data = (server.directory / "dump.rdb").read_bytes()
    entries = parse_rdb(data)

    assert data.startswith(b"VALKEY080" if server.kind == "valkey" else b"REDIS0010")
    _assert_same(server, entries)


@pytest.mark.parametrize("replica", [b"8.1.0", b"9.1.2"])
def test_full_synchronisation_is_read_as_it_arrives(server: Standalone, replica: bytes) -> None:
    _fill_file(server)
    is_earlier = server.kind == "valkey" and replica == b"8.1.0"
    if is_earlier:
        server("DEL", "fields")  # no earlier release knows fields that expire
    decoder = RdbDecoder()
    found: list[RdbEntry] = []

    address = (LOOPBACK, server.server.port)
    with socket.create_connection(address, timeout=20) as link, link.makefile("rb") as stream:
        for words in (b"REPLCONF version " + replica, b"REPLCONF capa eof"):
            link.sendall(words + b"\r\n")
            stream.readline()  # Redis 7.0 does not know the former
        link.sendall(b"SYNC\r\n")
        line = next(line for line in stream if line != b"\n")
        mark = line.removeprefix(b"$EOF:").rstrip()
        while not decoder.done:
            found += decoder.feed(stream.read1(1000))
        behind = decoder.rest + stream.read(len(mark) - len(decoder.rest))

    assert behind == mark
    assert decoder.version == (11 if is_earlier else server.rdb_version)
    names = {entry.name for entry in found if isinstance(entry, RdbAux)}
    assert {b"repl-id", b"repl-offset", b"repl-stream-db"} <= names
    _assert_same(server, found)


@pytest.mark.parametrize("fresh", ["valkey", "redis"], indirect=True)
def test_server_starts_with_our_file(fresh: Standalone) -> None:
    (fresh.directory / "dump.rdb").write_bytes(b"".join(format_rdb(ENTRIES)))
    fresh.start()

    _assert_same(fresh, ENTRIES)


@pytest.mark.parametrize("fresh", ["valkey"], indirect=True)
def test_valkey_starts_with_our_file_of_version_80(fresh: Standalone) -> None:
    entries = [RdbKey(key=b"h", value=EXPIRING), RdbKey(db=2, key=b"s", value=STREAM)]
    (fresh.directory / "dump.rdb").write_bytes(b"".join(format_rdb(entries, VALKEY_VERSION)))
    fresh.start()

    _assert_same(fresh, entries)
    fresh("SELECT", 2)
    assert _told(fresh, "s") == STREAM


def test_valkey_in_cluster_mode_tells_the_slots_of_its_file(tmp_path: Path) -> None:
    server = Standalone("valkey", tmp_path, "--cluster-enabled", "yes", "--cluster-databases", "1")
    try:
        server.start()
        server("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: server.server.info()["cluster_state"] == "ok", 10)
        server("SET", "foo", "x", "PXAT", LATER)
        server("SAVE")
    finally:
        server.end()

    entries = parse_rdb((tmp_path / "dump.rdb").read_bytes())

    told = RdbAux(b"slot-info", b"12182,1,1,0")
    key = RdbKey(key=b"foo", value=RdbString(b"x"), expires_at_ms=LATER)
    assert entries[-2:] == [told, key]
