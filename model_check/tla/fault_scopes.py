"""Scopes for single faults, each shortly before the step in which a rule would have helped.

On the side of TLC each is a module spec/tla/MC_*.tla, and the configurations NEG_*.cfg that use it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from model_check.models.cluster import Scope
from model_check.models.start import (
    agreed,
    in_fail,
    master,
    replica,
    three_masters,
    view,
    without_dead,
)
from model_check.tla.scopes import TwinScope
from reference.core.announce import header, pong
from reference.core.messages import FailoverAuthAck, Message
from reference.core.rules import Rules
from reference.core.state import ClusterState, Election
from reference.core.types import Epoch, NodeId, ShardId


def _two_replicas(rules: Rules) -> Scope:
    return Scope(nodes=without_dead(three_masters(rules, "D", "E"), "A"), elections=2)


def _in_epoch(state: ClusterState, epoch: Epoch, *, voted: bool = False) -> ClusterState:
    last = epoch if voted else state.last_vote_epoch
    return attrs.evolve(state, current_epoch=epoch, last_vote_epoch=last)


def _stands(state: ClusterState, epoch: Epoch) -> ClusterState:
    return attrs.evolve(state, current_epoch=epoch, election=Election(failover_auth_epoch=epoch))


def _votes(
    voters: Iterable[ClusterState], candidate: str
) -> tuple[tuple[NodeId, NodeId, Message], ...]:
    return tuple(
        (voter.myself_id, NodeId(candidate), FailoverAuthAck(header=header(voter)))
        for voter in voters
    )


def _late_votes(rules: Rules) -> Scope:
    """D stands in epoch 4, for which B and C have voted; E has heard of it."""
    b, c, d, e = without_dead(three_masters(rules, "D", "E"), "A")
    b, c = _in_epoch(b, 4, voted=True), _in_epoch(c, 4, voted=True)
    return Scope(
        nodes=(b, c, _stands(d, 4), _in_epoch(e, 4)), elections=2, stale=_votes((b, c), "D")
    )


def _stale_request(rules: Rules) -> Scope:
    """As in late-votes, but E has not heard of epoch 4, and F already knows of epoch 5."""
    entries = (
        *(master("A", 0, epoch=1), master("B", 1, epoch=2), master("C", 2, epoch=3)),
        *(replica("D", of="A"), replica("E", of="A"), master("F", epoch=0)),
    )
    b, c, d, e, f = without_dead(agreed(rules, *entries), "A")
    b, c = _in_epoch(b, 4, voted=True), _in_epoch(c, 4, voted=True)
    return Scope(
        nodes=(b, c, _stands(d, 4), e, _in_epoch(f, 5)), elections=1, stale=_votes((b, c), "D")
    )


def _electorates(rules: Rules) -> Scope:
    """D has replaced A, which A, B and F have not heard; C and D have voted for E in epoch 5."""
    b, c = master("B", 1, epoch=2), master("C", 2, epoch=3)
    replicas = (replica("E", of="B"), replica("F", of="C"))
    before = (master("A", 0, epoch=1), b, c, replica("D", of="A"), *replicas)
    after = (master("A", epoch=1), b, c, master("D", 0, epoch=4, shard="A"), *replicas)
    behind = (_in_epoch(in_fail(view(rules, name, *before), "C"), 4) for name in "ABF")
    ahead = (in_fail(in_fail(view(rules, name, *after), "A"), "B") for name in "CDE")
    a, b_state, f = behind
    c_state, d, e = ahead
    voters = (_in_epoch(c_state, 5, voted=True), _in_epoch(d, 5, voted=True))
    return Scope(
        nodes=(a, b_state, *voters, _stands(e, 5), f), elections=1, stale=_votes(voters, "E")
    )


def _take_back(rules: Rules) -> Scope:
    """As in claims, but it is the old owner A that has the smallest id."""
    before = (master("A", 0, epoch=1), replica("B", of="A"), master("C", 1, epoch=1))
    after = (master("A", epoch=1), master("B", 0, epoch=2, shard="A"), master("C", 1, epoch=1))
    return Scope(
        nodes=(view(rules, "A", *before), view(rules, "B", *after), view(rules, "C", *before))
    )


def _late_role(rules: Rules) -> Scope:
    """A took slot 0 from C in epoch 2, and is in 3; two old heartbeats are on their way to B."""
    b, follower = master("B", 1, epoch=1), replica("C", of="A")
    old = (replica("A", of="C"), b, master("C", 0, epoch=1))
    third = master("A", 0, epoch=3, shard="C")
    known = (master("A", 0, epoch=2, shard="C"), b, attrs.evolve(follower, shard_id=ShardId("C")))
    a = view(rules, "A", third, b, known[2])
    c = view(rules, "C", *known)
    late = (
        (NodeId("A"), NodeId("B"), pong(view(rules, "A", *old))),
        (NodeId("C"), NodeId("B"), pong(c)),
    )
    return Scope(nodes=(a, view(rules, "B", third, b, master("C", epoch=1)), c), stale=late)


def _observer(rules: Rules) -> Scope:
    """Slot 0 went from A to B, then A's epoch rose; C has heard of neither."""
    a, b, c = master("A", 1, epoch=1), master("B", 0, 2, epoch=4), master("C", 3, epoch=3)
    newer = attrs.evolve(a, config_epoch=5)
    before = (master("A", 0, 1, epoch=1), master("B", 2, epoch=2), c)
    return Scope(
        nodes=(
            view(rules, "A", newer, b, c),
            view(rules, "B", a, b, c),
            view(rules, "C", *before),
        )
    )


TWO_REPLICAS: Final = TwinScope(
    name="two-replicas",
    text="two replicas of a dead master compete",
    scope=_two_replicas,
    links="flight(4)",
    slots=(0, 1, 2),
    talk=frozenset(),
)
"""More states than a comparison of whole graphs is worth; only TLC's verdicts are compared."""

LATE_VOTES: Final = TwinScope(
    name="late-votes",
    text="two replicas of a dead master; the votes for the first one are on their way",
    scope=_late_votes,
    links="flight(4)",
    slots=(0, 1, 2),
    talk=frozenset(),
)
STALE_REQUEST: Final = TwinScope(
    name="stale-request",
    text="the second replica has not heard of the election, and an observer knows a later epoch",
    scope=_stale_request,
    links="flight(4)",
    slots=(0, 1, 2),
    talk=frozenset({("F", "B"), ("F", "C")}),
)
ELECTORATES: Final = TwinScope(
    name="electorates",
    text="two halves of a cluster count different voters, and both elect",
    scope=_electorates,
    links="flight(5)",
    slots=(0, 1, 2),
    talk=frozenset(),
)
TAKE_BACK: Final = TwinScope(
    name="take-back",
    text="B took the slot of A, which has the configEpoch of the observer C and the smallest id",
    scope=_take_back,
    links="flight(1)",
    slots=(0, 1),
)
LATE_ROLE: Final = TwinScope(
    name="late-role",
    text="a heartbeat of a master is late: it was sent when it was a replica",
    scope=_late_role,
    links="flight(2)",
    slots=(0, 1),
    talk=frozenset(),
)
OBSERVER: Final = TwinScope(
    name="observer",
    text="a slot has moved, its old owner has a newer epoch, and an observer knows of neither",
    scope=_observer,
    links="flight(1)",
    slots=(0, 1, 2, 3),
)

FAULT_SCOPES: Final[Mapping[str, TwinScope]] = {
    scope.name: scope
    for scope in (
        TWO_REPLICAS,
        LATE_VOTES,
        STALE_REQUEST,
        ELECTORATES,
        TAKE_BACK,
        LATE_ROLE,
        OBSERVER,
    )
}
"""The scopes by name."""
