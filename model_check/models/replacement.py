"""What is claimed of a master that has failed: that a replica of it takes its place."""

from collections.abc import Callable, Hashable, Iterable
from typing import Final

import attrs

from model_check.models.at_rest import ELECTABLE
from model_check.models.cluster import Process
from model_check.properties import LeadsTo, Sometimes
from reference.core.events import FailUndoAllowed, PongOverdue, ReportExpired
from reference.core.types import Health, NodeId


@attrs.frozen(cache_hash=True)
class Seat:
    """What a node that runs is in its shard, as it says itself."""

    node: NodeId
    master: NodeId | None  # whom it follows
    slots: int  # its own as a master; those that it knows of its master as a replica
    fit: bool  # nobody has told it not to stand
    voters: frozenset[NodeId]  # the masters with slots in its table
    suspected: frozenset[NodeId]  # those in PFAIL or FAIL there
    failed: frozenset[NodeId]  # those in FAIL


def _seat(process: int, node: Process) -> Seat | None:
    del process
    if node.state is None:
        return None
    myself = node.state.myself
    leader = node.state.my_master or myself
    return Seat(
        myself.node_id,
        myself.replicaof,
        leader.slots.bitmap,
        not myself.nofailover,
        frozenset(each.node_id for each in node.state.nodes if each.is_voting_master),
        frozenset(each.node_id for each in node.state.nodes if each.health is not Health.OK),
        frozenset(each.node_id for each in node.state.nodes if each.health is Health.FAIL),
    )


Seats = tuple[Seat | None, ...]


def _orphaned(seats: Seats, *, knowing: bool = False) -> bool:
    """Whether slots of a master that is down are nobody's, while a replica could be elected.

    With `knowing`, only if the replica and a majority hold the master for failed.
    """
    running = {seat.node: seat for seat in seats if seat is not None}
    masters = {name for name, seat in running.items() if seat.master is None}
    claimed = _union(running[name].slots for name in masters)
    for seat in running.values():
        if seat.master is None or seat.master in running or not seat.fit:
            continue
        voters = {
            name
            for name in seat.voters & masters
            if not knowing or seat.master in running[name].failed
        }
        knows = not knowing or seat.master in seat.failed
        if knows and seat.slots & ~claimed and 2 * len(voters) > len(seat.voters):
            return True
    return False


def _known(seats: Seats) -> bool:
    return _orphaned(seats, knowing=True)


def _union(bitmaps: Iterable[int]) -> int:
    union = 0
    for bitmap in bitmaps:
        union |= bitmap
    return union


def _late(process: int, event: Hashable) -> Callable[[Seats], bool] | None:
    """Where a timer runs out although what it waits for comes, or fires for what does not come."""
    del process
    match event:
        case PongOverdue(peer=peer):
            return lambda seats: _running(seats, peer) is not None
        case FailUndoAllowed(peer=peer):
            return lambda seats: _running(seats, peer) is None
        case ReportExpired(subject=subject, reporter=reporter):

            def goes_on(seats: Seats) -> bool:
                seat = _running(seats, reporter)
                return seat is not None and subject in seat.suspected

            return goes_on
        case _:
            return None


def _running(seats: Seats, name: NodeId) -> Seat | None:
    return next((seat for seat in seats if seat is not None and seat.node == name), None)


def _would_be_elected(nodes: tuple[Process, ...]) -> bool:
    return bool(ELECTABLE.judge(tuple(node.state for node in nodes)))


REPLACED: Final[LeadsTo[Process]] = LeadsTo(
    id="EL-P4",
    clause="EL-P4",
    text="a failed master with a live majority and a fit replica is replaced",
    project=_seat,
    when=_orphaned,
    then=lambda seats: not _orphaned(seats),
    beyond=_would_be_elected,
    late=_late,
)
KNOWN_AND_REPLACED: Final[LeadsTo[Process]] = LeadsTo(
    id="EL-P5",
    clause="EL-P5",
    text="a master that a fit replica and a live majority hold for failed is replaced",
    project=_seat,
    when=_known,
    then=lambda seats: not _known(seats),
    beyond=_would_be_elected,
    late=_late,
)
ORPHANED: Final[Sometimes[Process]] = Sometimes(
    id="EL-P4:witness",
    clause="EL-P4",
    text="a master is down, and a majority and a fit replica of it are there",
    project=_seat,
    judge=_orphaned,
)
KNOWN: Final[Sometimes[Process]] = Sometimes(
    id="EL-P5:witness",
    clause="EL-P5",
    text="a master is down, and a fit replica of it and a majority hold it for failed",
    project=_seat,
    judge=_known,
)
