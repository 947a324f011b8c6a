"""A node that does nothing by itself: it says to a real server what a test has it say."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import attrs

from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Epoch, NodeId
from reference.wire.bus import BusMessage, Heartbeat, MeetMessage, PongMessage, decode, encode
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_header import BusHeader, MessageFlag, NodeFlag
from reference.wire.dialects import WIRE_DIALECTS
from tests.support import LOOPBACK, Server, wait_until

_M = TypeVar("_M", bound=BusMessage | Heartbeat)

_PATIENCE: Final = 20
"""Seconds after which a server that says nothing is taken for hung."""


@attrs.define
class ScriptedPeer:
    """A node that says what it is told to, and nothing else."""

    outward: socket.socket  # that it dialled
    inward: socket.socket  # that the server dialled
    header: BusHeader
    reader: FrameReader = attrs.field(factory=FrameReader)
    _heard: list[BusMessage] = attrs.field(factory=list)

    @property
    def node_id(self) -> NodeId:
        """Its name in the cluster."""
        return self.header.sender

    def header_as(
        self, epoch: Epoch, slots: SlotSet = NO_SLOTS, *, replicaof: NodeId | None = None
    ) -> BusHeader:
        """Its header as a master with this configEpoch, or as a replica of one that has it."""
        role = NodeFlag.MASTER if replicaof is None else NodeFlag.SLAVE
        return attrs.evolve(
            self.header,
            config_epoch=epoch,
            slots=slots,
            replicaof=replicaof,
            flags=role | NodeFlag.EXTENSIONS_SUPPORTED,
        )

    def say(self, message: BusMessage) -> None:
        """The server gets this message."""
        self.outward.sendall(encode(message))

    def hear(self, kind: type[_M]) -> _M:
        """The next message of this kind that the server sends by itself."""
        while True:
            while self._heard:
                message = self._heard.pop(0)
                if isinstance(message, kind):
                    return message
            data = self.inward.recv(65536)
            assert data, "the server has closed the link"
            for frame in self.reader.feed(data):
                kinds = WIRE_DIALECTS["redis-8.0"].extensions
                self._heard.append(decode(frame, extensions=kinds))


@contextmanager
def introduced(server: Server, node_id: NodeId) -> Iterator[ScriptedPeer]:
    """A peer that the server has taken into its table, a master without slots.

    The server's node timeout has to be longer than the test: nobody answers its PINGs.
    """
    with socket.create_server((LOOPBACK, 0)) as listener:
        header = BusHeader(
            sender=node_id,
            current_epoch=0,
            config_epoch=0,
            port=1,
            cport=listener.getsockname()[1],
            flags=NodeFlag.MASTER | NodeFlag.EXTENSIONS_SUPPORTED,
            mflags=MessageFlag.EXT_DATA,
        )
        listener.settimeout(_PATIENCE)
        with socket.create_connection((LOOPBACK, server.port + 10000)) as outward:
            outward.sendall(encode(MeetMessage(header=header)))
            inward, _ = listener.accept()
            with inward:
                inward.settimeout(_PATIENCE)
                peer = ScriptedPeer(outward, inward, header)
                peer.hear(Heartbeat)
                inward.sendall(encode(PongMessage(header=header)))
                wait_until(lambda: node_id in server.view(), _PATIENCE, what="it is known")
                yield peer
