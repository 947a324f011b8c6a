"""The best-ranked replica of a failed master goes first, and asks voters to take its word."""

from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.models.cluster import ModelEvent, Process, Scope
from model_check.models.history import History
from model_check.models.model import Expected, Model
from model_check.models.properties import ELECTION_SAFETY, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import agreed, master, replica
from model_check.properties import StepProperty
from model_check.system import Move
from reference.core.events import ElectionDue, ElectionExpired
from reference.core.messages import FailoverAuthRequest
from reference.core.rules import Rules
from reference.core.types import Health, NodeId

_BEFORE_9_1: Final = ("redis-7.0", "redis-8.0", "valkey-8.1")


class _InTurnSystem(SilentSystem):
    """Nodes of which none knows that it has the newest data."""

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        moves = super().moves(process, state)
        return [move for move in moves if move.event != ElectionDue(best_ranked=True)]


def _scope(rules: Rules, *, all_announce: bool) -> Scope:
    """A is in FAIL at B and its replicas; C, without which there is no majority, only suspects it.

    D knows whether the other replica, E, says that A is in FAIL.
    """
    history = History(
        agreed(
            rules,
            *(master(name, slot, epoch=slot + 1) for slot, name in enumerate("ABC")),
            *(replica(name, of=of) for name, of in (("D", "A"), ("E", "A"), ("F", "B"))),
        )
    )
    history.suspect("A", seen_by="B", with_help_of="C")
    history.say_failed("A", "B", "D E")
    if all_announce:
        history.tell("E", "D")
    alive = tuple(node for node in history.nodes if node.myself_id in "BCD")
    return Scope(nodes=alive, elections=2, best_ranked=True, system=SilentSystem)


def _votes_about_failed(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    votes = before.state.last_vote_epoch != after.state.last_vote_epoch
    return not votes or after.state.nodes[NodeId("A")].health is Health.FAIL


_OWN_JUDGEMENT: Final[StepProperty[Process]] = StepProperty(
    id="EL-6",
    clause="EL-6",
    text="nobody votes about a master that it does not hold for failed",
    judge=_votes_about_failed,
)


GOES_FIRST: Final = Model(
    name="goes-first",
    text="the best-ranked replica is elected by a voter that does not know its master is in FAIL",
    scope=lambda rules: _scope(rules, all_announce=True),
    properties=(
        ELECTION_SAFETY,
        some_node(
            "EL-23:witness",
            "a voter votes about a master that it does not hold for failed",
            lambda state: state.myself_id == "C" and state.last_vote_epoch > 0,
        ),
    ),
    links="held(1)",
    clauses=("EL-23", "EL-6", "HB-13", "HB-15"),
    happens=(ElectionDue, ElectionExpired, FailoverAuthRequest),
    expected=(
        Expected(
            property_id="EL-23:witness",
            dialects=_BEFORE_9_1,
            told="nobody goes first before Valkey 9.1",
            clause="EL-23",
        ),
    ),
)

GOES_IN_TURN: Final = attrs.evolve(
    GOES_FIRST,
    name="goes-in-turn",
    text="as goes-first, but the replica is not the best-ranked one",
    scope=lambda rules: attrs.evolve(_scope(rules, all_announce=True), system=_InTurnSystem),
    properties=(
        _OWN_JUDGEMENT,
        ELECTION_SAFETY,
        some_node(
            "EL-6:witness",
            "C, which only suspects the master, is asked for its vote",
            lambda state: state.myself_id == "C" and state.current_epoch > 3,
        ),
    ),
    expected=(),
)

NOT_ALL_ANNOUNCE: Final = attrs.evolve(
    GOES_IN_TURN,
    name="not-all-announce",
    text="as goes-first, but the other replica does not say that their master is in FAIL",
    scope=lambda rules: _scope(rules, all_announce=False),
)
