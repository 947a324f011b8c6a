"""Moving slots by hand: CLUSTER SETSLOT, and what becomes of keys that are in the wrong place."""

from typing import assert_never

import attrs

from reference.clauses import clause
from reference.core.announce import pong
from reference.core.effects import (
    Broadcast,
    DeleteKeys,
    Effect,
    Happening,
    Notice,
    ReplicateFirst,
    Reply,
    SaveConfig,
)
from reference.core.epochs import bump_config_epoch_without_consensus
from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
)
from reference.core.nodes import ClusterNode
from reference.core.roles import set_master
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, bind_slots
from reference.core.taken_slots import note_taken
from reference.core.types import Health, NodeId

_NO_MASTER = "Target node is not a master"


@clause("SM-1", "SM-2", "SM-3", "SM-4")
def why_no_setslot(state: ClusterState, command: ClusterSetslot) -> str | None:
    """The server's text for what is wrong with the command, None if it may be executed.

    Counterpart: the SETSLOT branch of `clusterCommand`.
    """
    match command:
        case ClusterSetslotMigrating():
            if state.myself.is_master and command.slot not in state.myself.slots:
                return f"I'm not the owner of hash slot {command.slot}"
            return _why_no_opening(state, command.node)
        case ClusterSetslotImporting():
            if command.slot in state.myself.slots:
                return f"I'm already the owner of hash slot {command.slot}"
            return _why_no_opening(state, command.node)
        case ClusterSetslotStable():
            return None
        case ClusterSetslotNode():
            return _why_no_assignment(state, command)
        case _:
            assert_never(command)


@clause("SM-2")
def _why_no_opening(state: ClusterState, node_id: NodeId) -> str | None:
    node = state.nodes.get(node_id)
    if node is None:
        return f"I don't know about node {node_id}"
    if node_id == state.myself_id and state.rules.setslot_target_is_another:
        return "Target node is myself"
    return None if node.is_master else _NO_MASTER


@clause("SM-2", "SM-4")
def _why_no_assignment(state: ClusterState, command: ClusterSetslotNode) -> str | None:
    node = state.nodes.get(command.node)
    if node is None:
        return f"Unknown node {command.node}"
    if not node.is_master:
        return _NO_MASTER
    gives_away = command.slot in state.myself.slots and command.node != state.myself_id
    if gives_away and command.holds_keys:
        return (
            f"Can't assign hashslot {command.slot} to a different node "
            "while I still hold keys for this hash slot."
        )
    return None


@clause("SM-1", "SM-7")
def setslot(state: ClusterState, command: ClusterSetslot, out: list[Effect]) -> ClusterState:
    """The command has been executed and answered, or refused, or the replicas are asked first.

    Counterpart: the SETSLOT branch of `clusterCommand`, `clusterCommandSetSlot`.
    """
    error = _why_refused(state, command)
    if error is None and _has_replicas_to_ask(state):
        out.append(ReplicateFirst(command=command))
        return state
    return _answer(state, command, error, out)


@clause("SM-7")
def acknowledge_setslot(
    state: ClusterState, command: ClusterSetslot, out: list[Effect]
) -> ClusterState:
    """The master has executed what its replicas have, or refuses it because things have changed.

    Counterpart: `clusterCommandSetSlot`.
    """
    return _answer(state, command, _why_refused(state, command), out)


@clause("SM-8")
def setslot_from_master(
    state: ClusterState, command: ClusterSetslot, out: list[Effect]
) -> ClusterState:
    """A replica has executed what its master sent, and nobody is answered.

    Counterpart: `clusterCommandSetSlot`.
    """
    if not (state.rules.setslot_is_replicated and state.myself.is_replica):
        return state
    return state if why_no_setslot(state, command) else _execute(state, command, out)


@clause("SM-1")
def _why_refused(state: ClusterState, command: ClusterSetslot) -> str | None:
    if state.myself.is_replica:
        return "Please use SETSLOT only with masters."
    return why_no_setslot(state, command)


@clause("SM-7")
def _has_replicas_to_ask(state: ClusterState) -> bool:
    return state.rules.setslot_is_replicated and any(
        node.is_replica and node.replicaof == state.myself_id and node.health is not Health.FAIL
        for node in state.nodes
    )


def _answer(
    state: ClusterState, command: ClusterSetslot, error: str | None, out: list[Effect]
) -> ClusterState:
    if error is not None:
        out.append(Reply(error=f"ERR {error}"))
        return state
    state = _execute(state, command, out)
    out.append(Reply())
    return state


@clause("SM-3", "SM-5")
def _execute(state: ClusterState, command: ClusterSetslot, out: list[Effect]) -> ClusterState:
    """The command, with which nothing is wrong, has been carried out. It is saved without fsync."""
    out.append(SaveConfig(fsync=False))
    slot = command.slot
    match command:
        case ClusterSetslotMigrating():
            migrating = state.migrating_slots_to.open(slot, command.node)
            return attrs.evolve(state, migrating_slots_to=migrating)
        case ClusterSetslotImporting():
            importing = state.importing_slots_from.open(slot, command.node)
            return attrs.evolve(state, importing_slots_from=importing)
        case ClusterSetslotStable():
            return _close(state, slot, migrating=True, importing=True)
        case ClusterSetslotNode():
            return _assign(state, command, out)
        case _:
            assert_never(command)


def _close(state: ClusterState, slot: int, *, migrating: bool, importing: bool) -> ClusterState:
    closed, to, origin = SlotSet.of([slot]), state.migrating_slots_to, state.importing_slots_from
    return attrs.evolve(
        state,
        migrating_slots_to=to.close(closed) if migrating else to,
        importing_slots_from=origin.close(closed) if importing else origin,
    )


@clause("SM-5", "SM-6", "SM-11")
def _assign(state: ClusterState, command: ClusterSetslotNode, out: list[Effect]) -> ClusterState:
    """The slot belongs to the node; who gave its last one follows, who imported it has a new epoch.

    Counterpart: the NODE branch of SETSLOT.
    """
    slot, owner = command.slot, command.node
    leader = _leader(state)
    was_ours = slot in leader.slots
    source, former = state.importing_slots_from.get(slot), state.owner(slot)
    state = _close(state, slot, migrating=not command.holds_keys, importing=False)
    state = bind_slots(state, owner, SlotSet.of([slot]))
    if was_ours and not state.nodes[leader.node_id].slots:
        if state.settings.allow_replica_migration:
            return set_master(state, owner, out)
        out.append(Notice(what=Happening.EMPTIED, subject=owner))
        return state
    if owner != leader.node_id:
        return state
    if owner != state.myself_id and former is not None:
        state = note_taken(state, SlotSet.of([slot]), former.node_id)
    if source is None:
        return state
    state = _close(state, slot, migrating=False, importing=True)
    if owner != state.myself_id:
        return state
    return _announce_import(note_taken(state, SlotSet.of([slot]), source), out)


def _leader(state: ClusterState) -> ClusterNode:
    """Whose slots this node is there for: its own, or at a replica its master's."""
    return state.my_master or state.myself


@clause("SM-6")
def _announce_import(state: ClusterState, out: list[Effect]) -> ClusterState:
    """The importer has a configEpoch that nobody agreed to, and everybody is told at once."""
    state = bump_config_epoch_without_consensus(state, out)
    announcement = Broadcast(message=pong(state))
    if announcement not in out:
        out.append(announcement)
    return state


@clause("SM-9", "SM-10")
def load_dataset(state: ClusterState, slots: SlotSet, out: list[Effect]) -> ClusterState:
    """No slot with keys is without an owner, and none has another one unless it is being imported.

    What a replica has is its master's matter. Counterpart: `verifyClusterConfigWithData`.
    """
    if state.myself.is_replica:
        return state
    misplaced = slots - state.myself.slots - state.importing_slots_from.slots
    if not misplaced:
        return state
    elsewhere = tuple((node.node_id, node.slots & misplaced) for node in state.nodes)
    unowned = misplaced
    for _, theirs in elsewhere:
        unowned -= theirs
    out.append(SaveConfig(fsync=True))
    if unowned:
        out.append(Notice(what=Happening.TOOK_SLOTS_OF_KEYS))
        state = bind_slots(state, state.myself_id, unowned)
    if not misplaced - unowned:
        return state
    if state.rules.misplaced_keys_are_deleted:
        out.append(DeleteKeys(slots=misplaced - unowned))
        return state
    importing = state.importing_slots_from
    for owner, theirs in elsewhere:
        for slot in theirs:
            importing = importing.open(slot, owner)
    return attrs.evolve(state, importing_slots_from=importing)
