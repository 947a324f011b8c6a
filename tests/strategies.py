"""Random walks of a small cluster, and events of any kind, for property tests."""

from typing import Any, Final

import attrs
from hypothesis import strategies as st

from reference.core.events import (
    BlacklistExpired,
    ClusterAddSlots,
    ClusterBumpEpoch,
    ClusterDelSlots,
    ClusterFailover,
    ClusterFlushSlots,
    ClusterForget,
    ClusterMeet,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterReset,
    ClusterSaveConfig,
    ClusterSetConfigEpoch,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
    Command,
    DatasetLoaded,
    ElectionDue,
    ElectionExpired,
    Event,
    FailoverOption,
    FailUndoAllowed,
    HandshakeExpired,
    HeartbeatDue,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MeetRepeated,
    PongOverdue,
    Received,
    ReplicaMigrationDue,
    ReportExpired,
    SetslotAcknowledged,
    SetslotFromMaster,
    SettingsChanged,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Gossip,
    Header,
    ManualFailoverStart,
    Meet,
    Message,
    Ping,
    Pong,
    Update,
)
from reference.core.rules import DIALECTS, SWITCHES, Rules
from reference.core.settings import Settings
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
known_addresses = st.sampled_from([address_of(name) for name in NAMES])
addresses = st.none() | known_addresses
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
    paused=st.booleans(),
    my_master_failed=st.booleans(),
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
    *(
        st.builds(kind, header=headers, gossip=gossip, forgotten=st.frozensets(names, max_size=2))
        for kind in (Ping, Pong, Meet)
    ),
    st.builds(ManualFailoverStart, header=headers),
    st.builds(Fail, header=headers, subject=names),
    st.builds(FailoverAuthRequest, header=headers, force_ack=st.booleans()),
    st.builds(FailoverAuthAck, header=headers),
    st.builds(Update, header=headers, subject=names, config_epoch=epochs, slots=slot_sets),
)

open_slot = st.integers(0, 3)
setslots = st.one_of(
    st.builds(ClusterSetslotMigrating, slot=open_slot, node=names),
    st.builds(ClusterSetslotImporting, slot=open_slot, node=names),
    st.builds(ClusterSetslotStable, slot=open_slot),
    st.builds(ClusterSetslotNode, slot=open_slot, node=names, holds_keys=st.booleans()),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(ClusterMeet, address=known_addresses, new_id=names),
    st.builds(ClusterAddSlots, slots=slot_sets),
    st.builds(ClusterDelSlots, slots=slot_sets),
    st.builds(ClusterFlushSlots, holds_keys=st.booleans()),
    st.builds(ClusterReplicate, master=names, holds_keys=st.booleans()),
    st.builds(ClusterReplicateNoOne, new_shard_id=st.just(ShardId("shard-n"))),
    st.builds(ClusterSetConfigEpoch, config_epoch=st.integers(-1, 6)),
    st.just(ClusterBumpEpoch()),
    st.just(ClusterSaveConfig()),
    st.builds(ClusterForget, node=names),
    st.builds(
        ClusterReset,
        new_id=st.none() | st.just(NodeId("n")),
        new_shard_id=st.just(ShardId("shard-n")),
        holds_keys=st.booleans(),
    ),
    st.builds(
        ClusterFailover,
        option=st.sampled_from(FailoverOption),
        master_link_up=st.booleans(),
        named=st.none() | names,
    ),
    setslots,
)
node_timers = st.one_of(
    *(st.builds(kind, peer=names) for kind in (PongOverdue, FailUndoAllowed, HandshakeExpired)),
    st.builds(ReportExpired, subject=names, reporter=names),
    st.builds(ElectionDue, data_too_old=st.booleans(), best_ranked=st.booleans()),
    st.builds(BlacklistExpired, node=names),
    st.builds(ReplicaMigrationDue, orphan=names),
    st.sampled_from([ElectionExpired(), ManualFailoverOffsetReached(), ManualFailoverExpired()]),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Received,
        message=messages,
        link=st.sampled_from(Link),
        link_node=st.none() | names,
        voted_recently=st.booleans(),
        newcomer=st.booleans(),
        sender_known_long=st.booleans(),
        new_id=st.none() | names,
        observed_ip=st.none() | st.just("10.0.0.1"),
    ),
    st.builds(HeartbeatDue, peer=names, gossip_about=st.lists(names, max_size=3).map(tuple)),
    st.builds(MeetRepeated, peer=names),
    node_timers,
    commands,
    st.builds(SetslotAcknowledged, command=setslots),
    st.builds(SetslotFromMaster, command=setslots),
    st.builds(
        SettingsChanged,
        settings=st.builds(
            Settings,
            allow_replica_migration=st.booleans(),
            migration_barrier=st.integers(0, 2),
            require_full_coverage=st.booleans(),
        ),
        nofailover=st.booleans(),
    ),
    st.builds(DatasetLoaded, slots=slot_sets),
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


moves = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 255), st.integers(0, 255), commands),
    min_size=40,
    max_size=80,
)
"""What, who, whom or which, and the command if it is one."""


@st.composite
def worlds(
    draw: st.DrawFn, rules: st.SearchStrategy[Rules] = dialects, *, operators: bool = True
) -> World:
    """A cluster of three masters and two replicas after a random walk.

    Messages are delivered in any order, held back or lost; nodes suspect each other, stand for
    election, crash and start again; operators, if there are any, give commands of every kind.
    """
    world = World(cluster(masters=3, replicas=2, rules=draw(rules)))
    if draw(st.booleans()):
        for node in set(NODES) - {A}:
            world.states[node] = change(world.states[node], A, health=Health.FAIL)
    for what, one, other, command in draw(moves):
        _move(world, what, one, other, command if operators else ClusterSaveConfig())
    return world


def _move(world: World, what: int, one: int, other: int, command: Command) -> None:
    node, peer = NODES[one % len(NODES)], NODES[other % len(NODES)]
    if what <= 9 and world.flight:
        world.deliver(world.flight[one % len(world.flight)], voted_recently=other == 0)
    elif what == 10 and world.flight:
        world.flight.pop(one % len(world.flight))
    elif node not in world.up:
        world.restart(node)
    elif what == 11:
        world.crash(node)
    elif what <= 14:
        pending = timers(world.states[node])
        world.do(node, pending[-1 - other % len(pending)] if pending else ElectionDue())
    elif what == 15:
        world.do(node, ClusterReplicate(master=peer))
    elif what <= 19 and not (isinstance(command, ClusterReset) and command.new_id):
        world.do(node, command)
    else:
        world.ping(node, peer, NODES)
