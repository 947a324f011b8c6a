"""The pacemaker over any history: total, never late, never idle, and blind to the clock's zero.

Clauses: PA-1, PA-3, PA-4, PA-5, PA-19, PA-20, PA-33.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.core.events import (
    ElectionDue,
    Event,
    FailUndoAllowed,
    HeartbeatDue,
    ManualFailoverOffsetReached,
    MeetRepeated,
    PongOverdue,
    Received,
    Timer,
)
from reference.core.messages import Pong
from reference.core.rules import REDIS_7_0, Rules
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Health, Link, NodeId
from reference.pacing.deadlines import deadline
from reference.pacing.heartbeat import (
    learn_abilities,
    learn_pongs,
    link_dialled,
    link_inbound,
    link_lost,
    not_quiet,
    ping_overdue,
    ping_sent,
    to_dial,
    to_greet_again,
    to_reconnect,
)
from reference.pacing.pace import ROUND_MS, Directives, MasterLink, Pace, PeerPace, WaitsFor
from reference.pacing.pacemaker import (
    Dial,
    Drop,
    after_step,
    begin,
    due,
    hear_data,
    hear_offset,
    next_deadline,
)
from reference.pacing.replication import (
    advance_offset,
    hear_master,
    lose_master,
    never_heard_master,
)
from tests.builders import A1, A, cluster, says
from tests.strategies import dialects, events, names

NODE_TIMEOUT: Final = 1000
LIFE_ROUNDS: Final = 40
NO_INSTANTS: Final = ("repl_offset", "inbound", "takes_meet_again")


@attrs.frozen
class Lost:
    """Our link to a node breaks."""

    peer: NodeId
    never_opened: bool


@attrs.frozen
class Told:
    """Somebody tells when it heard a node, relative to now, and how much data that one has."""

    peer: NodeId
    age: int
    offset: int


@attrs.frozen
class Came:
    """A node has a link to us, or none any more, and can be greeted again."""

    peer: NodeId
    up: bool


@attrs.frozen
class Copied:
    """Our own data goes so far now, and the master is heard, lost, or was never there."""

    offset: int
    master: bool | None


Happened = Event | Lost | Told | Came | Copied | None
"""None: nothing but the time that passed."""

histories = st.lists(
    st.tuples(
        st.integers(0, 700),
        st.integers(0, 2**64 - 1),
        st.one_of(
            st.none(),
            events,
            st.builds(Lost, names, st.booleans()),
            st.builds(Told, names, st.integers(-1000, 3000), st.integers(0, 3)),
            st.builds(Came, names, st.booleans()),
            st.builds(Copied, st.integers(0, 3), st.none() | st.booleans()),
        ),
    ),
    max_size=30,
)


@attrs.define
class Lonely:
    """One node with a clock and links, and nobody who answers."""

    state: ClusterState
    pace: Pace
    now: int

    @classmethod
    def started(cls, state: ClusterState, now: int) -> "Lonely":
        """A node that starts at this instant."""
        pace = begin(state, now=now, node_timeout=NODE_TIMEOUT, entropy=7)
        return cls(state, pace, now)

    def live(self, delay: int, entropy: int, happened: Happened) -> None:
        """Time passes, the pacemaker is asked, and something happens."""
        self.now += delay
        self.tick(entropy)
        match happened:
            case None:
                pass
            case Lost():
                self.pace = link_lost(
                    self.pace, happened.peer, self.now, never_opened=happened.never_opened
                )
            case Told():
                heard = self.now - happened.age
                self.pace = learn_pongs(self.pace, self.state, [(happened.peer, heard)], self.now)
                self.pace = hear_data(self.pace, self.state, happened.peer, self.now)
                self.pace = hear_offset(
                    self.pace,
                    self.state,
                    happened.peer,
                    happened.offset,
                    now=self.now,
                    entropy=entropy,
                )
            case Came():
                self.pace = link_inbound(self.pace, happened.peer, self.now, up=happened.up)
                self.pace = learn_abilities(self.pace, happened.peer, takes_meet_again=True)
            case Copied():
                self.copy(happened, entropy)
            case _:
                self.step(happened, entropy)

    def copy(self, copied: Copied, entropy: int) -> None:
        """The link for the data does something."""
        if copied.master is None:
            self.pace = never_heard_master(self.pace)
        else:
            told = hear_master if copied.master else lose_master
            self.pace = told(self.pace, self.now)
        self.pace = advance_offset(
            self.pace, self.state, copied.offset, now=self.now, entropy=entropy
        )

    def tick(self, entropy: int) -> None:
        """What is due is done."""
        self.pace, actions = due(self.pace, self.state, self.now, entropy)
        for action in actions:
            match action:
                case Dial():
                    self.pace = link_dialled(self.pace, action.peer, self.now)
                case Drop():
                    self.pace = link_lost(self.pace, action.peer, self.now)
                case _:
                    self.step(action, entropy)

    def step(self, event: Event, entropy: int) -> None:
        """The core takes the event."""
        before = self.state
        self.state, _ = step(before, event)
        self.pace = after_step(self.pace, before, self.state, event, now=self.now, entropy=entropy)


def _start(rules: Rules, me: NodeId, now: int) -> Lonely:
    return Lonely.started(cluster(masters=3, replicas=2, rules=rules)[me], now)


@given(dialects, st.sampled_from([A, A1]), histories)
def test_each_pending_timer_has_a_deadline(
    rules: Rules, me: NodeId, history: list[tuple[int, int, Happened]]
) -> None:
    node = _start(rules, me, 0)

    for moment in history:
        node.live(*moment)

        assert set(node.pace.pending) == set(timers(node.state))
        waits = [deadline(node.pace, timer) for timer in node.pace.pending]
        instants = [wait for wait in waits if isinstance(wait, int)]
        assert next_deadline(node.pace) == min([node.pace.next_round, *instants])


@given(dialects, st.sampled_from([A, A1]), histories)
def test_what_is_due_is_done_at_once_and_once(
    rules: Rules, me: NodeId, history: list[tuple[int, int, Happened]]
) -> None:
    node = _start(rules, me, 0)

    for moment in history:
        node.live(*moment)
        node.tick(1)

        assert node.now < next_deadline(node.pace) <= node.now + ROUND_MS


instants = st.sampled_from([None, 0, 1600, 2400])
peer_paces = st.builds(
    PeerPace,
    ping_sent=instants,
    pong_received=instants,
    data_received=instants,
    linked_since=instants,
    dialled=instants,
    inbound=st.booleans(),
    inbound_lost=instants,
    meet_sent=instants,
    takes_meet_again=st.booleans(),
)


@given(dialects, st.lists(peer_paces, min_size=5, max_size=5), st.integers(2000, 3000))
def test_no_rule_of_a_round_is_about_a_quiet_node(
    rules: Rules, peers: list[PeerPace], now: int
) -> None:
    node = _start(rules, A, 0)
    state, names = node.state, [each.node_id for each in node.state.nodes]
    pace = node.pace.with_peers(dict(zip(names, peers, strict=True)))

    restless = not_quiet(pace, state, now)

    for rule in (to_dial, to_greet_again, to_reconnect, ping_overdue):
        assert rule(pace, state, now, restless) == rule(pace, state, now)


@given(dialects, st.sampled_from([A, A1]), histories, st.integers(-10_000, 2**41))
def test_a_shift_of_the_clock_changes_nothing(
    rules: Rules, me: NodeId, history: list[tuple[int, int, Happened]], shift: int
) -> None:
    here, there = _start(rules, me, 0), _start(rules, me, shift)

    for moment in history:
        here.live(*moment)
        there.live(*moment)

    assert there.state == here.state
    assert there.pace == _shifted(here.pace, shift)


def _shifted(pace: Pace, shift: int) -> Pace:
    candidacy, link = pace.candidacy, pace.master_link
    return attrs.evolve(
        pace,
        began=pace.began + shift,
        master_link=None if link is None else _shifted_link(link, shift),
        next_round=pace.next_round + shift,
        peers={name: _shifted_peer(peer, shift) for name, peer in pace.peers.items()},
        pending={timer: since + shift for timer, since in pace.pending.items()},
        voted={master: at + shift for master, at in pace.voted.items()},
        candidacy=None
        if candidacy is None
        else attrs.evolve(
            candidacy,
            auth_time=candidacy.auth_time + shift,
            earliest=candidacy.earliest + shift,
        ),
    )


def _shifted_link(link: MasterLink, shift: int) -> MasterLink:
    return link if link.since is None else attrs.evolve(link, since=link.since + shift)


def _shifted_peer(peer: PeerPace, shift: int) -> PeerPace:
    moved = {
        field.name: value + shift
        for field in attrs.fields(PeerPace)
        if field.name not in NO_INSTANTS and (value := getattr(peer, field.name)) is not None
    }
    return attrs.evolve(peer, **moved)


@given(dialects, histories)
def test_the_pace_knows_the_nodes_of_the_table_and_no_others(
    rules: Rules, history: list[tuple[int, int, Happened]]
) -> None:
    node = _start(rules, A, 0)

    for moment in history:
        node.live(*moment)

        assert _known(node.pace.peers) <= _known(n.node_id for n in node.state.nodes)


def _known(node_ids: Iterable[NodeId]) -> set[NodeId]:
    return set(node_ids)


@given(dialects, st.lists(st.integers(0, 2**64 - 1), min_size=40, max_size=40))
def test_a_silent_cluster_is_suspected_in_time(rules: Rules, chances: list[int]) -> None:
    """Whatever chance does, each node is in PFAIL soon after NT, and not before."""
    node = _start(rules, A, 0)

    for chance in chances:
        node.live(ROUND_MS, chance, None)
        for peer in node.pace.peers:
            node.pace = link_dialled(node.pace, peer, node.now)
            if node.pace.peer(peer).ping_sent is None:
                node.step(HeartbeatDue(peer=peer), chance)

    suspected = {n.node_id for n in node.state.nodes if n.health.value != "ok"}
    assert suspected == {n.node_id for n in node.state.nodes} - {A}


def _end_wait(pace: Pace, timer: Timer, now: int) -> Pace:
    """What the timer waits for has happened."""
    match timer:
        case PongOverdue():
            return ping_sent(pace, timer.peer, now)
        case FailUndoAllowed():
            answered = now + 10 * NODE_TIMEOUT
            return pace.with_peer(
                timer.peer, attrs.evolve(pace.peer(timer.peer), answered=answered)
            )
        case ManualFailoverOffsetReached():
            return attrs.evolve(pace, repl_offset=pace.paused_offset or 0)
        case _:
            message = f"{timer} waits for nothing"
            raise AssertionError(message)


@given(dialects, st.sampled_from([A, A1]), histories)
def test_no_timer_is_lost(
    rules: Rules, me: NodeId, history: list[tuple[int, int, Happened]]
) -> None:
    """Each fires at its deadline and not before, once what it waits for has happened."""
    node = _start(rules, me, 0)
    for moment in history:
        node.live(*moment)

    for timer in node.pace.pending:
        pace = node.pace
        instant = deadline(pace, timer)
        if isinstance(instant, WaitsFor):
            pace = _end_wait(pace, timer, node.now)
            instant = deadline(pace, timer)
        assert isinstance(instant, int)
        assert instant <= node.now + 60_001 + 6 * NODE_TIMEOUT + 10 * NODE_TIMEOUT
        assert next_deadline(pace) <= instant
        for now, fires in ((instant - 1, False), (instant, True)):
            fired = {type(action) for action in due(pace, node.state, now, 1)[1]}
            named = set(due(pace, node.state, now, 1)[1])
            if isinstance(timer, ElectionDue):
                assert (ElectionDue in fired) is fires
            else:
                assert (timer in named) is fires


@attrs.define
class Answered:
    """One node whose others answer every PING after a while, and how often it pinged them."""

    node: Lonely
    latency: int
    pinged: dict[NodeId, list[int]] = attrs.field(factory=dict)
    pongs: list[tuple[int, NodeId]] = attrs.field(factory=list)

    def live(self, entropy: int) -> None:
        """A round, and the answers that came until then."""
        node = self.node
        node.now += ROUND_MS
        for at, peer in [pong for pong in self.pongs if pong[0] <= node.now]:
            self.pongs.remove((at, peer))
            entry = node.state.nodes[peer]
            said = says(
                peer,
                replicaof=entry.replicaof,
                config_epoch=entry.config_epoch,
                claims=entry.slots,
            )
            said = attrs.evolve(said, shard_id=entry.shard_id, address=entry.address)
            event = Received(message=Pong(header=said), link=Link.OUTBOUND, link_node=peer)
            node.step(event, entropy)
        node.pace, actions = due(node.pace, node.state, node.now, entropy)
        for action in actions:
            if isinstance(action, Dial):
                node.pace = link_dialled(node.pace, action.peer, node.now)
            elif isinstance(action, HeartbeatDue):
                self.pinged.setdefault(action.peer, []).append(node.now)
                self.pongs.append((node.now + self.latency, action.peer))
                node.step(action, entropy)
            else:
                assert not isinstance(action, Drop | MeetRepeated | PongOverdue)


@given(
    dialects,
    st.integers(2, 24),
    st.sampled_from([0, 30, 200]),
    st.integers(0, 2**64 - 1),
)
def test_the_rate_of_pings_is_bounded_whatever_the_size_of_the_cluster(
    rules: Rules, size: int, latency: int, chance: int
) -> None:
    """One to each node in NT/2 and one a second besides, and none is left out for longer."""
    state = cluster(masters=min(size, 5), replicas=max(size - 5, 0), rules=rules)[A]
    node = Lonely.started(state, 0)

    life = _lived(node, latency, chance)

    assert not _too_many_pings(life, size)
    assert not _left_out(life)
    assert all(node.health is Health.OK for node in life.node.state.nodes)


def _lived(node: Lonely, latency: int, chance: int) -> Answered:
    life = Answered(node, latency)
    for number in range(LIFE_ROUNDS):
        life.live(chance + number)
    return life


def _too_many_pings(life: Answered, size: int) -> bool:
    each = LIFE_ROUNDS * ROUND_MS // (NODE_TIMEOUT // 2) + 1
    at_random = LIFE_ROUNDS // 10 + 1
    return sum(map(len, life.pinged.values())) > (size - 1) * each + at_random


def _left_out(life: Answered) -> set[NodeId]:
    """Who was not pinged for longer than NT/2, its answer's time, and the rounds around it."""
    longest = NODE_TIMEOUT // 2 + life.latency + 2 * ROUND_MS
    end = LIFE_ROUNDS * ROUND_MS
    return {
        peer
        for peer in life.node.pace.peers
        if max(b - a for a, b in pairwise([0, *life.pinged.get(peer, []), end])) > longest
    }


@pytest.mark.parametrize(("ping_interval", "too_many"), [(1, True), (5000, False)])
def test_a_node_that_pings_too_often_or_too_seldom_breaks_the_bound(
    ping_interval: int,
    too_many: bool,  # noqa: FBT001
) -> None:
    node = Lonely.started(cluster(masters=5, replicas=5)[A], 0)
    node.pace = attrs.evolve(node.pace, directives=Directives(ping_interval=ping_interval))

    life = _lived(node, 0, 7)

    assert _too_many_pings(life, 10) is too_many
    assert bool(_left_out(life)) is not too_many


def test_a_node_that_forgets_its_timers_suspects_nobody() -> None:
    node = _start(REDIS_7_0, A, 0)
    forgetful = _start(REDIS_7_0, A, 0)

    for _ in range(40):
        node.live(ROUND_MS, 1, None)
        forgetful.pace = attrs.evolve(forgetful.pace, pending={})
        forgetful.live(ROUND_MS, 1, None)
        for one in (node, forgetful):
            for peer in one.pace.peers:
                one.step(HeartbeatDue(peer=peer), 1)

    assert any(n.health is Health.PFAIL for n in node.state.nodes)
    assert all(n.health is Health.OK for n in forgetful.state.nodes)
