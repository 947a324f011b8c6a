"""A node learns a newer epoch and crashes before anything makes it save."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.kinds import TELLING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import CURRENT_EPOCH_SURVIVES, EPOCHS_MONOTONE, some_node
from model_check.models.start import crashes, master, view
from reference.core.rules import Rules


def _scope(rules: Rules) -> Scope:
    table = (master("A", 0, epoch=1), master("B", 1, epoch=2))
    ahead = view(rules, "A", *table, current_epoch=3)
    return Scope(nodes=(ahead, view(rules, "B", *table)), crashes=crashes(B=1))


_LEARNT = some_node(
    "EP-P1:witness",
    "B learns the epoch of A",
    lambda state: state.myself_id == "B" and state.current_epoch == 3,
)

LEARNT_EPOCH: Final = Model(
    name="learnt-epoch",
    text="A is an epoch ahead of B, which hears of it and may crash",
    scope=_scope,
    properties=(EPOCHS_MONOTONE, CURRENT_EPOCH_SURVIVES, _LEARNT),
    links="held(0)",
    clauses=("EP-1", "MO-4"),
    happens=TELLING,
    expected=(Expected(property_id="EP-P2", dialects=RELEASES, told="F-3", clause="EP-10"),),
)
