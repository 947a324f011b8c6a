"""What the codecs allocate for the worst inputs stays within what they declare.

Clauses: BU-D1, BU-11, BU-20, NC-D1, RP-1.
"""

import contextlib
import tracemalloc
from collections.abc import Callable
from typing import Final

import pytest

from reference.core.types import NodeId
from reference.wire import bus, nodes_conf_parse
from reference.wire.bus_errors import BusMessageError
from reference.wire.bus_extensions import (
    ClientPortExtension,
    HostnameExtension,
    PingExtension,
    UnknownExtension,
)
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_gossip import GossipEntry
from reference.wire.bus_header import BusHeader, LightHeader, MessageFlag
from reference.wire.dialects import WIRE_DIALECTS
from reference.wire.resp import RequestReader, RespProtocolError

HEADER: Final = BusHeader(
    sender=NodeId("a" * 40),
    current_epoch=1,
    config_epoch=1,
    port=1,
    cport=2,
    mflags=MessageFlag.EXT_DATA,
)
KINDS: Final = WIRE_DIALECTS["valkey-9.1"].extensions


def _allocated(run: Callable[[], object]) -> int:
    """Bytes allocated at once while it runs, after a first run that fills the caches."""
    run()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _extended(*extensions: PingExtension) -> bus.BusMessage:
    return bus.PingMessage(header=HEADER, extensions=extensions)


GOSSIP: Final = tuple(
    GossipEntry(nodename=NodeId(f"{n:040}"), ip=f"10.0.{n}", port=n, cport=n) for n in range(9000)
)
COSTLY: Final = {
    "gossip": bus.PingMessage(header=HEADER, gossip=GOSSIP),
    "empty": _extended(*(UnknownExtension(type=9, payload=b"", reserved=n) for n in range(9000))),
    "names": _extended(*(HostnameExtension(hostname=f"{n}", reserved=n) for n in range(9000))),
    "ports": _extended(
        *(ClientPortExtension(port=n, tail=b"123456", reserved=n) for n in range(9000))
    ),
    "light": bus.PublishMessage(header=LightHeader(), channel=bytes(50000), message=bytes(50000)),
}


@pytest.mark.parametrize("name", COSTLY)
def test_message_takes_no_more_than_declared(name: str) -> None:
    data = bus.encode(COSTLY[name])
    limit = bus.MEMORY_PER_BYTE * len(data) + bus.MEMORY_BESIDE

    assert _allocated(lambda: bus.decode(data, extensions=KINDS)) < limit
    assert _allocated(lambda: bus.encode(COSTLY[name])) < limit


@pytest.mark.parametrize(
    "data",
    [
        b"RCmb\0\0\x08\xd0\0\1\0\0\0\0\xff\xff" + bytes(2240),  # 65535 gossip entries
        b"RCmb\0\0\x08\xd0\0\1\0\0\0\0\0\0" + bytes(2198) + b"\xff\xff" + bytes(37) + b"\4\0\0",
        b"RCmb\0\0\x08\xd8\0\1\0\0\0\4\0\0" + bytes(2240) + b"\xff" * 8,
        b"RCmb\0\0\x00\x1d\0\1\0\0\x80\x09\0\0" + bytes(8) + b"\xff\xff\xff\xff\0",
    ],
)
def test_count_beyond_the_message_costs_nothing(data: bytes) -> None:
    def decoded() -> None:
        with pytest.raises(BusMessageError):
            bus.decode(data)

    assert _allocated(decoded) < bus.MEMORY_BESIDE


def test_announced_frame_is_not_allocated_before_it_arrives() -> None:
    start = b"RCmb\x03\0\0\0\0\1\0\0\0\0"  # 48 MiB, of which 14 bytes are here

    assert _allocated(lambda: FrameReader().feed(start)) < bus.MEMORY_BESIDE


def _line(number: int, what: str) -> bytes:
    return f"{number:040} :0@0 noflags - 0 0 0 connected {what}\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"".join(_line(number, f"{number}") for number in range(4096)),
        b"".join(_line(number, "") for number in range(4096)),
        _line(1, " ".join(f"[{n % 16384}->-{n:040}]" for n in range(5000))),
        _line(1, " ".join(["0-16383"] * 2000)),
        b"\n" * 100_000,
        b"a " * 100_000,
        b"," * 100_000,
    ],
    ids=["slots", "nodes", "open slots", "ranges", "lines", "words", "commas"],
)
def test_file_takes_no_more_than_declared(data: bytes) -> None:
    def parsed() -> None:
        with contextlib.suppress(nodes_conf_parse.NodesConfError):
            nodes_conf_parse.parse_nodes_conf(data)

    limit = nodes_conf_parse.MEMORY_PER_BYTE * len(data) + nodes_conf_parse.MEMORY_BESIDE
    assert _allocated(parsed) < limit


@pytest.mark.parametrize(
    "data", [b"*2147483647\r\n", b"*1\r\n$536870912\r\n", b"*9000\r\n" + b"$0\r\n\r\n" * 9000]
)
def test_request_takes_no_more_than_its_limit(data: bytes) -> None:
    def read() -> None:
        reader = RequestReader(max_request=100_000)
        reader.feed(data)
        with contextlib.suppress(RespProtocolError):
            list(reader)

    assert _allocated(read) < 100_000 + 2 * len(data) + bus.MEMORY_BESIDE
