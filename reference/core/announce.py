"""What a node says of itself and of others in its messages."""

from collections.abc import Iterable
from functools import lru_cache

from reference.clauses import clause
from reference.core.messages import Gossip, Header, Meet, Ping, Pong
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState, ManualFailoverStage
from reference.core.types import Epoch, Health, NodeId, ShardId


@clause("HB-13", "HB-14")
def says_master_failed(state: ClusterState) -> bool:
    """Whether this node says that its master is in FAIL, and so that it would replace it.

    Counterpart: `clusterBuildMessageHdr`.
    """
    if not state.rules.failed_master_is_announced:
        return False
    if state.rules.failed_master_mark_sticks:
        return state.myself.my_master_failed
    return state.my_master is not None and state.my_master.health is Health.FAIL


@clause("HB-1", "HB-2", "HB-16")
def header(state: ClusterState) -> Header:
    """The header of any message sent now: a replica announces its master's slots and configEpoch.

    Counterpart: `clusterBuildMessageHdr`.
    """
    myself = state.myself
    failover = state.manual_failover
    paused = failover is not None and failover.stage is ManualFailoverStage.PAUSED
    return _header(
        myself,
        state.my_master or myself,
        state.current_epoch,
        myself.shard_id if state.rules.shards else None,
        paused,
        says_master_failed(state),
    )


@lru_cache(maxsize=1024)
def _header(
    myself: ClusterNode,
    announced: ClusterNode,
    current_epoch: Epoch,
    shard_id: ShardId | None,
    paused: bool,  # noqa: FBT001 - names would make each of many calls slower
    my_master_failed: bool,  # noqa: FBT001
) -> Header:
    """The same object as for the message before, as long as nothing of it changes."""
    return Header(
        sender=myself.node_id,
        replicaof=myself.replicaof,
        current_epoch=current_epoch,
        config_epoch=announced.config_epoch,
        slots=announced.slots,
        shard_id=shard_id,
        address=myself.address,
        nofailover=myself.nofailover,
        paused=paused,
        my_master_failed=my_master_failed,
    )


@clause("HB-3")
def gossip(state: ClusterState, about: Iterable[NodeId]) -> tuple[Gossip, ...]:
    """What a heartbeat says of these nodes, and of every node in PFAIL.

    Counterpart: `clusterSendPing`.
    """
    known = state.nodes.by_id
    chosen = {*about, *state.nodes.suspected}
    told = [known[node_id] for node_id in sorted(chosen) if node_id in known]
    return tuple(
        [
            node.told
            for node in told
            if node.node_id != state.myself_id and not node.handshake and not node.noaddr
        ]
    )


@clause("NO-4")
def forgotten(state: ClusterState) -> frozenset[NodeId]:
    """Whom a heartbeat tells its receivers to forget. Counterpart: `writePingExt`."""
    return state.nodes_black_list if state.rules.forget_is_gossiped else frozenset()


def ping(state: ClusterState, about: Iterable[NodeId] = ()) -> Ping:
    """A PING as this node would send it now."""
    return Ping(header=header(state), gossip=gossip(state, about), forgotten=forgotten(state))


def pong(state: ClusterState, about: Iterable[NodeId] = ()) -> Pong:
    """A PONG as this node would send it now."""
    return Pong(header=header(state), gossip=gossip(state, about), forgotten=forgotten(state))


def meet(state: ClusterState, about: Iterable[NodeId] = ()) -> Meet:
    """A MEET as this node would send it now."""
    return Meet(header=header(state), gossip=gossip(state, about), forgotten=forgotten(state))
