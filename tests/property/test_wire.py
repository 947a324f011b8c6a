"""For all messages, files and requests: what is written is read back, and garbage costs nothing.

Clauses: BU-1, BU-2, BU-11, BU-20, BU-30, BU-35, BU-D1, BU-D2, NC-7, NC-8, NC-11, RP-1, RP-2.
"""

import contextlib
from itertools import pairwise
from typing import Final, TypeVar

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.core.slots import SlotSet
from reference.core.types import SLOT_COUNT, NodeId, ShardId
from reference.wire import bus
from reference.wire.announced import Announced, announced_by, announced_in, to_aux, to_extensions
from reference.wire.bus_errors import BusLinkError, BusProtocolError
from reference.wire.bus_extensions import (
    AvailabilityZoneExtension,
    ClientIpv4Extension,
    ClientIpv6Extension,
    ClientPortExtension,
    ClientTlsPortExtension,
    ForgottenNodeExtension,
    HostnameExtension,
    HumanNodenameExtension,
    InternalSecretExtension,
    PingExtension,
    ShardIdExtension,
    UnknownExtension,
)
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_gossip import GossipEntry
from reference.wire.bus_header import BusHeader, LightHeader, MessageFlag, MessageType, NodeFlag
from reference.wire.dialects import COMMON, WIRE_DIALECTS, WireDialect
from reference.wire.nodes_conf import FLAGS, NodeLine, NodesConf, format_nodes_conf
from reference.wire.nodes_conf_parse import NodesConfError, parse_nodes_conf
from reference.wire.resp import RequestReader, RespProtocolError
from tests.property.fuzz_wire import Fuzzer

UNHURRIED: Final = settings(deadline=None)
U16: Final = st.integers(0, 2**16 - 1)
U32: Final = st.integers(0, 2**32 - 1)
U64: Final = st.integers(0, 2**64 - 1)
SLOTS: Final = st.one_of(
    st.builds(SlotSet.between, st.integers(0, SLOT_COUNT - 1), st.integers(0, SLOT_COUNT - 1)),
    st.builds(SlotSet.of, st.sets(st.integers(0, SLOT_COUNT - 1), max_size=5)),
)
NODE_IDS: Final = st.text("0123456789abcdef", min_size=40, max_size=40).map(NodeId)
IPS: Final = st.sampled_from(["", "127.0.0.1", "2001:db8:1234:5678:9abc:def0:1234:5678"])
TEXTS: Final = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=20)
LIGHT_HEADERS: Final = st.builds(LightHeader, reserved1=U16, reserved2=U16)
_Kind = TypeVar("_Kind", bound=bus.Heartbeat)
RESIDUES: Final = st.binary(max_size=6).map(lambda raw: raw.rstrip(b"\0"))


@st.composite
def headers(draw: st.DrawFn) -> BusHeader:
    return BusHeader(
        sender=draw(NODE_IDS),
        replicaof=draw(st.none() | NODE_IDS),
        current_epoch=draw(U64),
        config_epoch=draw(U64),
        offset=draw(U64),
        slots=draw(SLOTS),
        myip=draw(IPS),
        port=draw(U16),
        pport=draw(U16),
        cport=draw(U16),
        flags=NodeFlag(draw(U16)),
        state=draw(st.integers(0, 255)),
        mflags=MessageFlag(draw(st.integers(0, 255))),
        myip_residue=draw(RESIDUES),
        unused_count=draw(U16),
        unused_extensions=draw(U16),
    )


GOSSIP: Final = st.lists(
    st.builds(
        GossipEntry,
        nodename=NODE_IDS,
        ping_sent=U32,
        pong_received=U32,
        ip=IPS,
        port=U16,
        cport=U16,
        flags=U16.map(NodeFlag),
        pport=U16,
        reserved=U16,
        ip_residue=RESIDUES,
    ),
    max_size=3,
).map(tuple)

IPV4: Final = st.ip_addresses(v=4).map(str)
IPV6: Final = st.ip_addresses(v=6).map(str)
SECRETS: Final = st.text("0123456789abcdef", min_size=40, max_size=40).map(str.encode)
EXTENSION: Final = st.one_of(
    st.builds(HostnameExtension, hostname=TEXTS, reserved=U16),
    st.builds(HumanNodenameExtension, human_nodename=TEXTS, reserved=U16),
    st.builds(ForgottenNodeExtension, name=NODE_IDS, ttl=U64, reserved=U16),
    st.builds(ShardIdExtension, shard_id=NODE_IDS.map(ShardId), reserved=U16),
    st.builds(ClientIpv4Extension, address=IPV4, reserved=U16),
    st.builds(ClientIpv6Extension, address=IPV6, reserved=U16),
    st.builds(ClientPortExtension, port=U16, reserved=U16),
    st.builds(ClientTlsPortExtension, port=U16, reserved=U16),
    st.builds(AvailabilityZoneExtension, availability_zone=TEXTS, reserved=U16),
    st.builds(
        UnknownExtension,
        type=st.integers(9, 2**16 - 1),
        payload=st.sampled_from([b"", b"12345678", bytes(16)]),
        reserved=U16,
    ),
)
EXTENSIONS: Final = st.lists(EXTENSION, max_size=3)
SECRET: Final = st.builds(InternalSecretExtension, secret=SECRETS, reserved=U16)
DIALECTS: Final = st.sampled_from([*WIRE_DIALECTS.values(), COMMON])
KINDS: Final = WIRE_DIALECTS["valkey-9.1"].extensions


@st.composite
def heartbeats(draw: st.DrawFn, kind: type[_Kind]) -> _Kind:
    header = attrs.evolve(draw(headers()), unused_count=0)
    extensions: tuple[PingExtension, ...] = ()
    if header.mflags & MessageFlag.EXT_DATA:
        header = attrs.evolve(header, unused_extensions=0)
        extensions = tuple(draw(EXTENSIONS))
    return kind(header=header, gossip=draw(GOSSIP), extensions=extensions)


EITHER_HEADER: Final = headers() | LIGHT_HEADERS
BYTES: Final = st.binary(max_size=40)
MESSAGES: Final[st.SearchStrategy[bus.BusMessage]] = st.one_of(
    *(heartbeats(kind) for kind in (bus.PingMessage, bus.PongMessage, bus.MeetMessage)),
    st.builds(bus.FailMessage, header=headers(), nodename=NODE_IDS),
    st.builds(bus.PublishMessage, header=EITHER_HEADER, channel=BYTES, message=BYTES),
    st.builds(bus.PublishShardMessage, header=EITHER_HEADER, channel=BYTES, message=BYTES),
    st.builds(bus.FailoverAuthRequestMessage, header=headers()),
    st.builds(bus.FailoverAuthAckMessage, header=headers()),
    st.builds(
        bus.UpdateMessage, header=headers(), config_epoch=U64, nodename=NODE_IDS, slots=SLOTS
    ),
    st.builds(bus.MfstartMessage, header=headers()),
    st.builds(
        bus.ModuleMessage,
        header=EITHER_HEADER,
        module_id=st.binary(min_size=8, max_size=8),
        type=st.integers(0, 255),
        payload=BYTES,
    ),
    st.builds(
        bus.UnknownMessage,
        header=headers(),
        type=st.integers(len(MessageType), 0x7FFF),
        payload=BYTES,
    ),
)


@UNHURRIED
@given(MESSAGES)
def test_message_is_read_back(message: bus.BusMessage) -> None:
    assert bus.decode(bus.encode(message), extensions=KINDS) == message


@UNHURRIED
@given(heartbeats(bus.PingMessage), st.lists(SECRET | EXTENSION, max_size=4), DIALECTS)
def test_no_dialect_takes_what_another_one_means(
    message: bus.PingMessage, more: list[PingExtension], dialect: WireDialect
) -> None:
    header = attrs.evolve(message.header, mflags=MessageFlag.EXT_DATA, unused_extensions=0)
    sent = attrs.evolve(message, header=header, extensions=tuple(more))
    data = bus.encode(sent)

    read = bus.decode(data, extensions=dialect.extensions)

    assert isinstance(read, bus.PingMessage)
    assert data == bus.encode(read)
    for before, after in zip(sent.extensions, read.extensions, strict=True):
        if dialect.extensions.get(before.type) is type(before):
            assert before == after
        else:
            assert isinstance(after, UnknownExtension)
            assert after.type == before.type


@UNHURRIED
@given(MESSAGES, st.data())
def test_garbled_message_raises_nothing_else_and_survives_otherwise(
    message: bus.BusMessage, data: st.DataObject
) -> None:
    garbled = bytearray(bus.encode(message))
    places = st.integers(0, min(15, len(garbled) - 1)) | st.integers(0, len(garbled) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        garbled[data.draw(places)] = data.draw(st.integers(0, 255))

    assert _encoded_again(bytes(garbled)) in {bytes(garbled), None}


@UNHURRIED
@given(message=MESSAGES, length=st.integers(0, 5000), fixed=st.booleans())
def test_message_cut_off_raises_nothing_else(
    message: bus.BusMessage, length: int, *, fixed: bool
) -> None:
    cut = bus.encode(message)[:length]
    if fixed:
        cut = cut[:4] + len(cut).to_bytes(4, "big") + cut[8:]

    assert _encoded_again(cut) in {cut, None}


def _encoded_again(raw: bytes) -> bytes | None:
    """The bytes decoded and encoded, None if the codec refuses them."""
    try:
        return bus.encode(bus.decode(raw, extensions=KINDS))
    except BusProtocolError:
        return None


@UNHURRIED
@given(
    messages=st.lists(MESSAGES, max_size=3),
    cuts=st.lists(st.integers(0, 12000), max_size=5),
    damaged=st.booleans(),
)
def test_frames_do_not_depend_on_the_pieces(
    messages: list[bus.BusMessage], cuts: list[int], *, damaged: bool
) -> None:
    frames = [bus.encode(message) for message in messages]
    stream = b"".join(frames) + (b"x" * 16 if damaged else b"")
    reader = FrameReader()
    read: list[bytes] = []

    for start, end in pairwise(sorted({0, *cuts, len(stream)})):
        if reader.error is None:
            try:
                read += reader.feed(stream[start:end])
            except BusLinkError:
                assert damaged

    assert read == frames
    assert (reader.error is not None) == damaged


@UNHURRIED
@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(16, 4096))
def test_reader_never_holds_more_than_its_limit(pieces: list[bytes], max_frame: int) -> None:
    reader = FrameReader(max_frame=max_frame)
    header = b"RCmb" + (max_frame + 1).to_bytes(4, "big") + b"\0\1\0\0\x80\4"

    for piece in [*pieces, header]:
        if reader.error is None:
            try:
                reader.feed(piece)
            except BusLinkError:
                assert reader.error is not None
        assert len(reader._buffer) <= max_frame


WORDS: Final = st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc"], exclude_characters=" ,\"'"),
    max_size=12,
)
NAMES: Final = st.text("abcXYZ019-_./\xe9", max_size=12)
ANNOUNCED: Final = st.builds(
    Announced,
    hostname=WORDS,
    human_nodename=NAMES,
    client_ipv4=st.just("") | IPV4,
    client_ipv6=st.just("") | IPV6,
    client_port=U16,
    client_tls_port=U16,
    availability_zone=NAMES,
    shard_id=st.none() | NODE_IDS.map(ShardId),
)
OPEN_SLOTS: Final = st.dictionaries(st.integers(0, SLOT_COUNT - 1), NODE_IDS, max_size=2).map(
    lambda slots: tuple(sorted(slots.items()))
)


@st.composite
def nodes_confs(draw: st.DrawFn, dialect: WireDialect = COMMON) -> NodesConf:
    ids = draw(st.lists(NODE_IDS, min_size=1, max_size=3, unique=True))
    taken = SlotSet()
    nodes = []
    for index, node_id in enumerate(ids):
        slots = draw(SLOTS) - taken
        taken |= slots
        flags = draw(st.lists(st.sampled_from(FLAGS[1:]), min_size=1, max_size=3, unique=True))
        said = draw(ANNOUNCED)
        node = NodeLine(
            node_id=node_id,
            ip=draw(IPS),
            port=draw(U16),
            cport=draw(U16),
            hostname=said.hostname,
            aux=to_aux(said, dialect, tls=draw(st.booleans()), other_port=draw(U16)),
            flags=("myself", *flags) if index == 0 else tuple(flags),
            replicaof=draw(st.none() | NODE_IDS),
            ping_sent=draw(U64),
            pong_received=draw(U64),
            config_epoch=draw(U64),
            link_state=draw(st.sampled_from(["connected", "disconnected"])),
            slots=slots,
            migrating=draw(OPEN_SLOTS),
            importing=draw(OPEN_SLOTS),
        )
        nodes.append(node)
    return NodesConf(nodes=tuple(nodes), current_epoch=draw(U64), last_vote_epoch=draw(U64))


@UNHURRIED
@given(nodes_confs())
def test_nodes_conf_is_read_back(conf: NodesConf) -> None:
    assert parse_nodes_conf(format_nodes_conf(conf)) == conf


@UNHURRIED
@given(DIALECTS, st.data())
def test_nodes_conf_of_each_dialect_is_read_back(dialect: WireDialect, data: st.DataObject) -> None:
    conf = data.draw(nodes_confs(dialect))

    assert parse_nodes_conf(format_nodes_conf(conf), dialect) == conf


@UNHURRIED
@given(ANNOUNCED)
def test_announcements_survive_the_bus_and_the_file(said: Announced) -> None:
    dialect = WIRE_DIALECTS["valkey-9.1"]
    line = NodeLine(
        node_id=NodeId("a" * 40), ip="", port=0, cport=0, flags=("noflags",),
        hostname=said.hostname, aux=to_aux(said, dialect),
    )  # fmt: skip

    assert announced_by(to_extensions(said, dialect.extensions)) == said
    assert announced_in(line) == said


@UNHURRIED
@given(nodes_confs(), st.data())
def test_garbled_nodes_conf_raises_nothing_else(conf: NodesConf, data: st.DataObject) -> None:
    garbled = bytearray(format_nodes_conf(conf))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(garbled) - 1))
        garbled[place] = data.draw(st.integers(0, 255))

    with contextlib.suppress(NodesConfError):
        assert "myself" in parse_nodes_conf(bytes(garbled)).myself.flags


def _read(pieces: list[bytes]) -> tuple[list[list[bytes]], str]:
    reader = RequestReader(max_bulk_len=2000, max_request=5000)
    read: list[list[bytes]] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            read.extend(reader)
        except RespProtocolError as error:
            return read, error.reason
    return read, ""


def _request(arguments: list[bytes]) -> bytes:
    counted = [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments]
    return b"".join([b"*%d\r\n" % len(arguments), *counted])


SHORT_ARGUMENTS: Final = st.lists(st.binary(max_size=30), min_size=1, max_size=12)
ARGUMENTS: Final = SHORT_ARGUMENTS | st.lists(st.just(bytes(1500)), min_size=1, max_size=4)
ODDITIES: Final = st.sampled_from(
    [b"PING\r\n", b"\r\n", b"*0\r\n", b"*1\r\n$x\r\n", b"set 'a b' c\n", b"*1\r"]
)


def _streams(arguments: st.SearchStrategy[list[bytes]]) -> st.SearchStrategy[bytes]:
    part = arguments.map(_request) | ODDITIES | st.binary(max_size=20)
    return st.lists(part, max_size=5).map(b"".join)


STREAMS: Final = _streams(ARGUMENTS)
SHORT_STREAMS: Final = _streams(SHORT_ARGUMENTS)


@UNHURRIED
@given(STREAMS, st.lists(st.integers(0, 3000), max_size=8))
def test_requests_do_not_depend_on_the_pieces(stream: bytes, cuts: list[int]) -> None:
    ends = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(ends)]

    assert _read(pieces) == _read([stream])


@UNHURRIED
@given(SHORT_STREAMS)
def test_requests_do_not_depend_on_single_bytes(stream: bytes) -> None:
    assert _read([bytes([byte]) for byte in stream]) == _read([stream])


@UNHURRIED
@given(st.lists(ARGUMENTS, max_size=3))
def test_requests_are_read_as_they_were_meant(sent: list[list[bytes]]) -> None:
    reader = RequestReader()
    for arguments in sent:
        reader.feed(_request(arguments))

    assert list(reader) == sent


def test_mutations_of_real_bytes_raise_nothing_else() -> None:
    fuzzer = Fuzzer(seed=1)

    fuzzer.run(6000)

    assert sum(fuzzer.outcomes.values()) == 6000
    assert {"bus: decoded", "nodes.conf: parsed", "stream: cut"} <= set(fuzzer.outcomes)
    assert {"bus", "stream", "nodes.conf", "RESP"} == set(fuzzer.worst)
