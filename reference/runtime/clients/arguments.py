"""Arguments of commands as numbers, slots and addresses, or the error text of the servers."""

import ipaddress

from reference.clauses import clause
from reference.core.types import SLOT_COUNT, Address, NodeId
from reference.runtime.clients.view import Release
from reference.wire.nodes_conf_parse import CPORT_INCREMENT
from reference.wire.resp import ErrorReply


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


def parse_node_id(argument: bytes) -> NodeId:
    """The word as the name of a node, whether or not it could be one."""
    return NodeId(argument.decode("utf-8", "surrogateescape"))


def subcommand_error(arguments: list[bytes]) -> ErrorReply:
    """The answer to a subcommand whose arguments fit no form of it.

    Counterpart: `addReplySubcommandSyntaxError`.
    """
    container, name = (word[:128].decode("utf-8", "surrogateescape") for word in arguments[:2])
    return ErrorReply(
        f"ERR unknown subcommand or wrong number of arguments for '{name}'. "
        f"Try {container.upper()} HELP."
    )


@clause("CM-9")
def parse_address(arguments: list[bytes], release: Release) -> Address:
    """Where CLUSTER MEET sends its greeting; the bus port is the client port + 10000 if not given.

    Counterpart: `clusterCommand` (MEET), `clusterStartHandshake`.
    """
    text, *ports = (argument.decode("utf-8", "surrogateescape") for argument in arguments)
    word = release.port_word
    port = parse_integer(arguments[1], f"ERR Invalid {word}base port specified: {ports[0]}")
    if release.ports_are_judged_first and not 0 < port < 65536:
        raise CommandError("ERR Port number is out of range")
    cport = port + CPORT_INCREMENT
    if len(ports) > 1:
        cport = parse_integer(arguments[2], f"ERR Invalid {word}bus port specified: {ports[1]}")
    if release.ports_are_judged_first and not 0 < cport < 65536:
        raise CommandError("ERR Cluster bus port number is out of range")
    invalid = CommandError(f"ERR Invalid node address specified: {text}:{ports[0]}")
    try:
        ip = str(ipaddress.ip_address(text))
    except ValueError:
        raise invalid from None
    if not (0 < port < 65536 and 0 < cport < 65536):
        raise invalid
    return Address(ip=ip, port=port, cport=cport)
