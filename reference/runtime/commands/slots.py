"""The CLUSTER subcommands about slots and the keys in them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reference.clauses import clause
from reference.core.atomic_migration import why_not_by_hand
from reference.core.events import (
    ClusterAddSlots,
    ClusterDelSlots,
    ClusterFlushSlots,
    ClusterSetslot,
)
from reference.core.slot_migration import why_no_setslot
from reference.core.slots import SlotSet, key_hash_slot
from reference.core.types import SLOT_COUNT
from reference.runtime.clients.acknowledged import answer_when_acknowledged
from reference.runtime.clients.arguments import (
    CommandError,
    parse_integer,
    parse_slot,
    subcommand_error,
)
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.data.arrivals import keyspace_of_slot
from reference.runtime.replies import ClientReply
from reference.wire.resp import OK, ErrorReply
from reference.wire.setslot import parse_setslot

_SYNTAX_ERROR: Final = ErrorReply("ERR syntax error")
_NO_REPLICAS: Final = ErrorReply("NOREPLICAS Not enough good replicas to write.")
_REPLICAS_HAVE_MS: Final = 2000
"""How long replicas have to carry out a SETSLOT that does not say how long."""
_BAD_LIMIT: Final = "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."


@clause("CM-8")
class _Assignment:
    """The slots that a request names, judged one after the other as the servers do.

    Counterpart: `checkSlotAssignmentsOrReply`.
    """

    def __init__(self, session: Session, *, takes: bool) -> None:
        self._free = SlotSet.between(0, SLOT_COUNT - 1)
        for node in session.state.nodes:
            self._free -= node.slots
        self._takes = takes
        self._seen: set[int] = set()

    def name(self, slots: Iterable[int]) -> None:
        """These slots are named too; CommandError if one has or lacks an owner, or was named."""
        for slot in slots:
            if (slot in self._free) != self._takes:
                what = "busy" if self._takes else "unassigned"
                raise CommandError(f"ERR Slot {slot} is already {what}")
            if slot in self._seen:
                raise CommandError(f"ERR Slot {slot} specified multiple times")
            self._seen.add(slot)

    @property
    def slots(self) -> SlotSet:
        """All that were named."""
        return SlotSet.of(self._seen)


def _listed_slots(session: Session, arguments: list[bytes], *, takes: bool) -> SlotSet:
    slots = [parse_slot(argument) for argument in arguments[2:]]
    assignment = _Assignment(session, takes=takes)
    assignment.name(slots)
    return assignment.slots


def _ranged_slots(session: Session, arguments: list[bytes], *, takes: bool) -> SlotSet:
    if len(arguments) % 2:
        name = arguments[1].decode("latin-1").lower()
        raise CommandError(f"ERR wrong number of arguments for 'cluster|{name}' command")
    assignment = _Assignment(session, takes=takes)
    for begin in range(2, len(arguments), 2):
        first, last = parse_slot(arguments[begin]), parse_slot(arguments[begin + 1])
        if first > last:
            raise CommandError(
                f"ERR start slot number {first} is greater than end slot number {last}"
            )
        assignment.name(range(first, last + 1))
    return assignment.slots


@clause("CM-8")
def add_slots(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slots belong to this node, all or none. Counterpart: `clusterCommand` (ADDSLOTS)."""
    return session.submit(ClusterAddSlots(slots=_listed_slots(session, arguments, takes=True)))


@clause("CM-8")
def add_slots_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The runs of slots belong to this node, all or none.

    Counterpart: `clusterCommand` (ADDSLOTSRANGE).
    """
    return session.submit(ClusterAddSlots(slots=_ranged_slots(session, arguments, takes=True)))


@clause("CM-8")
def del_slots(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slots belong to nobody here. Counterpart: `clusterCommand` (DELSLOTS)."""
    return session.submit(ClusterDelSlots(slots=_listed_slots(session, arguments, takes=False)))


@clause("CM-8")
def del_slots_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The runs of slots belong to nobody here. Counterpart: `clusterCommand` (DELSLOTSRANGE)."""
    return session.submit(ClusterDelSlots(slots=_ranged_slots(session, arguments, takes=False)))


def _flush_slots(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.submit(ClusterFlushSlots(holds_keys=len(session.service.keyspace) > 0))


@clause("CM-45")
def flush_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slot has no keys here. Counterpart: `clusterCommandFlushslot`."""
    if len(arguments) > 4:
        return subcommand_error(arguments)
    slot = parse_slot(arguments[2])
    if len(arguments) == 4 and arguments[3].lower() not in (b"async", b"sync"):
        return _SYNTAX_ERROR
    session.service.keyspace.delete_slots(SlotSet.of([slot]))
    return OK


@clause("CM-46")
def set_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slot is open, closed or another node's, or the reply says why not.

    Counterpart: `clusterCommandSetSlot`, `clusterParseSetSlotCommand`.
    """
    if session.state.myself.is_replica:
        return ErrorReply("ERR Please use SETSLOT only with masters.")
    error = why_not_by_hand(session.state)
    if error is not None:
        return ErrorReply(f"ERR {error}")
    command, rest = _setslot_command(session, arguments)
    if command is None or (rest and not session.release.setslot_has_options):
        text = "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"
        return ErrorReply(text)
    error = why_no_setslot(session.state, command)
    if error is not None:
        return ErrorReply(f"ERR {error}")
    timeout_ms = _setslot_timeout(rest)
    replicas = session.node.replicas
    count = replicas.told_of_slots if session.state.rules.setslot_is_replicated else 0
    if not count:
        return session.submit(command)
    replicas.publish([arguments])
    if session.service.keyspace.in_group:
        return session.submit(command)
    return _after_replicas(session, arguments, count, timeout_ms)


@clause("RT-23")
def _after_replicas(
    session: Session, arguments: list[bytes], count: int, timeout_ms: int
) -> ClientReply:
    """Once so many replicas have said that they have done it this node does it too.

    Counterpart: `clusterCommandSetSlot`, `replyToBlockedClientTimedOut`.
    """

    def reached() -> ClientReply:
        command, _ = _setslot_command(session, arguments)
        assert command is not None  # noqa: S101 - it was the same words before
        return session.submit(command)

    return answer_when_acknowledged(
        session, count, timeout_ms, reached=reached, over=lambda: _NO_REPLICAS
    )


def _setslot_command(
    session: Session, arguments: list[bytes]
) -> tuple[ClusterSetslot | None, list[bytes]]:
    slot, keys = parse_slot(arguments[2]), session.service.keyspace.keys_in_slot
    return parse_setslot(slot, arguments[3:], lambda: bool(keys(slot, 1)))


def _setslot_timeout(options: list[bytes]) -> int:
    """For how many milliseconds replicas are waited for; CommandError if that is no time."""
    timeout_ms = _REPLICAS_HAVE_MS
    for place, option in enumerate(options):
        if option.lower() != b"timeout":
            continue
        if place + 1 == len(options):
            raise CommandError("ERR Missing timeout value")
        error = "ERR timeout is not an integer or out of range"
        timeout_ms = parse_integer(options[place + 1], error)
        if timeout_ms < 0:
            raise CommandError("ERR timeout is negative")
    return timeout_ms


def _key_slot(_session: Session, arguments: list[bytes]) -> ClientReply:
    return key_hash_slot(arguments[2])


@clause("CM-6")
def count_keys_in_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many keys of the slot are here, though they may be hidden otherwise.

    Counterpart: `clusterCommand` (COUNTKEYSINSLOT).
    """
    slot = parse_integer(arguments[2])
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError("ERR Invalid slot")
    return len(keyspace_of_slot(session.service.keyspace, slot).keys_in_slot(slot))


@clause("CM-6")
def get_keys_in_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """Keys of the slot, at most the count. Counterpart: `clusterCommand` (GETKEYSINSLOT)."""
    slot, count = parse_integer(arguments[2]), parse_integer(arguments[3])
    if not 0 <= slot < SLOT_COUNT or count < 0:
        raise CommandError("ERR Invalid slot or number of keys")
    return keyspace_of_slot(session.service.keyspace, slot).keys_in_slot(slot, count)


@clause("CM-47")
def slot_stats(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many keys each slot of this shard has: those of a range, or ordered by it.

    Counterpart: `clusterSlotStatsCommand`.
    """
    master = session.state.my_master or session.state.myself
    match [arguments[2].upper(), *arguments[3:]]:
        case [b"SLOTSRANGE", first_word, last_word]:
            first, last = parse_slot(first_word), parse_slot(last_word)
            if first > last:
                text = f"ERR Start slot number {first} is greater than end slot number {last}"
                return ErrorReply(text)
            return _told(_counts(session, SlotSet.between(first, last) & master.slots))
        case [b"ORDERBY", metric, *options]:
            if metric.upper() != b"KEY-COUNT":
                return ErrorReply("ERR Unrecognized sort metric for ORDERBY.")
            limit, ascending = _order(options)
            sign = 1 if ascending else -1
            counts = _counts(session, master.slots)
            counts.sort(key=lambda entry: (sign * entry[1], entry[0]))
            return _told(counts[:limit])
        case _:
            return subcommand_error(arguments)


def _counts(session: Session, slots: SlotSet) -> list[tuple[int, int]]:
    counts = dict.fromkeys(slots, 0)
    for key in session.service.keyspace.database():
        slot = key_hash_slot(key)
        if slot in counts:
            counts[slot] += 1
    return list(counts.items())


def _told(counts: Sequence[tuple[int, int]]) -> ClientReply:
    return [[slot, {"key-count": count}] for slot, count in counts]


def _order(options: list[bytes]) -> tuple[int, bool]:
    """The limit, and whether the smallest come first."""
    words: Iterator[bytes] = iter(options)
    limits: list[int] = []
    directions: list[bool] = []
    left = len(options)
    for word in words:
        left -= 1
        if word.upper() == b"LIMIT" and left:
            left -= 1
            limits.append(parse_integer(next(words), _BAD_LIMIT))
            if not 1 <= limits[-1] <= SLOT_COUNT:
                raise CommandError(_BAD_LIMIT)
        elif word.upper() in (b"ASC", b"DESC"):
            directions.append(word.upper() == b"ASC")
        else:
            raise CommandError("ERR syntax error")
        if len(limits) > 1 or len(directions) > 1:
            raise CommandError("ERR Multiple filters of the same type are disallowed.")
    return limits[0] if limits else SLOT_COUNT, bool(directions and directions[0])


SLOT_HANDLERS: Final[Handlers] = {
    "cluster|addslots": add_slots,
    "cluster|addslotsrange": add_slots_range,
    "cluster|countkeysinslot": count_keys_in_slot,
    "cluster|delslots": del_slots,
    "cluster|delslotsrange": del_slots_range,
    "cluster|flushslot": flush_slot,
    "cluster|flushslots": _flush_slots,
    "cluster|getkeysinslot": get_keys_in_slot,
    "cluster|keyslot": _key_slot,
    "cluster|setslot": set_slot,
    "cluster|slot-stats": slot_stats,
}
"""The handlers of this module by command."""
