"""What a node announces of itself beside the header: one value for the bus and for nodes.conf.

A host name arrives as a ping extension and is kept as the second word of an address in the file;
the other facts are kept as auxiliary fields. The rules know none of them but the shard id.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from reference.clauses import clause
from reference.core.types import NodeId, ShardId
from reference.wire.bus_extensions import (
    AvailabilityZoneExtension,
    ClientIpv4Extension,
    ClientIpv6Extension,
    ClientPortExtension,
    ClientTlsPortExtension,
    ExtensionKinds,
    ForgottenNodeExtension,
    HostnameExtension,
    HumanNodenameExtension,
    InternalSecretExtension,
    PingExtension,
    ShardIdExtension,
)
from reference.wire.dialects import WireDialect
from reference.wire.nodes_conf import NodeLine
from reference.wire.texts import is_aux_value, is_word


@attrs.frozen(kw_only=True, cache_hash=True)
class Announced:
    """What a node says of itself; empty, 0 or None where it says nothing (`clusterNode`)."""

    hostname: str = ""
    human_nodename: str = ""
    client_ipv4: str = ""
    client_ipv6: str = ""
    client_port: int = 0
    client_tls_port: int = 0
    availability_zone: str = ""
    shard_id: ShardId | None = None


NOTHING_ANNOUNCED: Final = Announced()


@clause("BU-30", "BU-35")
def to_extensions(
    announced: Announced,
    kinds: ExtensionKinds,
    *,
    forgotten: Iterable[tuple[NodeId, int]] = (),
    internal_secret: bytes = b"",
) -> tuple[PingExtension, ...]:
    """The extensions that say it, of these kinds only, in the order of the servers.

    `forgotten` are ids with the seconds for which they must not be added again.
    Counterpart: `writePingExtensions`.
    """
    said: list[PingExtension] = []
    if announced.hostname:
        said.append(HostnameExtension(hostname=announced.hostname))
    if announced.human_nodename:
        said.append(HumanNodenameExtension(human_nodename=announced.human_nodename))
    if announced.client_ipv4:
        said.append(ClientIpv4Extension(address=announced.client_ipv4))
    if announced.client_ipv6:
        said.append(ClientIpv6Extension(address=announced.client_ipv6))
    if announced.client_port:
        said.append(ClientPortExtension(port=announced.client_port))
    if announced.client_tls_port:
        said.append(ClientTlsPortExtension(port=announced.client_tls_port))
    if announced.availability_zone:
        said.append(AvailabilityZoneExtension(availability_zone=announced.availability_zone))
    said += [ForgottenNodeExtension(name=name, ttl=ttl) for name, ttl in forgotten]
    if announced.shard_id is not None:
        said.append(ShardIdExtension(shard_id=announced.shard_id))
    if internal_secret:
        said.append(InternalSecretExtension(secret=internal_secret))
    return tuple(extension for extension in said if kinds.get(extension.type) is type(extension))


@clause("BU-35", "BU-D3")
def announced_by(extensions: Iterable[PingExtension]) -> Announced:
    """What these extensions of one heartbeat say; the last of a kind counts.

    What they do not say, or say in a text that nodes.conf cannot hold, is empty.
    Counterpart: `clusterProcessPingExtensions`.
    """
    said: dict[str, Any] = {}
    for extension in extensions:
        match extension:
            case HostnameExtension():
                said["hostname"] = extension.hostname if is_word(extension.hostname) else ""
            case HumanNodenameExtension():
                said["human_nodename"] = _kept(extension.human_nodename)
            case ClientIpv4Extension():
                said["client_ipv4"] = extension.address
            case ClientIpv6Extension():
                said["client_ipv6"] = extension.address
            case ClientPortExtension():
                said["client_port"] = extension.port
            case ClientTlsPortExtension():
                said["client_tls_port"] = extension.port
            case AvailabilityZoneExtension():
                said["availability_zone"] = _kept(extension.availability_zone)
            case ShardIdExtension():
                said["shard_id"] = extension.shard_id
            case _:  # about other nodes, or unknown
                pass
    return attrs.evolve(NOTHING_ANNOUNCED, **said) if said else NOTHING_ANNOUNCED


def _kept(text: str) -> str:
    return text if is_aux_value(text) else ""


_FIELDS: Final[dict[str, Callable[[Announced], str]]] = {
    "nodename": lambda said: said.human_nodename,
    "client-ipv4": lambda said: said.client_ipv4,
    "client-ipv6": lambda said: said.client_ipv6,
    "client-tcp-port": lambda said: str(said.client_port or ""),
    "client-tls-port": lambda said: str(said.client_tls_port or ""),
    "availability-zone": lambda said: said.availability_zone,
    "shard-id": lambda said: said.shard_id or "",
}


@clause("NC-11")
def to_aux(
    announced: Announced, dialect: WireDialect, *, tls: bool = False, other_port: int = 0
) -> tuple[tuple[str, str], ...]:
    """The auxiliary fields of a line of the dialect's nodes.conf.

    `other_port` is the client port that is not in the address: the TLS port, or with `tls` the
    plain one. Counterpart: `clusterGenNodeDescription`.
    """
    values = {field: value(announced) for field, value in _FIELDS.items()}
    values["tcp-port" if tls else "tls-port"] = str(other_port)
    return tuple((field, values[field]) for field in dialect.aux_fields if values.get(field))


@clause("NC-11")
def announced_in(line: NodeLine) -> Announced:
    """What the line tells that `to_aux` and its host name would write.

    Counterpart: `clusterLoadConfig`.
    """
    aux = dict(line.aux)
    shard_id = aux.get("shard-id")
    return Announced(
        hostname=line.hostname,
        human_nodename=aux.get("nodename", ""),
        client_ipv4=aux.get("client-ipv4", ""),
        client_ipv6=aux.get("client-ipv6", ""),
        client_port=int(aux.get("client-tcp-port", "0")),
        client_tls_port=int(aux.get("client-tls-port", "0")),
        availability_zone=aux.get("availability-zone", ""),
        shard_id=None if shard_id is None else ShardId(shard_id),
    )


@clause("NC-11")
def other_port_in(line: NodeLine) -> tuple[bool, int]:
    """Whether the address of the line has the TLS port, and the client port that is not there.

    Counterpart: `clusterLoadConfig`.
    """
    aux = dict(line.aux)
    tls = "tcp-port" in aux and "tls-port" not in aux
    return tls, int(aux.get("tcp-port" if tls else "tls-port", "0"))
