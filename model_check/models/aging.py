"""Voters that have just started or just voted, and replicas whose data is too old.

How long it takes is not said: what has just happened is so until some time later, whenever that is.
"""

from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.models.cluster import ModelEvent, ModelMessage, Process, Scope
from model_check.models.kinds import VOTING
from model_check.models.model import Expected, Model
from model_check.models.of_node import Age, Later
from model_check.models.properties import ELECTION_WON, SAFETY, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import crashes, three_masters, told, without_dead
from model_check.properties import Sometimes, StepProperty
from model_check.system import Move, Step
from reference.core.effects import Happening, Notice
from reference.core.events import ClusterFailover, ElectionDue, FailoverOption, Received
from reference.core.messages import FailoverAuthRequest
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import Link


class AgingSystem(SilentSystem):
    """Nodes for which time goes by."""

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        for move in super().moves(process, state):
            old = Age.DATA_TOO_OLD in state.ages and isinstance(move.event, ElectionDue)
            yield attrs.evolve(move, event=ElectionDue(data_too_old=True)) if old else move
        if state.state is not None and not state.unsaved:
            yield from (Move(Later(age)) for age in self._ageing(state.state, state.ages))

    def _ageing(self, node: ClusterState, ages: frozenset[Age]) -> Iterable[Age]:
        """What changes if time goes by."""
        yield from sorted(ages - {Age.DATA_TOO_OLD, Age.VOTED_AGAIN}, key=lambda age: age.name)
        if node.myself.is_replica and Age.DATA_TOO_OLD not in ages:
            yield Age.DATA_TOO_OLD

    @override
    def _receive(self, state: Process, message: ModelMessage) -> Step[Process, ModelMessage]:
        if not isinstance(message, FailoverAuthRequest):
            return super()._receive(state, message)
        asked = Received(
            message=message,
            link=Link.OUTBOUND,
            link_node=message.header.sender,
            newcomer=Age.JUST_STARTED in state.ages,
            voted_recently=Age.JUST_VOTED in state.ages,
        )
        done = self._advance(state, asked)
        if any(isinstance(note, Notice) and note.what is Happening.VOTED for note in done.notes):
            again = {Age.VOTED_AGAIN} if Age.JUST_VOTED in state.ages else set()
            voted = attrs.evolve(done.state, ages=done.state.ages | {Age.JUST_VOTED} | again)
            return attrs.evolve(done, state=voted)
        return done

    @override
    def _restart(self, state: Process) -> Process:
        return attrs.evolve(super()._restart(state), ages=frozenset({Age.JUST_STARTED}))


def _newcomer_is_silent(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None or Age.JUST_STARTED not in before.ages:
        return True
    return before.state.last_vote_epoch == after.state.last_vote_epoch


def _stands_with_data(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None or Age.DATA_TOO_OLD not in before.ages:
        return True
    stands = before.state.election is None and after.state.election is not None
    return not stands or before.state.manual_failover_can_start


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D", "E"), "A"),
        crashes=crashes(B=1),
        elections=2,
        commands=(told("D", ClusterFailover(option=FailoverOption.FORCE)),),
        system=AgingSystem,
    )


AGING: Final = Model(
    name="aging",
    text="A is dead, D and E stand; B may restart; voters may just have voted, data may be too old",
    scope=_scope,
    properties=(
        *SAFETY,
        StepProperty(
            id="EL-20",
            clause="EL-20",
            text="a master that has just started does not vote",
            judge=_newcomer_is_silent,
        ),
        StepProperty(
            id="EL-2",
            clause="EL-2",
            text="a replica whose data is too old stands only if it is asked to",
            judge=_stands_with_data,
        ),
        Sometimes(
            id="EL-2:witness",
            clause="EL-2",
            text="the data of a replica is too old",
            project=lambda _, node: Age.DATA_TOO_OLD in node.ages,
            judge=any,
        ),
        ELECTION_WON,
        Sometimes(
            id="EL-8:witness",
            clause="EL-8",
            text="a master votes twice about a master within a short time",
            project=lambda _, node: Age.VOTED_AGAIN in node.ages,
            judge=any,
        ),
        some_node(
            "EL-20:witness",
            "a voter votes again in a later epoch",
            lambda state: state.myself_id == "B" and state.last_vote_epoch > 4,
        ),
    ),
    links="held(0)",
    clauses=("EL-2", "EL-8", "EL-20", "EL-22"),
    happens=(*VOTING, Later),
    expected=(
        Expected(
            property_id="EL-20",
            dialects=("redis-7.0", "redis-8.0", "valkey-8.1"),
            told="no such rule before Valkey 9.1",
            clause="EL-20",
        ),
        Expected(
            property_id="EL-8:witness",
            dialects=("redis-7.0", "redis-8.0"),
            told="by design: a voter of Redis waits",
            clause="EL-8",
        ),
    ),
)
