"""An importer of two slots, of which only one is given up by its owner."""

from typing import Final

import attrs

from model_check.models.at_rest import disagreement, no_lost_slot, slot_unclaimed
from model_check.models.cluster import Process, Scope
from model_check.models.kinds import TELLING
from model_check.models.model import Expected, Model
from model_check.models.properties import EPOCHS_MONOTONE, EXCLUSIVE_CLAIM, some_node
from model_check.models.start import agreed, master, on_its_way, told_owner
from model_check.properties import Invariant, Sometimes
from reference.core.rules import Rules
from reference.core.types import NodeId

Owned = tuple[NodeId, int] | None
"""Who owns the slots of this bitmap in its own table."""


def _owned(process: int, node: Process) -> Owned:
    del process
    if node.state is None:
        return None
    return node.state.myself_id, node.state.myself.slots.bitmap


def _scope(rules: Rules, giver: str) -> Scope:
    """B imports slot 0 of A and slot 4 of C; the giver alone is told that B has its slot."""
    nodes = agreed(
        rules, master("A", 0, 1, epoch=1), master("B", 2, epoch=2), master("C", 3, 4, epoch=3)
    )
    nodes = on_its_way(on_its_way(nodes, 0, "A", "B"), 4, "C", "B")
    return Scope(nodes=nodes, commands=(told_owner(giver, 0 if giver == "A" else 4, "B"),))


def _kept(owner: str, slot: int) -> Invariant[Process]:
    def keeps(owned: tuple[Owned, ...]) -> bool:
        return all(each is None or each[0] != owner or each[1] >> slot & 1 for each in owned)

    return Invariant(
        id="SC-25",
        clause="SC-25",
        text=f"{owner}, which was not told to give up slot {slot}, keeps it",
        project=_owned,
        judge=keeps,
    )


def _taken(giver: str, slot: int) -> Sometimes[Process]:
    return some_node(
        "SC-25:witness",
        f"B takes slot {slot}, which {giver} gave up",
        lambda state: state.myself_id == "B" and bool(state.myself.slots.bitmap >> slot & 1),
    )


_NOT_TAKEN: Final = tuple(
    Expected(
        property_id=property_id,
        dialects=("redis-7.0", "redis-8.0"),
        told="an importer of Redis takes nothing unless it is told",
        clause="SC-25",
    )
    for property_id in ("SC-P3", "SC-25:witness")
)

GIVEN_UP: Final = Model(
    name="given-up",
    text="B imports a slot of A and one of C, and only A is told that B has it",
    scope=lambda rules: _scope(rules, "A"),
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        no_lost_slot(5),
        _kept("C", 4),
        _taken("A", 0),
        slot_unclaimed(5),
        disagreement(),
    ),
    links="held(1)",
    clauses=("SC-25", "SC-3", "SM-6"),
    happens=TELLING,
    expected=_NOT_TAKEN,
)
GIVEN_UP_BY_THE_OTHER: Final = attrs.evolve(
    GIVEN_UP,
    name="given-up-other",
    text="as given-up, but only C is told that B has its slot",
    scope=lambda rules: _scope(rules, "C"),
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        no_lost_slot(5),
        _kept("A", 0),
        _taken("C", 4),
        slot_unclaimed(5),
        disagreement(),
    ),
)
