"""An UPDATE is all that a node ever hears of a master that is about to die."""

from typing import Final

from model_check.models.at_rest import disagreement
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
)
from model_check.models.start import master, view
from reference.core.rules import Rules
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    """A gave slot 1 to B and took slot 0 from C, which has been away and has heard of neither."""
    now = (master("A", 0, epoch=4), master("B", 1, 2, epoch=3), master("C", epoch=1))
    then = (master("A", 1, epoch=2), master("B", 2, epoch=3), master("C", 0, epoch=1))
    return Scope(
        nodes=(view(rules, "A", *now), view(rules, "B", *now), view(rules, "C", *then)),
        deaths=frozenset({NodeId("A")}),
    )


TOLD_BY_OTHERS: Final = Model(
    name="told-by-others",
    text="C has been away while A gave a slot to B and took C's; A may die before it says so",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        disagreement(),
        SLOT_DISPUTED,
        epoch_rises(3),
    ),
    links="held(1)",
    clauses=("SC-3", "SC-4", "SC-6", "SC-20", "SC-38"),
    happens=CORRECTING,
    expected=(Expected(property_id="SC-P2", dialects=RELEASES, told="F-21", clause="SC-6"),),
)
