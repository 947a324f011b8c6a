"""Whom a node dials first, where it must not dial all at once."""

from collections.abc import Sequence

from reference.clauses import clause
from reference.core.types import NodeId
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Action, Dial


@clause("RT-70")
def in_turns(actions: Sequence[Action], pace: Pace, most: int | None) -> list[Action]:
    """The actions with so many of the dials, None for all: those that had to wait longest.

    The others are due again in the next round, since their nodes have no link. Counterpart: none.
    """
    dials = [action for action in actions if isinstance(action, Dial)]
    if most is None or len(dials) <= most:
        return list(actions)

    def dialled(action: Dial) -> tuple[int, NodeId]:
        last = pace.peer(action.peer).dialled
        return (-1 if last is None else last), action.peer

    chosen = sorted(dials, key=dialled)[:most]
    return [action for action in actions if not isinstance(action, Dial) or action in chosen]
