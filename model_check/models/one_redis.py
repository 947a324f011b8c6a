"""A Redis among nodes of Valkey: a replica is told its old master's epoch as its own."""

from collections.abc import Iterable
from typing import Final

from typing_extensions import override

from model_check.models.cluster import ClusterSystem, ModelEvent, Process, Scope
from model_check.models.history import History
from model_check.models.kinds import VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    ELECTION_WON,
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
)
from model_check.models.start import agreed, apart, master, replica, told
from model_check.system import Move
from reference.core import effects
from reference.core.announce import pong
from reference.core.events import (
    ClusterAddSlots,
    ClusterFailover,
    ClusterReplicate,
    FailoverOption,
    FailUndoAllowed,
    HeartbeatDue,
    ReportExpired,
)
from reference.core.messages import Pong, Update
from reference.core.rules import REDIS_7_0, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import NodeId

_MISLED: Final = NodeId("D")
_SAME_EPOCH: Final = NodeId("A")


class OneSpeaks(ClusterSystem):
    """Who failed stays so, and of all heartbeats only those matter that D sends to A."""

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        lasting = (ReportExpired, FailUndoAllowed)
        found = super().moves(process, state)
        return [move for move in found if not isinstance(move.event, lasting)]

    @override
    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        if node.myself_id != _MISLED:
            return ()
        every = super()._heartbeats(node)
        return [
            move
            for move in every
            if isinstance(move.event, HeartbeatDue) and move.event.peer == _SAME_EPOCH
        ]


def _replaced(rules: Rules) -> tuple[History, Pong]:
    """E was elected in D's place, then A in B's; C has not heard of E. D's old heartbeat is late.

    E is given a slot of its own besides, so that it is a master whatever it is told of D.
    """
    entries = (
        replica("A", of="B"),
        master("B", 1, epoch=2),
        master("C", 2, epoch=3),
        master("D", 0, epoch=1),
        replica("E", of="D"),
    )
    with apart({"C": REDIS_7_0}):
        history = History(agreed(rules, *entries))
    late = pong(history.node("D"))
    history.fail("D", seen_by="B", with_help_of="C", heard_by="A E")
    history.elect("E", voters="B C", heard_by="A")
    history.tell("E", "A", "B", "D")
    history.fail("B", seen_by="E", with_help_of="C", heard_by="A D")
    history.elect("A", voters="C E", heard_by="D")
    history.tell("A", "B", "C", "D", "E")
    history.tell("B", "A", "C", "D", "E")
    history.happen("E", ClusterAddSlots(slots=SlotSet.of([3])))
    return history, late


def _misled(rules: Rules) -> tuple[ClusterState, ...]:
    """D followed A for a while; so E has heard from C that D owns slot 0 since A's epoch."""
    history, late = _replaced(rules)
    history.happen("D", ClusterReplicate(master=NodeId("A")))
    history.tell("D", "C", "E")
    history.hear("C", late)
    for effect in history.hear("C", pong(history.node("E"))):
        if isinstance(effect, effects.Send) and isinstance(effect.message, Update):
            history.hear("E", effect.message)
    history.tell("D", "E")
    history.happen("D", ClusterReplicate(master=NodeId("E")))
    history.fail("A", seen_by="E", with_help_of="C", heard_by="B")
    return history.nodes


def _scope(rules: Rules) -> Scope:
    force = ClusterFailover(option=FailoverOption.FORCE)
    return Scope(nodes=_misled(rules), elections=2, commands=(told("D", force),), system=OneSpeaks)


ONE_REDIS: Final = Model(
    name="one-redis",
    text="C is a Redis 7.0, and had D for the owner of a slot with the epoch of D's master A",
    scope=_scope,
    properties=(EXCLUSIVE_CLAIM, EPOCHS_MONOTONE, ELECTION_WON, SLOT_DISPUTED),
    links="held(0)",
    clauses=("EP-3", "EP-4", "EL-15", "SC-6"),
    happens=VOTING,
    dialects=("valkey-9.1", "strict"),
    expected=(Expected(property_id="SC-P1", dialects=("valkey-9.1",), told="F-30", clause="EP-3"),),
)
