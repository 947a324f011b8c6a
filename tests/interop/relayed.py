"""Real servers whose buses are connected through a relay."""

from collections.abc import Callable
from typing import Final

import attrs
import redis

from reference.core.slots import key_hash_slot
from tests.interop.bus_relay import BusRelay
from tests.support import (
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    introduce,
    wait_until,
)

_ANNOUNCED: Final = "cluster-announce-bus-port"


@attrs.frozen
class Relayed:
    """A cluster of real servers, each dialled through the relay; they go by letters."""

    relay: BusRelay
    nodes: dict[str, Server]

    def __getitem__(self, name: str) -> Server:
        return self.nodes[name]

    def by_id(self, name: str) -> str:
        """The node's id."""
        return self.nodes[name].node_id


def join(
    relay: BusRelay, shop: Workshop, kinds: dict[str, str], masters: str = "", module: str = ""
) -> Relayed:
    """Servers of these kinds know each other; every byte between them goes through the relay.

    The masters share all slots. The module is the path of a server module to load.
    """
    nodes = {name: shop.real(kind) for name, kind in kinds.items()}
    return joined(relay, nodes, masters, module)


def joined(
    relay: BusRelay, nodes: dict[str, Server], masters: str = "", module: str = ""
) -> Relayed:
    """The same with servers that run and know nobody."""
    ports = {}
    for name, server in nodes.items():
        ports[name] = relay.serve(name, server.port + 10000)
        server.client.config_set(_ANNOUNCED, ports[name])
        server.command = [*server.command, f"--{_ANNOUNCED}", str(ports[name])]
        if module:
            server.kill()
            server.command = [*server.command, "--loadmodule", module]
            server.start()
    give_slots([nodes[name] for name in masters])
    introduce(list(nodes.values()), {nodes[name].port: at for name, at in ports.items()})
    return Relayed(relay, nodes)


def follow(cluster: Relayed, replicas: dict[str, str]) -> None:
    """The cluster is ok, and each replica follows its master and has its data."""
    wait_until(lambda: cluster_is_ok(list(cluster.nodes.values())), 30, what="cluster ok")
    for replica, master in replicas.items():
        asked = follower(cluster[replica], cluster.by_id(master))
        wait_until(asked, 20, what=f"{replica} knows {master}")
        wait_until(synced(cluster[replica]), 30, what=f"{replica} in sync with {master}")
        wait_until(known(cluster, replica, master), 20, what=f"all know whom {replica} follows")


def follower(replica: Server, master: str) -> Callable[[], bool]:
    """Whether the node could be made a replica of the other, of which it may know little yet."""

    def asked() -> bool:
        try:
            return bool(replica.cluster("REPLICATE", master) == "OK")
        except redis.ResponseError:
            return False

    return asked


def known(cluster: Relayed, replica: str, master: str) -> Callable[[], bool]:
    """Whether all nodes have heard of the replica that it follows the master."""
    follower_id, master_id = cluster.by_id(replica), cluster.by_id(master)
    return lambda: all(
        server.view()[follower_id].replicaof == master_id for server in cluster.nodes.values()
    )


def synced(replica: Server) -> Callable[[], bool]:
    """Whether the replica has its master's data."""
    return lambda: replica.client.info("replication").get("master_link_status") == "up"


def is_master(server: Server) -> bool:
    """Whether the node is a master, as it says itself."""
    return bool(server.client.info("replication")["role"] == "master")


def slots_of(server: Server) -> tuple[int, int]:
    """The first and the last slot of the first range that the node serves."""
    first, _, last = next(iter(server.view()[server.node_id].slots)).partition("-")
    return int(first), int(last or first)


def channel_of(server: Server) -> str:
    """The name of a shard channel that the node serves."""
    first, last = slots_of(server)
    names = (f"c{number}" for number in range(100_000))
    return next(name for name in names if first <= key_hash_slot(name.encode()) <= last)
