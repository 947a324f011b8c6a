"""A file with all data is read by those who did not write it.

Clauses: RB-16, RT-80, RT-82.
"""

from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.core.rules import DIALECTS
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.digest import all_digits, digest_of_data, shortest
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.saving.data_file import load_file
from reference.wire.rdb_functions import parse_functions
from reference.wire.resp import OK
from tests.interop.data import MADE, Raw
from tests.runtime.room import Room
from tests.support import DIALECT_OF, Server, Workshop, wait_until

pytestmark = pytest.mark.interop

LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return {} end)"
MORE = (
    "APPEND {bar}s text", "HSET {bar}more f v", "PEXPIREAT {bar}s 4102444800000", "DEL {bar}l",
    "XGROUP CREATE {bar}x g 0 MKSTREAM", "XADD {bar}x 9-1 f v",
    "XREADGROUP GROUP g c STREAMS {bar}x >",
)  # fmt: skip


def _ours(folder: Path, dialect: str) -> Room:
    folder.mkdir(parents=True)
    room = Room(DIALECTS[dialect])
    room.node.options = attrs.evolve(room.node.options, directory=folder)
    for words in MADE:
        raw = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        execute(room.session(1), raw)
    return room


def _digest(keyspace: Keyspace, kind: str) -> str:
    entries = [keyspace.entry(key) for key in keyspace.database()]
    text = shortest if kind == "valkey" else all_digits
    return digest_of_data((entry for entry in entries if entry is not None), text)


def _digest_of(server: Server) -> Any:
    return server.client.execute_command("DEBUG", "DIGEST")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_file_goes_both_ways(shop: Workshop, kind: str) -> None:
    server = shop.unstarted_real(kind)
    server.command = [*server.command, "--enable-debug-command", "yes"]
    room = _ours(server.directory, DIALECT_OF[kind])
    assert execute(room.session(1), [b"FUNCTION", b"LOAD", LIBRARY.format(1).encode()]) == "lib"
    assert execute(room.session(1), [b"SAVE"]) == OK

    server.start()

    assert _digest_of(server) == _digest(room.service.keyspace, kind)
    server.cluster("ADDSLOTSRANGE", 0, 5060, 5062, 16383)  # 5061 is its own: it has keys of it
    wait_until(lambda: server.info()["cluster_state"] == "ok", 20)
    for line in MORE:
        server.client.execute_command(*line.split())  # type: ignore[no-untyped-call]
    assert server.client.fcall("f", 0) == 1
    server.client.function_load(LIBRARY.format(2), replace=True)
    expected = _digest_of(server)
    assert server.client.save()

    keyspace = Keyspace()
    found = load_file(keyspace, room.node.options, master=True)

    assert found is not None
    assert found.keys == len(keyspace) == server.client.dbsize()
    assert _digest(keyspace, kind) == expected
    assert keyspace.libraries.codes == (LIBRARY.format(2).encode(),)
    keyspace.close()


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_functions_go_both_ways(shop: Workshop, kind: str) -> None:
    server = shop.real(kind)
    room = Room(DIALECTS[DIALECT_OF[kind]])
    execute(room.session(1), [b"FUNCTION", b"LOAD", LIBRARY.format(1).encode()])
    ours = execute(room.session(1), [b"FUNCTION", b"DUMP"])
    raw = Raw(server)

    assert isinstance(ours, bytes)
    assert raw("FUNCTION", "RESTORE", ours) == b"OK"
    assert raw("FCALL", "f", 0) == 1
    raw("FUNCTION", "LOAD", "REPLACE", LIBRARY.format(2))
    theirs = raw("FUNCTION", "DUMP")
    raw.close()
    assert parse_functions(theirs) == [LIBRARY.format(2).encode()]
    assert execute(room.session(1), [b"FUNCTION", b"RESTORE", theirs, b"REPLACE"]) == OK
    assert execute(room.session(1), [b"FCALL", b"f", b"0"]) == 2
