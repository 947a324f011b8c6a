"""Nodes that have heard of a failover, and nodes that have not, count different voters."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.history import History
from model_check.models.kinds import VOTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    ELECTION_SAFETY,
    ELECTION_WON,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
)
from model_check.models.start import agreed, master, replica, told
from reference.core.events import ClusterFailover, FailoverOption
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import NodeId

_BEHIND: Final = frozenset(map(NodeId, "ABF"))
_AHEAD: Final = frozenset(map(NodeId, "CDE"))
_PARTED: Final = {name: _AHEAD if name in _BEHIND else _BEHIND for name in sorted(_BEHIND | _AHEAD)}
_FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)


def _one_failover_later(rules: Rules, *, of_f: str) -> History:
    """A was cut off and D elected; A, B and F have not heard that D won."""
    history = History(
        agreed(
            rules,
            master("A", 0, epoch=1),
            master("B", 1, epoch=2),
            master("C", 2, epoch=3),
            replica("D", of="A"),
            replica("E", of="B"),
            replica("F", of=of_f),
        )
    )
    history.fail("A", seen_by="C", with_help_of="B", heard_by="D E")
    history.elect("D", voters="B C", heard_by="E F")
    history.tell("D", "C", "E")
    return history


def _nodes(rules: Rules) -> tuple[ClusterState, ...]:
    """Then A, B and F were cut off from C, D and E: each side has a majority as it counts."""
    history = _one_failover_later(rules, of_f="C")
    history.fail("B", seen_by="C", with_help_of="D", heard_by="E")
    history.fail("C", seen_by="B", with_help_of="A", heard_by="F")
    return history.nodes


def _nodes_of_one_shard(rules: Rules) -> tuple[ClusterState, ...]:
    """E and F are both replicas of B, one on each side."""
    history = _one_failover_later(rules, of_f="B")
    history.fail("B", seen_by="C", with_help_of="D", heard_by="E")
    return history.nodes


def _scope(rules: Rules) -> Scope:
    return Scope(nodes=_nodes(rules), elections=2, cuts=_PARTED, parted=True)


def _forced(rules: Rules) -> Scope:
    return Scope(
        nodes=_nodes_of_one_shard(rules),
        elections=2,
        commands=(told("F", _FORCE),),
        cuts=_PARTED,
        parted=True,
    )


def _f_20(property_id: str) -> Expected:
    return Expected(property_id=property_id, dialects=RELEASES, told="F-20", clause="FD-12")


TWO_ELECTORATES: Final = Model(
    name="two-electorates",
    text="D has replaced A, and A B F have not heard; parted from C D E, both sides elect",
    scope=_scope,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("FD-12", "EL-4", "EL-11", "EL-12"),
    happens=VOTING,
    by_default=False,
    expected=(_f_20("EL-P1"),),
)

ONE_SHARD_TWICE: Final = Model(
    name="one-shard-twice",
    text="as two-electorates, but E and F are replicas of B, and F is told CLUSTER FAILOVER FORCE",
    scope=_forced,
    properties=(ELECTION_SAFETY, EXCLUSIVE_CLAIM, ELECTION_WON, SLOT_DISPUTED),
    links="held(0)",
    clauses=("FD-12", "EL-4", "EL-11", "EL-12", "EL-22", "MF-6"),
    happens=VOTING,
    by_default=False,
    expected=(_f_20("EL-P1"), _f_20("SC-P1")),
)
