"""Messages of the cluster bus to bytes and back, and what the bytes of real servers decode to.

Clauses: BU-1, BU-2, BU-4, BU-5, BU-6, BU-7, BU-8, BU-9, BU-10, BU-11, BU-12, BU-13, BU-14, BU-15,
BU-16, BU-17, BU-18, BU-25, BU-26, BU-27, BU-28, BU-29, BU-D1.
"""

import base64
import json
import re
import struct
import zlib
from typing import Final

import attrs
import pytest

from reference.core.slots import SlotSet
from reference.core.types import NodeId
from reference.wire import bus, bus_extensions, bus_gossip, bus_header
from reference.wire.bus import (
    FailMessage,
    FailoverAuthAckMessage,
    FailoverAuthRequestMessage,
    MeetMessage,
    MfstartMessage,
    ModuleMessage,
    PingMessage,
    PongMessage,
    PublishMessage,
    PublishShardMessage,
    UnknownMessage,
    UpdateMessage,
    decode,
    encode,
)
from reference.wire.bus_errors import BusLinkError, BusMessageError
from reference.wire.bus_extensions import (
    CLIENT_PORT_LAYOUT,
    EXTENSION_LAYOUT,
    FORGOTTEN_NODE_LAYOUT,
    INTERNAL_SECRET_LAYOUT,
    SHARD_ID_LAYOUT,
    HostnameExtension,
    UnknownExtension,
)
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_gossip import GOSSIP_LAYOUT, GossipEntry
from reference.wire.bus_header import (
    HEADER_LAYOUT,
    LIGHT_HEADER_LAYOUT,
    BusHeader,
    LightHeader,
    MessageFlag,
    MessageType,
    NodeFlag,
    ReportedState,
)
from reference.wire.dialects import WIRE_DIALECTS
from reference.wire.layout import Layout
from tests.traceability import SPEC

A, B, C = (NodeId(digit * 40) for digit in "abc")

HEADER: Final = BusHeader(
    sender=A,
    replicaof=B,
    current_epoch=7,
    config_epoch=5,
    offset=1234,
    slots=SlotSet.of([0, 9, 16383]),
    myip="10.0.0.1",
    port=7000,
    pport=7001,
    cport=17000,
    flags=NodeFlag.SLAVE | NodeFlag.NOFAILOVER,
    state=ReportedState.FAIL,
)
ENTRY: Final = GossipEntry(
    nodename=C,
    ping_sent=3,
    pong_received=4,
    ip="::1",
    port=7002,
    cport=17002,
    flags=NodeFlag.MASTER | NodeFlag.PFAIL,
    pport=5,
)
EXTENDED: Final = attrs.evolve(HEADER, mflags=MessageFlag.EXT_DATA)

MESSAGES: Final[dict[str, bus.BusMessage]] = {
    "ping": PingMessage(header=HEADER, gossip=(ENTRY, ENTRY)),
    "pong": PongMessage(header=EXTENDED, extensions=(HostnameExtension(hostname="h"),)),
    "meet": MeetMessage(header=EXTENDED),
    "fail": FailMessage(header=HEADER, nodename=B),
    "publish": PublishMessage(header=HEADER, channel=b"news", message=b"hello"),
    "publishshard": PublishShardMessage(header=HEADER, channel=b"", message=b""),
    "light publish": PublishMessage(header=LightHeader(), channel=b"news", message=b"hello"),
    "auth request": FailoverAuthRequestMessage(header=HEADER),
    "auth ack": FailoverAuthAckMessage(header=HEADER),
    "update": UpdateMessage(
        header=HEADER, config_epoch=9, nodename=C, slots=SlotSet.between(0, 16383)
    ),
    "mfstart": MfstartMessage(header=HEADER),
    "module": ModuleMessage(header=HEADER, module_id=b"12345678", type=255, payload=b"x"),
    "light module": ModuleMessage(
        header=LightHeader(reserved1=1, reserved2=2), module_id=bytes(8), type=0, payload=b""
    ),
    "unknown": UnknownMessage(
        header=attrs.evolve(HEADER, unused_count=3, unused_extensions=4), type=77, payload=b"??"
    ),
    "residues": PingMessage(
        header=attrs.evolve(
            HEADER,
            replicaof=None,
            myip_residue=b"left",
            reserved=bytes(range(30)),
            mflags_unused=b"\1\2",
            unused_extensions=6,
        ),
        gossip=(attrs.evolve(ENTRY, ip_residue=b"9", reserved=8),),
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_decoding_undoes_encoding(name: str) -> None:
    assert MESSAGES[name] == decode(encode(MESSAGES[name]))


@pytest.mark.parametrize("name", MESSAGES)
def test_encoding_undoes_decoding(name: str) -> None:
    data = encode(MESSAGES[name])

    assert data == encode(decode(memoryview(data)))


def _vectors() -> list[tuple[str, int, bytes]]:
    return [
        (vector["server"], vector["type"], zlib.decompress(base64.b64decode(vector["zlib_base64"])))
        for path in sorted((SPEC / "vectors").glob("bus-*.json"))
        for vector in json.loads(path.read_text(encoding="utf-8"))
    ]


VECTORS: Final = _vectors()


@pytest.mark.parametrize(("server", "message_type", "data"), VECTORS)
def test_message_of_a_real_server_survives(server: str, message_type: int, data: bytes) -> None:
    message = decode(data, extensions=WIRE_DIALECTS[server].extensions)

    assert data == encode(message)
    for dialect in WIRE_DIALECTS.values():
        assert data == encode(decode(data, extensions=dialect.extensions))
    if isinstance(message, bus.Heartbeat):
        assert not any(isinstance(said, UnknownExtension) for said in message.extensions)
    assert not isinstance(message, UnknownMessage)
    assert isinstance(message.header, LightHeader) == (message_type >= 0x8000)
    assert isinstance(message.header, LightHeader) <= (server != "redis-7.0")
    if isinstance(message.header, BusHeader):
        assert message.header.sender == data[40:80].decode()
        assert message.header.current_epoch == int.from_bytes(data[16:24], "big")
        assert message.header.myip == data[2168:2214].rstrip(b"\0").decode()


def test_vectors_hold_every_type_with_every_header_that_it_has() -> None:
    seen = {message_type for _, message_type, _ in VECTORS}
    light = {MessageType.PUBLISH, MessageType.PUBLISHSHARD, MessageType.MODULE}

    assert set(MessageType) | {kind | 0x8000 for kind in light} == seen
    assert {"", "127.0.0.1"} == {
        message.header.myip
        for message in (decode(data) for _, _, data in VECTORS)
        if isinstance(message.header, BusHeader)
    }


def test_vectors_hold_every_extension_of_their_server() -> None:
    for name in ("redis-7.0", "valkey-9.1"):
        kinds = WIRE_DIALECTS[name].extensions
        messages = [decode(data, extensions=kinds) for server, _, data in VECTORS if server == name]
        seen = {
            said.type for m in messages if isinstance(m, bus.Heartbeat) for said in m.extensions
        }
        assert set(kinds) == seen


def _table(title: str) -> list[tuple[str, int, int]]:
    """The rows of the offset table below the heading of this clause."""
    text = (SPEC / "04-bus.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"### {title} ")
    section = re.split(r"^#{1,3} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", section, re.MULTILINE)
    return [(name, int(offset), int(size)) for name, offset, size in rows]


@pytest.mark.parametrize(
    ("clause_id", "layout"),
    [
        ("BU-6", HEADER_LAYOUT),
        ("BU-7", LIGHT_HEADER_LAYOUT),
        ("BU-12", GOSSIP_LAYOUT),
        ("BU-19", EXTENSION_LAYOUT),
        ("BU-23", FORGOTTEN_NODE_LAYOUT),
        ("BU-24", SHARD_ID_LAYOUT),
        ("BU-26", bus.FAIL_LAYOUT),
        ("BU-27", bus.PUBLISH_LAYOUT),
        ("BU-28", bus.UPDATE_LAYOUT),
        ("BU-29", bus.MODULE_LAYOUT),
        ("BU-32", CLIENT_PORT_LAYOUT),
        ("BU-34", INTERNAL_SECRET_LAYOUT),
    ],
)
def test_specified_offsets_are_those_of_the_codec(clause_id: str, layout: Layout) -> None:
    assert _table(clause_id) == list(layout.table)


def test_every_layout_is_specified() -> None:
    specified = {
        mark.args[1][index][1]
        for mark in test_specified_offsets_are_those_of_the_codec.pytestmark  # type: ignore[attr-defined]
        for index in range(len(mark.args[1]))
    }
    modules = (bus, bus_extensions, bus_gossip, bus_header)
    layouts = {value for m in modules for value in vars(m).values() if isinstance(value, Layout)}

    assert layouts == specified


def test_specified_sizes_are_those_of_the_codec() -> None:
    sizes = [HEADER_LAYOUT.size, LIGHT_HEADER_LAYOUT.size, GOSSIP_LAYOUT.size]

    assert sizes == [2256, 16, 104]


@pytest.mark.parametrize(
    ("clause_id", "names"), [("BU-9", MessageType), ("BU-13", NodeFlag), ("BU-14", MessageFlag)]
)
def test_specified_numbers_are_those_of_the_codec(
    clause_id: str, names: type[MessageType] | type[NodeFlag] | type[MessageFlag]
) -> None:
    text = (SPEC / "04-bus.md").read_text(encoding="utf-8").partition(f"### {clause_id} ")[2]
    section = text.partition("\n### ")[0]
    rows = re.findall(r"^\| (?:0x)?([0-9a-f]+) \| ([A-Z_]+) \|", section, re.MULTILINE)
    base = 10 if names is MessageType else 16

    assert {name: int(number, base) for number, name in rows} == {
        member.name: member.value for member in names
    }


def test_first_slot_is_the_lowest_bit_of_the_first_byte() -> None:
    data = encode(FailoverAuthAckMessage(header=HEADER))

    assert data[80:82] == bytes([1, 2])
    assert data[80 + 2047] == 0x80


def test_master_has_an_all_nul_replicaof() -> None:
    data = encode(FailoverAuthAckMessage(header=attrs.evolve(HEADER, replicaof=None)))

    assert data[2128:2168] == bytes(40)


def _patched(name: str, offset: int, replacement: bytes) -> bytes:
    data = encode(MESSAGES[name])
    return data[:offset] + replacement + data[offset + len(replacement) :]


def _resized(data: bytes) -> bytes:
    """The same bytes with a totlen that fits them."""
    return data[:4] + struct.pack(">I", len(data)) + data[8:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"RCmb", "has no header"),
        (encode(MESSAGES["fail"])[:-1], "totlen is 2296"),
        (_patched("fail", 8, b"\0\2"), "protocol version 2"),
        (_resized(encode(MESSAGES["ping"])[:2255]), "the header alone has 2256"),
        (_resized(encode(MESSAGES["ping"])[:2300]), "2 gossip entries do not fit"),
        (_resized(encode(MESSAGES["ping"]) + b"x"), "PING of 2465 bytes"),
        (_resized(encode(MESSAGES["fail"]) + b"x"), "FAIL of 2297 bytes"),
        (_resized(encode(MESSAGES["update"])[:-1]), "UPDATE of 4351 bytes"),
        (_resized(encode(MESSAGES["auth ack"]) + b"x"), "FAILOVER_AUTH_ACK of 2257"),
        (_resized(encode(MESSAGES["publish"])[:2260]), "ends before its lengths"),
        (_patched("publish", 2256, b"\xff" * 8), "its content says 8589936854"),
        (_resized(encode(MESSAGES["module"])[:2268]), "ends before its lengths"),
        (_patched("light module", 24, b"\xff" * 4), "its content says"),
        (_patched("light publish", 12, b"\x80\0"), "does not go with the light header"),
    ],
)
def test_unusable_message_is_dropped_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BusMessageError, match=reason) as caught:
        decode(data)

    assert caught.value.reason == str(caught.value)


def test_bad_signature_costs_the_link() -> None:
    with pytest.raises(BusLinkError, match="bad signature"):
        decode(_patched("fail", 0, b"XXXX"))


def test_light_bit_means_nothing_to_redis_7_0() -> None:
    data = _patched("fail", 12, b"\x80\x04")

    message = decode(data, light_headers=False)

    assert isinstance(message, UnknownMessage)
    assert message.type == 0x8004
    assert data == encode(message)


def test_extensions_are_not_looked_for_without_ext_data() -> None:
    data = _patched("ping", 2214, b"\0\5")

    message = decode(data)

    assert isinstance(message, PingMessage)
    assert message.extensions == ()
    assert message.header.unused_extensions == 5


@pytest.mark.parametrize(
    "message",
    [
        PingMessage(header=HEADER, extensions=(HostnameExtension(hostname="h"),)),
        FailMessage(header=HEADER, nodename=NodeId("short")),
        FailMessage(header=attrs.evolve(HEADER, port=65536), nodename=B),
        FailMessage(header=attrs.evolve(HEADER, slots=SlotSet.of([16384])), nodename=B),
        FailMessage(header=attrs.evolve(HEADER, myip="1" * 47), nodename=B),
        FailMessage(header=attrs.evolve(HEADER, myip="1\0"), nodename=B),
        FailMessage(header=attrs.evolve(HEADER, reserved=b"x"), nodename=B),
        FailMessage(header=attrs.evolve(HEADER, mflags_unused=b"x"), nodename=B),
        ModuleMessage(header=HEADER, module_id=b"x", type=0, payload=b""),
        ModuleMessage(header=HEADER, module_id=bytes(8), type=256, payload=b""),
        UnknownMessage(header=HEADER, type=int(MessageType.FAIL), payload=b""),
        PublishMessage(header=LightHeader(ver=-1), channel=b"", message=b""),
    ],
)
def test_what_has_no_bytes_is_not_encoded(message: bus.BusMessage) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode(message)


def test_all_slots_and_no_slots_are_the_ends_of_the_bitmap() -> None:
    for slots, byte in ((SlotSet(), 0), (SlotSet.between(0, 16383), 0xFF)):
        data = encode(FailMessage(header=attrs.evolve(HEADER, slots=slots), nodename=B))

        assert data[80:2128] == bytes([byte]) * 2048


def test_reader_cuts_messages_out_of_the_stream() -> None:
    frames = [encode(message) for message in MESSAGES.values()]
    reader = FrameReader()

    assert frames == reader.feed(b"".join(frames))
    assert reader.feed(frames[0][:100]) == []
    assert reader.feed(frames[0][100:] + frames[1][:1]) == frames[:1]


@pytest.mark.parametrize("name", MESSAGES)
def test_reader_takes_a_message_that_comes_by_itself(name: str) -> None:
    message = encode(MESSAGES[name])
    received = bytearray(message)
    reader = FrameReader()

    (frame,) = reader.feed(memoryview(received))
    received[:] = bytes(len(received))  # what it was read into is used again

    assert frame == message
    assert reader.feed(message[:20]) == []
    assert reader.feed(message[20:] + message) == [message, message]
    with pytest.raises(BusLinkError, match="more than the limit"):
        FrameReader(max_frame=len(message) - 1).feed(message)


def test_reader_waits_for_the_type_before_it_judges() -> None:
    reader = FrameReader()

    assert reader.feed(b"GET / HTTP/1."[:13]) == []
    with pytest.raises(BusLinkError, match="bad signature b'GET '"):
        reader.feed(b"1")


@pytest.mark.parametrize(
    ("start", "reader", "reason"),
    [
        (b"RCmb\0\0\x08\xcf\0\1\0\0\0\0", FrameReader(), "less than the header's 2256"),
        (b"RCmb\0\0\0\x0f\0\1\0\0\x80\4", FrameReader(), "less than the header's 16"),
        (b"RCmb\0\0\x08\xcf", FrameReader(light_headers=False), "less than the header's 2256"),
        (b"RCmb\0\0\0\x20\0\1\0\0\x80\4", FrameReader(light_headers=False), "header's 2256"),
        (b"RCmb\xff\xff\xff\xff\0\1\0\0\0\0", FrameReader(), "more than the limit of 67108864"),
        (b"RCmb\0\0\x10\1\0\1\0\0\0\0", FrameReader(max_frame=4096), "the limit of 4096"),
    ],
)
def test_impossible_length_costs_the_link(start: bytes, reader: FrameReader, reason: str) -> None:
    with pytest.raises(BusLinkError, match=reason):
        reader.feed(start)

    assert reader.error is not None


def test_messages_before_the_damage_are_not_lost() -> None:
    good = encode(MESSAGES["fail"])
    reader = FrameReader()

    frames = reader.feed(good + b"damaged beyond repair")

    assert frames == [good]
    assert reader.error is not None
    with pytest.raises(BusLinkError):
        reader.feed(good)
