"""What a node says of itself and of others in its messages."""

from collections.abc import Iterable
from functools import lru_cache

from reference.clauses import clause
from reference.core.messages import Gossip, Header, Meet, Ping, Pong
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState, ManualFailoverStage
from reference.core.types import Health, NodeId


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
    announced = state.my_master or myself
    failover = state.manual_failover
    return Header(
        sender=myself.node_id,
        replicaof=myself.replicaof,
        current_epoch=state.current_epoch,
        config_epoch=announced.config_epoch,
        slots=announced.slots,
        shard_id=myself.shard_id if state.rules.shards else None,
        address=myself.address,
        nofailover=myself.nofailover,
        paused=failover is not None and failover.stage is ManualFailoverStage.PAUSED,
        my_master_failed=says_master_failed(state),
    )


@clause("HB-3")
def gossip(state: ClusterState, about: Iterable[NodeId]) -> tuple[Gossip, ...]:
    """What a heartbeat says of these nodes, and of every node in PFAIL.

    Counterpart: `clusterSendPing`.
    """
    chosen = {*about, *state.nodes.suspected}
    told = [state.nodes.get(node_id) for node_id in sorted(chosen)]
    return tuple(
        _gossip_about(node)
        for node in told
        if node is not None
        and node.node_id != state.myself_id
        and not node.handshake
        and not node.noaddr
    )


@lru_cache(maxsize=4096)
def _gossip_about(node: ClusterNode) -> Gossip:
    return Gossip(
        node_id=node.node_id,
        health=node.health,
        role=node.role,
        address=node.address,
        noaddr=node.noaddr,
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
