"""CLUSTER FAILOVER: an operator has a replica take over from a master that is well."""

from collections.abc import Iterable
from typing import Final, assert_never

import attrs

from reference.clauses import clause
from reference.core.announce import header, ping
from reference.core.effects import (
    Broadcast,
    Effect,
    Happening,
    Notice,
    PauseWrites,
    Refusal,
    Reply,
    Send,
)
from reference.core.election import replace_master
from reference.core.epoch_kinds import EpochKind
from reference.core.epochs import bump_config_epoch_without_consensus
from reference.core.events import ClusterFailover, FailoverOption
from reference.core.messages import Header, ManualFailoverStart
from reference.core.roles import reset_manual_failover
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.types import Health, NodeId

_ERRORS: Final = {
    Refusal.NOT_A_REPLICA: "ERR You should send CLUSTER FAILOVER to a replica",
    Refusal.MASTER_UNKNOWN: "ERR I'm a replica but my master is unknown to me",
    Refusal.MASTER_DOWN: "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE",
}


@clause("MF-1", "MF-11")
def why_no_manual_failover(state: ClusterState, command: ClusterFailover) -> Refusal | None:
    """Why this node does not obey CLUSTER FAILOVER, None if it does.

    Counterpart: the FAILOVER branch of `clusterCommand`.
    """
    if command.named is not None:
        heeded = state.rules.master_names_successor and command.named == state.myself_id
        if not heeded:
            return Refusal.NOT_NAMED
    master = state.my_master
    if not state.myself.is_replica:
        return Refusal.NOT_A_REPLICA
    if master is None:
        return Refusal.MASTER_UNKNOWN
    reachable = command.master_link_up and master.health is not Health.FAIL
    if command.option is FailoverOption.PLAIN and not reachable:
        return Refusal.MASTER_DOWN
    return None


@clause("MF-1", "MF-2", "MF-6", "MF-10", "MF-11")
def start_manual_failover(
    state: ClusterState, command: ClusterFailover, out: list[Effect]
) -> ClusterState:
    """The manual failover is under way, or done at once, or refused with the server's error.

    Counterpart: the FAILOVER branch of `clusterCommand`.
    """
    refusal = why_no_manual_failover(state, command)
    if refusal is not None:
        out += [Notice(what=refusal, subject=state.myself_id), Reply(error=_ERRORS.get(refusal))]
        return state
    state = reset_manual_failover(state, out)
    match command.option:
        case FailoverOption.PLAIN:
            state = _ask_master_to_pause(state, out)
        case FailoverOption.FORCE:
            state = _let_start(state, out)
        case FailoverOption.TAKEOVER:
            state = _take_over(state, out)
        case _:
            assert_never(command.option)
    out.append(Reply())
    return state


@clause("MF-2")
def _ask_master_to_pause(state: ClusterState, out: list[Effect]) -> ClusterState:
    waiting = ManualFailover(stage=ManualFailoverStage.WAITING_FOR_OFFSET)
    state = attrs.evolve(state, manual_failover=waiting)
    master = state.myself.replicaof
    out += [
        Notice(what=Happening.STARTED_MANUAL_FAILOVER, subject=master),
        Send(to=master, message=ManualFailoverStart(header=header(state))),
    ]
    return state


@clause("MF-7")
def _take_over(state: ClusterState, out: list[Effect]) -> ClusterState:
    """The slots are taken with an epoch that nobody was asked for."""
    bumped: list[Effect] = []
    old_master = state.myself.replicaof
    state = bump_config_epoch_without_consensus(state, bumped, EpochKind.TAKEN_OVER)
    # What the bump would announce is not yet true: the one PONG comes when all of it is.
    out += [effect for effect in bumped if not isinstance(effect, Broadcast)]
    out.append(Notice(what=Happening.TOOK_OVER, subject=old_master))
    return replace_master(state, out)


@clause("MF-3", "MF-4", "MF-10")
def pause_for_replica(
    state: ClusterState, replica: NodeId, about: Iterable[NodeId], out: list[Effect]
) -> ClusterState:
    """Clients that write are held back, and the replica hears at once how far its master got.

    A pause that is asked for again starts anew, without letting anybody write in between.
    Counterpart: `clusterProcessPacket`.
    """
    if state.nodes[replica].replicaof != state.myself_id:
        out.append(Notice(what=Refusal.NOT_MY_REPLICA, subject=replica))
        return state
    paused = ManualFailover(stage=ManualFailoverStage.PAUSED, replica=replica)
    state = attrs.evolve(state, manual_failover=paused)
    out += [
        Notice(what=Happening.PAUSED, subject=replica),
        PauseWrites(),
        Send(to=replica, message=ping(state, about), reply=True),
    ]
    return state


@clause("MF-5")
def learn_paused(state: ClusterState, sender: NodeId, announced: Header) -> ClusterState:
    """A replica that waits for it knows how far its master got before it paused.

    For any message, right after its epochs were merged. Counterpart: `clusterProcessPacket`.
    """
    under_way = state.manual_failover
    if not announced.paused or under_way is None or sender != state.myself.replicaof:
        return state
    if under_way.stage not in (ManualFailoverStage.WAITING_FOR_OFFSET, ManualFailoverStage.PAUSED):
        return state
    catching_up = attrs.evolve(under_way, stage=ManualFailoverStage.CATCHING_UP)
    return attrs.evolve(state, manual_failover=catching_up)


@clause("MF-6")
def reach_offset(state: ClusterState, out: list[Effect]) -> ClusterState:
    """A replica that has all that its paused master sent may stand.

    Counterpart: `clusterHandleManualFailover`.
    """
    under_way = state.manual_failover
    if under_way is None or under_way.stage is not ManualFailoverStage.CATCHING_UP:
        return state
    return _let_start(state, out) if state.myself.is_replica else state


@clause("MF-6", "MF-8")
def _let_start(state: ClusterState, out: list[Effect]) -> ClusterState:
    """Counterpart: `manualFailoverCanStart`."""
    replica = None if state.manual_failover is None else state.manual_failover.replica
    can_start = ManualFailover(stage=ManualFailoverStage.CAN_START, replica=replica)
    state = attrs.evolve(state, manual_failover=can_start)
    if state.rules.failover_restarts_election:
        state = attrs.evolve(state, election=None, last_election=None)
    out.append(Notice(what=Happening.MANUAL_FAILOVER_CAN_START))
    return state


@clause("MF-9", "MF-10")
def expire_manual_failover(state: ClusterState, out: list[Effect]) -> ClusterState:
    """The manual failover is given up, on either side.

    Counterpart: `manualFailoverCheckTimeout`.
    """
    if state.manual_failover is not None:
        out.append(Notice(what=Happening.MANUAL_FAILOVER_EXPIRED))
    return reset_manual_failover(state, out)
