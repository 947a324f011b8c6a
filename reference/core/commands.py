"""What operators may change at a node: the CLUSTER subcommands that touch its state."""

from reference.clauses import clause
from reference.core.effects import Effect, Reply, SaveConfig
from reference.core.slot_config import set_master
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, bind_slots
from reference.core.types import NodeId


@clause("CM-1")
def add_slots(state: ClusterState, slots: SlotSet, out: list[Effect]) -> ClusterState:
    """All these slots belong to this node, or none does because one is taken.

    The configEpoch stays as it is, and other nodes hear of it by the next heartbeat. Counterpart:
    `clusterUpdateSlots`.
    """
    for node in state.nodes:
        taken = node.slots & slots
        if taken:
            out.append(Reply(error=f"ERR Slot {min(taken)} is already busy"))
            return state
    out += [SaveConfig(fsync=False), Reply()]
    return bind_slots(state, state.myself_id, slots)


@clause("CM-2")
def replicate(
    state: ClusterState, master_id: NodeId, out: list[Effect], *, holds_keys: bool
) -> ClusterState:
    """The node is a replica of that master, or the command says why it cannot be.

    Counterpart: the REPLICATE branch of `clusterCommand`.
    """
    myself, master = state.myself, state.nodes.get(master_id)
    error = None
    if master is None:
        error = f"ERR Unknown node {master_id}"
    elif master_id == myself.node_id:
        error = "ERR Can't replicate myself"
    elif not master.is_master:
        error = "ERR I can only replicate a master, not a replica."
    elif myself.is_master and (myself.slots or holds_keys):
        error = "ERR To set a master the node must be empty and without assigned slots."
    if error is not None:
        out.append(Reply(error=error))
        return state
    state = set_master(state, master_id, out)
    out.append(Reply())
    return state
