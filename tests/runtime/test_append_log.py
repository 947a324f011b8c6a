"""The append-only file: written, loaded, cut off, damaged, rewritten.

Clauses: RT-50, RT-51, RT-52, RT-53.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from reference.runtime.data.keyspace import Keyspace
from reference.runtime.opening import StartError, listening_node
from reference.runtime.options import NodeOptions, bus_port
from reference.runtime.saving.append_log import AppendLog, AppendLogError, Manifest
from reference.wire.rdb import RdbKey
from tests.runtime.node_double import Client, NodeDouble
from tests.support import free_ports

Story = Callable[[AppendLog, Keyspace], Awaitable[None]]
MADE = (
    b"SET a 1", b"INCR a", b"RPUSH l x y z", b"LPOP l", b"SET gone 1", b"DEL gone",
    b"SET t v PXAT 4102444800000", b"XADD s 5-1 f v", b"HSET h f v",
)  # fmt: skip


def options(directory: Path, **kept: str) -> NodeOptions:
    return NodeOptions(
        port=7000, cport=17000, directory=directory, kept={"appendonly": "yes", **kept}
    )


def run(directory: Path, story: Story, **kept: str) -> None:
    """The story, told with the log of a directory that is loaded first."""

    async def main() -> None:
        keyspace = Keyspace()
        log = AppendLog(options(directory, **kept), keyspace)
        try:
            log.load()
            await story(log, keyspace)
        finally:
            await log.close()
            keyspace.close()

    asyncio.run(main())


def data_of(keyspace: Keyspace) -> dict[bytes, RdbKey | None]:
    return {key: keyspace.entry(key) for key in keyspace.database()}


def loaded(directory: Path, **kept: str) -> dict[bytes, RdbKey | None]:
    """What a node that starts there has."""
    found: dict[bytes, RdbKey | None] = {}

    async def look(_: AppendLog, keyspace: Keyspace) -> None:
        found.update(data_of(keyspace))

    run(directory, look, **kept)
    return found


def record(directory: Path, *lines: bytes, **kept: str) -> dict[bytes, RdbKey | None]:
    """What the keyspace has after these commands, all of which were recorded."""
    found: dict[bytes, RdbKey | None] = {}

    async def write(_: AppendLog, keyspace: Keyspace) -> None:
        for line in lines:
            keyspace.execute(line.split())
        found.update(data_of(keyspace))

    run(directory, write, **kept)
    return found


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (directory / "appendonlydir").iterdir()}


@pytest.mark.parametrize("fsync", ["always", "everysec", "no"])
def test_what_was_recorded_is_loaded(tmp_path: Path, fsync: str) -> None:
    first = record(tmp_path, *MADE, appendfsync=fsync)
    assert len(first) == 5

    assert loaded(tmp_path) == first
    more = record(tmp_path, b"APPEND a x", b"SADD m 1")

    assert loaded(tmp_path) == more
    assert sorted(files(tmp_path)) == [
        "appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest",
    ]  # fmt: skip
    assert files(tmp_path)["appendonly.aof.manifest"] == (
        b"file appendonly.aof.1.base.rdb seq 1 type b\n"
        b"file appendonly.aof.1.incr.aof seq 1 type i\n"
    )


def test_it_is_in_the_file_when_the_command_is_done(tmp_path: Path) -> None:
    async def story(_: AppendLog, keyspace: Keyspace) -> None:
        keyspace.execute([b"SET", b"a", b"1"])
        assert files(tmp_path)["appendonly.aof.1.incr.aof"].endswith(
            b"\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
        )
        keyspace.apply([b"SET", b"of the master", b"1"])
        assert b"of the master" in files(tmp_path)["appendonly.aof.1.incr.aof"]
        with keyspace.together():
            keyspace.execute([b"SET", b"b", b"1"])
            keyspace.execute([b"SET", b"c", b"1"])
        text = files(tmp_path)["appendonly.aof.1.incr.aof"]
        assert text.count(b"MULTI") == text.count(b"EXEC") == text.count(b"SELECT") == 1

    run(tmp_path, story)


def test_part_of_a_command_at_the_end_is_cut_off(tmp_path: Path) -> None:
    before = record(tmp_path, b"SET a 1", b"SET b 2")
    path = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    whole = path.read_bytes()
    multi = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n2\r\n"
    for tail in (b"*3\r\n$3\r\nSET\r\n$1\r\na", multi):
        path.write_bytes(whole + tail)
        with pytest.raises(AppendLogError, match="Unexpected end of file"):
            loaded(tmp_path, **{"aof-load-truncated": "no"})

        assert loaded(tmp_path) == before
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("appendonly.aof.1.incr.aof", b"no command at all\r\n"),
        ("appendonly.aof.1.incr.aof", b"*1\r\n$7\r\nUNKNOWN\r\n"),
        ("appendonly.aof.1.base.rdb", b"REDIS0010 and no more"),
        ("appendonly.aof.manifest", b"file ../elsewhere seq 1 type b\n"),
        ("appendonly.aof.manifest", b"nonsense\n"),
    ],
)
def test_node_does_not_start_with_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    record(tmp_path, b"SET a 1")
    (tmp_path / "appendonlydir" / name).write_bytes(content)

    async def start() -> None:
        port = free_ports(1)[0]
        kept = {"appendonly": "yes"}
        given = NodeOptions(port=port, cport=bus_port(port), directory=tmp_path, kept=kept)
        async with listening_node(given):
            pass

    with pytest.raises(StartError, match="append only file"):
        asyncio.run(start())


def test_new_base_has_all_and_what_comes_meanwhile_is_kept(tmp_path: Path) -> None:
    async def story(log: AppendLog, keyspace: Keyspace) -> None:
        for line in MADE:
            keyspace.execute(line.split())
        before = files(tmp_path)
        log.rewrite()
        keyspace.execute([b"INCR", b"a"])
        during = files(tmp_path)
        assert before.items() <= during.items() | {
            ("appendonly.aof.manifest", before["appendonly.aof.manifest"])
        }
        assert b"seq 2 type i" in during["appendonly.aof.manifest"]
        while "appendonly.aof.2.base.rdb" not in files(tmp_path):  # noqa: ASYNC110 - files are no events
            await asyncio.sleep(0)
        expected.update(data_of(keyspace))

    expected: dict[bytes, RdbKey | None] = {}
    run(tmp_path, story)

    assert sorted(files(tmp_path)) == [
        "appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest",
    ]  # fmt: skip
    assert loaded(tmp_path) == expected


def test_crash_during_a_rewrite_loses_nothing(tmp_path: Path) -> None:
    async def story(log: AppendLog, keyspace: Keyspace) -> None:
        for line in MADE:
            keyspace.execute(line.split())
        log.rewrite()
        keyspace.execute([b"INCR", b"a"])
        expected.update(data_of(keyspace))
        await log.close()  # before the base is whole

    expected: dict[bytes, RdbKey | None] = {}
    run(tmp_path, story)

    assert loaded(tmp_path) == expected


def test_data_that_was_replaced_begins_anew(tmp_path: Path) -> None:
    async def story(_: AppendLog, keyspace: Keyspace) -> None:
        keyspace.execute([b"SET", b"old", b"1"])
        fresh = Keyspace()
        fresh.execute([b"SET", b"new", b"1"])
        keyspace.replace(fresh)
        fresh.close()
        while "appendonly.aof.2.base.rdb" not in files(tmp_path):  # noqa: ASYNC110 - files are no events
            await asyncio.sleep(0)

    run(tmp_path, story)

    assert list(loaded(tmp_path)) == [b"new"]


def test_large_log_is_rewritten_by_itself(tmp_path: Path) -> None:
    async def story(_: AppendLog, keyspace: Keyspace) -> None:
        for _number in range(40):
            keyspace.execute([b"SET", b"k", b"x" * 100])
        while "appendonly.aof.2.base.rdb" not in files(tmp_path):  # noqa: ASYNC110 - files are no events
            await asyncio.sleep(0)

    run(tmp_path, story, **{"auto-aof-rewrite-min-size": "2000"})

    assert sum(len(content) for content in files(tmp_path).values()) < 4000


def test_recording_is_switched_on_and_off(tmp_path: Path) -> None:
    [port] = free_ports(1)
    given = NodeOptions(port=port, cport=bus_port(port), directory=tmp_path)

    async def switch() -> None:
        async with listening_node(given) as node:
            keyspace, client = node._keyspace, Client(NodeDouble())
            client.session.service.keyspace = keyspace
            assert client("BGREWRITEAOF") == "ERR the append only file is off"
            keyspace.execute([b"SET", b"a", b"1"])
            assert client("CONFIG SET appendonly yes") == "OK"
            keyspace.execute([b"SET", b"b", b"2"])
            expected.update(data_of(keyspace))
            assert client("CONFIG SET appendonly no appendfsync always") == "OK"
            keyspace.execute([b"SET", b"c", b"not recorded"])

    async def switch_again() -> None:
        async with listening_node(given) as node:
            keyspace = node._keyspace
            assert keyspace.record_as is not None
            keyspace.execute([b"SET", b"only", b"1"])
            keyspace.record_as(options(tmp_path))
            keyspace.record_as(options(tmp_path, appendfsync="always"))
            keyspace.execute([b"SET", b"more", b"1"])

    expected: dict[bytes, RdbKey | None] = {}
    # The double's directory is that of the process, so the node's own is named where it matters.
    asyncio.run(_in(tmp_path, switch))
    assert loaded(tmp_path) == expected

    asyncio.run(switch_again())
    assert sorted(loaded(tmp_path)) == [b"more", b"only"]


async def _in(directory: Path, told: Callable[[], Awaitable[None]]) -> None:
    with contextlib.chdir(directory):
        await told()


def test_manifest_is_read_as_it_is_written() -> None:
    manifest = Manifest(("b.rdb", 3), (("i.aof", 7), ("j.aof", 8)))
    assert Manifest.parse(manifest.text()) == manifest
    assert Manifest.parse("file h.aof seq 1 type h\n") == Manifest()
