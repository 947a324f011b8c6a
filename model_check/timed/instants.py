"""A node's instants as ages, so that a state is the same one whenever it comes.

After any time that passes, now is 0 again. An instant that is so long ago that no comparison of the
pacemaker can tell it from an older one is moved to where it still is long ago: there are finitely
many states then, and they behave as the real ones (`tests/model/test_timed.py` compares them).
"""

from collections.abc import Hashable
from typing import Final

import attrs

from reference.core.events import (
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
    Timer,
)
from reference.core.redirection import SERVE, Asked, decide
from reference.core.state import ClusterState
from reference.pacing.availability import WRITABLE_DELAY_MS, Availability
from reference.pacing.pace import Candidacy, Pace, PeerPace

NO_RANDOM_PING: Final = 1
"""A round number that is no multiple of ten (PA-4)."""
_LONGEST_DELAY_MS: Final = 61_000
"""Longer than any delay of a timer that is counted from when it became pending."""
_LONGEST_ORPHANED_MS: Final = 5_001
"""After which a replica may move to a master without one (PA-28), whenever else it became so."""
_LONGEST_REJOIN_MS: Final = 5_000
_SINCE_IS_UNUSED: Final = (PongOverdue, FailUndoAllowed)
_SINCE_CANDIDACY: Final = (ElectionDue, ElectionExpired)


@attrs.frozen(kw_only=True)
class TimedNode:
    """A node of the core with its pacemaker; now is 0."""

    state: ClusterState
    pace: Pace
    availability: Availability

    @property
    def key(self) -> Hashable:
        """What tells it from other nodes."""
        pace = self.pace
        return (
            self.state,
            pace.next_round,
            tuple(sorted(pace.peers.items())),
            frozenset(pace.pending.items()),
            tuple(sorted(pace.voted.items())),
            pace.candidacy,
            self.availability,
        )

    def takes_writes(self, slot: int) -> bool:
        """Whether a client that writes to the slot is served, by the node's own redirection."""
        asked = Asked(slots=(slot,), writes=True)
        return decide(self.state, asked, state_ok=self.availability.serving) == SERVE


def later(node: TimedNode, ms: int) -> TimedNode:
    """The node that did nothing for so long by its own clock."""
    pace = node.pace
    pending = {timer: _since(pace, timer, since - ms) for timer, since in pace.pending.items()}
    availability = node.availability
    moved = attrs.evolve(
        pace,
        began=0,  # the node is older than anything is compared with
        round_number=NO_RANDOM_PING,
        next_round=max(pace.next_round - ms, 0),
        peers={name: _peer(pace, peer, ms) for name, peer in pace.peers.items()},
        pending=pending,
        voted={
            master: max(when - ms, -2 * pace.node_timeout) for master, when in pace.voted.items()
        },
        candidacy=None if pace.candidacy is None else _candidacy(pace, pace.candidacy, ms),
    )
    minority_at = availability.minority_at
    availability = Availability(
        serving=availability.serving,
        newcomer=availability.newcomer,
        began=max(availability.began - ms, -WRITABLE_DELAY_MS),
        minority_at=None if minority_at is None else max(minority_at - ms, -_LONGEST_REJOIN_MS),
    )
    return TimedNode(state=node.state, pace=moved, availability=availability)


def _since(pace: Pace, timer: Timer, since: int) -> int:
    """Where it does not count when a timer became pending, it is the same for all."""
    if isinstance(timer, _SINCE_IS_UNUSED):
        return 0
    if isinstance(timer, _SINCE_CANDIDACY) and pace.candidacy is not None:
        return 0
    return max(since, -_longest(pace, timer))


def _longest(pace: Pace, timer: Timer) -> int:
    """After so long it is due, whenever else it became pending."""
    if isinstance(timer, ReportExpired):
        return 2 * pace.node_timeout + 1
    if isinstance(timer, ReplicaMigrationDue):
        return _LONGEST_ORPHANED_MS
    return _LONGEST_DELAY_MS


def _peer(pace: Pace, peer: PeerPace, ms: int) -> PeerPace:
    """Only whether more than NT, NT/2 or 2 NT have passed is ever asked."""
    timeout = pace.node_timeout

    def at(instant: int | None, longest: int) -> int | None:
        return None if instant is None else max(instant - ms, -longest - 1)

    fail_time = at(peer.fail_time, 2 * timeout)
    answered = peer.answered
    if peer.fail_time is None or (answered or 0) <= peer.fail_time + 2 * timeout:
        answered = None  # it came too early to undo a FAIL, and will for ever have done so
    return PeerPace(  # each field by name: this is where most of the time goes
        ping_sent=at(peer.ping_sent, timeout),
        pong_received=at(peer.pong_received, pace.ping_interval),
        answered=at(answered, 2 * timeout),
        data_received=at(peer.data_received, timeout),
        linked_since=at(peer.linked_since, timeout),
        dialled=at(peer.dialled, timeout),
        inbound=peer.inbound,
        inbound_lost=None,
        meet_sent=None,
        takes_meet_again=peer.takes_meet_again,
        orphaned_since=at(peer.orphaned_since, _LONGEST_ORPHANED_MS),
        fail_time=fail_time,
        repl_offset=peer.repl_offset,
    )


def _candidacy(pace: Pace, candidacy: Candidacy, ms: int) -> Candidacy:
    """An old election is compared with the time after which the next is thought of."""
    return attrs.evolve(
        candidacy,
        auth_time=max(candidacy.auth_time - ms, -pace.auth_retry_time - 1),
        earliest=max(candidacy.earliest - ms, -1),
    )
