"""What DEBUG does to a node: messages that it does not hear, links that it loses, a sleep."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from reference.clauses import clause
from reference.core.types import Link, NodeId
from reference.runtime.bus.connections import Bus, BusLink

_LOG = logging.getLogger(__name__)

NO_TYPE: Final = -1
"""The type of the message that is not heard, if all are."""
_EVERY_TYPE: Final = -2


class Debugged(Protocol):
    """The node that is disturbed."""

    @property
    def bus(self) -> Bus:
        """Its links."""

    def freeze(self) -> None:
        """Nothing of the node moves."""

    def thaw(self) -> None:
        """The node goes on."""


class Debugging:
    """The disturbances of one node, none at first (`server.cluster_drop_packet_filter` ...)."""

    def __init__(self, node: Debugged) -> None:
        """The node is left alone."""
        self.dropped_type = NO_TYPE
        self.closes_link_on_drop = False
        self.reconnects = True
        self.pings_at_random = True
        self._node = node

    @clause("CM-95")
    def drops(self, link: BusLink, message_type: int) -> bool:
        """Whether a message of this type is not heard; then its link is closed if so asked.

        Counterpart: `clusterProcessPacket`, `clusterIsValidPacket`.
        """
        dropped = self.dropped_type
        if dropped == NO_TYPE or dropped not in (message_type, _EVERY_TYPE):
            return False
        if self.closes_link_on_drop:
            _LOG.info("closing %s after a message of type %d was dropped", link, message_type)
            link.close()
        return True

    def kill_links(self, node_id: NodeId, *directions: Link) -> None:
        """The links with this node in these directions are gone."""
        bus = self._node.bus
        for direction in directions:
            links = bus.outbound if direction is Link.OUTBOUND else bus.inbound
            link = links.get(node_id)
            if link is not None:
                link.close()

    @clause("CM-95")
    def sleep(self, seconds: float, then: Callable[[], None]) -> None:
        """The node does nothing for so long, as if its process were stopped."""
        self._node.freeze()

        def wake() -> None:
            self._node.thaw()
            then()

        asyncio.get_running_loop().call_later(seconds, wake)
