"""Epochs: the logical clocks that order claims and elections."""

import attrs

from reference.clauses import clause
from reference.core.announce import pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Reply, SaveConfig
from reference.core.epoch_kinds import LAST_EPOCH, EpochKind, unique_epoch
from reference.core.messages import Header
from reference.core.state import ClusterState, end_election
from reference.core.types import Epoch, NodeId


@clause("EP-13", "EP-D1")
def next_epoch(state: ClusterState, kind: EpochKind = EpochKind.ELECTED) -> Epoch:
    """The epoch after the current one; after the last one there is none, and it stays.

    Where epochs are unique it is newer than any that this node knows, and says how it was come by.
    """
    if state.rules.unique_epochs:
        return unique_epoch(_newest(state), state.myself_id, kind)
    return min(state.current_epoch + 1, LAST_EPOCH)


def _newest(state: ClusterState) -> Epoch:
    return max(state.current_epoch, *(node.config_epoch for node in state.nodes))


@clause("EP-1", "EP-2", "EP-3", "EP-10", "EP-14", "EL-14")
def merge_epochs(
    state: ClusterState, sender_id: NodeId, header: Header, out: list[Effect]
) -> ClusterState:
    """The epochs are at least those that a known sender announces.

    A current_epoch that only rose is not saved by itself in a release: the servers write it with
    the next change that asks for a save. Counterpart: `clusterProcessPacket`.
    """
    rules = state.rules
    if rules.merge_current_epoch and header.current_epoch > state.current_epoch:
        state = attrs.evolve(state, current_epoch=header.current_epoch)
        if rules.learnt_epoch_is_saved:
            out.append(SaveConfig(fsync=False))
    if header.replicaof is not None and not rules.config_epoch_from_replicas:
        return state
    sender = state.nodes[sender_id]
    newer = header.config_epoch > sender.config_epoch
    if not newer and (rules.config_epoch_only_rises or header.config_epoch == sender.config_epoch):
        return state
    told = sender.told_epoch if sender.told_epoch > header.config_epoch else 0
    state = state.put(attrs.evolve(sender, config_epoch=header.config_epoch, told_epoch=told))
    out.append(SaveConfig(fsync=True))
    election = state.election
    if (
        rules.election_reset_by_newer_master
        and election is not None
        and header.config_epoch >= election.failover_auth_epoch
    ):
        epoch = election.failover_auth_epoch
        out.append(Notice(what=Happening.ELECTION_RESET, subject=sender_id, epoch=epoch))
        state = end_election(state)
    return state


@clause("EP-4", "EP-5")
def resolve_collision(
    state: ClusterState, sender_id: NodeId, config_epoch: Epoch, out: list[Effect]
) -> ClusterState:
    """Of two masters with one configEpoch, the one with the smaller id has a new one.

    The new one is taken without asking anybody, so it can equal one that a node this one has not
    heard from took or was elected to. Counterpart: `clusterHandleConfigEpochCollision`.
    """
    rules, myself, sender = state.rules, state.myself, state.nodes[sender_id]
    collides = (
        rules.collision_resolution
        and myself.is_master
        and sender.is_master
        and config_epoch == sender.config_epoch == myself.config_epoch
    )
    if not collides or (rules.collision_moves_smaller_id_only and sender_id <= myself.node_id):
        return state
    epoch = next_epoch(state, EpochKind.KEPT)
    if epoch == myself.config_epoch == state.current_epoch:
        return state
    out.append(Notice(what=Happening.EPOCH_COLLISION, subject=sender_id, epoch=epoch))
    return _move_to(state, epoch, out)


@clause("EP-6")
def _move_to(state: ClusterState, epoch: Epoch, out: list[Effect]) -> ClusterState:
    """The epoch is the current one and this node's configEpoch, saved and where it is so told."""
    moved = attrs.evolve(state.myself, config_epoch=epoch)
    state = attrs.evolve(state, current_epoch=epoch).put(moved)
    out.append(SaveConfig(fsync=True))
    if state.rules.bump_is_broadcast:
        out.append(Broadcast(message=pong(state)))
    return state


@clause("EP-11")
def bump_config_epoch_without_consensus(
    state: ClusterState, out: list[Effect], kind: EpochKind = EpochKind.KEPT
) -> ClusterState:
    """A new configEpoch is this node's, unless its own is the largest it knows and not 0.

    The very same state if nothing was done. To be called last, so that what is announced is all
    there. Counterpart: `clusterBumpConfigEpochWithoutConsensus`.
    """
    mine, newest = state.myself.config_epoch, _newest(state)
    if mine == newest and mine != 0:
        return state
    epoch = next_epoch(state, kind)
    out.append(Notice(what=Happening.NEW_EPOCH, epoch=epoch))
    return _move_to(state, epoch, out)


@clause("EP-13", "SC-33")
def take_epoch(state: ClusterState, kind: EpochKind, out: list[Effect]) -> ClusterState:
    """A new configEpoch is this node's, newer than any that it knows, and all are told."""
    return _move_to(state, next_epoch(state, kind), out)


@clause("EP-12")
def bump_epoch(state: ClusterState, out: list[Effect]) -> ClusterState:
    """The operator is told the configEpoch and whether it is a new one.

    Counterpart: the BUMPEPOCH branch of `clusterCommand`.
    """
    bumped = bump_config_epoch_without_consensus(state, out)
    word = "STILL" if bumped is state else "BUMPED"
    out.append(Reply(status=f"{word} {bumped.myself.config_epoch}"))
    return bumped


@clause("EP-9")
def set_config_epoch(state: ClusterState, epoch: Epoch, out: list[Effect]) -> ClusterState:
    """A node that knows no other and has no configEpoch has this one.

    It need not survive a loss of power: a collision would give the node another one. Counterpart:
    the SET-CONFIG-EPOCH branch of `clusterCommand`.
    """
    if not 0 <= epoch <= LAST_EPOCH:
        out.append(Reply(error=f"ERR Invalid config epoch specified: {epoch}"))
    elif len(state.nodes) > 1:
        out.append(
            Reply(
                error="ERR The user can assign a config epoch only when the node does not know "
                "any other node."
            )
        )
    elif state.myself.config_epoch != 0:
        out.append(Reply(error="ERR Node config epoch is already non-zero"))
    else:
        state = attrs.evolve(state, current_epoch=max(state.current_epoch, epoch))
        state = state.put(attrs.evolve(state.myself, config_epoch=epoch))
        out += [SaveConfig(fsync=False), Reply()]
    return state
