"""States that are the same but for names count as one, and only where that is so.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from typing_extensions import override

from model_check.engine import Limits, Options, explore
from model_check.engine.symmetry import SymmetryError
from model_check.links import SetLinks, parse_links
from model_check.models.cluster import Scope, system_of
from model_check.models.properties import ELECTION_SAFETY, ELECTION_WON, agreement
from model_check.models.start import three_masters, without_dead
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.two_phase import TwoPhase
from model_check.properties import Invariant
from model_check.system import Send, Symmetry
from reference.core.rules import DIALECTS
from reference.core.types import NodeId
from tests.model.toys import ForgetfulLock

SYMMETRIC = Options(symmetry=True)


@attrs.frozen
class FairLock(ForgetfulLock):
    """The server cannot tell its two clients apart."""

    @property
    @override
    def symmetries(self) -> Sequence[Symmetry[str, str]]:
        renamed = {"ask 1": "ask 2", "ask 2": "ask 1"}
        return [
            Symmetry(
                processes=(0, 2, 1),
                state=lambda _, state: state,
                message=lambda message: renamed.get(message, message),
            )
        ]


@attrs.frozen
class PartialLock(FairLock):
    """The server has nothing against the first client."""

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> Any:
        if message == "ask 2" and state == "serving":
            return None
        return super().receive(process, state, message, lane)


ONE_LOCK = Invariant[str](
    id="one lock",
    project=lambda _, state: state == "locked",
    judge=lambda locked: sum(locked) <= 1,
)


@pytest.mark.parametrize("links", ["held(0)", "held(2)", "fifo(1)", "flight(2)", "set"])
def test_verdicts_are_the_same_and_states_are_fewer(links: str) -> None:
    plain = explore(FairLock(), parse_links(links), (), Limits())
    reduced = explore(FairLock(), parse_links(links), (), Limits(), options=SYMMETRIC)

    assert plain.verdict == reduced.verdict == "holds"
    assert plain.depth == reduced.depth
    assert plain.distinct_states / 2 <= reduced.distinct_states < plain.distinct_states
    assert reduced.states_of_orbits == plain.distinct_states
    assert plain.states_of_orbits is None


def test_a_violation_is_found_with_a_path_as_short() -> None:
    plain = explore(FairLock(), parse_links("held(1)"), (ONE_LOCK,), Limits())
    reduced = explore(FairLock(), parse_links("held(1)"), (ONE_LOCK,), Limits(), options=SYMMETRIC)

    lengths = [
        len(result.trace.steps)
        for found in (plain, reduced)
        for result in found.properties
        if result.trace is not None
    ]
    assert lengths == [lengths[0]] * 2


@pytest.mark.parametrize(("managers", "orbits", "states"), [(3, 80, 288), (4, 166, 1568)])
def test_interchangeable_resource_managers(managers: int, orbits: int, states: int) -> None:
    properties = YARDSTICKS["yardstick/two-phase"].properties

    found = explore(TwoPhase(managers), SetLinks(), properties, Limits(), options=SYMMETRIC)

    assert (found.verdict, found.distinct_states) == ("holds", orbits)
    assert found.states_of_orbits == states


def test_symmetries_that_leave_one_out_are_refused() -> None:
    class Turned(TwoPhase):
        """Of three it is only said that all may move on by one."""

        @property
        @override
        def symmetries(self) -> Sequence[Symmetry[Any, str]]:
            return [each for each in super().symmetries if each.processes == (0, 2, 3, 1)]

    with pytest.raises(SymmetryError, match=r"is no symmetry: after resource managers as"):
        explore(Turned(3), SetLinks(), (), Limits(), options=SYMMETRIC)


def test_replicas_are_interchangeable_where_no_rule_looks_at_their_ids() -> None:
    scope = Scope(
        nodes=without_dead(three_masters(DIALECTS["valkey-9.1"], "D", "E"), "A"),
        elections=2,
        interchangeable=((NodeId("D"), NodeId("E")),),
    )
    links = parse_links("flight(2)")
    properties = (ELECTION_SAFETY, ELECTION_WON)  # with two messages at a time nobody wins

    plain = explore(system_of(scope), links, properties, Limits())
    reduced = explore(system_of(scope), links, properties, Limits(), options=SYMMETRIC)

    assert [each.verdict for each in plain.properties] == ["holds", "violated"]
    assert [each.verdict for each in reduced.properties] == ["holds", "violated"]
    assert plain.distinct_states / 2 <= reduced.distinct_states < 0.6 * plain.distinct_states


def test_a_server_that_has_favourites_is_not_symmetric() -> None:
    with pytest.raises(SymmetryError, match=r"server does not take ask . as its image does"):
        explore(PartialLock(), SetLinks(), (), Limits(), options=SYMMETRIC)


def test_the_order_of_sending_counts_where_it_decides_something() -> None:
    scope = Scope(
        nodes=without_dead(three_masters(DIALECTS["valkey-9.1"], "D", "E", "F"), "A"),
        elections=1,
        interchangeable=((NodeId("E"), NodeId("F")),),
    )

    with pytest.raises(SymmetryError, match=r"E as F, F as E is no symmetry: .* in this order"):
        explore(system_of(scope), parse_links("held(0)"), (), Limits(), options=SYMMETRIC)


def test_a_property_that_looks_at_names_is_refused() -> None:
    first_waits = Invariant[str](
        id="first waits",
        project=lambda process, state: process == 1 and state == "locked",
        judge=lambda locked: not any(locked),
    )

    with pytest.raises(SymmetryError, match="first waits looks at names"):
        explore(FairLock(), parse_links("held(0)"), (first_waits,), Limits(), options=SYMMETRIC)


def test_what_leads_where_is_not_judged_on_orbits() -> None:
    with pytest.raises(SymmetryError, match="SC-P2 with symmetry: a loop between orbits"):
        explore(FairLock(), SetLinks(), (agreement(1),), Limits(), options=SYMMETRIC)
    with pytest.raises(SymmetryError, match="leaves most out"):
        explore(FairLock(), SetLinks(), (), Limits(), keep_states=True, options=SYMMETRIC)


def test_a_start_that_names_someone_is_refused() -> None:
    @attrs.frozen
    class Late(FairLock):
        @override
        def initial_messages(self) -> tuple[tuple[int, Send[str]], ...]:
            return ((1, Send(0, "ask 1")),)

    with pytest.raises(SymmetryError, match="other messages lie in the network"):
        explore(Late(), SetLinks(), (), Limits(), options=SYMMETRIC)
