"""The file with all data: what is saved and when, and what a start loads.

Clauses: RT-80, RT-81, RT-82, RT-83, RT-84.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1
from reference.core.slots import SlotSet
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.arrivals import expect
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.driver import ask_to_end
from reference.runtime.opening import StartError, listening_node
from reference.runtime.options import NodeOptions
from reference.runtime.replies import Verbatim
from reference.runtime.saving.data_file import DataFileError, Loaded, load_file
from reference.wire.rdb import RdbKey
from tests.runtime.room import Room
from tests.support import free_ports

MADE = (
    "SET bar 1", "SET {bar}t v PXAT 4102444800000", "RPUSH {bar}l a b", "HSET {bar}h f v",
    "XADD {bar}x 5-1 f v", "ZADD {bar}z 1.5 m",
)  # fmt: skip


def room_in(directory: Path, *, valkey: bool = True, **kept: str) -> Room:
    room = Room(VALKEY_9_1 if valkey else REDIS_7_0)
    given = {name.replace("_", "-"): value for name, value in kept.items()}
    room.node.options = attrs.evolve(room.node.options, directory=directory, kept=given)
    for line in MADE:
        room(1, line)
    return room


def data_of(keyspace: Keyspace) -> dict[bytes, RdbKey | None]:
    return {key: keyspace.entry(key) for key in keyspace.database()}


def loaded(room: Room, *, master: bool = True) -> tuple[dict[bytes, RdbKey | None], Loaded | None]:
    """What a node that starts there has."""
    keyspace = Keyspace()
    keyspace.follows(master=not master)
    found = load_file(keyspace, room.node.options, master=master)
    return data_of(keyspace), found


def told(room: Room) -> dict[str, str]:
    reply = execute(room.session(1), [b"INFO", b"persistence"])
    assert isinstance(reply, Verbatim)
    return dict(line.split(":") for line in reply.text.splitlines() if ":" in line)


def in_a_loop(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    asyncio.run(main())


async def saved(room: Room) -> None:
    """What is being written has been."""
    assert room.service.file._task is not None
    await asyncio.wait([room.service.file._task])


@pytest.mark.parametrize("valkey", [True, False])
def test_what_was_saved_is_loaded(tmp_path: Path, valkey: bool) -> None:  # noqa: FBT001
    room = room_in(tmp_path, valkey=valkey, dbfilename="other.rdb")
    assert loaded(room) == ({}, None)
    assert told(room)["rdb_changes_since_last_save"] == str(len(MADE))

    assert room(1, "SAVE") == "+OK"

    assert loaded(room) == (data_of(room.service.keyspace), Loaded(keys=len(MADE)))
    head = (tmp_path / "other.rdb").read_bytes()[:9]
    assert head == (b"VALKEY080" if valkey else b"REDIS0010")
    assert [path.name for path in tmp_path.iterdir()] == ["other.rdb"]
    assert told(room)["rdb_changes_since_last_save"] == "0"
    assert room(1, "LASTSAVE") == f":{told(room)['rdb_last_save_time']}"


def test_in_the_background_it_has_the_data_of_one_moment(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    then = data_of(room.service.keyspace)

    async def story() -> None:
        assert room(1, "BGSAVE") == "+Background saving started"
        room(1, "SET bar changed")
        room(1, "DEL {bar}l")
        room(1, "SET {bar}new v")
        assert told(room)["rdb_bgsave_in_progress"] == "1"
        assert room(1, "BGSAVE") == room(1, "SAVE") == "-ERR Background save already in progress"
        await saved(room)

    in_a_loop(story)

    assert loaded(room)[0] == then
    assert told(room)["rdb_last_bgsave_status"] == "ok"
    assert told(room)["rdb_changes_since_last_save"] == "3"
    assert not room.service.keyspace.before_write


def test_one_that_is_to_begin_later(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    file = room.service.file

    async def story() -> None:
        room(1, "MULTI")
        assert room(1, "BGSAVE") == "+QUEUED"
        assert room(1, "EXEC") == "*1 +Background saving scheduled"
        file.look()
        assert file.saving
        await saved(room)
        await file.close()

    in_a_loop(story)

    assert loaded(room)[0]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("BGSAVE FOO", "-ERR syntax error"),
        ("BGSAVE SCHEDULE x", "-ERR syntax error"),
        ("BGSAVE CANCEL", "-ERR Background saving is currently not in progress or scheduled"),
        ("SAVE x", "-ERR wrong number of arguments for 'save' command"),
    ],
)
def test_mistakes_are_refused(tmp_path: Path, line: str, reply: str) -> None:
    assert room_in(tmp_path)(1, line) == reply


def test_valkey_gives_up_a_save_when_asked(tmp_path: Path) -> None:
    room = room_in(tmp_path)

    async def story() -> None:
        room(1, "BGSAVE")
        assert room(1, "BGSAVE CANCEL") == "+Background saving cancelled"
        room.service.file.scheduled = True
        assert room(1, "BGSAVE CANCEL") == "+Scheduled background saving cancelled"
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    in_a_loop(story)

    assert not list(tmp_path.iterdir())
    assert room_in(tmp_path, valkey=False)(1, "BGSAVE CANCEL") == "-ERR syntax error"


def test_hidden_keys_are_not_in_it(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    expect(room.service.keyspace, "j" * 40, SlotSet.of({1})).execute([b"SET", b"hidden", b"1"])

    room(1, "SAVE")

    assert b"hidden" not in loaded(room)[0]


def test_a_master_leaves_out_what_has_expired_and_a_replica_does_not(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    room.service.keyspace.follows(master=True)  # it keeps what has expired
    room.service.keyspace.apply([b"SET", b"bar", b"old", b"PXAT", b"1000"])
    room(1, "SAVE")

    of_a_master, found = loaded(room)
    of_a_replica, _ = loaded(room, master=False)

    assert found == Loaded(keys=len(MADE) - 1, expired=1)
    assert b"bar" not in of_a_master
    assert len(of_a_replica) == len(of_a_master)  # it is there, and nobody sees it
    keyspace = Keyspace()
    keyspace.follows(master=True)
    load_file(keyspace, room.node.options, master=False)
    assert len(keyspace.database()) == len(MADE)


def test_a_file_says_in_which_stream_its_data_stands(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    stream = room.node.replicas.stream
    stream.adopt("f" * 40, 77)
    room(1, "SAVE")

    _, found = loaded(room)

    assert found is not None
    assert found.history == ("f" * 40, 77)


def test_a_damaged_file_stops_the_start_and_stays(tmp_path: Path) -> None:
    room = room_in(tmp_path)
    room(1, "SAVE")
    path = tmp_path / "dump.rdb"
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:40], b"", whole[:60] + b"\xff" + whole[61:], b"REDIS0099"):
        path.write_bytes(damaged)
        with pytest.raises(DataFileError, match=r"dump\.rdb"):
            loaded(room)

        port = free_ports(1)[0]
        options = NodeOptions(port=port, cport=port + 10000, directory=tmp_path)

        async def start(options: NodeOptions = options) -> None:
            async with listening_node(options):
                pass

        with pytest.raises(StartError, match="Fatal error loading the DB"):
            asyncio.run(start())
        assert path.read_bytes() == damaged


def test_a_node_has_what_its_file_has_unless_it_records(tmp_path: Path) -> None:
    room_in(tmp_path)(1, "SAVE")
    port = free_ports(1)[0]

    async def size(**kept: str) -> int:
        options = NodeOptions(port=port, cport=port + 10000, directory=tmp_path, kept=kept)
        async with listening_node(options) as node:
            return len(node._keyspace)

    assert asyncio.run(size()) == len(MADE)
    assert asyncio.run(size(appendonly="yes")) == 0


def test_the_save_points_say_when(tmp_path: Path) -> None:
    room = room_in(tmp_path, save=f"1000 1 10 {len(MADE)}")
    file = room.service.file

    async def story() -> None:
        file.saved_s = int(time.time()) - 5
        file.look()
        begun = [file.saving]
        file.saved_s = int(time.time()) - 12
        file.look()
        assert [*begun, file.saving] == [False, True]
        await saved(room)
        await file.close()

    in_a_loop(story)

    assert loaded(room)[0] == data_of(room.service.keyspace)


def test_nothing_is_written_while_it_cannot_be_saved(tmp_path: Path) -> None:
    room = room_in(tmp_path / "nowhere", save="0 1")
    file = room.service.file

    async def story() -> None:
        room(1, "BGSAVE")
        await saved(room)

    in_a_loop(story)

    assert told(room)["rdb_last_bgsave_status"] == "err"
    for line in ("SET bar 2", "PING"):
        assert room(1, line).startswith("-MISCONF Valkey is configured to save RDB snapshots")
    assert room(1, "GET bar") == "1"
    assert room(1, "SAVE") == "-ERR"
    kept = {"stop-writes-on-bgsave-error": "no", "save": "0 1"}
    room.node.options = attrs.evolve(room.node.options, kept=kept)
    assert room(1, "SET bar 2") == "+OK"
    assert not file.refuses_writes


def test_what_cannot_be_said_in_the_old_format_is_no_reason_to_end(tmp_path: Path) -> None:
    room = room_in(tmp_path, valkey=False)
    room.service.keyspace.apply([b"HPEXPIREAT", b"{bar}h", b"4102444800000", b"FIELDS", b"1", b"f"])

    assert room(1, "SAVE") == "-ERR"
    assert not list(tmp_path.iterdir())


def _ends_by_command(directory: Path, line: str, points: str) -> bool:
    room = room_in(directory, valkey=False, save=points, dbfilename="x")
    room(1, line)
    return room.node.ended


def _ends_by_signal(directory: Path, word: str, points: str) -> bool:
    port = free_ports(1)[0]
    kept = {"shutdown-on-sigterm": word, "save": points, "dbfilename": "x"}
    options = NodeOptions(port=port, cport=port + 10000, directory=directory, kept=kept)

    async def ends() -> bool:
        async with listening_node(options) as node:
            return await ask_to_end(node, signal.SIGTERM)

    return asyncio.run(ends())


@pytest.mark.parametrize(
    ("ends", "word", "points", "is_saved"),
    [
        (_ends_by_command, "SHUTDOWN", "", False),
        (_ends_by_command, "SHUTDOWN", "900 1", True),
        (_ends_by_command, "SHUTDOWN SAVE", "", True),
        (_ends_by_command, "SHUTDOWN NOSAVE", "900 1", False),
        (_ends_by_signal, "default", "", False),
        (_ends_by_signal, "default", "9 1", True),
        (_ends_by_signal, "save", "", True),
        (_ends_by_signal, "nosave", "9 1", False),
    ],
)
def test_it_is_saved_before_the_end(
    tmp_path: Path,
    ends: Callable[[Path, str, str], bool],
    word: str,
    points: str,
    is_saved: bool,  # noqa: FBT001
) -> None:
    assert ends(tmp_path, word, points)
    assert (tmp_path / "x").exists() is is_saved


def test_a_node_that_cannot_save_goes_on_unless_it_must_end(tmp_path: Path) -> None:
    room = room_in(tmp_path / "nowhere", valkey=False)

    assert room(1, "SHUTDOWN SAVE") == "-ERR Errors trying to SHUTDOWN. Check logs."
    ends = [room.node.ended]
    room(1, "SHUTDOWN SAVE FORCE")
    assert [*ends, room.node.ended] == [False, True]


def test_a_save_can_be_made_to_take_its_time(tmp_path: Path) -> None:
    room = room_in(tmp_path, rdb_key_save_delay="5000")

    async def story() -> None:
        room(1, "BGSAVE")
        began = time.monotonic()
        await saved(room)
        assert time.monotonic() - began >= 0.005 * len(MADE)

    in_a_loop(story)
