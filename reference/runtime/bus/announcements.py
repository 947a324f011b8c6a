"""What nodes say of themselves beside the header of their messages, as ping extensions."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.types import NodeId
from reference.runtime.clock import new_internal_secret
from reference.runtime.options import NodeOptions
from reference.wire.announced import NOTHING_ANNOUNCED, Announced, announced_by
from reference.wire.bus import BusMessage, Heartbeat
from reference.wire.bus_extensions import InternalSecretExtension, PingExtension
from reference.wire.bus_header import BusHeader, LightHeader, MessageFlag, NodeFlag
from reference.wire.dialects import WireDialect, wire_dialect

_SILENT: Final = frozenset({"redis-7.0"})
"""Dialects whose nodes do not say that they understand extensions, and send them to everybody."""


# Numbers are quicker to ask for a bit than flags are, and each message is asked for several.
_EXT_DATA: Final = MessageFlag.EXT_DATA.value
_EXTENSIONS_SUPPORTED: Final = NodeFlag.EXTENSIONS_SUPPORTED.value
_TAKES_LIGHT: Final = NodeFlag.LIGHT_HDR_PUBLISH_SUPPORTED.value


def own_announced(options: NodeOptions) -> Announced:
    """What a node with these options says of itself; its shard is a matter of the rules."""
    return Announced(
        hostname=options.announce_hostname,
        human_nodename=options.announce_human_nodename,
        client_ipv4=options.announce_client_ipv4,
        client_ipv6=options.announce_client_ipv6,
        client_port=options.announce_client_port,
        client_tls_port=options.announce_client_tls_port,
        availability_zone=options.availability_zone,
    )


@clause("RT-5")
def knows_extensions(header: BusHeader) -> bool:
    """Whether the sender understands ping extensions; Redis 7.0 sends neither flag."""
    return bool(int(header.mflags) & _EXT_DATA or int(header.flags) & _EXTENSIONS_SUPPORTED)


@lru_cache(maxsize=1024)
def _announced_beside_shard(extensions: tuple[PingExtension, ...]) -> Announced:
    return attrs.evolve(announced_by(extensions), shard_id=None)


class Announcements:
    """All that is known of it, by node."""

    def __init__(self, options: NodeOptions, saved: Mapping[NodeId, Announced]) -> None:
        """What was known when the node was last saved is known again."""
        self.own = own_announced(options)
        self.dialect: WireDialect = wire_dialect(options.dialect)
        self.speaks_up = options.dialect not in _SILENT
        self._said = dict(saved)
        self._extended: set[NodeId] = set()
        self._light: set[NodeId] = set()
        self._secret = new_internal_secret()

    @property
    def secret(self) -> bytes:
        """The smallest of all secrets heard of, where the dialect has any."""
        return self._secret

    def of(self, node_id: NodeId) -> Announced:
        """What this other node last said."""
        return self._said.get(node_id, NOTHING_ANNOUNCED)

    @clause("RT-5")
    def extends(self, node_id: NodeId | None) -> bool:
        """Whether messages to this node may have extensions. Counterpart: `clusterSendPing`."""
        return not self.speaks_up or node_id in self._extended

    @clause("RT-43")
    def takes_light(self, node_id: NodeId | None) -> bool:
        """Whether publications to this node have the light header.

        Counterpart: `clusterSendPublish`.
        """
        return self.dialect.light_headers and node_id in self._light

    def hear_flags(self, sender: NodeId, message: BusMessage) -> None:
        """The sender may have shown that it understands extensions, or light publications."""
        header = message.header
        if isinstance(header, LightHeader):
            return
        if knows_extensions(header):
            self._extended.add(sender)
        if int(header.flags) & _TAKES_LIGHT:
            self._light.add(sender)

    @clause("RT-21")
    def hear(self, sender: NodeId, heartbeat: Heartbeat) -> bool:
        """The heartbeat replaces what its sender said before; whether that made a difference.

        Counterpart: `clusterProcessPingExtensions`.
        """
        for extension in heartbeat.extensions:
            if isinstance(extension, InternalSecretExtension):
                self._secret = min(self._secret, extension.secret)
        said = _announced_beside_shard(heartbeat.extensions)
        known = self.of(sender)
        changed = said is not known and said != known
        if changed:
            self._said[sender] = said
        return changed

    def forget(self, gone: Iterable[NodeId]) -> None:
        """Nothing is known of these nodes."""
        for node_id in gone:
            self._said.pop(node_id, None)
            self._extended.discard(node_id)
            self._light.discard(node_id)
