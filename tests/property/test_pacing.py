"""The pacemaker over any history: total, never late, never idle, and blind to the clock's zero.

Clauses: PA-1, PA-5, PA-19, PA-20.
"""

from collections.abc import Iterable
from typing import Final

import attrs
from hypothesis import given
from hypothesis import strategies as st

from reference.core.events import Event, HeartbeatDue
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import NodeId
from reference.pacing.deadlines import deadline
from reference.pacing.heartbeat import learn_pong, link_dialled, link_lost
from reference.pacing.pace import ROUND_MS, Pace, PeerPace
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
from tests.builders import A1, A, cluster
from tests.strategies import dialects, events, names

NODE_TIMEOUT: Final = 1000


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


Happened = Event | Lost | Told | None
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
                self.pace = learn_pong(self.pace, self.state, happened.peer, heard, self.now)
                self.pace = hear_data(self.pace, self.state, happened.peer, self.now)
                self.pace = hear_offset(
                    self.pace,
                    self.state,
                    happened.peer,
                    happened.offset,
                    now=self.now,
                    entropy=entropy,
                )
            case _:
                self.step(happened, entropy)

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
    candidacy = pace.candidacy
    return attrs.evolve(
        pace,
        next_round=pace.next_round + shift,
        peers={name: _shifted_peer(peer, shift) for name, peer in pace.peers.items()},
        pending={timer: since + shift for timer, since in pace.pending.items()},
        voted={master: at + shift for master, at in pace.voted.items()},
        candidacy=None
        if candidacy is None
        else attrs.evolve(candidacy, auth_time=candidacy.auth_time + shift),
    )


def _shifted_peer(peer: PeerPace, shift: int) -> PeerPace:
    moved = {
        field.name: value + shift
        for field in attrs.fields(PeerPace)
        if field.name != "repl_offset" and (value := getattr(peer, field.name)) is not None
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
