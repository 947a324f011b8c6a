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


Deadline = int | WaitsFor


@attrs.frozen(kw_only=True)
class PeerPace:
    """The instants of one other node (the time fields of `clusterNode` and its link)."""

    ping_sent: int | None = None  # of the PING in flight
    pong_received: int | None = None  # told by the node, or by another that heard it
    answered: int | None = None  # the last PONG on our own link
    data_received: int | None = None  # the last message of any type
    linked_since: int | None = None  # when our present link was dialled, None without a link
    fail_time: int | None = None  # since when it is in FAIL
    repl_offset: int = 0  # bytes, as its last header said


@attrs.frozen(kw_only=True)
class Candidacy:
    """When this node stands, or stood, for election (failover_auth_time, _rank and _sent)."""

    auth_time: int
    rank: int = 0  # how many replicas of the same master go first
    sent: bool = False  # the votes have been asked for


@attrs.frozen(kw_only=True)
class Pace:
    """All instants that a node keeps, and since when each pending timer is pending."""

    node_timeout: int
    habits: Habits
    next_round: int
    round_number: int = 0
    peers: Mapping[NodeId, PeerPace] = attrs.field(factory=dict)
    pending: Mapping[Timer, int] = attrs.field(factory=dict)
    voted: Mapping[NodeId, int] = attrs.field(factory=dict)  # by the master voted about
    candidacy: Candidacy | None = None
    repl_offset: int = 0  # bytes, our own

    @property
    def auth_timeout(self) -> int:
        """How long an election may take."""
        return max(2 * self.node_timeout, 2000)

    @property
    def auth_retry_time(self) -> int:
        """How long after an election the next one may be thought of."""
        return 2 * self.auth_timeout

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
        return attrs.evolve(self, peers={**self.peers, node_id: peer})


_NEW_PEER: Final = PeerPace()
