"""Rules of elections and epochs, judged step by step: each holds for the core and not for a twin.

Clauses: EL-1, EL-2, EL-3, EL-4, EL-5, EL-6, EL-7, EL-8, EL-10, EL-11, EL-12, EL-13, EL-14, EL-15,
EL-16, EL-17, EL-18, EL-19, EL-20, EL-21, EL-22, EL-23, EL-24, EL-25, EL-26, EL-27, EP-1, EP-2,
EP-3, EP-4, EP-5, EP-6, EP-9, EP-11, EP-12, EP-13, EP-14, FD-6, HB-17, MF-8, MO-7.
"""

from typing import Any

import attrs
import pytest

from model_check.audit.dialects import declared
from model_check.models.of_node import Age
from reference.core.effects import (
    Broadcast,
    DeleteKeys,
    Happening,
    Notice,
    Refusal,
    Reply,
    SaveConfig,
    Send,
)
from reference.core.epoch_kinds import LAST_EPOCH, EpochKind, unique_epoch
from reference.core.events import (
    ClusterBumpEpoch,
    ClusterFailover,
    ClusterSetConfigEpoch,
    ElectionDue,
    ElectionExpired,
    Event,
    FailoverOption,
    ManualFailoverOffsetReached,
    PongOverdue,
    Received,
)
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Gossip, Header, Pong
from reference.core.rules import DIALECTS, REDIS_8_0, STRICT, SWITCHES, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage, new_node
from reference.core.types import Health, NodeId, Role
from tests.builders import A1, A2, A, B, C, candidate, change, failed, says, slots, view
from tests.model.twins import (
    Tampering,
    besides,
    both,
    entry,
    idle,
    instead,
    not_kept,
    taken,
    then,
    undone,
    without,
)

Case = tuple[str, ClusterState, Event, Tampering]


def pong_of(header: Header) -> Received:
    return Received(message=Pong(header=header), link_node=header.sender)


def ask(**fields: object) -> Received:
    """The request of a1 for a vote in epoch 4."""
    asked = says(A1, replicaof=A, current_epoch=4, config_epoch=1, claims=slots(0))
    asked = attrs.evolve(asked, **fields)  # type: ignore[arg-type]
    return Received(message=FailoverAuthRequest(header=asked), link_node=A1)


def vote(of: NodeId, epoch: int = 4) -> Received:
    header = says(of, current_epoch=epoch, config_epoch=2, claims=slots(1))
    return Received(message=FailoverAuthAck(header=header), link_node=of)


def refused(why: Refusal, subject: NodeId) -> Tampering:
    """It was refused for this reason."""
    return instead(Notice(what=why, subject=subject))


def voter(rules: Rules = VALKEY_9_1) -> ClusterState:
    return failed(view(B, replicas=2, rules=rules))


def replica(rules: Rules = VALKEY_9_1) -> ClusterState:
    return failed(view(A1, replicas=2, rules=rules))


def by_hand(stage: ManualFailoverStage = ManualFailoverStage.CAN_START) -> ManualFailover:
    return ManualFailover(stage=stage)


VOTED = Notice(what=Happening.VOTED, subject=A1, epoch=4)
VOTES = both(besides(VOTED), then(last_vote_epoch=4, current_epoch=4))
STANDS = Notice(what=Happening.STARTED_ELECTION, epoch=4)
OUTDATED = change(voter(), C, config_epoch=9, slots=slots(0, 2))
PUT_OFF = attrs.evolve(
    replica(), last_election=candidate(rules=VALKEY_9_1).election, current_epoch=4
)
WINNING = candidate(voters=[C], rules=VALKEY_9_1)

ELECTIONS: dict[str, Case] = {
    "stands though its master is well": (
        "EL-1",
        view(A1, rules=VALKEY_9_1),
        ElectionDue(),
        instead(STANDS),
    ),
    "stands though it is told not to": (
        "EL-1",
        change(replica(), A1, nofailover=True),
        ElectionDue(),
        instead(STANDS),
    ),
    "an empty master is replaced": (
        "EL-1",
        change(replica(REDIS_8_0), A, slots=NO_SLOTS),
        ElectionDue(),
        instead(STANDS),
    ),
    "an empty master is not replaced": (
        "EL-1",
        change(replica(), A, slots=NO_SLOTS),
        ElectionDue(),
        refused(Refusal.MASTER_WITHOUT_SLOTS, A1),
    ),
    "stands with old data": ("EL-2", replica(), ElectionDue(data_too_old=True), instead(STANDS)),
    "does not stand, and its data is new": (
        "EL-2",
        replica(),
        ElectionDue(),
        refused(Refusal.DATA_TOO_OLD, A1),
    ),
    "an operator is not obeyed": (
        "EL-26",
        attrs.evolve(change(replica(), A1, nofailover=True), manual_failover=by_hand()),
        ElectionDue(data_too_old=True),
        refused(Refusal.DATA_TOO_OLD, A1),
    ),
    "stands twice": ("EL-19", candidate(rules=VALKEY_9_1), ElectionDue(), instead(STANDS)),
    "stands for an old epoch": (
        "EL-3",
        replica(),
        ElectionDue(),
        instead(attrs.evolve(STANDS, epoch=3)),
    ),
    "does not ask": ("EL-3", replica(), ElectionDue(), without(Broadcast)),
    "does not save": ("EL-3", replica(), ElectionDue(), without(SaveConfig)),
    "does not force for an operator": (
        "EL-22",
        attrs.evolve(replica(), manual_failover=by_hand()),
        ElectionDue(),
        both(without(Broadcast), besides(Broadcast(message=ask().message))),
    ),
    "the best one does not force": (
        "EL-23",
        change(change(replica(), A1, my_master_failed=True), A2, my_master_failed=True),
        ElectionDue(best_ranked=True),
        both(without(Broadcast), besides(Broadcast(message=ask().message))),
    ),
    "votes twice": ("EL-4", attrs.evolve(voter(), last_vote_epoch=4), ask(), VOTES),
    "votes in an old epoch": ("EL-5", attrs.evolve(voter(), current_epoch=5), ask(), VOTES),
    "votes against a master that is well": ("EL-6", view(B, rules=VALKEY_9_1), ask(), VOTES),
    "votes for a stale claim": ("EL-7", OUTDATED, ask(), VOTES),
    "votes without a slot": ("EL-18", change(voter(), B, slots=NO_SLOTS), ask(), VOTES),
    "no vote without reason": ("EL-4", voter(), ask(), refused(Refusal.ALREADY_VOTED, A1)),
    "no vote so soon, without such a rule": (
        "EL-8",
        voter(),
        ask(),
        refused(Refusal.VOTED_RECENTLY, A1),
    ),
    "no vote of a newcomer, without such a rule": (
        "EL-20",
        voter(REDIS_8_0),
        ask(),
        refused(Refusal.NEWCOMER, A1),
    ),
    "a vote that is not noted": ("EL-10", voter(), ask(), then(last_vote_epoch=3)),
    "a refused candidate is not told": ("EL-15", OUTDATED, ask(), without(Send)),
    "an old vote counts": (
        "EL-11",
        candidate(rules=VALKEY_9_1),
        vote(B, 3),
        instead(Notice(what=Happening.COUNTED_VOTE, subject=B, epoch=4)),
    ),
    "a vote does not count": ("EL-11", WINNING, vote(B), refused(Refusal.VOTE_OUTDATED, B)),
    "a minority wins": (
        "EL-12",
        candidate(rules=VALKEY_9_1),
        vote(B),
        besides(Notice(what=Happening.WON_ELECTION, epoch=4)),
    ),
    "a majority does not win": ("EL-12", candidate(voters=[C, B], rules=VALKEY_9_1), vote(C), idle),
    "a winner without the epoch": ("EL-13", WINNING, vote(B), entry(A1, config_epoch=3)),
    "a winner that tells nobody": ("EL-13", WINNING, vote(B), without(Broadcast)),
    "a winner with its election": ("EL-24", WINNING, vote(B), then(election=WINNING.election)),
    "a winner with foreign keys": ("EL-25", WINNING, vote(B), without(DeleteKeys)),
    "an election that was outdone goes on": (
        "EL-14",
        candidate(rules=VALKEY_9_1),
        pong_of(says(C, current_epoch=5, config_epoch=5, claims=slots(2))),
        then(election=candidate(rules=VALKEY_9_1).election),
    ),
    "an election ends for no reason": (
        "EL-17",
        candidate(rules=VALKEY_9_1),
        vote(B, 3),
        then(election=None),
    ),
    "an election whose time is over goes on": (
        "EL-17",
        candidate(rules=VALKEY_9_1),
        ElectionExpired(),
        undone,
    ),
    "an election is stronger than an operator": (
        "MF-8",
        attrs.evolve(
            candidate(rules=VALKEY_9_1),
            manual_failover=by_hand(ManualFailoverStage.CATCHING_UP),
        ),
        ManualFailoverOffsetReached(),
        then(election=candidate(rules=VALKEY_9_1).election),
    ),
    "an election outlives a change of master": (
        "EL-16",
        candidate(rules=VALKEY_9_1),
        pong_of(says(A2, current_epoch=4, config_epoch=4, claims=slots(0), shard_id="shard-a")),
        then(election=candidate(rules=VALKEY_9_1).election),
    ),
    "a late vote is lost": ("EL-21", PUT_OFF, vote(B), undone),
    "late votes are not begun anew": (
        "EL-21",
        candidate(rules=VALKEY_9_1),
        ElectionExpired(),
        then(last_election=None),
    ),
    "FAIL without a majority": (
        "FD-6",
        view(B, rules=VALKEY_9_1),
        PongOverdue(peer=A),
        besides(Notice(what=Happening.MARKED_FAIL, subject=A)),
    ),
}

EQUALS = pong_of(says(C, current_epoch=3, config_epoch=2, claims=slots(2), shard_id="shard-c"))
COLLIDING = change(view(B, rules=VALKEY_9_1), C, config_epoch=2)
NEWER = pong_of(says(C, current_epoch=7, config_epoch=7, claims=slots(2)))
OF_REPLICA = pong_of(says(A1, replicaof=A, current_epoch=7, config_epoch=6, claims=slots(0)))
LATE = pong_of(says(A, current_epoch=5, config_epoch=1, claims=slots(0)))
FROM_A = change(view(B, rules=STRICT), A, told_epoch=6)
ALONE = new_node(VALKEY_9_1, B)

EPOCHS: dict[str, Case] = {
    "currentEpoch lags": ("EP-1", view(B, rules=VALKEY_9_1), NEWER, then(current_epoch=3)),
    "currentEpoch leaps": ("EP-1", view(B, rules=VALKEY_9_1), NEWER, then(current_epoch=8)),
    "last_vote_epoch goes back": (
        "EL-4",
        attrs.evolve(voter(), last_vote_epoch=2),
        NEWER,
        then(last_vote_epoch=1),
    ),
    "an epoch is not saved": ("EP-14", view(B, rules=STRICT), OF_REPLICA, without(SaveConfig)),
    "a configEpoch sinks": ("EP-2", view(B, rules=VALKEY_9_1), NEWER, entry(C, config_epoch=1)),
    "a configEpoch is not heard": ("EP-2", view(B, rules=VALKEY_9_1), NEWER, idle),
    "a replica's is recorded": (
        "EP-3",
        view(B, rules=VALKEY_9_1),
        OF_REPLICA,
        entry(A1, config_epoch=6),
    ),
    "a replica's is not recorded": (
        "EP-3",
        view(B, rules=REDIS_8_0),
        OF_REPLICA,
        entry(A1, config_epoch=0),
    ),
    "nobody moves": ("EP-4", COLLIDING, EQUALS, undone),
    "the larger name moves": (
        "EP-5",
        change(view(C, rules=VALKEY_9_1), B, config_epoch=3),
        pong_of(says(B, current_epoch=3, config_epoch=3, claims=slots(1))),
        besides(Notice(what=Happening.EPOCH_COLLISION, subject=B, epoch=4)),
    ),
    "moves without a collision": (
        "EP-4",
        view(B, rules=VALKEY_9_1),
        NEWER,
        besides(Notice(what=Happening.EPOCH_COLLISION, subject=C, epoch=8)),
    ),
    "a new epoch is not told": ("EP-6", COLLIDING, EQUALS, without(Broadcast)),
    "the new epoch is another": (
        "EP-11",
        COLLIDING,
        EQUALS,
        both(entry(B, config_epoch=9), then(current_epoch=9)),
    ),
    "an epoch that others may take": (
        "EP-13",
        change(view(B, rules=STRICT), C, config_epoch=2),
        EQUALS,
        both(
            without(Notice),
            besides(Notice(what=Happening.EPOCH_COLLISION, subject=C, epoch=4)),
            entry(B, config_epoch=4),
            then(current_epoch=4),
        ),
    ),
    "BUMPEPOCH says another word": (
        "EP-12",
        view(B, rules=VALKEY_9_1),
        ClusterBumpEpoch(),
        both(without(Reply), besides(Reply(status="STILL 4"))),
    ),
    "SET-CONFIG-EPOCH is not refused": (
        "EP-9",
        view(B, rules=VALKEY_9_1),
        ClusterSetConfigEpoch(config_epoch=9),
        both(instead(SaveConfig(fsync=False), Reply()), entry(B, config_epoch=9)),
    ),
    "SET-CONFIG-EPOCH is refused": (
        "EP-9",
        ALONE,
        ClusterSetConfigEpoch(config_epoch=LAST_EPOCH),
        instead(Reply(error="ERR")),
    ),
    "what was told is forgotten": ("HB-17", FROM_A, OF_REPLICA, entry(A, told_epoch=0)),
    "what was told is not noted": (
        "HB-17",
        view(B, rules=STRICT),
        OF_REPLICA,
        entry(A, told_epoch=0),
    ),
    "what is told is noted in vain": (
        "HB-17",
        view(B, rules=VALKEY_9_1),
        OF_REPLICA,
        entry(A, told_epoch=6),
    ),
    "an old header is taken in": ("HB-17", FROM_A, LATE, without(Notice)),
    "an old header takes a slot": ("HB-17", FROM_A, LATE, entry(A, slots=slots(0, 1))),
    "a save for nothing": (
        "MO-7",
        view(B, rules=VALKEY_9_1),
        pong_of(says(C, current_epoch=3, config_epoch=3, claims=slots(2), shard_id="shard-c")),
        besides(SaveConfig(fsync=True)),
    ),
}


@pytest.mark.parametrize("what", [*ELECTIONS, *EPOCHS])
def test_step_of_the_core_keeps_the_rule_and_its_twin_does_not(what: str) -> None:
    clause_id, before, event, tamper = (ELECTIONS | EPOCHS)[what]

    step = taken(before, event)

    assert not_kept(step) == []
    assert clause_id in not_kept(tamper(step))


@pytest.mark.parametrize(
    ("why", "clause_id"),
    [
        (Refusal.NOT_A_VOTER, "EL-18"),
        (Refusal.REQUEST_EPOCH_OLD, "EL-5"),
        (Refusal.CANDIDATE_MASTER_UP, "EL-6"),
        (Refusal.CANDIDATE_MASTER_UNKNOWN, "EL-6"),
        (Refusal.CANDIDATE_IS_MASTER, "EL-6"),
        (Refusal.CLAIM_OUTDATED, "EL-7"),
    ],
)
def test_refusal_whose_reason_does_not_hold_is_against_its_clause(
    why: Refusal, clause_id: str
) -> None:
    twin = refused(why, A1)(taken(voter(), ask()))

    assert clause_id in not_kept(then(current_epoch=4)(twin))


@pytest.mark.parametrize(
    ("age", "rules", "clause_id"),
    [(Age.JUST_STARTED, VALKEY_9_1, "EL-20"), (Age.JUST_VOTED, REDIS_8_0, "EL-8")],
)
def test_voter_that_time_does_not_let_vote_is_judged_by_its_age(
    age: Age, rules: Rules, clause_id: str
) -> None:
    asked = attrs.evolve(
        ask(), newcomer=age is Age.JUST_STARTED, voted_recently=age is Age.JUST_VOTED
    )
    step = attrs.evolve(taken(voter(rules), asked), ages=frozenset({age}))
    votes = taken(voter(rules), ask())

    assert not_kept(step) == []
    assert not_kept(votes) == []
    assert not_kept(attrs.evolve(votes, ages=step.ages)) == [clause_id]


def test_request_that_is_forced_needs_no_failed_master() -> None:
    forced = FailoverAuthRequest(header=ask().message.header, force_ack=True)
    step = taken(view(B, rules=VALKEY_9_1), Received(message=forced, link_node=A1))

    assert step.after.last_vote_epoch == 4
    assert not_kept(step) == []


def test_majority_is_of_the_masters_that_the_message_leaves() -> None:
    won = says(A1, current_epoch=9, config_epoch=9, claims=slots(0, 3))
    gossip = (Gossip(node_id=A, health=Health.FAIL, role=Role.UNKNOWN, address=None),)
    heard = Received(message=Pong(header=won, gossip=gossip), link_node=A1)
    led = change(view(B, replicas=1, rules=VALKEY_9_1), A, health=Health.PFAIL)
    led = change(led, A1, role=Role.MASTER, replicaof=None, slots=slots(3))

    step = taken(led, heard)

    assert step.after.nodes[A].health is Health.FAIL
    assert not_kept(step) == []
    assert not_kept(entry(A, slots=slots(4))(step)) == ["FD-6"]


def test_votes_of_a_round_are_judged_by_the_round() -> None:
    first = unique_epoch(3, A1, EpochKind.ELECTED)
    again = unique_epoch(3, A2, EpochKind.ELECTED)
    step = taken(attrs.evolve(voter(STRICT), last_vote_epoch=again), ask(current_epoch=first))

    assert not_kept(step) == []
    now = step.after.current_epoch
    votes = both(besides(attrs.evolve(VOTED, epoch=now)), then(last_vote_epoch=now))
    assert not_kept(votes(step)) == ["EL-4"]


def test_replica_that_may_stand_has_an_election_due(monkeypatch: pytest.MonkeyPatch) -> None:
    step = taken(replica(), NEWER)

    assert not_kept(step) == []
    monkeypatch.setattr("model_check.audit.elections.timers", lambda _: ())
    assert not_kept(step) == ["EL-1"]


def test_takeover_is_judged_like_a_victory() -> None:
    command = ClusterFailover(option=FailoverOption.TAKEOVER)
    step = taken(candidate(rules=VALKEY_9_1), command)

    assert not_kept(step) == []
    assert not_kept(without(Broadcast)(step)) == ["EL-13"]
    assert not_kept(entry(A1, slots=NO_SLOTS)(step)) == ["EL-13"]
    assert not_kept(entry(A1, role=Role.REPLICA)(step)) == ["EL-13"]


def test_last_epoch_is_kept_and_nobody_is_blamed() -> None:
    last = attrs.evolve(
        change(change(COLLIDING, B, config_epoch=LAST_EPOCH), C, config_epoch=LAST_EPOCH),
        current_epoch=LAST_EPOCH,
    )
    equal = pong_of(says(C, current_epoch=LAST_EPOCH, config_epoch=LAST_EPOCH, claims=slots(2)))

    assert not_kept(taken(last, equal)) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_table_of_the_specification_is_that_of_the_core(dialect: str) -> None:
    rules = DIALECTS[dialect]

    assert declared(rules) == rules
    others: dict[str, Any] = {name: not getattr(rules, name) for name in SWITCHES}
    turned = attrs.evolve(rules, **others)
    assert declared(turned) == rules
    unknown = attrs.evolve(turned, dialect="of mine")
    assert declared(unknown) == unknown


def test_switch_that_is_turned_shows_in_the_steps_that_it_changes() -> None:
    turned = attrs.evolve(VALKEY_9_1, election_ends_with_win=False)
    before = candidate(voters=[C], rules=turned)

    assert not_kept(taken(before, vote(B))) == ["EL-24"]


def test_without_the_table_the_rules_are_those_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turned = attrs.evolve(VALKEY_9_1, election_ends_with_win=False)
    monkeypatch.setattr("model_check.audit.dialects._table", dict)

    assert declared(turned) == turned
