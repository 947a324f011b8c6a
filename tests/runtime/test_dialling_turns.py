"""A node of many in one process does not dial all others at once.

Clauses: RT-70.
"""

import attrs

from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import DIALECTS
from reference.core.state import ClusterState
from reference.core.types import Address, NodeId
from reference.pacing.heartbeat import link_dialled, link_lost
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Dial, begin, due
from reference.runtime.dialling_turns import in_turns

_ADDRESS = Address(ip="127.0.0.1", port=1, cport=2)
_NODES = [ClusterNode(node_id=NodeId(name), address=_ADDRESS) for name in "abcdefgh"]
_STATE = ClusterState(rules=DIALECTS["valkey-9.1"], myself_id=NodeId("a"), nodes=NodeTable(_NODES))


def _round(pace: Pace, now: int, most: int | None) -> tuple[Pace, str]:
    """The pace after a round in which every dial fails, and whom the node dialled."""
    pace, actions = due(attrs.evolve(pace, next_round=now), _STATE, now, 1)
    dialled = [each.peer for each in in_turns(actions, pace, most) if isinstance(each, Dial)]
    for peer in dialled:
        pace = link_lost(link_dialled(pace, peer, now), peer, now, never_opened=True)
    return pace, "".join(dialled)


def test_everybody_is_dialled_at_once_by_a_node_that_is_alone_in_its_process() -> None:
    _, dialled = _round(begin(_STATE, now=0, node_timeout=1, entropy=1), 100, None)

    assert dialled == "bcdefgh"


def test_nodes_that_cannot_be_reached_do_not_keep_others_from_their_turn() -> None:
    pace = begin(_STATE, now=0, node_timeout=1, entropy=1)

    pace, first = _round(pace, 100, 3)
    pace, second = _round(pace, 200, 3)
    pace, third = _round(pace, 300, 3)

    assert (first, second, third) == ("bcd", "efg", "bch")
