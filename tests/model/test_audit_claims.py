"""Rules of claims and open slots, judged step by step: each has a twin that breaks it.

Clauses: SC-1, SC-3, SC-4, SC-5, SC-6, SC-20, SC-21, SC-22, SC-23, SC-24, SC-25, SC-27, SC-32,
SC-33, SC-36, SC-38, SC-40, EL-10.
"""

import attrs
import pytest

from model_check.audit import breaches
from model_check.models.cluster import Process
from model_check.trace import TraceStep
from reference.core.effects import (
    DeleteKeys,
    Happening,
    Notice,
    Refusal,
    Send,
)
from reference.core.epoch_kinds import EpochKind, unique_epoch
from reference.core.events import ClusterReplicate, Event
from reference.core.open_slots import NO_OPEN_SLOTS
from reference.core.rules import REDIS_7_0, REDIS_8_0, STRICT, VALKEY_9_1
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.types import Role
from tests.builders import A1, A2, A, B, C, change, slots
from tests.model.heard import (
    NEXT,
    SHARD_C,
    claims,
    follows,
    importing,
    marked,
    migrating,
    opened,
    seen_by,
    tells,
)
from tests.model.twins import (
    Tampering,
    besides,
    both,
    entry,
    instead,
    not_kept,
    taken,
    then,
    undone,
    without,
)

Case = tuple[str, ClusterState, Event, Tampering]
B_SEES = seen_by(B)
TAKEN = attrs.evolve(change(seen_by(B, STRICT), B, slots=slots(1, 5)), taken_from=((A, slots(5)),))
RESET = attrs.evolve(change(seen_by(B, STRICT), B, slots=slots(1)), owned_before_reset=slots(5))
TOOK_BACK = Notice(what=Happening.TOOK_BACK, subject=C)
KEPT = unique_epoch(4, A, EpochKind.KEPT)
STREAM = attrs.evolve(
    change(seen_by(A1, STRICT), A, slots=slots(0, 5)), taken_from=((C, slots(5)),)
)
CLAIMS: dict[str, Case] = {
    "a newer claim is not believed": ("SC-1", B_SEES, NEXT, both(entry(A1, slots=NO_SLOTS))),
    "an older claim is believed": (
        "SC-1",
        B_SEES,
        claims(A, 1, 0, 2),
        both(entry(C, slots=NO_SLOTS), entry(A, slots=slots(0, 2))),
    ),
    "a slot nobody claims moves": (
        "SC-1",
        B_SEES,
        NEXT,
        both(entry(C, slots=NO_SLOTS), entry(B, slots=slots(1, 2))),
    ),
    "an import is not guarded": (
        "SC-21",
        importing(seen_by(B, REDIS_8_0), A, 0),
        NEXT,
        both(entry(A, slots=NO_SLOTS), entry(A1, slots=slots(0))),
    ),
    "a slot is not marked": (
        "SC-3",
        B_SEES,
        claims(A, 1),
        then(owner_not_claiming_slot=NO_SLOTS),
    ),
    "a slot is marked that is claimed": (
        "SC-3",
        marked(B_SEES, 0),
        claims(A, 1, 0, 4),
        then(owner_not_claiming_slot=slots(0)),
    ),
    "a mark outlives the owner": (
        "SC-3",
        marked(B_SEES, 0),
        follows(A, A1, 4, 0),
        then(owner_not_claiming_slot=slots(0)),
    ),
    "a mark does not outlive the owner": (
        "SC-3",
        marked(seen_by(B, REDIS_7_0), 0),
        follows(A, A1, 4, 0),
        then(owner_not_claiming_slot=NO_SLOTS),
    ),
    "a stale claimant is not told": (
        "SC-4",
        B_SEES,
        claims(A, 1, 0, 2),
        without(Notice, Send),
    ),
    "a claimant that is right is told": (
        "SC-4",
        B_SEES,
        claims(A, 1, 0, 4),
        besides(Notice(what=Happening.SENT_UPDATE, subject=A)),
    ),
    "a stale replica is told": (
        "SC-5",
        B_SEES,
        follows(A1, A, 1, 0, 2),
        besides(Notice(what=Happening.SENT_UPDATE, subject=A1)),
    ),
    "a stale replica is not told": (
        "SC-5",
        seen_by(B, REDIS_8_0),
        follows(A1, A, 1, 0, 2),
        without(Notice, Send),
    ),
    "an UPDATE says too much": (
        "SC-20",
        marked(change(B_SEES, C, slots=slots(2, 3)), 3),
        claims(A, 1, 0, 2),
        lambda it: attrs.evolve(it, after=marked(it.after)),
    ),
    "what was reset is not taken back": ("SC-40", RESET, tells(B, 2, 1, 5), undone),
    "what was reset is taken back from one of whom nobody spoke": (
        "SC-40",
        RESET,
        tells(A, 2, 5),
        both(entry(B, slots=slots(1, 5)), besides(TOOK_BACK)),
    ),
    "nothing is taken back": ("SC-40", RESET, tells(B, 2, 1), besides(TOOK_BACK)),
    "an old UPDATE about oneself is taken in": ("SC-6", RESET, tells(B, 2, 1, 4), instead()),
    "an UPDATE makes no master": ("SC-6", B_SEES, tells(A1, 4, 0), undone),
    "an UPDATE is believed that is old": (
        "SC-6",
        B_SEES,
        tells(A1, 0, 0),
        both(without(Notice), entry(A1, role=Role.MASTER)),
    ),
    "an UPDATE of a known epoch is lost": (
        "SC-6",
        change(seen_by(B, STRICT), A, config_epoch=5),
        tells(A, 5, 0, 4),
        lambda it: besides(Notice(what=Refusal.NOTHING_NEW, subject=A))(undone(it)),
    ),
    "keys of lost slots stay": (
        "SC-27",
        change(B_SEES, B, slots=slots(1, 5)),
        claims(A1, 4, 5),
        without(DeleteKeys),
    ),
    "what was taken is given up": (
        "SC-33",
        TAKEN,
        claims(A, KEPT, 0, 5),
        both(entry(B, slots=slots(1)), entry(A, slots=slots(0, 5))),
    ),
    "what was taken is kept with an old epoch": (
        "SC-33",
        TAKEN,
        claims(A, KEPT, 0, 5),
        entry(B, config_epoch=2),
    ),
    "a defence against nobody": (
        "SC-33",
        TAKEN,
        claims(A, 1, 0),
        besides(Notice(what=Happening.KEPT_TAKEN, subject=A, epoch=9)),
    ),
    "a release notes what was taken": (
        "SC-33",
        B_SEES,
        claims(A, 1, 0, 4),
        then(taken_from=((A, slots(1)),)),
    ),
    "an import that was told is marked": (
        "SC-36",
        STREAM,
        claims(A, 1, 0),
        then(owner_not_claiming_slot=slots(5)),
    ),
    "an import that is claimed is remembered": (
        "SC-36",
        STREAM,
        claims(A, 1, 0, 5),
        then(taken_from=((C, slots(5)),)),
    ),
}

OPEN: dict[str, Case] = {
    "an import does not go on": (
        "SC-22",
        importing(B_SEES, A, 0),
        NEXT,
        then(importing_slots_from=NO_OPEN_SLOTS),
    ),
    "an import goes on from another shard": (
        "SC-22",
        importing(B_SEES, A, 0),
        claims(C, 4, 0, 2, shard=SHARD_C),
        then(importing_slots_from=opened(0, C)),
    ),
    "a slot is given away that is another's": (
        "SC-22",
        migrating(change(B_SEES, B, slots=slots(1, 5)), A, 1),
        claims(C, 4, 1, 2, shard=SHARD_C),
        then(migrating_slots_to=opened(1, A)),
    ),
    "a replaced target keeps its import": (
        "SC-23",
        migrating(B_SEES, A, 1),
        NEXT,
        then(migrating_slots_to=opened(1, A)),
    ),
    "a target is replaced by a stranger": (
        "SC-23",
        migrating(B_SEES, A, 1),
        claims(C, 4, 2, 4, shard=SHARD_C),
        then(migrating_slots_to=opened(1, C)),
    ),
    "open slots of a replica": (
        "SC-24",
        importing(B_SEES, A, 0),
        claims(C, 4, 1, 2, shard=SHARD_C),
        then(importing_slots_from=opened(0, A)),
    ),
    "open slots of one that is told to follow": (
        "SC-24",
        importing(change(B_SEES, B, slots=NO_SLOTS), A, 0),
        ClusterReplicate(master=C),
        then(importing_slots_from=opened(0, A)),
    ),
    "a slot that was given up is nobody's": (
        "SC-25",
        importing(B_SEES, A, 0),
        claims(A, 1, 4),
        undone,
    ),
    "a slot that was given up has an old epoch": (
        "SC-25",
        importing(B_SEES, A, 0),
        claims(A, 1, 4),
        entry(B, config_epoch=2),
    ),
    "a slot is taken that was not given up": (
        "SC-25",
        importing(B_SEES, A, 0),
        claims(C, 3, 2, 4),
        besides(Notice(what=Happening.TOOK_IMPORTED, subject=C)),
    ),
    "an open slot is not handed over": (
        "SC-32",
        importing(B_SEES, A, 0),
        follows(A, A1, 4, 0),
        then(importing_slots_from=opened(0, A)),
    ),
    "a slot is opened by a heartbeat": (
        "SC-22",
        B_SEES,
        NEXT,
        then(importing_slots_from=opened(0, A1)),
    ),
}

ALL = CLAIMS | OPEN


@pytest.mark.parametrize("what", ALL)
def test_step_of_the_core_keeps_the_rule_and_its_twin_does_not(what: str) -> None:
    clause_id, before, event, tamper = ALL[what]

    step = taken(before, event)

    assert not_kept(step) == []
    assert clause_id in not_kept(tamper(step))


def test_replica_does_not_claim_what_its_master_took() -> None:
    """Its master has been replaced and says so, with the slots of the new one."""
    step = taken(STREAM, follows(A, A2, 3, 0, 5))

    assert step.after.myself.replicaof == A2
    assert step.after.taken_from == STREAM.taken_from
    assert not_kept(step) == []


def test_vote_that_was_saved_otherwise_is_not_kept() -> None:
    step = taken(B_SEES, NEXT)
    saved = attrs.evolve(step.after, last_vote_epoch=7)
    told = TraceStep(
        kind="deliver",
        process=0,
        message=NEXT.message,
        before=Process(state=step.before, saved=step.before),
        after=Process(state=step.after, saved=saved),
        notes=step.done,
    )

    assert [each.clause_id for each in breaches(told, VALKEY_9_1)] == ["EL-10"]
