"""CLUSTER FAILOVER, from the command to the new master, or to giving up.

Clauses: MF-1, MF-2, MF-3, MF-4, MF-5, MF-6, MF-7, MF-8, MF-9, MF-10, EL-22, EL-26.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.announce import header, ping, pong
from reference.core.effects import (
    Broadcast,
    Effect,
    Happening,
    Notice,
    PauseWrites,
    Refusal,
    Reply,
    ResumeWrites,
    SaveConfig,
    Send,
)
from reference.core.events import (
    ClusterFailover,
    ClusterReplicate,
    ElectionDue,
    ElectionExpired,
    FailoverOption,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    ManualFailoverStart,
    Ping,
    Pong,
)
from reference.core.rules import REDIS_7_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, Election, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Health, Link, NodeId, Role
from tests.builders import (
    A1,
    A2,
    STRANGER,
    A,
    B,
    C,
    candidate,
    change,
    cluster,
    failed,
    hear,
    replies,
    says,
    sent,
    slots,
    told,
    view,
)

ALL: Final = tuple(RELEASES.values())
EACH: Final = pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
PLAIN: Final = ClusterFailover()
FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)
TAKEOVER: Final = ClusterFailover(option=FailoverOption.TAKEOVER)
WAITING: Final = ManualFailover(stage=ManualFailoverStage.WAITING_FOR_OFFSET)
CATCHING_UP: Final = ManualFailover(stage=ManualFailoverStage.CATCHING_UP)
CAN_START: Final = ManualFailover(stage=ManualFailoverStage.CAN_START)
PAUSED: Final = ManualFailover(stage=ManualFailoverStage.PAUSED, replica=A1)


def under_way(state: ClusterState, manual_failover: ManualFailover) -> ClusterState:
    """The state with this manual failover."""
    return attrs.evolve(state, manual_failover=manual_failover)


def paused(sender: NodeId = A, **fields: Any) -> Ping:
    """A PING of a master that has paused."""
    said: dict[str, Any] = {"config_epoch": 1, "claims": slots(0), "paused": True}
    return Ping(header=says(sender, **(said | fields)))


def start(sender: NodeId = A1) -> ManualFailoverStart:
    """What a replica of a sends to its master."""
    said = says(sender, replicaof=A, claims=slots(0))
    return ManualFailoverStart(header=said)


NOT_A_REPLICA: Final = "ERR You should send CLUSTER FAILOVER to a replica"
UNKNOWN: Final = "ERR I'm a replica but my master is unknown to me"
DOWN: Final = "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE"


@EACH
@pytest.mark.parametrize("option", FailoverOption)
def test_only_a_replica_of_a_known_master_may_take_over(
    rules: Rules, option: FailoverOption
) -> None:
    command = ClusterFailover(option=option)
    homeless = change(view(A1, rules=rules), A1, replicaof=None)

    for state, refusal, error in (
        (view(B, rules=rules), Refusal.NOT_A_REPLICA, NOT_A_REPLICA),
        (homeless, Refusal.MASTER_UNKNOWN, UNKNOWN),
    ):
        after, effects = step(state, command)

        assert after is state
        assert effects == (
            Notice(what=refusal, subject=state.myself_id),
            Reply(error=error),
        )


@pytest.mark.parametrize(
    ("state", "link_up"), [(failed(view(A1)), True), (view(A1), False), (failed(view(A1)), False)]
)
def test_a_master_that_is_down_cannot_be_asked_to_pause(
    state: ClusterState,
    link_up: bool,  # noqa: FBT001
) -> None:
    after, effects = step(state, attrs.evolve(PLAIN, master_link_up=link_up))

    assert after is state
    assert told(effects) == [Refusal.MASTER_DOWN]
    assert replies(effects) == [DOWN]


@pytest.mark.parametrize("option", [FailoverOption.FORCE, FailoverOption.TAKEOVER])
def test_a_master_that_is_down_can_be_replaced_by_force(option: FailoverOption) -> None:
    command = ClusterFailover(option=option, master_link_up=False)

    _, effects = step(failed(view(A1)), command)

    assert replies(effects) == [None]


def test_a_master_that_only_this_node_suspects_can_be_asked() -> None:
    _, effects = step(change(view(A1), A, health=Health.PFAIL), PLAIN)

    assert replies(effects) == [None]


def test_a_refused_command_leaves_the_manual_failover_that_is_under_way() -> None:
    state = under_way(failed(view(A1)), CAN_START)

    assert step(state, PLAIN)[0] is state


@EACH
def test_the_master_is_asked_to_pause(rules: Rules) -> None:
    state, effects = step(view(A1, rules=rules), PLAIN)

    assert state.manual_failover == WAITING
    assert effects == (
        Notice(what=Happening.STARTED_MANUAL_FAILOVER, subject=A),
        Send(to=A, message=ManualFailoverStart(header=header(state))),
        Reply(),
    )


@EACH
def test_by_force_the_replica_may_stand_at_once(rules: Rules) -> None:
    state, effects = step(view(A1, rules=rules), FORCE)

    assert state.manual_failover == CAN_START
    assert told(effects) == [Happening.MANUAL_FAILOVER_CAN_START]
    assert not sent(effects)
    assert ElectionDue() in timers(state)


@EACH
def test_a_new_command_starts_anew(rules: Rules) -> None:
    state, _ = step(under_way(view(A1, rules=rules), CAN_START), PLAIN)

    assert state.manual_failover == WAITING


@EACH
def test_a_master_pauses_for_its_replica_and_tells_it_at_once(rules: Rules) -> None:
    state, effects = hear(view(A, rules=rules), start(), gossip_about=(B,))

    assert state.manual_failover == PAUSED
    assert effects == (
        Notice(what=Happening.PAUSED, subject=A1),
        PauseWrites(),
        Send(to=A1, message=ping(state, (B,)), reply=True),
    )
    assert header(state).paused


def test_a_node_does_not_pause_for_the_replica_of_another() -> None:
    for state in (view(B), change(view(A), A1, replicaof=None), change(view(A), A1, replicaof=B)):
        after, effects = hear(state, start())

        assert after is state
        assert effects == (Notice(what=Refusal.NOT_MY_REPLICA, subject=A1),)


def test_a_stranger_cannot_pause_anybody() -> None:
    after, effects = hear(view(A), start(STRANGER))

    assert after.manual_failover is None
    assert told(effects) == [Refusal.UNKNOWN_SENDER]


def test_a_pause_that_is_asked_for_again_lets_nobody_write_in_between() -> None:
    state = view(A, replicas=2)
    first, _ = hear(state, start())

    again, repeated = hear(first, start())
    other, replaced = hear(first, start(A2))

    assert again is first
    assert other.manual_failover == attrs.evolve(PAUSED, replica=A2)
    for effects in (repeated, replaced):
        assert PauseWrites() in effects
        assert ResumeWrites() not in effects


MESSAGES: Final = (
    paused(),
    Pong(header=paused().header),
    Fail(header=paused().header, subject=B),
    FailoverAuthAck(header=paused().header),
)


@EACH
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_any_message_of_the_paused_master_tells_how_far_it_got(rules: Rules, message: Any) -> None:
    state, _ = hear(under_way(view(A1, rules=rules), WAITING), message)

    assert state.manual_failover == CATCHING_UP
    assert ManualFailoverOffsetReached() in timers(state)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (view(A1), paused()),
        (under_way(view(A1), WAITING), paused(paused=False)),
        (under_way(view(A1), WAITING), paused(B, config_epoch=2, claims=slots(1))),
        (under_way(view(A1), CATCHING_UP), paused()),
        (under_way(view(A1), CAN_START), paused()),
        (under_way(view(A), PAUSED), paused(B, config_epoch=2, claims=slots(1))),
    ],
)
def test_what_does_not_tell_how_far_the_master_got(state: ClusterState, message: Ping) -> None:
    after, _ = hear(state, message)

    assert after.manual_failover == state.manual_failover


def test_a_node_that_paused_and_then_follows_takes_the_offset_of_its_new_master() -> None:
    """A replica that was not told yet may ask a node that is a replica itself by then."""
    state, _ = hear(change(view(A1, replicas=2), A2, replicaof=A1), start(A2))
    assert state.manual_failover == attrs.evolve(PAUSED, replica=A2)

    state, _ = hear(state, paused())
    assert state.manual_failover == attrs.evolve(CATCHING_UP, replica=A2)

    state, _ = step(state, ManualFailoverOffsetReached())
    assert state.manual_failover == attrs.evolve(CAN_START, replica=A2)
    assert ResumeWrites() in step(state, ManualFailoverExpired())[1]


@EACH
def test_a_replica_that_has_everything_may_stand(rules: Rules) -> None:
    state, effects = step(
        under_way(view(A1, rules=rules), CATCHING_UP), ManualFailoverOffsetReached()
    )

    assert state.manual_failover == CAN_START
    assert effects == (Notice(what=Happening.MANUAL_FAILOVER_CAN_START),)
    assert ElectionDue() in timers(state)


@pytest.mark.parametrize(
    "state",
    [
        view(A1),
        under_way(view(A1), WAITING),
        under_way(view(A1), CAN_START),
        under_way(view(A), PAUSED),
        under_way(view(A), CATCHING_UP),
    ],
)
def test_an_offset_that_nobody_waits_for_is_nothing(state: ClusterState) -> None:
    assert step(state, ManualFailoverOffsetReached()) == (state, ())
    assert ManualFailoverOffsetReached() not in timers(state)


@EACH
def test_whether_a_manual_failover_ends_the_election_before(rules: Rules) -> None:
    ends = rules.failover_restarts_election
    running, late = candidate(rules=rules), Election(failover_auth_epoch=4, late_votes=1)
    put_off = attrs.evolve(running, election=None, last_election=late)

    for state in (running, put_off):
        forced, _ = step(state, FORCE)
        reached, _ = step(under_way(state, CATCHING_UP), ManualFailoverOffsetReached())

        for after in (forced, reached):
            assert after.election == (None if ends else state.election)
            assert after.last_election == (None if ends else state.last_election)


def test_without_that_rule_the_election_before_goes_on() -> None:
    state = candidate(rules=VALKEY_9_1.without("failover_restarts_election"))

    assert step(state, FORCE)[0].election == state.election


@EACH
def test_only_asking_the_master_to_pause_ends_no_election(rules: Rules) -> None:
    state = change(candidate(rules=rules), A, health=Health.OK)

    assert step(state, PLAIN)[0].election == state.election


@EACH
@pytest.mark.parametrize(("mine", "current"), [(0, 3), (1, 3), (0, 9)])
def test_a_takeover_takes_the_slots_with_a_new_epoch_and_no_vote(
    rules: Rules, mine: int, current: int
) -> None:
    state = attrs.evolve(view(A1, rules=rules), current_epoch=current)

    state, effects = step(change(state, A1, config_epoch=mine), TAKEOVER)

    assert state.myself.role is Role.MASTER
    assert state.myself.replicaof is None
    assert state.myself.config_epoch == state.current_epoch == current + 1
    assert state.myself.slots == slots(0)
    assert state.nodes[A].slots == NO_SLOTS
    assert state.manual_failover is None
    assert sent(effects) == [pong(state)]
    assert effects[0] == SaveConfig(fsync=True)
    assert told(effects)[-1] is Happening.TOOK_OVER
    assert replies(effects) == [None]


def test_a_takeover_keeps_an_epoch_that_is_the_newest() -> None:
    state = attrs.evolve(change(view(A1), A1, config_epoch=7), current_epoch=7)

    state, effects = step(state, TAKEOVER)

    assert state.myself.config_epoch == 7
    assert told(effects) == [Happening.TOOK_OVER]


@EACH
def test_a_takeover_ends_an_election_where_winning_does(rules: Rules) -> None:
    state, _ = step(candidate(rules=rules), TAKEOVER)

    assert (state.election is None) == rules.election_ends_with_win


@EACH
@pytest.mark.parametrize("stage", [WAITING, CATCHING_UP, CAN_START])
def test_a_replica_gives_up_when_its_time_is_over(rules: Rules, stage: ManualFailover) -> None:
    state = under_way(view(A1, rules=rules), stage)
    assert ManualFailoverExpired() in timers(state)

    state, effects = step(state, ManualFailoverExpired())

    assert state.manual_failover is None
    assert effects == (Notice(what=Happening.MANUAL_FAILOVER_EXPIRED),)
    assert ManualFailoverExpired() not in timers(state)


@EACH
def test_a_master_lets_clients_write_when_its_time_is_over(rules: Rules) -> None:
    state, effects = step(under_way(view(A, rules=rules), PAUSED), ManualFailoverExpired())

    assert state.manual_failover is None
    assert not header(state).paused
    assert effects == (Notice(what=Happening.MANUAL_FAILOVER_EXPIRED), ResumeWrites())


def test_time_that_nobody_waits_for_is_nothing() -> None:
    assert step(view(A1), ManualFailoverExpired()) == (view(A1), ())


@EACH
def test_an_election_goes_on_when_the_manual_failover_is_given_up(rules: Rules) -> None:
    state, _ = step(under_way(view(A1, rules=rules), CAN_START), ElectionDue())

    state, _ = step(state, ManualFailoverExpired())

    assert state.election is not None


@EACH
def test_a_replica_that_follows_another_master_gives_up(rules: Rules) -> None:
    state, _ = step(under_way(view(A1, rules=rules), CATCHING_UP), ClusterReplicate(master=B))

    assert state.manual_failover is None


@EACH
def test_a_master_that_was_replaced_lets_clients_write(rules: Rules) -> None:
    state = attrs.evolve(under_way(view(A, rules=rules), PAUSED), current_epoch=4)
    won = says(A1, current_epoch=4, config_epoch=4, claims=slots(0), shard_id=None)

    state, effects = hear(state, Ping(header=won), link=Link.INBOUND, link_node=A1)

    assert state.myself.replicaof == A1
    assert state.manual_failover is None
    assert ResumeWrites() in effects


def run(rules: Rules, *, catches_up: bool = True) -> dict[NodeId, ClusterState]:
    """A whole CLUSTER FAILOVER of a1, with nothing lost on the way."""
    nodes = cluster(rules=rules)
    flight: list[tuple[NodeId, Any, Effect]] = []

    def take(me: NodeId, event_effects: tuple[ClusterState, tuple[Effect, ...]]) -> None:
        nodes[me], effects = event_effects
        for effect in effects:
            if isinstance(effect, Send) and effect.to is not None:
                flight.append((me, effect.to, effect))
            elif isinstance(effect, Broadcast):
                flight.extend((me, to, effect) for to in nodes if to != me)

    def deliver() -> None:
        while flight:
            sender, to, effect = flight.pop(0)
            assert isinstance(effect, Send | Broadcast)
            replied = isinstance(effect, Send) and effect.reply
            link = Link.OUTBOUND if replied else Link.INBOUND
            message = effect.message
            take(to, hear(nodes[to], message, link=link, link_node=sender))

    take(A1, step(nodes[A1], PLAIN))
    deliver()
    if catches_up:
        take(A1, step(nodes[A1], ManualFailoverOffsetReached()))
        take(A1, step(nodes[A1], ElectionDue()))
        deliver()
    return nodes


@EACH
def test_a_manual_failover_moves_the_role_with_the_votes_of_masters_that_see_no_failure(
    rules: Rules,
) -> None:
    nodes = run(rules)

    assert nodes[A1].myself.is_master
    assert nodes[A1].myself.config_epoch == 4
    for node in nodes.values():
        assert node.nodes[A1].slots == slots(0)
        assert node.manual_failover is None
    assert nodes[A].myself.replicaof == A1


@EACH
def test_a_replica_that_never_catches_up_leaves_everything_as_it_was(rules: Rules) -> None:
    nodes = run(rules, catches_up=False)

    assert nodes[A1].manual_failover == CATCHING_UP
    assert nodes[A].manual_failover == PAUSED
    for me in (A, A1):
        nodes[me], _ = step(nodes[me], ManualFailoverExpired())
    for me, before in cluster(rules=rules).items():
        assert nodes[me].manual_failover is None
        assert nodes[me].current_epoch == before.current_epoch
        assert [node.slots for node in nodes[me].nodes] == [node.slots for node in before.nodes]
        assert [node.role for node in nodes[me].nodes] == [node.role for node in before.nodes]


def test_in_redis_an_old_election_stands_in_the_way_until_it_expires() -> None:
    for rules, waits in ((REDIS_7_0, True), (VALKEY_8_1, False)):
        state, _ = step(candidate(rules=rules), FORCE)

        asked, effects = step(state, ElectionDue())
        assert (told(effects) == [Refusal.ELECTION_RUNNING]) is waits

        if waits:
            asked, _ = step(step(asked, ElectionExpired())[0], ElectionDue())
        assert asked.election == Election(failover_auth_epoch=5)


def test_the_votes_of_all_masters_are_asked_for_with_force() -> None:
    state, _ = step(view(A1), FORCE)

    _, effects = step(state, ElectionDue())

    requests = [m for m in sent(effects) if isinstance(m, FailoverAuthRequest)]
    assert [message.force_ack for message in requests] == [True]
    assert C in state.nodes
