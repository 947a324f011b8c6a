"""Whom a node dials first, where it must not dial all at once."""

import asyncio
from collections.abc import Sequence

from reference.clauses import clause
from reference.core.events import MeetRepeated
from reference.core.types import NodeId
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Action, Dial


class DialSpace:
    """How much room there is for dials in a process, which all its nodes share."""

    def __init__(self, a_round: int, at_once: int) -> None:
        """Nobody dials. A node may dial so many in a round, all together so many at once."""
        self._a_round = a_round
        self._at_once = at_once
        self._under_way = 0
        self._crowded: set[NodeId] = set()

    @property
    def left(self) -> int:
        """How many a node may dial in this round."""
        return max(0, min(self._a_round, self._at_once - self._under_way))

    @property
    def crowded(self) -> bool:
        """Whether a node had to put off the first dial of another in its last round."""
        return bool(self._crowded)

    def note_round(self, node_id: NodeId, *, first_put_off: bool) -> None:
        """The node had a round, and its first dial of another had to wait, or none had to."""
        if first_put_off:
            self._crowded.add(node_id)
        else:
            self._crowded.discard(node_id)

    def take(self, dial: asyncio.Task[None]) -> None:
        """The dial takes room until it has succeeded, failed or been given up."""
        self._under_way += 1
        dial.add_done_callback(self._give_back)

    def _give_back(self, _dial: asyncio.Task[None]) -> None:
        self._under_way -= 1


@clause("RT-70", "RT-71")
def in_turns(
    actions: Sequence[Action], pace: Pace, space: DialSpace | None, node_id: NodeId
) -> Sequence[Action]:
    """The node's actions with as many of the dials as there is room for: who waited longest first.

    The others are due again in the next round, since their nodes have no link, and so is who is
    to be greeted again when all have been dialled. Counterpart: none.
    """
    if space is None or not actions:
        return actions
    dials = [action for action in actions if isinstance(action, Dial)]

    def dialled(action: Dial) -> tuple[int, NodeId]:
        last = pace.peer(action.peer).dialled
        return (-1 if last is None else last), action.peer

    put_off = set(sorted(dials, key=dialled)[space.left :])
    first_put_off = any(pace.peer(dial.peer).dialled is None for dial in put_off)
    space.note_round(node_id, first_put_off=first_put_off)
    return [
        action
        for action in actions
        if action not in put_off and not (space.crowded and isinstance(action, MeetRepeated))
    ]
