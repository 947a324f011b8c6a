"""What may happen in a timed model, and how a cluster at rest looks in it."""

from collections.abc import Iterator
from itertools import product
from typing import Final

import attrs

from model_check.models.start import agreed, at_port, master, replica
from model_check.timed.bound import Setting, bound
from model_check.timed.clockwork import Clockwork, Judge, drawing
from model_check.timed.instants import TimedNode, later
from reference.core.rules import Rules
from reference.core.settings import Settings
from reference.core.state import ClusterState
from reference.core.types import NodeId
from reference.pacing.availability import WRITABLE_DELAY_MS, Availability, judge
from reference.pacing.elections import election_delay
from reference.pacing.pace import ROUND_MS, Candidacy, Pace
from reference.pacing.pacemaker import begin

CLAUSES: Final = ("PA-P1", "CS-3", "PA-3", "PA-8", "PA-11", "PA-23", "FD-6", "EL-12")
"""What the timed model is about."""
NAMES: Final = tuple(map(NodeId, "ABCD"))
OLD, _B, _C, NEW = range(4)
SLOT: Final = 0
"""A slot of A, which D takes over."""


@attrs.frozen(kw_only=True)
class Scope:
    """A master A with a replica D, two more masters B and C, and what may go wrong.

    Times are in milliseconds, and a multiple of the tick; `delay` is in ticks.
    """

    rules: Rules
    node_timeout: int
    tick: int
    delay: int = 0  # how many ticks a message may be on its way
    late: int = 0  # how many messages to or from A may be so long on their way
    cuts: int = 1  # how often A may be cut off from all others
    one_way: bool = False  # what B and C send to A arrives though it is cut off
    heals: int = 0  # how often it may be reached again
    pauses: int = 0  # how often A may be stopped, and go on
    slow: frozenset[int] = frozenset()  # whose clocks may be slow
    drift: int = 0  # a slow clock misses one tick in so many at the most, 0: none
    judged_by: Judge = judge

    def __attrs_post_init__(self) -> None:
        """ValueError for times that the ticks do not meet."""
        if self.tick <= 0 or ROUND_MS % self.tick or self.node_timeout % (2 * self.tick):
            raise ValueError(
                f"a tick divides a round of {ROUND_MS} ms and half of the node timeout"
            )

    @property
    def setting(self) -> Setting:
        """What the bound depends on; a message that cannot be late has no delay."""
        return Setting(
            node_timeout=self.node_timeout,
            election_delay=self.election_delay,
            delay=self.delay * self.tick if self.late else 0,
            missed=self.tick,
            missed_in=self.drift * self.tick if OLD in self.slow else 0,
            returns=self.heals + self.pauses,
        )

    @property
    def bound(self) -> int:
        """The longest window by argument, in milliseconds."""
        return bound(self.setting, granted=self.tick)

    def clockwork(self) -> Clockwork:
        """Nodes that draw the shortest delays."""
        short = self._pace().habits.election_delay_scales
        limit = min(self.node_timeout // 30, 500) if short else 500
        return Clockwork(NAMES, self.rules, drawing(0, limit), self.judged_by)

    def _pace(self) -> Pace:
        return begin(_cluster(self.rules)[0], now=0, node_timeout=self.node_timeout, entropy=0)

    @property
    def election_delay(self) -> int:
        """The shortest delay of an election, in milliseconds; 0 if the only replica goes first."""
        if self.rules.best_ranked_goes_first:
            return 0
        pace = attrs.evolve(self._pace(), repl_offset=1)
        return election_delay(pace, Candidacy(auth_time=0, earliest=0), self.clockwork().chance)

    def starts(self, clockwork: Clockwork) -> Iterator[tuple[int, ...]]:
        """The nodes at rest, whenever they last pinged each other and had their rounds.

        A and the other masters pinged each other at any two times, B and C among themselves at any
        third, all others long ago. B and C do so at the same times.
        """
        half = self.node_timeout // 2 // self.tick
        rounds = range(ROUND_MS // self.tick)
        for to, back, aside in product(range(half + 1), repeat=3):
            for mine, others in product(rounds, repeat=2):
                ages = {(0, 1): to, (0, 2): to, (1, 0): back, (2, 0): back, (1, 2): aside}
                yield tuple(
                    clockwork.number(self._at_rest(at, ages, mine if at == OLD else others))
                    for at in range(len(NAMES))
                )

    def _at_rest(self, me: int, ages: dict[tuple[int, int], int], turn: int) -> TimedNode:
        state = _cluster(self.rules)[me]
        pace = begin(state, now=0, node_timeout=self.node_timeout, entropy=0)
        peers = {}
        for other, name in enumerate(NAMES):
            if other != me:
                asked, answered = ages.get((me, other), 0), ages.get((other, me), 0)
                peers[name] = attrs.evolve(
                    pace.peer(name),
                    pong_received=-asked * self.tick,
                    data_received=-min(asked, answered) * self.tick,
                    linked_since=-2 * self.node_timeout,
                    inbound=True,
                    repl_offset=1,
                )
        pace = attrs.evolve(
            pace,
            peers=peers,
            next_round=turn * self.tick + self.tick,
            repl_offset=1,
            habits=attrs.evolve(pace.habits, reports_last_whole_seconds=False),
        )
        availability = Availability(began=-WRITABLE_DELAY_MS, serving=True, newcomer=False)
        return later(TimedNode(state=state, pace=pace, availability=availability), 0)


def _cluster(rules: Rules) -> tuple[ClusterState, ...]:
    """Each master has one slot, and nobody asks for full coverage.

    D would say that the cluster is down until it has replaced A, and that makes no difference.
    """
    entries = (
        at_port(master("A", SLOT, epoch=1), 7001),
        at_port(master("B", 1, epoch=2), 7002),
        at_port(master("C", 2, epoch=3), 7003),
        at_port(replica("D", of="A"), 7004),
    )
    settings = Settings(require_full_coverage=False)
    return tuple(attrs.evolve(state, settings=settings) for state in agreed(rules, *entries))
