"""Record what real servers send and save: `python -m tests.interop.capture_vectors`.

A cluster is started on loopback, in which every node is dialled through a relay. A failover, a
stale master that returns, publications, a forgotten node, announcements of every kind and a server
module bring out all types and extensions. It needs a C compiler for the module.
"""

import base64
import json
import subprocess
import tempfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import attrs

from reference.wire.bus_header import MessageType
from reference.wire.dialects import WIRE_DIALECTS
from tests.interop.bus_relay import BusRelay, Frame, selects
from tests.interop.relayed import Relayed, channel_of, follow, is_master, join
from tests.support import DIALECT_OF, Server, cluster_is_ok, wait_until, workshop

NODE_TIMEOUT: Final = 1000
PER_KIND: Final = 2
TARGET: Final = Path(__file__).parents[2] / "spec" / "vectors"
MODULE: Final = Path(__file__).with_name("bus_module.c")

ANNOUNCED: Final[dict[str, dict[str, str | int]]] = {
    "redis": {"cluster-announce-ip": "127.0.0.1", "cluster-announce-hostname": "b.example.org"},
    "valkey": {
        "cluster-announce-ip": "127.0.0.1",
        "cluster-announce-hostname": "b.example.org",
        "cluster-announce-human-nodename": "second",
        "cluster-announce-client-ipv4": "192.0.2.1",
        "cluster-announce-client-ipv6": "2001:db8::1",
        "cluster-announce-client-port": 1234,
        "cluster-announce-client-tls-port": 2345,
        "availability-zone": "zone-1",
    },
}


@attrs.define
class Recorder:
    """The messages seen so far, a few for each kind; a kind is what a codec may get wrong."""

    server: str
    kept: dict[tuple[object, ...], list[bytes]] = attrs.field(factory=dict)

    def add(self, frame: Frame) -> None:
        """The message is kept if there are few of its kind."""
        data = frame.data
        kind: tuple[object, ...] = (frame.message_type, frame.is_light)
        if frame.message_type <= MessageType.MEET:
            kind = (*kind, data[2215], bool(data[2253] & 4), data[2251] & 0xF)
        same = self.kept.setdefault(kind, [])
        if len(same) < PER_KIND and data not in same:
            same.append(data)

    def vectors(self) -> list[dict[str, object]]:
        """What the file in spec/vectors holds."""
        return [
            {
                "server": self.server,
                "type": int.from_bytes(frame[12:14], "big"),
                "length": len(frame),
                "zlib_base64": base64.b64encode(zlib.compress(frame, 9)).decode(),
            }
            for _, frames in sorted(self.kept.items(), key=str)
            for frame in frames
        ]

    def extensions(self) -> set[int]:
        """The types of extensions of the messages that were kept."""
        kinds = WIRE_DIALECTS[self.server].extensions
        found: set[int] = set()
        for frames in self.kept.values():
            for data in frames:
                message = Frame.of(data).message(kinds)
                found |= {said.type for said in getattr(message, "extensions", ())}
        return found


def compiled(directory: Path) -> Path:
    """The server module that sends MODULE messages."""
    library = directory / "bus_module.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, MODULE], check=True)
    return library


def story(cluster: Relayed, kind: str) -> None:
    """Everything happens that makes nodes send something new."""
    a, b, d = cluster["A"], cluster["B"], cluster["D"]
    for name, value in ANNOUNCED[kind].items():
        b.client.config_set(name, value)
    follow(cluster, {"D": "A"})
    b.client.publish("news", "hello")
    a.client.spublish(channel_of(a), "to the shard")
    b.client.execute_command("BUS.SEND", 7, "from the module")  # type: ignore[no-untyped-call]
    d.cluster("FAILOVER")
    wait_until(lambda: is_master(d), 20, what="D is master")
    wait_until(lambda: cluster_is_ok(list(cluster.nodes.values())), 20, what="cluster ok")
    _elect_again(cluster, a, d)
    b.cluster("FORGET", d.node_id)
    a.cluster("SETSLOT", 7, "MIGRATING", b.node_id)
    a.cluster("SETSLOT", 6000, "IMPORTING", b.node_id)


def _elect_again(cluster: Relayed, a: Server, d: Server) -> None:
    """A is elected in place of D, which comes back and is told by an UPDATE."""
    winner, loser = a.node_id, d.node_id
    d.kill()
    wait_until(lambda: is_master(a), 30, what="A is elected")
    silenced = cluster.relay.hold(selects(sender=winner, receiver=loser))
    updates = cluster.relay.delay(selects(types=[MessageType.UPDATE]), 0)
    d.start()
    wait_until(lambda: updates.taken, 30, what="an UPDATE")
    silenced.end()
    wait_until(lambda: not is_master(d), 30, what="D follows")
    wait_until(lambda: cluster_is_ok(list(cluster.nodes.values())), 20, what="cluster ok")


def capture(kind: str) -> tuple[Recorder, bytes]:
    """The messages of a cluster of servers of this kind, and the nodes.conf of one of them."""
    recorder = Recorder(DIALECT_OF[kind])
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        relay = stack.enter_context(BusRelay())
        relay.watch(recorder.add)
        shop = stack.enter_context(workshop(directory, NODE_TIMEOUT))
        module = str(compiled(directory))
        cluster = join(relay, shop, dict.fromkeys("ABCD", kind), masters="ABC", module=module)
        story(cluster, kind)
        wanted = set(WIRE_DIALECTS[recorder.server].extensions)
        wait_until(lambda: wanted == recorder.extensions(), 30, what="all extensions")
        cluster["A"].cluster("SAVECONFIG")
        nodes_conf = cluster["A"].nodes_conf.encode()
    return recorder, nodes_conf


def main() -> None:
    for kind, name in DIALECT_OF.items():
        recorder, nodes_conf = capture(kind)
        text = json.dumps(recorder.vectors(), indent=1)
        (TARGET / f"bus-{name}.json").write_text(text + "\n")
        (TARGET / f"nodes-{name}.conf").write_bytes(nodes_conf)


if __name__ == "__main__":
    main()
