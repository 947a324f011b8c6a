"""What is claimed of where a cluster ends once faults stop, and whether it could recover."""

from collections.abc import Iterator
from typing import Final

from model_check.models.cluster import Process
from model_check.models.properties import View, slot_view
from model_check.properties import Settles, Sometimes, StepProperty
from reference.core import effects
from reference.core.election import why_no_failover
from reference.core.events import ElectionDue, ElectionExpired, Received
from reference.core.messages import FailoverAuthRequest
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Link, NodeId, ShardId

ATTEMPTS: Final = 3
"""After how many elections in a row, with no message lost, a replica must have won."""

Node = ClusterState | None
"""The state of a node that runs, None while it is down."""


def _node(process: int, node: Process) -> Node:
    del process
    return node.state


def disagreement() -> Sometimes[Process]:
    """The witness of SC-P2: at some time two nodes that run say different things of the slots."""

    def differ(views: tuple[View, ...]) -> bool:
        return len({view[2] for view in views if view is not None}) > 1

    return Sometimes(
        id="SC-P2:witness",
        clause="SC-P2",
        text="two nodes say different things of a slot",
        project=slot_view,
        judge=differ,
    )


Claimant = tuple[NodeId, NodeId | None, int] | None
"""Who claims the slots of this bitmap, and as whose replica; None while it is down."""


def _claimant(process: int, node: Process) -> Claimant:
    del process
    if node.state is None:
        return None
    leader = node.state.my_master or node.state.myself
    return node.state.myself_id, node.state.myself.replicaof, leader.slots.bitmap


def _claimed(claimants: tuple[Claimant, ...]) -> int:
    """The slots of masters that run, and of replicas that run and whose masters do not."""
    running = {each[0]: each for each in claimants if each is not None}
    claimed = 0
    for _, master, slots in running.values():
        if master is None or master not in running:
            claimed |= slots
    return claimed


def no_lost_slot(slots: int) -> Settles[Process]:
    """In the end each of so many slots is claimed by somebody who may serve it, or come to."""
    everything = (1 << slots) - 1
    return Settles(
        id="SC-P3",
        clause="SC-P3",
        text="once faults stop, a running master, or a replica left alone, claims each slot",
        project=_claimant,
        judge=lambda claimants: _claimed(claimants) == everything,
    )


def slot_unclaimed(slots: int) -> Sometimes[Process]:
    """The witness of SC-P3: at some time nobody claims one of so many slots."""
    everything = (1 << slots) - 1
    return Sometimes(
        id="SC-P3:witness",
        clause="SC-P3",
        text="a node dies that alone claims a slot, or nobody claims it for a while",
        project=_claimant,
        judge=lambda claimants: _claimed(claimants) != everything or None in claimants,
    )


Follower = tuple[NodeId, NodeId | None, tuple[NodeId, ...]] | None
"""Who follows whom, and who owns slots in its table though known there as a replica."""


def _follower(process: int, node: Process) -> Follower:
    del process
    if node.state is None:
        return None
    owning = (each.node_id for each in node.state.nodes if each.is_replica and each.slots)
    return node.state.myself_id, node.state.myself.replicaof, tuple(owning)


def _flat(followers: tuple[Follower, ...]) -> bool:
    """Whether no node follows a running one that is itself a replica."""
    masters = {each[0]: each[1] for each in followers if each is not None}
    return all(masters.get(master) is None for master in masters.values() if master is not None)


FLAT: Final[Settles[Process]] = Settles(
    id="SC-P4",
    clause="SC-P4",
    text="once faults stop, no node follows a replica",
    project=_follower,
    judge=_flat,
)
SLOTS_WITH_MASTERS: Final[StepProperty[Process]] = StepProperty(
    id="SC-P5",
    clause="SC-P5",
    text="no table gives a slot to a replica",
    judge=lambda _process, _before, after: (
        after.state is None or not any(node.is_replica and node.slots for node in after.state.nodes)
    ),
)


def _circular(state: ClusterState) -> bool:
    """Whether in this node's table replicas follow each other in a circle."""
    for node in state.nodes:
        seen, at = set[NodeId](), node
        while at.replicaof is not None and at.node_id not in seen:
            seen.add(at.node_id)
            master = state.nodes.get(at.replicaof)
            if master is None:
                break
            at = master
        if at.node_id in seen:
            return True
    return False


NO_CIRCLE: Final[StepProperty[Process]] = StepProperty(
    id="SC-P6",
    clause="SC-P6",
    text="in no table do replicas follow each other in a circle",
    judge=lambda _process, _before, after: after.state is None or not _circular(after.state),
)

Member = tuple[NodeId, bool, ShardId | None] | None


def _member(process: int, node: Process) -> Member:
    del process
    if node.state is None:
        return None
    myself = node.state.myself
    return myself.node_id, myself.is_master, myself.shard_id


def _one_master_each(members: tuple[Member, ...]) -> bool:
    shards = [each[2] for each in members if each is not None and each[1] and each[2] is not None]
    return len(set(shards)) == len(shards)


ONE_MASTER_IN_A_SHARD: Final[Settles[Process]] = Settles(
    id="SC-P7",
    clause="SC-P7",
    text="once faults stop, no shard has two masters",
    project=_member,
    judge=_one_master_each,
)
TWO_MASTERS_IN_A_SHARD: Final[Sometimes[Process]] = Sometimes(
    id="SC-P7:witness",
    clause="SC-P7",
    text="a shard has two masters for a while",
    project=_member,
    judge=lambda members: not _one_master_each(members),
)


def no_way_back(new: str, old: str) -> StepProperty[Process]:
    """SC-P8 where only `new` ever takes over from `old`, and nobody has `old` do so in turn."""

    def keeps(process: int, before: Process, after: Process) -> bool:
        del process
        if before.state is None or after.state is None or after.state.myself_id != new:
            return True
        follows = after.state.myself.replicaof == old
        return not (before.state.myself.is_master and before.state.myself.slots and follows)

    return StepProperty(
        id="SC-P8",
        clause="SC-P8",
        text=f"{new}, which replaced {old}, does not become its replica with nobody asking for it",
        judge=keeps,
    )


def took_over(new: str) -> Sometimes[Process]:
    """The witness of SC-P8: `new` is ever a master with slots."""
    return Sometimes(
        id="SC-P8:witness",
        clause="SC-P8",
        text=f"{new} takes over",
        project=lambda _, node: node.state is not None and _leads(node.state, new),
        judge=any,
    )


def _leads(state: ClusterState, name: str) -> bool:
    return state.myself_id == name and state.myself.is_master and bool(state.myself.slots)


def _electable(nodes: tuple[Node, ...]) -> bool:
    """Whether some replica that may stand for a dead master would win, if there is one.

    It stands again and again, every message arrives, and nobody else does anything.
    """
    running = [node for node in nodes if node is not None]
    up = {node.myself_id for node in running}
    fit = [
        node
        for node in running
        if node.myself.replicaof not in up and why_no_failover(node) is None
    ]
    return not fit or any(_wins(node, running) for node in fit)


def _wins(candidate: ClusterState, running: list[ClusterState]) -> bool:
    others = {node.myself_id: node for node in running if node is not candidate}
    for _ in range(ATTEMPTS):
        candidate, _ = step(candidate, ElectionExpired())
        candidate, asked = step(candidate, ElectionDue())
        requests = [
            effect.message
            for effect in asked
            if isinstance(effect, effects.Broadcast)
            and isinstance(effect.message, FailoverAuthRequest)
        ]
        for answer in _answers(candidate.myself_id, requests, others):
            candidate, done = step(candidate, answer)
            if any(
                isinstance(effect, effects.Notice) and effect.what is effects.Happening.WON_ELECTION
                for effect in done
            ):
                return True
    return False


def _answers(
    candidate: NodeId, requests: list[FailoverAuthRequest], others: dict[NodeId, ClusterState]
) -> Iterator[Received]:
    """What the others send the candidate when its requests arrive; they have changed then."""
    for request in requests:
        for name, other in others.items():
            heard = Received(message=request, link=Link.OUTBOUND, link_node=candidate)
            others[name], done = step(other, heard)
            for effect in done:
                if isinstance(effect, effects.Send) and effect.to == candidate:
                    yield Received(message=effect.message, link=Link.OUTBOUND, link_node=name)


ELECTABLE: Final[Settles[Process]] = Settles(
    id="EL-P2",
    clause="EL-P2",
    text="once faults stop, a replica of a dead master would be elected if it went on standing",
    project=_node,
    judge=_electable,
)


MAY_STAND: Final[Sometimes[Process]] = Sometimes(
    id="EL-P2:witness",
    clause="EL-P2",
    text="a replica may stand",
    project=lambda _, node: node.state is not None and why_no_failover(node.state) is None,
    judge=any,
)


def _wins_slots(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    won = after.epochs_won != before.epochs_won
    return not won or bool(after.state.myself.slots)


HAS_SLOTS: Final[StepProperty[Process]] = StepProperty(
    id="EL-P3",
    clause="EL-P3",
    text="a replica that is elected has slots",
    judge=_wins_slots,
)


def roles_change(of: str) -> Sometimes[Process]:
    """The witness that somebody is a master and still a replica in the table of another."""
    return Sometimes(
        id=f"{of}:witness",
        clause=of,
        text="a node is a master, and another still takes it for a replica",
        project=_roles,
        judge=_mistaken,
    )


Roles = tuple[NodeId, bool, frozenset[NodeId]] | None
"""Who looks, whether as a master, and whom it takes for replicas."""


def _roles(process: int, node: Process) -> Roles:
    del process
    if node.state is None:
        return None
    replicas = frozenset(each.node_id for each in node.state.nodes if each.is_replica)
    return node.state.myself_id, node.state.myself.is_master, replicas


def _mistaken(roles: tuple[Roles, ...]) -> bool:
    running = [each for each in roles if each is not None]
    masters = {name for name, is_master, _ in running if is_master}
    return any(masters & replicas for _, _, replicas in running)
