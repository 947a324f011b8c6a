"""What a node remembers of time: instants of pings, pongs, data, failures, reports and votes.

Everything that is only about *when* lives here and not in the core. Instants and delays are whole
milliseconds of one monotone clock; an instant that is None has not come.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import attrs

from reference.core.events import Timer
from reference.core.types import NodeId
from reference.pacing.habits import Habits

ROUND_MS: Final = 100
"""How often links and pings are looked at (`clusterCron` runs 10 times a second)."""

ROUNDS_PER_RANDOM_PING: Final = 10
"""In every tenth round one of a random sample is pinged."""

RANDOM_PING_SAMPLE: Final = 5


class WaitsFor(Enum):
    """What has to happen before a pending timer can have a deadline at all."""

    PING = "no PING is in flight"
    PONG = "the node has not answered since it may be undone"
    OFFSET = "the replica has not all that its master sent before it paused"


Deadline = int | WaitsFor


@attrs.frozen(kw_only=True, slots=False)
class PeerPace:
    """The instants of one other node (the time fields of `clusterNode` and its link).

    It has no slots, since each message makes another one and a dictionary is quick to copy.
    """

    ping_sent: int | None = None  # of the PING in flight
    pong_received: int | None = None  # told by the node, or by another that heard it
    answered: int | None = None  # the last PONG on our own link
    data_received: int | None = None  # the last message of any type
    linked_since: int | None = None  # when our present link was dialled, None without a link
    dialled: int | None = None  # the last time we dialled it
    inbound: bool = False  # it has a link to us
    inbound_lost: int | None = None  # since when it has none, at the earliest since it is known
    meet_sent: int | None = None  # the last MEET we sent it
    takes_meet_again: bool = False  # it said that it answers a MEET of a node it knows
    orphaned_since: int | None = None  # since when it is a master that a replica may move to
    fail_time: int | None = None  # since when it is in FAIL
    repl_offset: int = 0  # bytes, as its last header said

    def heard(self, now: int, *, answers: bool) -> "PeerPace":
        """A message of the node came now, which answers our PING or does not."""
        changed = object.__new__(PeerPace)
        changed.__dict__.update(self.__dict__, data_received=now)
        if answers:
            changed.__dict__.update(ping_sent=None, pong_received=now, answered=now)
        return changed

    def pinged(self, now: int) -> "PeerPace":
        """A PING is in flight since now."""
        changed = object.__new__(PeerPace)
        changed.__dict__.update(self.__dict__, ping_sent=now)
        return changed

    def heard_by_another(self, pong_received: int) -> "PeerPace":
        """The node answered another one at that instant."""
        changed = object.__new__(PeerPace)
        changed.__dict__.update(self.__dict__, pong_received=pong_received)
        return changed


@attrs.frozen(kw_only=True)
class Candidacy:
    """When this node stands, or stood, for election (failover_auth_time, _rank and _sent)."""

    auth_time: int
    earliest: int  # before it no election is thought of, because of the one before
    rank: int = 0  # how many replicas of the same master go first
    failed_master_rank: int = 0  # how many shards go first
    sent: bool = False  # the votes have been asked for


@attrs.frozen(kw_only=True)
class MasterLink:
    """The link on which a replica gets its data."""

    up: bool
    since: int | None  # up: when the master last sent something; down: when it went down, or never


@attrs.frozen(kw_only=True)
class Directives:
    """What an operator configures of the delays, besides the node timeout."""

    ping_interval: int = 0  # ms, 0 for half of the node timeout (`cluster-ping-interval`)
    manual_failover_timeout: int = 5000  # ms (`cluster-manual-failover-timeout`)
    blacklist_ttl: int = 60_000  # ms (`cluster-blacklist-ttl`)
    replica_validity_factor: int = 10  # node timeouts, 0 for no limit
    repl_ping_period: int = 10_000  # ms (`repl-ping-replica-period`)
    repl_timeout: int = 60_000  # ms (`repl-timeout`)
    gossip_percent: int = 10  # of the table (`cluster-message-gossip-perc`)


DEFAULT_DIRECTIVES: Final = Directives()
"""What the servers do if nothing is configured."""


@attrs.frozen(kw_only=True, slots=False)
class Pace:
    """All instants that a node keeps, and since when each pending timer is pending.

    It has no slots, since each message makes another one and a dictionary is quick to copy.
    """

    node_timeout: int
    habits: Habits
    began: int
    next_round: int
    directives: Directives = DEFAULT_DIRECTIVES
    round_number: int = 0
    peers: Mapping[NodeId, PeerPace] = attrs.field(factory=dict)
    pending: Mapping[Timer, int] = attrs.field(factory=dict)
    voted: Mapping[NodeId, int] = attrs.field(factory=dict)  # by the master voted about
    candidacy: Candidacy | None = None
    repl_offset: int = 0  # bytes, our own
    paused_offset: int | None = None  # bytes, of our master when it had paused
    master_link: MasterLink | None = None  # None: nobody tells of one

    @property
    def auth_timeout(self) -> int:
        """How long an election may take."""
        return max(2 * self.node_timeout, 2000)

    @property
    def auth_retry_time(self) -> int:
        """How long after an election the next one may be thought of."""
        return 2 * self.auth_timeout

    @property
    def pause_timeout(self) -> int:
        """When a pause for a manual failover ends by itself."""
        return 2 * self.directives.manual_failover_timeout

    @property
    def ping_interval(self) -> int:
        """How old a PONG may get before the node is pinged."""
        return self.directives.ping_interval or self.node_timeout // 2

    @property
    def handshake_timeout(self) -> int:
        """How long a node that was met may stay without a name."""
        return max(self.node_timeout, 1000)

    def peer(self, node_id: NodeId) -> PeerPace:
        """The instants of this node, all None if it is new."""
        return self.peers.get(node_id, _NEW_PEER)

    def with_peer(self, node_id: NodeId, peer: PeerPace) -> "Pace":
        """The same, with these instants for this node."""
        if self.peers.get(node_id) == peer:
            return self
        return self.with_peers({node_id: peer})

    def with_peers(self, peers: Mapping[NodeId, PeerPace]) -> "Pace":
        """The same, with these instants for these nodes."""
        if not peers:
            return self
        changed = object.__new__(Pace)
        changed.__dict__.update(self.__dict__, peers={**self.peers, **peers})
        return changed


_NEW_PEER: Final = PeerPace()
