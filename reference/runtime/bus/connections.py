"""The connections of the cluster bus: one that we dial to each node, and those that others dial."""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Sequence
from typing import Final, Protocol

from typing_extensions import override

from reference.clauses import clause
from reference.core.types import Address, Link, NodeId
from reference.runtime.listening import stop_listening
from reference.runtime.tls.listening import Listener
from reference.runtime.tls.settings import Tls, TlsError
from reference.wire.bus_errors import BusLinkError
from reference.wire.bus_frames import FrameReader

log = logging.getLogger(__name__)

_QUEUE_SIZE: Final = 48
"""Bytes that an empty queue of messages counts in the servers, so that every link has some."""


_READ_SIZE: Final = 64 * 1024
"""Bytes read at once."""


class BusOwner(Protocol):
    """Who is told what happens on the links."""

    def link_opened(self, link: "BusLink") -> None:
        """The link that we dialled stands."""

    def link_lost(self, link: "BusLink") -> None:
        """The link is gone, or never came to stand."""

    def frame_received(self, link: "BusLink", frame: bytes) -> None:
        """A whole message came."""

    def unreachable(self, node_id: NodeId) -> bool:
        """Whether the node cannot be dialled, as far as is known."""


class BusLink(asyncio.BufferedProtocol):
    """One connection of the bus (`clusterLink`), from the dial or the accept to its end."""

    def __init__(self, bus: "Bus", direction: Link, node_id: NodeId | None = None) -> None:
        self.direction = direction
        self.node_id = node_id  # an inbound link's is known from its first message on
        self.opened = False
        self.closed = False
        self.created = int(asyncio.get_running_loop().time() * 1000)  # monotone ms
        self.peer_ip = ""
        self.local_ip = ""
        self._bus = bus
        self._frames = FrameReader(light_headers=bus.light_headers)
        self._partial = 0  # bytes of a message that has not come whole
        self._waiting: list[bytes] = []  # until the link stands, or what is done now is done
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP has no other kind
        self._transport = transport
        if self.closed:
            transport.abort()
            return
        self.opened = True
        self.peer_ip = (transport.get_extra_info("peername") or ("",))[0]
        self.local_ip = (transport.get_extra_info("sockname") or ("",))[0]
        # The owner's greeting comes first: a light message does not say who sends it.
        earlier, self._waiting = self._waiting, []
        self._bus.link_opened(self)
        self._waiting += earlier
        self.flush()

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._bus.buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        """What was read is copied out at once, so that all links of a node share the buffer."""
        data = self._bus.buffer[:nbytes]
        self._partial += nbytes
        try:
            frames = self._frames.feed(data)
        except BusLinkError as error:
            self.fail(error.reason)
            return
        for frame in frames:
            self._partial -= len(frame)
            if not self.closed:
                self._bus.owner.frame_received(self, frame)
        if self._frames.error is not None:
            self.fail(self._frames.error.reason)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._partial and not self.closed:
            log.warning("%s ended in the middle of a message of the bus", self)
        self._transport = None
        self.close()
        self._bus.link_ended(self)

    @clause("RT-8")
    def send(self, data: bytes) -> None:
        """The message goes out with all others of this moment, once the link stands.

        It is lost if the link is closed. Counterpart: `clusterSendMessage`.
        """
        if self.closed:
            return
        self._waiting.append(data)
        if self._transport is not None and len(self._waiting) == 1:
            self._bus.flush_soon(self)

    def flush(self) -> None:
        """What waited is on its way."""
        waiting = self._waiting
        if self._transport is not None and waiting and not self._transport.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
        waiting.clear()

    def read(self, *, on: bool) -> None:
        """Messages are read, or they wait in the system's buffers."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        waiting = sum(map(len, self._waiting))
        return waiting + (self._transport.get_write_buffer_size() if self._transport else 0)

    @clause("RT-6")
    def fail(self, reason: str) -> None:
        """The link is closed, and the log says why."""
        log.warning("closing %s: %s", self, reason)
        self.close()

    def close(self) -> None:
        """The link counts as gone from now on, whatever is still under way on it."""
        if self.closed:
            return
        self.closed = True
        if self._transport is not None:
            self.flush()
            self._transport.abort()
        self._bus.link_closed(self)

    @override
    def __str__(self) -> str:
        peer = self.node_id or self.peer_ip or "an unknown node"
        return f"the {self.direction.value} link of {peer}"


class Bus:
    """All links of one node."""

    def __init__(self, owner: BusOwner, *, light_headers: bool) -> None:
        self.owner = owner
        self.light_headers = light_headers
        self.outbound: dict[NodeId, BusLink] = {}
        self.inbound: dict[NodeId, BusLink] = {}  # those whose node is known
        self.overfull = 0  # links that were closed for it
        self.buffer = memoryview(bytearray(_READ_SIZE))  # what was read last, of any link
        self.tls: Tls | None = None  # how links begin; None: without TLS
        self._server: asyncio.Server | None = None
        self._secure = Listener(lambda: BusLink(self, Link.INBOUND), self._accepting)
        self._dials: dict[BusLink, asyncio.Task[None]] = {}
        self._standing: set[BusLink] = set()  # with a connection that has not ended
        self._to_flush: list[BusLink] = []
        self._closing = False
        self._frozen = False
        self._ended = asyncio.Event()

    async def listen(self, hosts: str | Sequence[str], port: int) -> None:
        """Other nodes can dial us; OSError if the port is taken."""
        if self.tls is not None:
            self._secure.listen([hosts] if isinstance(hosts, str) else hosts, port)
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: BusLink(self, Link.INBOUND), hosts, port)

    @clause("RT-62")
    def _accepting(self) -> ssl.SSLContext:
        """How the links that others dial begin: they show who they are."""
        if self.tls is None:
            raise TlsError("the bus has no TLS")
        return self.tls.contexts.bus

    async def close(self) -> None:
        """No link is left, and nobody can dial us."""
        self._closing = True
        await stop_listening(self._server)
        await self._secure.close()
        for link in [*self._dials, *self._standing]:
            link.close()
        await asyncio.gather(*self._dials.values(), return_exceptions=True)
        while self._standing:
            self._ended.clear()
            await self._ended.wait()
        if self._server is not None:
            await self._server.wait_closed()

    def flush_soon(self, link: BusLink) -> None:
        """What waits on the link goes out when what is done now is done."""
        if not self._to_flush:
            asyncio.get_running_loop().call_soon(self._flush)
        self._to_flush.append(link)

    def _flush(self) -> None:
        links, self._to_flush = self._to_flush, []
        for link in links:
            link.flush()

    def dial(self, node_id: NodeId, address: Address) -> asyncio.Task[None]:
        """There is a link to the node that may soon stand; the owner hears if it does not."""
        link = BusLink(self, Link.OUTBOUND, node_id)
        self.outbound[node_id] = link
        task = self._dials[link] = asyncio.create_task(self._connect(link, address))
        return task

    async def _connect(self, link: BusLink, address: Address) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self.owner.unreachable(link.node_id or NodeId("")):
                raise OSError("there is no way to it")  # noqa: TRY301 - as if the dial had failed
            ipaddress.ip_address(address.ip)  # a name would be looked up, and peers send anything
            context = None if self.tls is None else self.tls.contexts.dialling
            await loop.create_connection(lambda: link, address.ip, address.cport, ssl=context)
        except (OSError, ValueError, OverflowError, TlsError) as error:
            log.debug("dialling %s at %s:%d: %s", link.node_id, address.ip, address.cport, error)
            link.close()
        finally:
            self._dials.pop(link, None)

    def freeze(self) -> None:
        """Nothing is read from any link, as if the process were stopped."""
        self._frozen = True
        self._secure.pause(paused=True)
        for link in self._standing:
            link.read(on=False)

    def thaw(self) -> None:
        """What others have sent in the meantime is read."""
        self._frozen = False
        self._secure.pause(paused=False)
        for link in list(self._standing):
            link.read(on=True)

    @clause("RT-8")
    def drop_overfull(self, limit: int) -> None:
        """Links for which more waits than the limit are gone, and counted; none if it is 0.

        Counterpart: `freeClusterLinkOnBufferLimitReached`.
        """
        if not limit:
            return
        for link in [*self.outbound.values(), *self.inbound.values()]:
            if link.opened and link.unsent + _QUEUE_SIZE > limit:
                log.warning("closing %s: %d bytes wait for it to be read", link, link.unsent)
                self.overfull += 1
                link.close()

    def drop(self, node_id: NodeId) -> None:
        """Our link to the node is gone."""
        link = self.outbound.get(node_id)
        if link is not None:
            link.close()

    @clause("RT-4")
    def bind(self, link: BusLink, node_id: NodeId) -> None:
        """The inbound link belongs to the node, and an older one of the node's is closed.

        Counterpart: `setClusterNodeToInboundClusterLink`.
        """
        old = self.inbound.get(node_id)
        if old is not None and old is not link:
            old.close()
        link.node_id = node_id
        self.inbound[node_id] = link

    def rename(self, link: BusLink, node_id: NodeId) -> None:
        """The outbound link belongs to the node that told its name on it."""
        if link.node_id is not None and self.outbound.get(link.node_id) is link:
            del self.outbound[link.node_id]
        link.node_id = node_id
        self.outbound[node_id] = link

    def link_opened(self, link: BusLink) -> None:
        """The connection stands."""
        self._standing.add(link)
        if self._frozen:
            link.read(on=False)
        if self._closing:
            link.close()
        elif link.direction is Link.OUTBOUND:
            self.owner.link_opened(link)

    def link_closed(self, link: BusLink) -> None:
        """Nobody finds the link any more."""
        task = self._dials.get(link)
        if task is not None and not link.opened and task is not asyncio.current_task():
            task.cancel()
        table = self.outbound if link.direction is Link.OUTBOUND else self.inbound
        if link.node_id is not None and table.get(link.node_id) is link:
            del table[link.node_id]
            if not self._closing:
                self.owner.link_lost(link)

    def link_ended(self, link: BusLink) -> None:
        """The connection is no more."""
        self._standing.discard(link)
        self._ended.set()
