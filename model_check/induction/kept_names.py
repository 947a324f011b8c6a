"""What no server does: a node that is reset hard keeps its name, and forgets how it voted."""

from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.models import MODELS
from model_check.models.cluster import ModelEvent, Scope
from model_check.models.history import History
from model_check.models.kinds import VOTING
from model_check.models.meeting import MeetingSystem
from model_check.models.model import Model
from model_check.models.properties import ELECTION_SAFETY, ELECTION_WON
from model_check.models.start import agreed, at_port, master, replica, told
from model_check.system import Move
from reference.core.events import (
    ClusterAddSlots,
    ClusterFailover,
    ClusterMeet,
    ClusterReset,
    FailoverOption,
    HeartbeatDue,
)
from reference.core.rules import Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import Address, NodeId, ShardId

_FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)
_KEEPING: Final = ClusterReset(new_id=NodeId("B"), new_shard_id=ShardId("new"))


def _keeping_its_name(scope: Scope) -> Scope:
    commands = [
        (name, attrs.evolve(event, new_id=name) if isinstance(event, ClusterReset) else event)
        for name, event in scope.commands
    ]
    return attrs.evolve(scope, commands=tuple(commands))


SAME_NAME: Final = attrs.evolve(
    MODELS["reset-hard"],
    name="reset-hard, same name",
    text="A's replica C is told RESET HARD, and keeps its name",
    scope=lambda rules: _keeping_its_name(MODELS["reset-hard"].scope(rules)),
)


class OneIsGreeted(MeetingSystem):
    """B asks those whom it was told to MEET, and nobody else says anything of his own accord."""

    @override
    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        if node.myself_id != "B":
            return ()
        every = super()._heartbeats(node)
        return [move for move in every if isinstance(move.event, HeartbeatDue)]


def _voted_and_reset(rules: Rules) -> Scope:
    """B and C voted for D, and B's vote is on its way; B was reset, and has its slot again.

    A and E have not heard that D stands. C is silent from now on.
    """
    entries = (
        master("A", 0, epoch=1),
        master("B", 1, epoch=2),
        master("C", 2, epoch=3),
        replica("D", of="A"),
        replica("E", of="A"),
    )
    placed = [at_port(each, 7001 + at) for at, each in enumerate(entries)]
    history = History(agreed(rules, *placed))
    history.happen("D", _FORCE)
    of_b, of_c = history.ask("D", voters="B C")
    history.hear("D", of_c)
    history.happen("B", _KEEPING)
    history.happen("B", ClusterAddSlots(slots=SlotSet.of([1])))
    greeted = (_address(history, name) for name in "AE")
    return Scope(
        nodes=tuple(node for node in history.nodes if node.myself_id != "C"),
        commands=(
            *(
                told("B", ClusterMeet(address=address, new_id=NodeId(f"at {address.port}")))
                for address in greeted
            ),
            told("E", _FORCE),
        ),
        elections=1,
        stale=((NodeId("B"), NodeId("D"), of_b),),
        system=OneIsGreeted,
    )


def _address(history: History, name: str) -> Address:
    address = history.node(name).myself.address
    if address is None:
        raise ValueError(f"{name} is nowhere")
    return address


VOTES_TWICE: Final = Model(
    name="votes twice",
    text="B voted for D, was reset hard and kept its name, and is asked by E for the same epoch",
    scope=_voted_and_reset,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("EL-4", "EL-9", "CM-33"),
    happens=VOTING,
)
