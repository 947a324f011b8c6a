"""Commands about the client's own connection."""

from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Replies, Session
from reference.runtime.clients.transactions import discard
from reference.runtime.commands.acl import authenticate
from reference.runtime.limits import OutputClass
from reference.runtime.replies import ClientReply
from reference.wire.resp import OK, ErrorReply, SimpleString


def _ping(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 2:
        return ErrorReply("ERR wrong number of arguments for 'ping' command")
    if session.protocol == 2 and session.service.channels.listens(session):
        return [b"pong", *(arguments[1:] or [b""])]
    return arguments[1] if len(arguments) == 2 else SimpleString("PONG")


def _echo(_session: Session, arguments: list[bytes]) -> ClientReply:
    return arguments[1]


def _quit(session: Session, _arguments: list[bytes]) -> ClientReply:
    session.closing = True
    return OK


@clause("CM-77")
def reset(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The connection is as it was when it began. Counterpart: `resetCommand`."""
    discard(session)
    session.service.tracking.end(session.tracker)
    session.service.observe_keys()
    session.service.channels.end_all(session)
    session.protocol, session.name, session.mode = 2, "", Replies.ON
    session.readonly = session.asking = session.no_evict = False
    session.output_class = OutputClass.NORMAL
    session.become(session.service.users.default)
    session.authenticated = session.service.users.open
    return SimpleString("RESET")


def _select(session: Session, arguments: list[bytes]) -> ClientReply:
    if parse_integer(arguments[1]) != 0:
        return ErrorReply(session.release.select_error)
    return OK


def _readonly(session: Session, _arguments: list[bytes]) -> ClientReply:
    session.readonly = True
    return OK


def _readwrite(session: Session, _arguments: list[bytes]) -> ClientReply:
    session.readonly = False
    return OK


@clause("CM-50")
def asking(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The next command, or transaction, may reach a slot that this node is receiving.

    Counterpart: `askingCommand`.
    """
    session.asking = True
    return OK


def _text(argument: bytes) -> str:
    return argument.decode("utf-8", "surrogateescape")


@clause("CM-16")
def validate_client_name(argument: bytes) -> str:
    """The name, which CLIENT LIST could show; CommandError if it could not.

    Counterpart: `validateClientName`.
    """
    if any(not 33 <= byte <= 126 for byte in argument):
        raise CommandError(
            "ERR Client names cannot contain spaces, newlines or special characters."
        )
    return _text(argument)


def _take_hello_options(session: Session, options: list[bytes]) -> str | None:
    """The client name that the options of HELLO ask for, None if they do not."""
    name = None
    while options:
        match [options[0].upper(), *options[1:]]:
            case [b"AUTH", user, password, *rest]:
                authenticate(session, user, password, b"HELLO")
            case [b"SETNAME", argument, *rest]:
                name = validate_client_name(argument)
            case _:
                raise CommandError(f"ERR Syntax error in HELLO option '{_text(options[0])}'")
        options = rest
    return name


@clause("CM-17")
def hello(session: Session, arguments: list[bytes]) -> ClientReply:
    """The connection speaks the version that was asked for, and the node says who it is.

    A request that is refused changes nothing. Counterpart: `helloCommand`.
    """
    protocol = session.protocol
    if len(arguments) > 1:
        error = "ERR Protocol version is not an integer or out of range"
        protocol = parse_integer(arguments[1], error)
        if protocol not in (2, 3):
            return ErrorReply("NOPROTO unsupported protocol version")
    name = _take_hello_options(session, arguments[2:])
    if not (session.authenticated or session.service.users.open):
        version = "<proto> " if session.release.server == "valkey" else ""
        return ErrorReply(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            f"HELLO {version}AUTH <user> <pass> option can be used to authenticate the client "
            "and select the RESP protocol version at the same time"
        )
    session.protocol = protocol
    session.name = session.name if name is None else name
    return {
        "server": session.release.server,
        "version": session.release.version,
        "proto": protocol,
        "id": session.client_id,
        "mode": "cluster",
        "role": "replica" if session.state.myself.is_replica else "master",
        "modules": [],
    }


def _client_id(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.client_id


def _client_getname(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.name or None


def _client_setname(session: Session, arguments: list[bytes]) -> ClientReply:
    session.name = validate_client_name(arguments[2])
    return OK


def _client_setinfo(session: Session, arguments: list[bytes]) -> ClientReply:
    value, name = _text(arguments[3]), _text(arguments[2])
    if any(not 33 <= byte <= 126 for byte in arguments[3]):
        return ErrorReply(f"ERR {name} cannot contain spaces, newlines or special characters.")
    match arguments[2].lower():
        case b"lib-name":
            session.lib_name = value
        case b"lib-ver":
            session.lib_ver = value
        case _:
            return ErrorReply(f"ERR Unrecognized option '{_text(arguments[2])}'")
    return OK


CONNECTION_HANDLERS: Final[Handlers] = {
    "ping": _ping,
    "echo": _echo,
    "quit": _quit,
    "reset": reset,
    "hello": hello,
    "select": _select,
    "readonly": _readonly,
    "readwrite": _readwrite,
    "asking": asking,
    "client|id": _client_id,
    "client|getname": _client_getname,
    "client|setname": _client_setname,
    "client|setinfo": _client_setinfo,
}
"""The handlers of this module by command."""
