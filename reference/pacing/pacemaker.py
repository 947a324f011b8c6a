"""The pacemaker: what is due at an instant, when to look again, and what a step changed of it.

It is as pure as the core. Instants are milliseconds of any monotone clock, and chance comes as a
number (`entropy`) with each call. A driver carries out what is due, steps the core, and tells what
happened.
"""

import attrs

from reference.clauses import clause
from reference.core.events import (
    ClusterFailover,
    ElectionDue,
    Event,
    HeartbeatDue,
    ManualFailoverExpired,
    MeetRepeated,
    MigrationSilent,
    PongOverdue,
    Received,
    ReportExpired,
    SyncSlotsReceived,
    Timer,
)
from reference.core.heartbeat import sender_of
from reference.core.manual_failover import why_no_manual_failover
from reference.core.messages import FailoverAuthRequest, Heartbeat, ManualFailoverStart, Pong
from reference.core.replica_migration import orphans
from reference.core.state import ClusterState, ManualFailoverStage
from reference.core.timers import timers
from reference.core.types import Health, Link, NodeId
from reference.pacing.deadlines import deadline
from reference.pacing.draws import draws
from reference.pacing.elections import (
    is_best_ranked,
    note_election,
    note_vote,
    schedule_election,
)
from reference.pacing.habits import HABITS
from reference.pacing.heartbeat import (
    gossip_about,
    meet_sent,
    not_quiet,
    ping_overdue,
    ping_sent,
    random_ping,
    to_dial,
    to_greet_again,
    to_reconnect,
    to_tell_of_pause,
)
from reference.pacing.pace import DEFAULT_DIRECTIVES, ROUND_MS, Directives, Pace, PeerPace
from reference.pacing.replication import data_too_old


@attrs.frozen(kw_only=True, cache_hash=True)
class Dial:
    """Open a link to this node."""

    peer: NodeId


@attrs.frozen(kw_only=True)
class Drop:
    """Close our link to this node, which seems to be broken; it will be dialled again."""

    peer: NodeId


Action = Timer | HeartbeatDue | MeetRepeated | Dial | Drop


@clause("PA-20")
def begin(
    state: ClusterState,
    *,
    now: int,
    node_timeout: int,
    entropy: int,
    directives: Directives = DEFAULT_DIRECTIVES,
) -> Pace:
    """The pace of a node that starts now: nothing has been sent, and nothing heard.

    What the state says of failures counts as said now. Counterpart: `clusterLoadConfig`.
    """
    empty = Pace(
        node_timeout=node_timeout,
        habits=HABITS[state.rules.dialect],
        began=now,
        next_round=now,
        directives=directives,
    )
    return _follow_state(empty, state, now, entropy)


@clause("PA-1", "PA-19")
def next_deadline(pace: Pace) -> int:
    """The instant at which something may be due next; before it, `due` has nothing to say."""
    waits = [deadline(pace, timer) for timer in _running(pace)]
    return min([pace.next_round, *(instant for instant in waits if isinstance(instant, int))])


@clause("PA-1", "PA-19", "PA-33")
def due(pace: Pace, state: ClusterState, now: int, entropy: int) -> tuple[Pace, tuple[Action, ...]]:
    """What is to be done at this instant, in this order: timers, links, then pings.

    Counterpart: `clusterCron`.
    """
    actions: list[Action] = [
        _with_facts(pace, state, timer, now) for timer in _running(pace) if _fires(pace, timer, now)
    ]
    if now < pace.next_round:
        return pace, tuple(actions)
    chance = draws(entropy)
    # A round that comes late is not made up for: the next is a full interval away.
    pace = attrs.evolve(pace, next_round=now + ROUND_MS, round_number=pace.round_number + 1)
    restless = not_quiet(pace, state, now)
    actions += [MeetRepeated(peer=peer) for peer in to_greet_again(pace, state, now, restless)]
    actions += [Dial(peer=peer) for peer in to_dial(pace, state, now, restless)]
    lost = to_reconnect(pace, state, now, restless)
    actions += [Drop(peer=peer) for peer in lost]
    chosen = random_ping(pace, state, next(chance))
    overdue, paused = ping_overdue(pace, state, now, restless), to_tell_of_pause(pace, state)
    pinged = dict.fromkeys([*overdue, *paused, *([chosen] if chosen else [])])
    actions += [
        HeartbeatDue(peer=peer, gossip_about=gossip_about(pace, state, next(chance), receiver=peer))
        for peer in pinged
        if peer not in lost
    ]
    return pace, tuple(actions)


def _running(pace: Pace) -> list[Timer]:
    """The pending timers but those that wait for a PING, which are nearly all."""
    peers = pace.peers
    return [
        timer
        for timer in pace.pending
        if not isinstance(timer, PongOverdue)
        or ((peer := peers.get(timer.peer)) is not None and peer.ping_sent is not None)
    ]


def _fires(pace: Pace, timer: Timer, now: int) -> bool:
    instant = deadline(pace, timer)
    return isinstance(instant, int) and instant <= now


def _with_facts(pace: Pace, state: ClusterState, timer: Timer, now: int) -> Timer:
    """The timer with what the core cannot know of it."""
    if not isinstance(timer, ElectionDue):
        return timer
    return ElectionDue(
        data_too_old=data_too_old(pace, now), best_ranked=is_best_ranked(pace, state)
    )


@clause("PA-5", "PA-8", "PA-10", "PA-16", "PA-21", "PA-27")
def after_step(
    pace: Pace, before: ClusterState, after: ClusterState, event: Event, *, now: int, entropy: int
) -> Pace:
    """The pace knows what the step changed: who was heard or asked, and which timers are pending.

    Counterpart: the assignments of `mstime()` in `clusterProcessPacket` and `clusterSendPing`.
    """
    pace = _note_manual_failover(pace, before, after, event, now)
    if after is not before or isinstance(event, ClusterFailover):
        pace = _rename(pace, before, after, event)
        pace = note_election(pace, before, after, event, now)
        pace = _follow_state(pace, after, now, entropy)
    if isinstance(event, Received):
        pace = _hear(pace, after, event, now)
        asked = isinstance(event.message, FailoverAuthRequest)
        if asked and after.last_vote_epoch != before.last_vote_epoch:
            pace = note_vote(pace, after, sender_of(after, event), now)
    elif isinstance(event, HeartbeatDue):
        asked_node = before.nodes.get(event.peer)
        if asked_node is not None:
            note_sent = meet_sent if asked_node.meet else ping_sent
            pace = note_sent(pace, event.peer, now)
    elif isinstance(event, MeetRepeated):
        pace = meet_sent(pace, event.peer, now)
    elif isinstance(event, SyncSlotsReceived):
        silent = MigrationSilent(name=event.message.name)
        if silent in pace.pending:
            pace = attrs.evolve(pace, pending={**pace.pending, silent: now})
    elif isinstance(event, ElectionDue) and after.election is None:
        pace = _ask_again(pace, now)
    return pace


@clause("PA-27")
def _note_manual_failover(
    pace: Pace, before: ClusterState, after: ClusterState, event: Event, now: int
) -> Pace:
    """What the master's offset was when it had paused; and its time starts with each request."""
    old, new = before.manual_failover, after.manual_failover
    if new is None:
        return attrs.evolve(pace, paused_offset=None) if pace.paused_offset is not None else pace
    catching_up = ManualFailoverStage.CATCHING_UP
    if new.stage is catching_up and (old is None or old.stage is not catching_up):
        master = after.myself.replicaof or after.myself_id
        pace = attrs.evolve(pace, paused_offset=pace.peer(master).repl_offset)
    if _asks_for_manual_failover(before, event):
        pace = attrs.evolve(pace, pending={**pace.pending, ManualFailoverExpired(): now})
    return pace


def _asks_for_manual_failover(before: ClusterState, event: Event) -> bool:
    if isinstance(event, ClusterFailover):
        return why_no_manual_failover(before, event) is None
    if not (isinstance(event, Received) and isinstance(event.message, ManualFailoverStart)):
        return False
    replica = before.nodes.get(sender_of(before, event))
    return replica is not None and replica.replicaof == before.myself_id


@clause("PA-12")
def hear_offset(
    pace: Pace, state: ClusterState, peer: NodeId, offset: int, *, now: int, entropy: int
) -> Pace:
    """The replication offset of a node is known; a rank that it changes moves the election.

    Counterpart: `clusterProcessPacket`.
    """
    if peer not in state.nodes or pace.peer(peer).repl_offset == offset:
        return pace
    pace = pace.with_peer(peer, attrs.evolve(pace.peer(peer), repl_offset=offset))
    if ElectionDue() in pace.pending:
        return schedule_election(pace, state, now, entropy)
    return pace


def _ask_again(pace: Pace, now: int) -> Pace:
    """An election that was refused is asked for again in the next round, not at once."""
    if ElectionDue() not in pace.pending or pace.candidacy is None:
        return pace
    return attrs.evolve(pace, candidacy=attrs.evolve(pace.candidacy, auth_time=now + ROUND_MS))


def _rename(pace: Pace, before: ClusterState, after: ClusterState, event: Event) -> Pace:
    """A node that told its name keeps its instants under it."""
    if not isinstance(event, Received) or event.link_node is None:
        return pace
    old, new = event.link_node, event.message.header.sender
    renamed = old in before.nodes and old not in after.nodes
    if not renamed or new in before.nodes or new not in after.nodes:
        return pace
    peers = dict(pace.peers)
    peers[new] = peers.pop(old, PeerPace())
    return attrs.evolve(pace, peers=peers)


def _follow_state(pace: Pace, after: ClusterState, now: int, entropy: int) -> Pace:
    """Peers and pending timers are those of the state."""
    peers, alone = {}, orphans(after)
    for node in after.nodes:
        if node.node_id == after.myself_id:
            continue
        peer = pace.peers.get(node.node_id) or PeerPace(inbound_lost=now)
        failing = node.health is Health.FAIL
        if failing != (peer.fail_time is not None):
            peer = attrs.evolve(peer, fail_time=now if failing else None)
        orphaned = node.node_id in alone
        if orphaned != (peer.orphaned_since is not None):
            peer = attrs.evolve(peer, orphaned_since=now if orphaned else None)
        peers[node.node_id] = peer
    pending = {timer: pace.pending.get(timer, now) for timer in timers(after)}
    voted = {master: when for master, when in pace.voted.items() if master in after.nodes}
    pace = attrs.evolve(pace, peers=peers, pending=pending, voted=voted)
    if ElectionDue() in pending:
        return schedule_election(pace, after, now, entropy)
    return pace


def _hear(pace: Pace, state: ClusterState, event: Received, now: int) -> Pace:
    sender = sender_of(state, event)
    if sender is None:
        return pace
    ours = event.link is Link.OUTBOUND and sender == event.message.header.sender
    answers = ours and isinstance(event.message, Pong)
    peer = pace.peer(sender).heard(now, answers=answers)
    return _renew_reports(pace.with_peers({sender: peer}), sender, event, now)


def _renew_reports(pace: Pace, reporter: NodeId, event: Received, now: int) -> Pace:
    """A report that is repeated lasts its full time again."""
    if not isinstance(event.message, Heartbeat):
        return pace
    renewed: dict[Timer, int] = {}
    for entry in event.message.gossip:
        if entry.health is not Health.OK:
            report = ReportExpired(subject=entry.node_id, reporter=reporter)
            if report in pace.pending:
                renewed[report] = now
    return attrs.evolve(pace, pending={**pace.pending, **renewed}) if renewed else pace


@clause("PA-8")
def hear_data(pace: Pace, state: ClusterState, peer: NodeId | None, now: int) -> Pace:
    """The node sent something that no rule reads: it lives all the same.

    Counterpart: `clusterProcessPacket`.
    """
    if peer is None or state.known(peer) is None or peer == state.myself_id:
        return pace
    return pace.with_peer(peer, attrs.evolve(pace.peer(peer), data_received=now))
