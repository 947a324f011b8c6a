"""What a node is told when it is started: ports, addresses, files, times."""

from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.rules import DIALECTS, Rules
from reference.core.types import Address
from reference.wire.nodes_conf_parse import CPORT_INCREMENT

LOOPBACK: Final = "127.0.0.1"
ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named here so that it is noticed


class OptionError(Exception):
    """An option that no node can be started with, and why."""


@attrs.frozen(kw_only=True)
class NodeOptions:
    """The options of one node, complete: nothing is left to be found out later."""

    port: int  # clients
    cport: int  # the bus
    dialect: str = "valkey-9.1"
    node_timeout_ms: int = 15000
    cluster_config_file: str = "nodes.conf"  # relative to `directory`
    directory: Path = attrs.field(factory=Path)
    bind: str = LOOPBACK
    announce_ip: str | None = None
    announce_port: int | None = None
    announce_bus_port: int | None = None
    writable_delay_ms: int = 2000  # how long a master that starts serves nobody

    @property
    @clause("EL-D1")
    def rules(self) -> Rules:
        """The rules of the dialect, without the one defect that costs safety and helps nobody."""
        return DIALECTS[self.dialect].without("late_votes_count")

    @property
    def ip(self) -> str:
        """Where other nodes and clients find this node."""
        if self.announce_ip:
            return self.announce_ip
        return LOOPBACK if self.bind in ANY_ADDRESS else self.bind

    @property
    def ip_is_a_guess(self) -> bool:
        """Whether the address other nodes use to reach this one is better than ours."""
        return self.announce_ip is None and self.bind in ANY_ADDRESS

    @property
    def address(self) -> Address:
        """What the node says of itself."""
        return Address(
            ip=self.ip,
            port=self.announce_port or self.port,
            cport=self.announce_bus_port or self.cport,
        )

    @property
    def config_path(self) -> Path:
        """The nodes.conf of this node."""
        return self.directory / self.cluster_config_file


def bus_port(port: int, cluster_port: int | None = None) -> int:
    """The port of the bus: the one that was asked for, else the client port + 10000.

    OptionError if that is no port. Counterpart: `clusterInitLast`.
    """
    if cluster_port:
        return cluster_port
    if port + CPORT_INCREMENT > 65535:
        raise OptionError(
            f"port {port} is too high: the bus needs port + {CPORT_INCREMENT}, at most 65535, "
            "or --cluster-port"
        )
    return port + CPORT_INCREMENT
