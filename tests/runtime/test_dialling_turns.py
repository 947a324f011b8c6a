"""A node of many in one process does not dial all others at once.

Clauses: RT-70, RT-71.
"""

import asyncio

import attrs
import pytest

from reference.core.events import MeetRepeated
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import DIALECTS
from reference.core.state import ClusterState
from reference.core.types import Address, NodeId
from reference.pacing.heartbeat import link_dialled, link_lost
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Action, Dial, begin, due
from reference.runtime.bus.dialling_turns import DialSpace, in_turns

_ADDRESS = Address(ip="127.0.0.1", port=1, cport=2)
_NODES = [ClusterNode(node_id=NodeId(name), address=_ADDRESS) for name in "abcdefgh"]
_A, _B = NodeId("a"), NodeId("b")
_STATE = ClusterState(rules=DIALECTS["valkey-9.1"], myself_id=_A, nodes=NodeTable(_NODES))


def _round(pace: Pace, now: int, space: DialSpace | None) -> tuple[Pace, str]:
    """The pace after a round in which every dial fails, and whom the node dialled."""
    pace, actions = due(attrs.evolve(pace, next_round=now), _STATE, now, 1)
    turns = in_turns(actions, pace, space, _A)
    dialled = [each.peer for each in turns if isinstance(each, Dial)]
    for peer in dialled:
        pace = link_lost(link_dialled(pace, peer, now), peer, now, never_opened=True)
    return pace, "".join(dialled)


def test_everybody_is_dialled_at_once_by_a_node_that_is_alone_in_its_process() -> None:
    _, dialled = _round(begin(_STATE, now=0, node_timeout=1, entropy=1), 100, None)

    assert dialled == "bcdefgh"


def test_nodes_that_cannot_be_reached_do_not_keep_others_from_their_turn() -> None:
    pace, space = begin(_STATE, now=0, node_timeout=1, entropy=1), DialSpace(3, 20)

    pace, first = _round(pace, 100, space)
    pace, second = _round(pace, 200, space)
    pace, third = _round(pace, 300, space)

    assert (first, second, third) == ("bcd", "efg", "bch")


def test_dials_of_others_take_room_until_they_have_ended() -> None:
    async def connect(stands: asyncio.Event) -> None:
        await stands.wait()

    async def run() -> list[int]:
        space, stands, left = DialSpace(5, 7), asyncio.Event(), []
        dials = [asyncio.create_task(connect(stands)) for _ in range(8)]
        for dial in dials:
            left.append(space.left)
            space.take(dial)
        left.append(space.left)
        stands.set()
        dials[0].cancel()
        await asyncio.wait(dials)
        await asyncio.sleep(0)  # those who wait for the end of a task are told a turn later
        return [*left, space.left]

    assert asyncio.run(run()) == [5, 5, 5, 4, 3, 2, 1, 0, 0, 5]


@pytest.mark.parametrize(
    ("dialled", "room", "greeted"),
    [
        pytest.param((), 5, False, id="two have not had their first turn"),
        pytest.param((), 7, True, id="all have their turn"),
        pytest.param("bcdefgh", 5, True, id="what waits was dialled before"),
    ],
)
def test_nobody_is_greeted_again_before_all_had_their_turn(
    dialled: str, room: int, *, greeted: bool
) -> None:
    pace = begin(_STATE, now=0, node_timeout=1, entropy=1)
    for name in dialled:
        pace = link_dialled(pace, NodeId(name), 0)
    actions: list[Action] = [MeetRepeated(peer=_B)]
    actions += [Dial(peer=NodeId(name)) for name in "bcdefgh"]

    turns = in_turns(actions, pace, DialSpace(room, 20), _A)

    assert (MeetRepeated(peer=_B) in turns) is greeted
    assert sum(isinstance(action, Dial) for action in turns) == room


def test_a_node_waits_with_greetings_for_those_that_another_put_off() -> None:
    pace, space = begin(_STATE, now=0, node_timeout=1, entropy=1), DialSpace(3, 20)
    greeting = [MeetRepeated(peer=_B)]

    space.note_round(_B, first_put_off=True)
    before = in_turns(greeting, pace, space, _A)
    space.note_round(_B, first_put_off=False)
    after = in_turns(greeting, pace, space, _A)

    assert (list(before), list(after)) == ([], greeting)
