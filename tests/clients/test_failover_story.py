"""Each client does all that clients do, works while a master is killed, and loses nothing.

What must not be lost is what replicas confirmed (WAIT) of the master that is killed, and what was
acknowledged by the others, or after the failover.

Clauses: CM-72, CM-73, RD-7, RD-13, EL-9, RE-20.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import attrs
import pytest
import redis
import valkey
from redis.crc import key_slot

from tests.clients.clients import Client, LikeRedisPy
from tests.clients.glide_client import Glide
from tests.clients.javascript_client import JavaScript, need_javascript
from tests.clients.story import Story
from tests.interop.mixed import OURS, RUNS, Mixed
from tests.support import LOOPBACK, Server, cluster_is_ok, knows_all, wait_until, workshop

MASTERS: Final = 3
KEYS: Final = 200
PYTHON: Final[dict[str, Callable[[int], Client]]] = {
    "redis-py": lambda port: LikeRedisPy(redis, port, 3),
    "valkey-py": lambda port: LikeRedisPy(valkey, port, 2),
    "glide": lambda port: Glide(port, 3),
}
JAVASCRIPT: Final[dict[str, Callable[[int], Client]]] = {
    "ioredis": lambda port: JavaScript("ioredis", port),
    "node-redis": lambda port: JavaScript("node-redis", port),
}


class UnreadError(Exception):
    """A client reads something else than it wrote a moment ago."""


@attrs.define
class Shard:
    """The cluster, whose first master and its replica change places."""

    cluster: Mixed
    master: Server
    replica: Server

    @property
    def seed(self) -> int:
        """The port that clients are told: of a node that lives."""
        return self.cluster.others[0].port

    def fail_over(self) -> None:
        """The master is killed, and its replica is in its place."""
        self.master.kill()
        living = [*self.cluster.others, self.replica]
        wait_until(lambda: self.cluster.owns(self.replica, living), 60, what="it took over")
        wait_until(lambda: cluster_is_ok(living), 60, what="the cluster is ok")

    def return_as_replica(self) -> None:
        """The old master follows the new one, and has its data."""
        self.master, self.replica = self.replica, self.master
        self.replica.start()
        its_id, nodes = self.cluster.ids[self.replica.port], self.cluster.nodes
        wait_until(lambda: "slave" in self.master.view()[its_id].flags, 60, what="a replica")
        wait_until(lambda: self.cluster.same(self.replica, self.master), 60, what="its data")
        wait_until(lambda: all(knows_all(node, nodes) for node in nodes), 60, what="all is well")


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shard]:
    with workshop(tmp_path_factory.mktemp("cluster"), node_timeout=5000) as shop:
        made = Mixed(shop, "valkey", masters=[OURS] * MASTERS, replicas=[OURS])
        made.start()
        wait_until(lambda: all(knows_all(node, made.nodes) for node in made.nodes), 60)
        yield Shard(made, made.master, made.replicas[0])


class Load:
    """What a client writes, and of that what must not be lost."""

    def __init__(self, name: str, client: Client, story: Story) -> None:
        self._name = name
        self._client = client
        self._story = story
        self._rounds = 0
        self.kept: dict[str, str] = {}

    def __call__(self, number: int) -> None:
        """New keys are written, each is read, and what is sure to stay is noted."""
        self._rounds += 1
        pairs = {f"{self._name}:{self._rounds}:{each}": f"{number}" for each in range(12)}
        for key, value in pairs.items():
            self._client.set(key, value)
            if self._client.get(key) != value:
                raise UnreadError(key)
        at_risk = [key for key in pairs if key_slot(key.encode()) <= int(RUNS[0].split("-")[1])]
        if at_risk and not self._story.over.is_set() and not self._client.confirm(at_risk[-1]):
            for key in at_risk:
                del pairs[key]
        self.kept |= pairs


def do_all(name: str, client: Client) -> None:
    """What clients do, where nothing is wrong."""
    for number in range(KEYS):
        client.set(f"{name}:one:{number}", f"{number}")
    values = [client.get(f"{name}:one:{number}") for number in range(KEYS)]
    assert values == [f"{number}" for number in range(KEYS)]
    pairs = {f"{name}:pipelined:{number}": f"{number}" for number in range(KEYS)}
    assert client.pipelined(pairs) == 2 * KEYS
    client.mset({f"{{{name}}}a": "1", f"{{{name}}}b": "2"})
    assert client.mget([f"{{{name}}}{letter}" for letter in "abc"]) == ["1", "2", None]
    assert client.scan(f"{name}:one:*") == KEYS
    for sharded in (False, True):
        client.subscribe(f"{name}:{sharded}", sharded=sharded)
        hear(name, client, "before", sharded=sharded)


def hear(name: str, client: Client, message: str, *, sharded: bool) -> None:
    """The client hears what it says. It says it again: who has just moved may miss something."""
    channel = f"{name}:{sharded}"

    def heard() -> bool:
        client.publish(channel, message, sharded=sharded)
        return (channel, message) in client.heard()

    wait_until(heard, 30, what=f"{name} hears {message} in {channel}")


def live(name: str, client: Client, load: Load, story: Story) -> None:
    """The client's part of the story."""
    with closing(client):
        try:
            do_all(name, client)
        except BaseException as error:  # noqa: BLE001 - told by the test
            story.failed(name, error)
            return
        story.tell(name, load, (*client.errors, UnreadError))
        if name not in str(story.failures) and client.goes_on_listening:
            try:
                hear(name, client, "after", sharded=False)
                hear(name, client, "after", sharded=True)
            except BaseException as error:  # noqa: BLE001 - told by the test
                story.failed(name, error)


def tell(shard: Shard, made: dict[str, Callable[[int], Client]]) -> None:
    """The clients have lived through a failover, and what they wrote is there."""
    story = Story(len(made))
    loads, threads = [], []
    for name, make in made.items():
        client = make(shard.seed)
        loads.append(Load(name, client, story))
        threads.append(threading.Thread(target=live, args=(name, client, loads[-1], story)))
    for each in threads:
        each.start()
    try:
        story.ready.wait()
    except threading.BrokenBarrierError:
        pass
    else:
        story.killed.set()
        shard.fail_over()
        story.over.set()
    for each in threads:
        each.join(120)
    assert not story.failures
    assert (
        lost(shard.seed, {key: value for each in loads for key, value in each.kept.items()}) == []
    )


def lost(port: int, kept: dict[str, str]) -> list[str]:
    """The keys that do not have these values."""
    reader: Any = redis.RedisCluster(host=LOOPBACK, port=port, decode_responses=True)
    with closing(reader):
        pipe = reader.pipeline()
        for key in kept:
            pipe.get(key)
        return [key for key, found in zip(kept, pipe.execute(), strict=True) if found != kept[key]]


@pytest.mark.timeout(300)
def test_clients_in_python_live_through_a_failover(shard: Shard) -> None:
    tell(shard, PYTHON)

    shard.return_as_replica()


@pytest.mark.timeout(300)
def test_clients_in_javascript_live_through_a_failover(shard: Shard) -> None:
    need_javascript()

    tell(shard, JAVASCRIPT)

    shard.return_as_replica()
