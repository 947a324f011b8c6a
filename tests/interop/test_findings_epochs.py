"""An old master's epoch that is told as a node's own, step by step on real servers (F-30).

A, C, D and E are those of the model `one-redis`. In each test one or two of them are real.

Clauses: EP-3, EP-4, EL-15, SC-6, SC-29.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.slots import SlotSet
from reference.core.types import NodeId, ShardId
from reference.wire.bus import FailoverAuthRequestMessage, PingMessage, UpdateMessage
from reference.wire.bus_extensions import ShardIdExtension
from reference.wire.bus_header import MessageFlag
from tests.interop.scripted_peer import ScriptedPeer, introduced
from tests.support import NodeRow, Server, Workshop, introduce, wait_until, workshop

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

A, C, D, E = (NodeId(letter * 40) for letter in "acde")

THEIRS: Final = SlotSet.of([0])
"""The slot that was D's, and is E's since it was elected."""

OTHER: Final = SlotSet.of([1])
"""The slot of A."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Servers that keep links on which nobody answers for longer than a test takes."""
    with workshop(tmp_path, node_timeout=120_000) as made:
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test, before the servers do."""
    with ExitStack() as made:
        yield made


def _row(server: Server, node_id: str) -> NodeRow:
    return server.view()[node_id]


def _claim(peer: ScriptedPeer, epoch: int, slots: SlotSet) -> None:
    """The peer says that it is the master of these slots."""
    peer.say(PingMessage(header=peer.header_as(epoch, slots)))


def _follow(peer: ScriptedPeer, master: NodeId, epoch: int, slots: SlotSet) -> None:
    """The peer says that it follows the master, in whose shard it is, with that one's epoch."""
    shard = ShardIdExtension(shard_id=ShardId(master))
    header = peer.header_as(epoch, slots, replicaof=master)
    peer.say(PingMessage(header=header, extensions=(shard,)))


def _is_replica(server: Server, node_id: NodeId, master: str) -> bool:
    row = _row(server, node_id)
    return "slave" in row.flags and row.replicaof == master


# Whose epoch a replica's header tells, as C takes it.


def _back_as_a_master(server: Server, stack: ExitStack) -> ScriptedPeer:
    """D followed A, and the server hears late what D said when it led; the peer is E."""
    a, d, e = (stack.enter_context(introduced(server, name)) for name in (A, D, E))
    _claim(a, 5, OTHER)
    _claim(d, 1, THEIRS)
    wait_until(lambda: _row(server, A).epoch == 5 and _row(server, D).epoch == 1, 20)
    _follow(d, A, 5, OTHER)
    wait_until(lambda: _is_replica(server, D, A), 20, what="D follows A")
    _claim(d, 1, THEIRS)
    wait_until(lambda: _row(server, D).slots == ("0",), 20, what="D owns its old slot")
    _claim(e, 4, THEIRS)
    return e


def test_redis_records_a_masters_epoch_as_the_replicas(shop: Workshop, stack: ExitStack) -> None:
    server = shop.real("redis")
    successor = _back_as_a_master(server, stack)

    update = successor.hear(UpdateMessage)

    assert (update.nodename, update.config_epoch, update.slots) == (D, 5, THEIRS)
    row = _row(server, D)
    assert ("master" in row.flags, row.epoch, row.slots) == (True, 5, ("0",))


def test_valkey_does_not(shop: Workshop, stack: ExitStack) -> None:
    """The control: D has its own old epoch, and so the slot is that of E."""
    server = shop.real("valkey")
    _back_as_a_master(server, stack)

    wait_until(lambda: _row(server, E).slots == ("0",), 20, what="E has the slot")

    assert _row(server, D).epoch == 1


# A voter that names the candidate to itself: E.


def test_valkey_tells_a_refused_candidate_of_itself(shop: Workshop, stack: ExitStack) -> None:
    server = shop.real("valkey")
    server.cluster("SET-CONFIG-EPOCH", 4)
    server.cluster("ADDSLOTS", 0, 3)
    ours, mine = NodeId(server.node_id), SlotSet.of([0, 3])
    a, c, d = (stack.enter_context(introduced(server, name)) for name in (A, C, D))
    shard = ShardIdExtension(shard_id=ShardId(A))
    a.say(PingMessage(header=a.header_as(5, OTHER), extensions=(shard,)))
    wait_until(lambda: _row(server, A).epoch == 5, 20)
    _follow(d, A, 5, OTHER)
    wait_until(lambda: _is_replica(server, D, A), 20, what="D follows A")

    c.say(UpdateMessage(header=c.header, nodename=D, config_epoch=5, slots=THEIRS))
    wait_until(lambda: _row(server, D).slots == ("0",), 20, what="D owns its old slot")
    assert "master" in _row(server, ours).flags
    _follow(d, A, 5, OTHER)
    wait_until(lambda: _is_replica(server, D, A), 20, what="D follows A once more")
    assert _row(server, D).slots == ("0",)  # a replica that owns a slot, as in F-17
    _follow(d, ours, 4, mine)
    wait_until(lambda: _is_replica(server, D, ours), 20, what="D follows E")
    header = d.header_as(4, mine, replicaof=ours)
    asking = attrs.evolve(header, current_epoch=6, mflags=header.mflags | MessageFlag.FORCEACK)

    def refused() -> bool:
        """Whether it is for the slot's owner; at first the server does not vote yet (EL-20)."""
        d.say(FailoverAuthRequestMessage(header=asking))
        return f"auth denied to {D} (127.0.0.1:1): slot 0 epoch (5) > " in server.log

    wait_until(refused, 30, what="the candidate is refused")
    update = d.hear(UpdateMessage)
    assert (update.nodename, update.config_epoch, update.slots) == (D, 5, THEIRS)


# What the candidate makes of it: D, and A, whose epoch it is.


def test_valkey_takes_the_epoch_and_its_owner_moves_on(shop: Workshop, stack: ExitStack) -> None:
    """Nobody votes for the new epoch of A: that is the collision rule (EP-4)."""
    owner, told = sorted((shop.real("valkey") for _ in "AD"), key=lambda each: each.node_id)
    owner.cluster("SET-CONFIG-EPOCH", 5)
    owner.cluster("ADDSLOTS", 1)
    introduce([owner, told])
    voter = stack.enter_context(introduced(told, E))
    _claim(voter, 4, THEIRS)
    wait_until(lambda: _row(told, E).epoch == 4, 20)
    told.cluster("REPLICATE", E)
    mine, theirs = told.node_id, owner.node_id
    assert _is_replica(told, NodeId(mine), E)

    header = voter.header_as(4, THEIRS)
    voter.say(UpdateMessage(header=header, nodename=NodeId(mine), config_epoch=5, slots=THEIRS))

    wait_until(lambda: "master" in _row(told, mine).flags, 20, what="D is a master")
    wait_until(lambda: _row(told, theirs).epoch == 6, 30, what="A has moved on")
    assert (_row(told, mine).epoch, _row(told, mine).slots) == (5, ())
    assert (_row(owner, theirs).epoch, owner.info()["cluster_my_epoch"]) == (6, "6")
    assert not any("auth-req" in name for name in owner.info() | told.info())
