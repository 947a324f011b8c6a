"""Arguments of commands as numbers, slots and addresses, or the error text of the servers."""

import ipaddress
from collections.abc import Iterable

from reference.clauses import clause
from reference.core.slots import SlotSet
from reference.core.types import SLOT_COUNT, Address


class CommandError(Exception):
    """The command is refused with this error text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


_NOT_AN_INTEGER = "ERR value is not an integer or out of range"


@clause("CM-7")
def parse_integer(argument: bytes, error: str = _NOT_AN_INTEGER) -> int:
    """The signed 64-bit number, in the one form servers take. Counterpart: `string2ll`."""
    number = int(argument) if argument.lstrip(b"-").isdigit() and len(argument) <= 20 else None
    if number is None or b"%d" % number != argument or not -(2**63) <= number < 2**63:
        raise CommandError(error)
    return number


@clause("CM-7")
def parse_slot(argument: bytes) -> int:
    """The slot. Counterpart: `getSlotOrReply`."""
    error = "ERR Invalid or out of range slot"
    slot = parse_integer(argument, error)
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError(error)
    return slot


@clause("CM-8")
def distinct_slots(slots: Iterable[int]) -> SlotSet:
    """The set of these slots, of which none comes twice.

    Counterpart: `checkSlotAssignmentsOrReply`.
    """
    seen: set[int] = set()
    for slot in slots:
        if slot in seen:
            raise CommandError(f"ERR Slot {slot} specified multiple times")
        seen.add(slot)
    return SlotSet.of(seen)


@clause("CM-9")
def parse_address(arguments: list[bytes], port_word: str) -> Address:
    """Where CLUSTER MEET sends its greeting; the bus port is the client port + 10000 if not given.

    Counterpart: `clusterCommand` (MEET), `clusterStartHandshake`.
    """
    text, *ports = (argument.decode("utf-8", "surrogateescape") for argument in arguments)
    invalid = f"ERR Invalid node address specified: {text}:{ports[0]}"
    port = parse_integer(arguments[1], f"ERR Invalid {port_word}base port specified: {ports[0]}")
    cport = port + 10000
    if len(ports) > 1:
        cport = parse_integer(
            arguments[2], f"ERR Invalid {port_word}bus port specified: {ports[1]}"
        )
    try:
        ip = str(ipaddress.ip_address(text))
    except ValueError:
        raise CommandError(invalid) from None
    if not (0 < port < 65536 and 0 < cport < 65536):
        raise CommandError(invalid)
    return Address(ip=ip, port=port, cport=cport)
