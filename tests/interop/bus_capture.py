"""Record what running nodes say on the bus: `python -m tests.interop.bus_capture 7000 7001 ...`.

The nodes are given by their client ports. Each is told by CONFIG SET to announce a relay as its
bus port, upon which the others dial it anew, and at the end to announce its own again. What was
recorded is written as one message a line, in hexadecimal digits.
"""

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import redis

from reference.wire.bus import encode
from reference.wire.bus_extensions import COMMON_EXTENSIONS, ExtensionKinds
from reference.wire.bus_header import MessageType
from reference.wire.nodes_conf_parse import parse_node_line
from tests.interop.bus_relay import BusRelay, Frame
from tests.support import LOOPBACK

_ANNOUNCED: Final = "cluster-announce-bus-port"


@attrs.define
class Capture:
    """The messages that a relay saw, in the order in which they came."""

    frames: list[Frame] = attrs.field(factory=list, repr=False)

    def __call__(self, frame: Frame) -> None:
        """The message is kept."""
        self.frames.append(frame)

    def counts(self) -> dict[str, int]:
        """How many messages of each type there are, light ones under a name of their own."""
        names = Counter(_name(frame) for frame in tuple(self.frames))
        return dict(sorted(names.items()))

    def changed(self, extensions: ExtensionKinds = COMMON_EXTENSIONS) -> list[Frame]:
        """The messages that are not the same bytes after decoding and encoding them."""
        return [
            frame for frame in tuple(self.frames) if encode(frame.message(extensions)) != frame.data
        ]


def _name(frame: Frame) -> str:
    known = frame.message_type < len(MessageType)
    name = MessageType(frame.message_type).name if known else f"type {frame.message_type}"
    return f"light {name}" if frame.is_light else name


@contextmanager
def captured(ports: Sequence[int]) -> Iterator[Capture]:
    """What the nodes with these client ports say to each other during the block."""
    capture = Capture()
    with BusRelay() as relay:
        relay.watch(capture)
        clients = [redis.Redis(host=LOOPBACK, port=port, decode_responses=True) for port in ports]
        before = [str(client.config_get(_ANNOUNCED)[_ANNOUNCED]) for client in clients]
        try:
            for port, client in zip(ports, clients, strict=True):
                client.config_set(_ANNOUNCED, relay.serve(str(port), _bus_port(client)))
            yield capture
        finally:
            for client, value in zip(clients, before, strict=True):
                client.config_set(_ANNOUNCED, value)
                client.close()


def _bus_port(client: redis.Redis) -> int:
    with redis.Redis.from_pool(client.connection_pool) as raw:
        raw.response_callbacks.clear()
        lines = str(raw.execute_command("CLUSTER", "NODES")).splitlines()
    [myself] = [node for node in map(parse_node_line, lines) if "myself" in node.flags]
    return myself.cport


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ports", nargs="+", type=int, help="client ports of running nodes")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--output", type=Path, help="a file for the messages; none by default")
    chosen = parser.parse_args()
    with captured(chosen.ports) as capture:
        threading.Event().wait(chosen.seconds)
    if chosen.output is not None:
        chosen.output.write_text("".join(f"{frame.data.hex()}\n" for frame in capture.frames))
    for name, count in capture.counts().items():
        sys.stdout.write(f"{count:8} {name}\n")
    sys.stdout.write(f"{len(capture.changed()):8} not the same after decoding and encoding\n")


if __name__ == "__main__":
    main()
