"""Rules of roles and of following, judged step by step: each has a twin that breaks it.

Clauses: SC-7, SC-8, SC-9, SC-10, SC-11, SC-12, SC-13, SC-14, SC-15, SC-18, SC-19, SC-26, SC-28,
SC-29, SC-30, SC-31, SC-34, SC-35, SC-37, HB-9.
"""

import attrs
import pytest

from reference.core.effects import (
    Broadcast,
    Notice,
    Refusal,
    ResumeWrites,
    SaveConfig,
)
from reference.core.events import Event
from reference.core.nodes import ClusterNode
from reference.core.rules import REDIS_8_0, STRICT, VALKEY_8_1
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.types import Role
from tests.builders import A1, A2, A, B, C, D, add, change, slots
from tests.model.heard import (
    NEXT,
    SHARD_A,
    SHARD_C,
    claims,
    follows,
    seen_by,
    stays_put,
    tells,
)
from tests.model.twins import (
    Tampering,
    besides,
    both,
    entry,
    idle,
    not_kept,
    taken,
    then,
    without,
)

Case = tuple[str, ClusterState, Event, Tampering]
B_SEES = seen_by(B)
EMPTY = change(seen_by(A1), A, slots=NO_SLOTS)
EMPTIED_BY_HAND = change(
    change(seen_by(A, STRICT), A, slots=NO_SLOTS), A1, role=Role.MASTER, replicaof=None
)

OF_SHARD = ClusterNode(node_id=D, shard_id=SHARD_A)
STALE = change(B_SEES, A, config_epoch=9)
IN_A_CHAIN = change(seen_by(A2), A1, role=Role.MASTER, replicaof=None, config_epoch=4)
PAUSED = ManualFailover(stage=ManualFailoverStage.PAUSED, replica=A1)

ROLES: dict[str, Case] = {
    "a master is no master": (
        "SC-10",
        B_SEES,
        NEXT,
        entry(A1, role=Role.REPLICA, replicaof=A, slots=slots(0)),
    ),
    "a replica is a master": (
        "SC-11",
        B_SEES,
        follows(A, A1, 4, 0),
        entry(A, role=Role.MASTER, replicaof=None),
    ),
    "a master has a master": ("SC-15", B_SEES, NEXT, entry(C, replicaof=A)),
    "a replica has another master": (
        "SC-19",
        B_SEES,
        follows(A1, C, 3, 2),
        entry(A1, replicaof=A),
    ),
    "another one changes its role": ("SC-19", B_SEES, NEXT, entry(A2, replicaof=C)),
    "slots stay out of a shard": (
        "SC-11",
        B_SEES,
        follows(A, C, 3, 2),
        entry(A, slots=slots(0)),
    ),
    "slots stay within a shard": (
        "SC-18",
        B_SEES,
        follows(A, A1, 4, 0),
        both(entry(A, slots=slots(0)), entry(A1, slots=NO_SLOTS)),
    ),
    "slots go where they stay": (
        "SC-18",
        seen_by(B, VALKEY_8_1),
        follows(A, A1, 4, 0),
        both(entry(A, slots=NO_SLOTS), entry(A1, slots=slots(0))),
    ),
    "slots that are not named are kept": (
        "SC-35",
        change(seen_by(B, STRICT), A, slots=slots(0, 5)),
        follows(A, A1, 4, 0),
        entry(A1, slots=slots(0, 5)),
    ),
    "the heir has an old epoch": (
        "SC-35",
        seen_by(B, STRICT),
        follows(A, A1, 4, 0),
        entry(A1, config_epoch=0),
    ),
    "an old role is believed": (
        "SC-12",
        STALE,
        follows(A, A1, 4, 0),
        entry(A, role=Role.REPLICA, replicaof=A1),
    ),
    "an old role is not called stale": ("SC-28", STALE, follows(A, A1, 4, 0), without(Notice)),
    "a new role is called stale": (
        "SC-28",
        B_SEES,
        follows(A, A1, 4, 0),
        besides(Notice(what=Refusal.STALE_ROLE_SWITCH, subject=A)),
    ),
    "the named master is a replica": (
        "SC-29",
        B_SEES,
        follows(A, A1, 4, 0),
        entry(A1, role=Role.REPLICA, replicaof=A),
    ),
    "the named master has another epoch": (
        "SC-29",
        B_SEES,
        follows(A, A1, 4, 0),
        entry(A1, config_epoch=9),
    ),
    "a named master is not one": (
        "SC-37",
        seen_by(B, STRICT),
        follows(A2, A1, 4, 0),
        entry(A1, role=Role.REPLICA, replicaof=A),
    ),
    "a named master is one in a release": (
        "SC-29",
        B_SEES,
        follows(A2, A1, 4, 0),
        entry(A1, role=Role.MASTER, replicaof=None),
    ),
    "a shard is not believed": (
        "HB-9",
        B_SEES,
        claims(C, 3, 2, shard=SHARD_A),
        entry(C, shard_id=SHARD_C),
    ),
    "a replica stays in the shard it was of": (
        "SC-31",
        seen_by(A1),
        claims(A, 1, 0, shard=SHARD_C),
        entry(A1, shard_id=SHARD_A),
    ),
}

FOLLOWING: dict[str, Case] = {
    "the last slot is lost, and nothing follows": (
        "SC-7",
        seen_by(A),
        NEXT,
        entry(A, role=Role.MASTER, replicaof=None),
    ),
    "follows with a slot left": (
        "SC-8",
        change(B_SEES, B, slots=slots(1, 5)),
        claims(C, 4, 1, 2),
        entry(B, role=Role.REPLICA, replicaof=C),
    ),
    "follows for no reason": ("SC-8", B_SEES, NEXT, entry(B, role=Role.REPLICA, replicaof=C)),
    "leaves its shard": (
        "SC-26",
        stays_put(B_SEES),
        claims(C, 4, 1, 2, shard=SHARD_C),
        entry(B, role=Role.REPLICA, replicaof=C),
    ),
    "an empty shard does not follow": ("SC-9", EMPTY, claims(A2, 4), entry(A1, replicaof=A)),
    "an empty shard follows in Redis": (
        "SC-9",
        attrs.evolve(EMPTY, rules=REDIS_8_0),
        tells(A2, 4),
        entry(A1, replicaof=A2),
    ),
    "stays in a chain": (
        "SC-13",
        IN_A_CHAIN,
        follows(A, A1, 4, 0),
        entry(A2, replicaof=A),
    ),
    "does not save whom it follows": ("SC-14", seen_by(A), NEXT, without(SaveConfig)),
    "does not tell whom it follows": ("SC-14", seen_by(A), NEXT, without(Broadcast)),
    "is not of the shard": (
        "SC-14",
        B_SEES,
        claims(C, 4, 1, 2, shard=SHARD_C),
        entry(B, shard_id=SHARD_A),
    ),
    "a failover by hand goes on": (
        "SC-30",
        attrs.evolve(seen_by(A), manual_failover=PAUSED),
        NEXT,
        then(manual_failover=PAUSED),
    ),
    "clients are not let go on": (
        "SC-30",
        attrs.evolve(seen_by(A), manual_failover=PAUSED),
        NEXT,
        without(ResumeWrites),
    ),
    "clients are let go on that were not held": (
        "SC-30",
        seen_by(A),
        NEXT,
        besides(ResumeWrites()),
    ),
    "an empty master stays beside its shard's": (
        "SC-34",
        EMPTIED_BY_HAND,
        NEXT,
        entry(A, role=Role.MASTER, replicaof=None),
    ),
}
ALL = ROLES | FOLLOWING


@pytest.mark.parametrize("what", ALL)
def test_step_of_the_core_keeps_the_rule_and_its_twin_does_not(what: str) -> None:
    clause_id, before, event, tamper = ALL[what]

    step = taken(before, event)

    assert not_kept(step) == []
    assert clause_id in not_kept(tamper(step))


def test_step_that_did_nothing_breaks_the_rules_of_what_it_heard() -> None:
    assert {"SC-1", "SC-10", "EP-2", "EP-1"} <= set(not_kept(idle(taken(B_SEES, NEXT))))


def test_node_that_is_added_by_a_step_is_nobody_whose_role_changes() -> None:
    step = taken(B_SEES, NEXT)
    known = attrs.evolve(step, after=add(step.after, D, shard_id=OF_SHARD.shard_id))

    assert not_kept(known) == []
