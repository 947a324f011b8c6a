"""Random walks of a small cluster, and events of any kind, for property tests."""

from typing import Any, Final

import attrs
from hypothesis import strategies as st

from reference.core.events import (
    ClusterAddSlots,
    ClusterMeet,
    ClusterReplicate,
    ClusterSetConfigEpoch,
    ElectionDue,
    ElectionExpired,
    Event,
    FailUndoAllowed,
    HandshakeExpired,
    HeartbeatDue,
    PongOverdue,
    Received,
    ReportExpired,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Gossip,
    Header,
    Meet,
    Message,
    Ping,
    Pong,
    Update,
)
from reference.core.rules import DIALECTS, SWITCHES, Rules
from reference.core.slots import SlotSet
from reference.core.timers import timers
from reference.core.types import Health, Link, NodeId, Role, ShardId
from tests.builders import A1, A2, STRANGER, A, B, C, address_of, change, cluster
from tests.scenarios.world import World

NODES: Final = (A, A1, A2, B, C)
NAMES: Final = (*NODES, STRANGER, NodeId("?1"), NodeId("?2"))

names = st.sampled_from(NAMES)
epochs = st.integers(0, 6)
slot_sets = st.builds(SlotSet, st.integers(0, 15))
addresses = st.none() | st.sampled_from([address_of(name) for name in NAMES])
shard_ids = st.none() | st.sampled_from([ShardId("shard-a"), ShardId("shard-b")])

headers = st.builds(
    Header,
    sender=names,
    replicaof=st.none() | names,
    current_epoch=epochs,
    config_epoch=epochs,
    slots=slot_sets,
    shard_id=shard_ids,
    address=addresses,
    nofailover=st.booleans(),
)
gossip = st.lists(
    st.builds(
        Gossip,
        node_id=names,
        health=st.sampled_from(Health),
        role=st.sampled_from(Role),
        address=addresses,
        noaddr=st.booleans(),
    ),
    max_size=3,
).map(tuple)

messages: st.SearchStrategy[Message] = st.one_of(
    *(st.builds(kind, header=headers, gossip=gossip) for kind in (Ping, Pong, Meet)),
    st.builds(Fail, header=headers, subject=names),
    st.builds(FailoverAuthRequest, header=headers, force_ack=st.booleans()),
    st.builds(FailoverAuthAck, header=headers),
    st.builds(Update, header=headers, subject=names, config_epoch=epochs, slots=slot_sets),
)

events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Received,
        message=messages,
        link=st.sampled_from(Link),
        link_node=st.none() | names,
        voted_recently=st.booleans(),
        new_id=st.none() | names,
        observed_ip=st.none() | st.just("10.0.0.1"),
    ),
    st.builds(HeartbeatDue, peer=names, gossip_about=st.lists(names, max_size=3).map(tuple)),
    *(st.builds(kind, peer=names) for kind in (PongOverdue, FailUndoAllowed, HandshakeExpired)),
    st.builds(ReportExpired, subject=names, reporter=names),
    st.builds(ElectionDue, data_too_old=st.booleans()),
    st.just(ElectionExpired()),
    st.builds(ClusterMeet, address=addresses.filter(bool), new_id=names),
    st.builds(ClusterAddSlots, slots=slot_sets),
    st.builds(ClusterReplicate, master=names, holds_keys=st.booleans()),
    st.builds(ClusterSetConfigEpoch, config_epoch=st.integers(-1, 6)),
)

dialects = st.sampled_from([*DIALECTS.values()])


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    """The rules of a release, with some of them turned off or on."""
    rules = draw(dialects)
    flipped = {
        name: not getattr(rules, name)
        for name in draw(st.sets(st.sampled_from(SWITCHES), max_size=3))
    }
    changes: dict[str, Any] = {**flipped}
    return attrs.evolve(rules, **changes)


moves = st.binary(min_size=3 * 40, max_size=3 * 80)
"""Three bytes for each move: what, who, and whom or which."""


@st.composite
def worlds(draw: st.DrawFn, rules: st.SearchStrategy[Rules] = dialects) -> World:
    """A cluster of three masters and two replicas after a random walk.

    Messages are delivered in any order, held back or lost; nodes suspect each other, stand for
    election, crash and start again.
    """
    world = World(cluster(masters=3, replicas=2, rules=draw(rules)))
    if draw(st.booleans()):
        for node in set(NODES) - {A}:
            world.states[node] = change(world.states[node], A, health=Health.FAIL)
    drawn = draw(moves)
    for what, one, other in zip(drawn[::3], drawn[1::3], drawn[2::3], strict=False):
        _move(world, what % 16, one, other)
    return world


def _move(world: World, what: int, one: int, other: int) -> None:
    node, peer = NODES[one % len(NODES)], NODES[other % len(NODES)]
    if what <= 8 and world.flight:
        world.deliver(world.flight[one % len(world.flight)], voted_recently=other == 0)
    elif what == 9 and world.flight:
        world.flight.pop(one % len(world.flight))
    elif node not in world.up:
        world.restart(node)
    elif what == 10:
        world.crash(node)
    elif what <= 13:
        pending = timers(world.states[node])
        world.do(node, pending[-1 - other % len(pending)] if pending else ElectionDue())
    elif what == 14:
        world.do(node, ClusterReplicate(master=peer))
    else:
        world.ping(node, peer, NODES)
