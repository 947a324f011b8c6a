"""Type 4 of a ping extension is a secret to Redis 8 and an address to Valkey, on real servers too.

Clauses: BU-30, BU-31, BU-34, BU-D2, NC-9.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.types import NodeId, ShardId
from reference.wire.announced import NOTHING_ANNOUNCED, announced_by
from reference.wire.bus import Heartbeat, MeetMessage, PingMessage, PongMessage, decode, encode
from reference.wire.bus_extensions import (
    ClientIpv4Extension,
    InternalSecretExtension,
    ShardIdExtension,
    UnknownExtension,
)
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_header import BusHeader, MessageFlag, NodeFlag
from reference.wire.dialects import WIRE_DIALECTS
from reference.wire.nodes_conf_parse import NodesConfError, parse_nodes_conf
from tests.support import LOOPBACK, Server, Workshop, wait_until, workshop

pytestmark = pytest.mark.interop

PEER: Final = NodeId("a" * 40)
SECRET: Final = b"0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Servers that keep links on which nobody answers for a while."""
    with workshop(tmp_path, node_timeout=15_000) as made:
        yield made


@attrs.define
class Peer:
    """A node that says what it is told to, and nothing else."""

    outward: socket.socket  # that it dialled
    inward: socket.socket  # that the server dialled
    header: BusHeader
    reader: FrameReader = attrs.field(factory=FrameReader)

    def say(self, *extensions: InternalSecretExtension | ShardIdExtension) -> None:
        """The server gets a PING with these extensions."""
        self.outward.sendall(encode(PingMessage(header=self.header, extensions=extensions)))

    def hear(self) -> Heartbeat:
        """The next heartbeat that the server sends by itself."""
        while True:
            data = self.inward.recv(65536)
            assert data, "the server has closed the link"
            for frame in self.reader.feed(data):
                message = decode(frame, extensions=WIRE_DIALECTS["redis-8.0"].extensions)
                if isinstance(message, Heartbeat):
                    return message


@contextmanager
def _introduced(server: Server) -> Iterator[Peer]:
    """A peer that the server has taken into its table."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        header = BusHeader(
            sender=PEER,
            current_epoch=0,
            config_epoch=0,
            port=1,
            cport=listener.getsockname()[1],
            flags=NodeFlag.MASTER | NodeFlag.EXTENSIONS_SUPPORTED,
            mflags=MessageFlag.EXT_DATA,
        )
        listener.settimeout(20)
        with socket.create_connection((LOOPBACK, server.port + 10000)) as outward:
            outward.sendall(encode(MeetMessage(header=header)))
            inward, _ = listener.accept()
            with inward:
                inward.settimeout(20)
                peer = Peer(outward, inward, header)
                peer.hear()
                inward.sendall(encode(PongMessage(header=header)))
                wait_until(lambda: PEER in server.view(), 20, what="the server knows the peer")
                yield peer


def test_valkey_takes_the_secret_for_an_address_and_never_starts_again(shop: Workshop) -> None:
    server = shop.real("valkey")
    with _introduced(server) as peer:
        peer.say(InternalSecretExtension(secret=SECRET), ShardIdExtension(shard_id=ShardId(PEER)))
        saved = f"client-ipv4={SECRET.decode()}"
        wait_until(lambda: saved in server.nodes_conf, 20, what="the secret is in nodes.conf")
        server.kill()

    with pytest.raises(AssertionError, match="corrupted cluster config file"):
        server.start()
    with pytest.raises(NodesConfError, match="bad client-ipv4"):
        parse_nodes_conf(_conf(server).read_bytes(), WIRE_DIALECTS["valkey-9.1"])


def test_address_of_a_real_valkey_is_no_secret_to_redis_8(shop: Workshop) -> None:
    server = shop.real("valkey")
    server.client.config_set("cluster-announce-client-ipv4", "192.0.2.1")

    with _introduced(server) as peer:
        heard = peer.hear().extensions
        while not heard:  # until the server has seen that the peer reads extensions
            heard = peer.hear().extensions

    [address] = [said for said in heard if said.type == ClientIpv4Extension.type]
    assert isinstance(address, UnknownExtension)
    assert address.payload == b"192.0.2.1" + bytes(7)
    assert announced_by([address]) == NOTHING_ANNOUNCED


def _conf(server: Server) -> Path:
    return server.directory / "nodes.conf"
