"""Type 4 of a ping extension is a secret to Redis 8 and an address to Valkey, on real servers too.

Clauses: BU-30, BU-31, BU-34, BU-D2, NC-9.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reference.core.types import NodeId, ShardId
from reference.wire.announced import NOTHING_ANNOUNCED, announced_by
from reference.wire.bus import Heartbeat, PingMessage
from reference.wire.bus_extensions import (
    ClientIpv4Extension,
    InternalSecretExtension,
    ShardIdExtension,
    UnknownExtension,
)
from reference.wire.dialects import WIRE_DIALECTS
from reference.wire.nodes_conf_parse import NodesConfError, parse_nodes_conf
from tests.interop.scripted_peer import ScriptedPeer, introduced
from tests.support import Server, Workshop, wait_until, workshop

pytestmark = pytest.mark.interop

PEER: Final = NodeId("a" * 40)
SECRET: Final = b"0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Servers that keep links on which nobody answers for a while."""
    with workshop(tmp_path, node_timeout=15_000) as made:
        yield made


def _say(peer: ScriptedPeer, *extensions: InternalSecretExtension | ShardIdExtension) -> None:
    """The server gets a PING with these extensions."""
    peer.say(PingMessage(header=peer.header, extensions=extensions))


def test_valkey_takes_the_secret_for_an_address_and_never_starts_again(shop: Workshop) -> None:
    server = shop.real("valkey")
    with introduced(server, PEER) as peer:
        _say(peer, InternalSecretExtension(secret=SECRET), ShardIdExtension(shard_id=ShardId(PEER)))
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

    with introduced(server, PEER) as peer:
        heard = peer.hear(Heartbeat).extensions
        while not heard:  # until the server has seen that the peer reads extensions
            heard = peer.hear(Heartbeat).extensions

    [address] = [said for said in heard if said.type == ClientIpv4Extension.type]
    assert isinstance(address, UnknownExtension)
    assert address.payload == b"192.0.2.1" + bytes(7)
    assert announced_by([address]) == NOTHING_ANNOUNCED


def _conf(server: Server) -> Path:
    return server.directory / "nodes.conf"
