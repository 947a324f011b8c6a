"""Two replicas stand again before the votes of their first election have arrived."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, VOTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import ELECTION_SAFETY, ELECTION_WON
from model_check.models.start import three_masters, without_dead
from reference.core.rules import Rules


def _scope(rules: Rules) -> Scope:
    return Scope(nodes=without_dead(three_masters(rules, "D", "E"), "A"), elections=3)


LATE_VOTES: Final = Model(
    name="late-votes",
    text="3 masters, A is dead; its two replicas stand up to three times; nobody crashes",
    scope=_scope,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(2)",
    clauses=("EL-21", "EL-17", "EL-11"),
    happens=(*CORRECTING, *VOTING),
    by_default=False,
    expected=(Expected(property_id="EL-P1", dialects=RELEASES, told="F-1", clause="EL-21"),),
)
