"""What a node is told when it is started: ports, addresses, files, times."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.rules import DIALECTS, Rules
from reference.core.settings import Settings
from reference.core.types import Address
from reference.pacing.pace import Directives
from reference.wire.nodes_conf_parse import CPORT_INCREMENT

LOOPBACK: Final = "127.0.0.1"
ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named here so that it is noticed


class OptionError(Exception):
    """An option that no node can be started with, and why."""


@attrs.frozen(kw_only=True)
class NodeOptions:
    """The options of one node, complete: nothing is left to be found out later.

    Those that `reference.runtime.configuration.directives` names can be changed while it runs.
    """

    port: int  # clients
    cport: int  # the bus
    dialect: str = "valkey-9.1"
    node_timeout_ms: int = 15000
    cluster_config_file: str = "nodes.conf"  # relative to `directory`
    directory: Path = attrs.field(factory=Path)
    bind: str = LOOPBACK  # by which others know the node
    bus_bind: str = ""  # where the bus listens, and others know the node, if that is another
    also_bind: tuple[str, ...] = ()  # those with a dash only if this machine has them
    announce_ip: str = ""  # empty: it is found out
    announce_port: int = 0  # 0: that of the clients
    announce_bus_port: int = 0  # 0: that of the bus
    announce_hostname: str = ""
    announce_human_nodename: str = ""
    announce_client_ipv4: str = ""
    announce_client_ipv6: str = ""
    announce_client_port: int = 0
    announce_client_tls_port: int = 0
    availability_zone: str = ""
    preferred_endpoint_type: str = "ip"
    allow_pubsubshard_when_down: bool = True
    allow_reads_when_down: bool = False
    allow_replica_migration: bool = True
    blacklist_ttl_s: int = 60
    gossip_percent: int = 10
    manual_failover_timeout_ms: int = 5000
    migration_barrier: int = 1
    ping_interval_ms: int = 0  # 0: half of the node timeout
    replica_no_failover: bool = False
    replica_validity_factor: int = 10
    require_full_coverage: bool = True
    writable_delay_ms: int = 2000  # how long a master that starts serves nobody
    users: tuple[tuple[str, ...], ...] = ()  # each his name, and rules
    config_file: Path | None = None  # what CONFIG REWRITE writes
    kept: Mapping[str, str] = attrs.field(
        factory=dict, hash=False
    )  # given, and without effect here

    @property
    @clause("EL-D1")
    def rules(self) -> Rules:
        """The rules of the dialect, without the one defect that costs safety and helps nobody."""
        rules = DIALECTS[self.dialect]
        return rules.without("late_votes_count") if rules.late_votes_count else rules

    @property
    def settings(self) -> Settings:
        """What of them the rules read."""
        return Settings(
            allow_replica_migration=self.allow_replica_migration,
            migration_barrier=self.migration_barrier,
            require_full_coverage=self.require_full_coverage,
            allow_reads_when_down=self.allow_reads_when_down,
            allow_pubsubshard_when_down=self.allow_pubsubshard_when_down,
        )

    @property
    def directives(self) -> Directives:
        """What of them the delays depend on, besides the node timeout."""
        return Directives(
            ping_interval=self.ping_interval_ms,
            manual_failover_timeout=self.manual_failover_timeout_ms,
            blacklist_ttl=self.blacklist_ttl_s * 1000,
            replica_validity_factor=self.replica_validity_factor,
            gossip_percent=self.gossip_percent,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that the node listens on."""
        return (self.bind, *self.also_bind)

    @property
    def ip(self) -> str:
        """Where other nodes and clients find this node."""
        if self.announce_ip:
            return self.announce_ip
        return LOOPBACK if self._known_by in ANY_ADDRESS else self._known_by

    @property
    def ip_is_a_guess(self) -> bool:
        """Whether the address other nodes use to reach this one is better than ours."""
        return not self.announce_ip and self._known_by in ANY_ADDRESS

    @property
    def _known_by(self) -> str:
        return self.bus_bind or self.bind

    @property
    def tls_port(self) -> int:
        """Where clients with TLS are served; 0: nowhere."""
        return int(self.kept.get("tls-port", "0"))

    @property
    def tls_cluster(self) -> bool:
        """Whether the links of the bus have TLS."""
        return self.kept.get("tls-cluster") == "yes"

    @property
    def tls_replication(self) -> bool:
        """Whether the link to a master has TLS."""
        return self.kept.get("tls-replication") == "yes"

    @clause("RT-63")
    def replication_port(self, address: Address) -> int:
        """The port of a node whose data is followed, of the link's kind; 0: none is known.

        Counterpart: `getNodeDefaultReplicationPort`.
        """
        same_kind = self.tls_replication == self.tls_cluster or self.dialect == "redis-7.0"
        return address.port if same_kind else address.pport

    @property
    def address(self) -> Address:
        """What the node says of itself."""
        port, pport = self._announced_ports()
        cport = self.announce_bus_port or self.cport
        return Address(ip=self.ip, port=port, cport=cport, pport=pport)

    @clause("RT-63")
    def _announced_ports(self) -> tuple[int, int]:
        """The client port of the bus's kind, and the other one.

        Counterpart: `deriveAnnouncedPorts`.
        """
        announced_tls = int(self.kept.get("cluster-announce-tls-port", "0"))
        if self.dialect != "redis-7.0":
            plain, tls = self.announce_port or self.port, announced_tls or self.tls_port
            return (tls, plain) if self.tls_cluster else (plain, tls)
        if not self.tls_cluster:
            return self.announce_port or self.port, 0
        if announced_tls:
            return announced_tls, self.announce_port
        return self.announce_port or self.tls_port, self.port

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
