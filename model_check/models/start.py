"""How clusters look at the start of a model: everyone knows everyone, and all agree."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

import attrs

from reference.core.events import ClusterSetslotNode, Command
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState
from reference.core.types import Address, Epoch, Health, NodeId, Role, ShardId

_APART: Final[ContextVar[Mapping[str, Rules]]] = ContextVar(
    "nodes that follow rules of their own", default=MappingProxyType({})
)


@contextmanager
def apart(rules: Mapping[str, Rules]) -> Iterator[None]:
    """Until the end, each start is of nodes of which those named follow these rules instead."""
    token = _APART.set({**rules, **_APART.get()})
    try:
        yield
    finally:
        _APART.reset(token)


def master(name: str, *slots: int, epoch: Epoch, shard: str | None = None) -> ClusterNode:
    """A master with these slots, in a shard of its own name unless another is given."""
    return ClusterNode(
        node_id=NodeId(name),
        config_epoch=epoch,
        slots=SlotSet.of(slots),
        shard_id=ShardId(shard or name),
    )


def replica(name: str, of: str, shard: str | None = None) -> ClusterNode:
    """A replica of that master, in its shard."""
    return ClusterNode(
        node_id=NodeId(name),
        role=Role.REPLICA,
        replicaof=NodeId(of),
        slots=NO_SLOTS,
        shard_id=ShardId(shard or of),
    )


def view(
    rules: Rules, name: str, *entries: ClusterNode, current_epoch: Epoch | None = None
) -> ClusterState:
    """The state of the node of that name if its table has these entries.

    Its current_epoch is the newest configEpoch in the table unless given. Shards are left out where
    the dialect has none. Its rules are those, unless it is one of those `apart`.
    """
    rules = _APART.get().get(name, rules)
    newest = max(entry.config_epoch for entry in entries)
    if not rules.shards:
        entries = tuple(attrs.evolve(entry, shard_id=None) for entry in entries)
    return ClusterState(
        rules=rules,
        myself_id=NodeId(name),
        nodes=NodeTable(entries),
        current_epoch=newest if current_epoch is None else current_epoch,
    )


def agreed(rules: Rules, *entries: ClusterNode) -> tuple[ClusterState, ...]:
    """One state for each entry, all with the table that heartbeats lead to."""
    epochs = {entry.node_id: entry.config_epoch for entry in entries}

    def seen(entry: ClusterNode, by: NodeId) -> ClusterNode:
        """A replica announces its master's epoch, which some dialects take for its own."""
        theirs = _APART.get().get(str(by), rules)
        if entry.replicaof is None or by == entry.node_id or not theirs.config_epoch_from_replicas:
            return entry
        return attrs.evolve(entry, config_epoch=epochs[entry.replicaof])

    return tuple(
        view(rules, str(me.node_id), *(seen(entry, me.node_id) for entry in entries))
        for me in entries
    )


def three_masters(rules: Rules, *replicas: str) -> tuple[ClusterState, ...]:
    """The masters A, B and C, with a slot each, and these replicas of A; all know each other."""
    return agreed(
        rules,
        master("A", 0, epoch=1),
        master("B", 1, epoch=2),
        master("C", 2, epoch=3),
        *(replica(name, of="A") for name in replicas),
    )


def without_dead(nodes: tuple[ClusterState, ...], name: str) -> tuple[ClusterState, ...]:
    """The others, after that node died and all of them put it in FAIL."""
    return tuple(in_fail(node, name) for node in nodes if node.myself_id != name)


def crashes(**times: int) -> Mapping[NodeId, int]:
    """How often each named node may crash and restart."""
    return {NodeId(name): count for name, count in times.items()}


def suspected(**by: str) -> Mapping[NodeId, frozenset[NodeId]]:
    """Which nodes, named in one text with blanks, may wait in vain for each named node."""
    return {NodeId(name): frozenset(map(NodeId, names.split())) for name, names in by.items()}


def cut_off(**others: str) -> Mapping[NodeId, frozenset[NodeId]]:
    """From which nodes, named in one text with blanks, each named node may be cut off."""
    return suspected(**others)


def at_port(node: ClusterNode, port: int) -> ClusterNode:
    """The node at an address with this port."""
    return attrs.evolve(node, address=Address(ip="10.0.0.1", port=port, cport=port + 10000))


def in_fail(state: ClusterState, name: str) -> ClusterState:
    """The state with that node in FAIL."""
    return state.put(attrs.evolve(state.nodes[NodeId(name)], health=Health.FAIL))


def on_its_way(
    nodes: tuple[ClusterState, ...], slot: int, source: str, target: str
) -> tuple[ClusterState, ...]:
    """The nodes, with the slot open at both ends and its keys moved: only SETSLOT NODE is left."""

    def opened(state: ClusterState) -> ClusterState:
        if state.myself_id == source:
            to = state.migrating_slots_to.open(slot, NodeId(target))
            return attrs.evolve(state, migrating_slots_to=to)
        if state.myself_id == target:
            origin = state.importing_slots_from.open(slot, NodeId(source))
            return attrs.evolve(state, importing_slots_from=origin)
        return state

    return tuple(opened(state) for state in nodes)


def told(node: str, command: Command) -> tuple[NodeId, Command]:
    """The command, given at that node."""
    return NodeId(node), command


def told_owner(node: str, slot: int, owner: str) -> tuple[NodeId, Command]:
    """SETSLOT NODE, given at that node."""
    return told(node, ClusterSetslotNode(slot=slot, node=NodeId(owner)))
