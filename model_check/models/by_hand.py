"""What operators give and take by hand: epochs, slots, roles."""

from typing import Final

from model_check.models.at_rest import FLAT, NO_CIRCLE, disagreement
from model_check.models.cluster import Process, Scope
from model_check.models.kinds import TELLING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.start import agreed, master, on_its_way, replica, told, view
from model_check.properties import Sometimes, StepProperty
from reference.core.epoch_kinds import LAST_EPOCH
from reference.core.events import (
    ClusterAddSlots,
    ClusterBumpEpoch,
    ClusterDelSlots,
    ClusterFlushSlots,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterSetConfigEpoch,
    ClusterSetslotMigrating,
)
from reference.core.rules import Rules
from reference.core.slots import SlotSet
from reference.core.state import new_node
from reference.core.types import Epoch, NodeId, ShardId

_SHARD: Final = ShardId("new")


def _set(epoch: Epoch) -> ClusterSetConfigEpoch:
    return ClusterSetConfigEpoch(config_epoch=epoch)


def _first_epochs(rules: Rules) -> Scope:
    """A is alone; B and C know each other."""
    alone = new_node(rules, NodeId("A"), shard_id=ShardId("A"))
    others = agreed(rules, master("B", 0, epoch=0), replica("C", of="B"))
    asked = [told("A", _set(epoch)) for epoch in (-1, 0, 1, LAST_EPOCH, LAST_EPOCH + 1)]
    return Scope(
        nodes=(alone, *others),
        commands=(*asked, told("A", ClusterBumpEpoch()), told("B", _set(1))),
    )


def _last_epoch(rules: Rules) -> Scope:
    """Both were given the last epoch of all before they met."""
    entries = (master("A", 0, epoch=LAST_EPOCH), master("B", 1, epoch=LAST_EPOCH))
    bumps = tuple(told(name, ClusterBumpEpoch()) for name in "AB")
    return Scope(nodes=tuple(view(rules, name, *entries) for name in "AB"), commands=bumps)


def _slots(rules: Rules) -> Scope:
    """A gives up slot 0, which B imports by hand; slot 2 is nobody's."""
    nodes = agreed(rules, master("A", 0, epoch=2), master("B", 1, epoch=1), replica("D", of="A"))
    zero, two = SlotSet.of([0]), SlotSet.of([2])
    return Scope(
        nodes=on_its_way(nodes, 0, "A", "B"),
        commands=(
            told("B", ClusterDelSlots(slots=zero)),
            told("B", ClusterAddSlots(slots=zero)),
            told("A", ClusterFlushSlots()),
            told("A", ClusterDelSlots(slots=two)),
            told("A", ClusterAddSlots(slots=two)),
            told("A", ClusterSetslotMigrating(slot=0, node=NodeId("A"))),
        ),
    )


def _roles(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", 0, epoch=1), master("B", epoch=2), replica("D", of="A"))
    to = {name: ClusterReplicate(master=NodeId(name)) for name in "ABD"}
    alone = ClusterReplicateNoOne(new_shard_id=_SHARD)
    return Scope(
        nodes=nodes,
        commands=(
            told("B", to["A"]),
            told("D", to["A"]),
            told("D", to["B"]),
            told("A", to["B"]),
            told("D", alone),
        ),
    )


def _set_once(process: int, before: Process, after: Process) -> bool:
    """Only a node that is alone and has none is given an epoch."""
    del process
    if before.state is None or after.state is None:
        return True
    had, has = before.state.myself.config_epoch, after.state.myself.config_epoch
    return had == has or (had == 0 and len(before.state.nodes) == 1 and 0 < has <= LAST_EPOCH)


def _owns(witness: str, name: str, *slots: int) -> Sometimes[Process]:
    """The witness that the node ever owns just these slots."""
    return some_node(
        witness,
        f"{name} owns slots {SlotSet.of(slots) or 'none'}",
        lambda state: state.myself_id == name and state.myself.slots == SlotSet.of(slots),
    )


FIRST_EPOCHS: Final = Model(
    name="first-epochs",
    text="A, which is alone, and B, which is not, are told SET-CONFIG-EPOCH; A may take one itself",
    scope=_first_epochs,
    properties=(
        EPOCHS_MONOTONE,
        StepProperty(
            id="EP-9",
            clause="EP-9",
            text="only a node that is alone and has no epoch is given one, once",
            judge=_set_once,
        ),
        some_node("EP-9:witness", "A has 1", lambda state: state.myself.config_epoch == 1),
        some_node(
            "EP-9:witness-last",
            "A has the last epoch of all",
            lambda state: state.myself.config_epoch == LAST_EPOCH,
        ),
        epoch_rises(0),
    ),
    links="held(0)",
    clauses=("EP-9", "EP-11", "EP-12"),
    happens=(ClusterSetConfigEpoch, ClusterBumpEpoch),
)
LAST_OF_ALL: Final = Model(
    name="last-epoch",
    text="two masters have the last epoch of all, and are told to take another one",
    scope=_last_epoch,
    properties=(EPOCHS_MONOTONE, agreement(2)),
    links="held(1)",
    clauses=("EP-4", "EP-9", "EP-12", "EP-D1"),
    happens=TELLING,
)
SLOTS_BY_HAND: Final = Model(
    name="slots-by-hand",
    text="slots are given up and claimed by ADDSLOTS, DELSLOTS and FLUSHSLOTS",
    scope=_slots,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        disagreement(),
        _owns("CM-1:witness", "B", 0, 1),
        _owns("CM-27:witness", "A", 2),
        _owns("CM-29:witness", "A"),
    ),
    links="held(0)",
    clauses=("CM-1", "CM-27", "CM-28", "CM-29", "SC-1", "SC-3"),
    happens=TELLING,
)
ROLES_BY_HAND: Final = Model(
    name="roles-by-hand",
    text="nodes are told whom to follow, or nobody",
    scope=_roles,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        FLAT,
        NO_CIRCLE,
        some_node("SC-P4:witness", "D follows B", lambda s: s.myself.replicaof == "B"),
    ),
    links="held(0)",
    clauses=("CM-2", "CM-30", "CM-31", "SC-10", "SC-13", "SC-31"),
    happens=TELLING,
    expected=(
        Expected(
            property_id="SC-P4", dialects=("redis-7.0", "redis-8.0"), told="F-9", clause="SC-13"
        ),
    ),
)
