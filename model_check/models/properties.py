"""What is claimed of a cluster, each with a witness that it is not claimed in vain."""

from collections.abc import Callable
from typing import Final

from model_check.models.cluster import Process
from model_check.properties import Invariant, Property, Settles, Sometimes, StepProperty
from reference.core.state import ClusterState
from reference.core.types import Epoch, NodeId

Claim = tuple[Epoch, int] | None
"""The configEpoch and the bitmap of the slots a master claims, None for others."""


def _epochs_won(process: int, node: Process) -> frozenset[Epoch]:
    del process
    return node.epochs_won


def _claim(process: int, node: Process) -> Claim:
    del process
    if node.state is None or not node.state.myself.is_master:
        return None
    return node.state.myself.config_epoch, node.state.myself.slots.bitmap


def _one_winner(won: tuple[frozenset[Epoch], ...]) -> bool:
    return sum(map(len, won)) == len(frozenset().union(*won))


def _contested(one: Claim, other: Claim) -> bool:
    return one is not None and other is not None and one[1] & other[1] != 0


def _exclusive(claims: tuple[Claim, ...]) -> bool:
    return not any(
        _contested(one, other) and one is not None and other is not None and one[0] == other[0]
        for i, one in enumerate(claims)
        for other in claims[i + 1 :]
    )


def _disputed(claims: tuple[Claim, ...]) -> bool:
    return any(_contested(one, other) for i, one in enumerate(claims) for other in claims[i + 1 :])


View = tuple[NodeId, bool, tuple[tuple[NodeId, int], ...]] | None
"""Who looks, whether as a master, and whose it says which slots are; None while it is down."""


def slot_view(process: int, node: Process) -> View:
    """What a node that runs says of the slots."""
    del process
    if node.state is None:
        return None
    owners = ((each.node_id, each.slots.bitmap) for each in node.state.nodes if each.slots)
    return node.state.myself_id, node.state.myself.is_master, tuple(owners)


def agreement(slots: int) -> Settles[Process]:
    """In the end all nodes that run say the same of so many slots, and the owners agree."""
    everything = (1 << slots) - 1

    def agree(views: tuple[View, ...]) -> bool:
        running = [view for view in views if view is not None]
        told = {owners for _, _, owners in running}
        if len(told) != 1:
            return False
        owners = dict(told.pop())
        replicas = {name for name, is_master, _ in running if not is_master}
        return sum(owners.values()) == everything and not replicas & owners.keys()

    return Settles(
        id="SC-P2",
        clause="SC-P2",
        text="once faults stop, all say the same of every slot: it has one owner, a master",
        project=slot_view,
        judge=agree,
    )


def _never_back(before: ClusterState, after: ClusterState) -> bool:
    return (
        after.current_epoch >= before.current_epoch
        and after.last_vote_epoch >= before.last_vote_epoch
        and all(
            after.nodes[node.node_id].config_epoch >= node.config_epoch
            for node in before.nodes
            if node.node_id in after.nodes
        )
    )


def _survives(before: ClusterState, saved: ClusterState) -> bool:
    """What the node voted, and what it claims as a master, is in what was saved."""
    claimed = before.myself.config_epoch if before.myself.is_master else 0
    return saved.last_vote_epoch >= before.last_vote_epoch and saved.myself.config_epoch >= claimed


def _monotone(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None:
        return True
    if after.state is not None:
        another = after.state.myself_id != before.state.myself_id  # RESET HARD (CM-34)
        return another or _never_back(before.state, after.state)
    return after.saved is None or _survives(before.state, after.saved)


def _current_epoch_survives(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is not None or after.saved is None:
        return True
    return after.saved.current_epoch >= before.state.current_epoch


ELECTION_SAFETY: Final = Invariant(
    id="EL-P1",
    clause="EL-P1",
    text="at most one node wins the election of an epoch",
    project=_epochs_won,
    judge=_one_winner,
)
ELECTION_WON: Final = Sometimes(
    id="EL-P1:witness",
    clause="EL-P1",
    text="an election is won",
    project=_epochs_won,
    judge=any,
)
TWO_WINNERS: Final = Sometimes(
    id="EL-P1:witness-two",
    clause="EL-P1",
    text="two nodes win, each in an epoch of its own",
    project=_epochs_won,
    judge=lambda won: sum(map(bool, won)) > 1,
)
EXCLUSIVE_CLAIM: Final = Invariant(
    id="SC-P1",
    clause="SC-P1",
    text="no two masters claim a slot with the same configEpoch",
    project=_claim,
    judge=_exclusive,
)
SLOT_DISPUTED: Final = Sometimes(
    id="SC-P1:witness",
    clause="SC-P1",
    text="two masters claim one slot, with different configEpochs",
    project=_claim,
    judge=_disputed,
)
EPOCHS_MONOTONE: Final = StepProperty(
    id="EP-P1",
    clause="EP-P1",
    text="no epoch goes back while a node runs; its votes and claims survive a crash",
    judge=_monotone,
)
CURRENT_EPOCH_SURVIVES: Final = StepProperty(
    id="EP-P2",
    clause="EP-P2",
    text="current_epoch does not go back in a crash",
    judge=_current_epoch_survives,
)


def epoch_rises(start: Epoch) -> Sometimes[Process]:
    """The witness of EP-P1: a node's current_epoch rises above that of the start."""
    return Sometimes(
        id="EP-P1:witness",
        clause="EP-P1",
        text="a node's current_epoch rises",
        project=lambda _, node: node.state is not None and node.state.current_epoch > start,
        judge=any,
    )


def some_node(witness: str, text: str, holds: Callable[[ClusterState], bool]) -> Sometimes[Process]:
    """The witness that some running node's state is ever such that `holds`."""
    return Sometimes(
        id=witness,
        clause=witness.split(":", maxsplit=1)[0],
        text=text,
        project=lambda _, node: node.state is not None and holds(node.state),
        judge=any,
    )


SAFETY: Final[tuple[Property, ...]] = (ELECTION_SAFETY, EXCLUSIVE_CLAIM, EPOCHS_MONOTONE)
