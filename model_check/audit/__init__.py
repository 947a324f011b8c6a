"""Where a step does not keep a rule: the rules of elections, epochs and claims, said once more.

Each clause is judged by what a node knew, what it was told and what it then did or refused, and by
nothing of the core but its values. The model checker needs none of it; a story does, for what its
last step breaks is a property of all nodes, and what went wrong is one rule in one node.

Only what the dialect asks for is judged (spec/dialects.md), a rule that `--without` turns off
included. In a cluster of several dialects each node is judged by its own.
"""

from typing import Final

from model_check.audit import (
    claims,
    elections,
    epochs,
    failures,
    following,
    open_slots,
    roles,
    votes,
)
from model_check.audit.dialects import declared
from model_check.audit.situation import Audit, Breach, Situation, situation_of
from model_check.models.cluster import Process
from model_check.trace import TraceStep
from reference.core.rules import DIALECTS, Rules

__all__ = ["Breach", "Situation", "breaches"]


def breaches(step: TraceStep, rules: Rules) -> tuple[Breach, ...]:
    """The rules of the dialect that the step does not keep."""
    here = situation_of(step, declared(_of_its_own(step, rules)))
    if here is None:
        return ()
    return tuple(breach for audit in _AUDITS for breach in audit(here))


def _of_its_own(step: TraceStep, rules: Rules) -> Rules:
    """The rules of the dialect that the node of the step follows, if it is another one."""
    if not isinstance(step.before, Process) or step.before.state is None:
        return rules
    dialect = step.before.state.rules.dialect
    return rules if dialect == rules.dialect else DIALECTS[dialect]


_AUDITS: Final[tuple[Audit, ...]] = (
    elections.standing,
    votes.voting,
    votes.refused_candidates,
    votes.counting,
    votes.late_votes,
    elections.winning,
    elections.ending,
    epochs.current_epochs,
    epochs.config_epochs,
    epochs.told_epochs,
    epochs.collisions,
    epochs.own_epochs,
    epochs.announcements,
    epochs.by_hand,
    epochs.saves,
    epochs.saved_votes,
    claims.owners,
    claims.defences,
    claims.told_of_itself,
    claims.without_claim,
    claims.marks,
    claims.imports_told,
    claims.updates,
    claims.keys,
    open_slots.open_slots,
    open_slots.following_elsewhere,
    open_slots.imported,
    roles.senders,
    roles.staleness,
    roles.demotions,
    roles.named_masters,
    roles.others,
    roles.updated,
    roles.shards,
    following.by_claims,
    following.own_shard,
    following.chains,
    following.without_reason,
    following.changes,
    following.manual_failovers,
    failures.failures,
)
