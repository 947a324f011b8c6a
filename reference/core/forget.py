"""How nodes leave the table: CLUSTER FORGET, and the names that gossip may not bring back."""

from collections.abc import Iterable

import attrs

from reference.clauses import clause
from reference.core.effects import Effect, Happening, Notice, Reply, SaveConfig
from reference.core.state import ClusterState, remove_node
from reference.core.types import NodeId


@clause("NO-1", "NO-2", "NO-3")
def forget(state: ClusterState, node_id: NodeId, out: list[Effect]) -> ClusterState:
    """The node is not known and is not learnt from gossip, or the command says why not.

    Counterpart: the FORGET branch of `clusterCommand`.
    """
    error = None
    if node_id == state.myself_id:
        error = "ERR I tried hard but I can't forget myself..."
    elif node_id not in state.nodes:
        forgotten = node_id in state.nodes_black_list
        if not (forgotten and state.rules.forget_may_be_repeated):
            error = f"ERR Unknown node {node_id}"
    elif node_id == _my_master(state):
        error = "ERR Can't forget my master!"
    else:
        state = _expel(state, node_id, out)
    out.append(Reply(error=error))
    return state


def _my_master(state: ClusterState) -> NodeId | None:
    return state.myself.replicaof if state.myself.is_replica else None


@clause("NO-1", "NO-5")
def _expel(state: ClusterState, node_id: NodeId, out: list[Effect]) -> ClusterState:
    out += [Notice(what=Happening.FORGOT, subject=node_id), SaveConfig(fsync=False)]
    listed = state.nodes_black_list | {node_id}
    return attrs.evolve(remove_node(state, node_id), nodes_black_list=listed)


@clause("NO-5", "NO-13")
def hear_forgotten(
    state: ClusterState, forgotten: Iterable[NodeId], out: list[Effect]
) -> ClusterState:
    """Those whom a known sender was told to forget are not known here either.

    But for this node itself and its master. Counterpart: `clusterProcessPingExtensions`.
    """
    if not state.rules.forget_is_gossiped:
        return state
    spared = {state.myself_id, _my_master(state)}
    for node_id in sorted(forgotten):
        node = state.nodes.get(node_id)
        owner = state.rules.owners_are_not_forgotten and node is not None and node.slots
        if node is not None and node_id not in spared and not owner:
            state = _expel(state, node_id, out)
    return state


@clause("NO-7")
def expire_blacklist(state: ClusterState, node_id: NodeId) -> ClusterState:
    """The node may be learnt from gossip again. Counterpart: `clusterBlacklistCleanup`."""
    if node_id not in state.nodes_black_list:
        return state
    return attrs.evolve(state, nodes_black_list=state.nodes_black_list - {node_id})
