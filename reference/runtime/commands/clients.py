"""Commands about other clients, and about how the node treats this one."""

import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.channels import Kind
from reference.runtime.clients.session import Handlers, Replies, Session
from reference.runtime.limits import OutputClass
from reference.runtime.pause import ClientPause
from reference.runtime.replies import ClientReply, Raw, Verbatim
from reference.wire.resp import OK, ErrorReply, SimpleString

_SYNTAX: Final = ErrorReply("ERR syntax error")
_TYPES: Final = {
    b"normal": OutputClass.NORMAL,
    b"pubsub": OutputClass.PUBSUB,
    b"replica": OutputClass.REPLICA,
    b"slave": OutputClass.REPLICA,
}
_MASTER: Final = (b"master", b"primary")
_LONGEST_MS: Final = 2**53
_HELP: Final = (
    ("GETNAME", "The name of this connection."),
    ("ID", "The id of this connection."),
    ("INFO", "What is known of this connection."),
    ("KILL <option> <value> [<option> <value> ...]", "End connections."),
    ("LIST [TYPE <type>|ID <id> ...]", "What is known of connections."),
    ("PAUSE <milliseconds> [WRITE|ALL]", "Hold back the requests of clients."),
    ("REPLY (ON|OFF|SKIP)", "Whether requests are answered."),
    ("SETNAME <name>", "Give this connection a name."),
    ("UNBLOCK <id> [TIMEOUT|ERROR]", "End the waiting of a client."),
    ("UNPAUSE", "Answer the requests that were held back."),
    ("HELP", "Print these lines."),
)


def _flags(session: Session) -> str:
    transaction = session.transaction is not None
    letters = {
        "S": session.output_class is OutputClass.REPLICA,
        "P": session.service.channels.listens(session),
        "x": transaction,
        "b": session.held,
        "r": session.readonly,
        "t": session.tracker.on,
        "R": session.tracker.broken,
        "B": session.tracker.broadcast,
        "e": session.no_evict,
    }
    return "".join(letter for letter, has in letters.items() if has) or "N"


@clause("CM-86")
def describe_client(session: Session) -> str:
    """The line of CLIENT LIST about this connection. Counterpart: `catClientInfoString`."""
    now, channels = time.monotonic(), session.service.channels
    fields: dict[str, object] = {
        "id": session.client_id,
        "addr": session.address,
        "laddr": session.local_address,
        "fd": session.client_id,
        "name": session.name,
        "age": int(now - session.created_s),
        "idle": int(now - session.heard_s),
        "flags": _flags(session),
        "db": 0,
        "sub": len(channels.heard_by(session, Kind.CHANNEL)),
        "psub": len(channels.heard_by(session, Kind.PATTERN)),
        "ssub": len(channels.heard_by(session, Kind.SHARD)),
        "multi": -1 if session.transaction is None else len(session.transaction.queue),
        "qbuf": 0,
        "qbuf-free": 0,
        "argv-mem": 0,
        "multi-mem": 0,
        "rbs": 0,
        "rbp": 0,
        "obl": 0,
        "oll": 0,
        "omem": 0 if session.outlet is None else session.outlet.unsent,
        "tot-mem": 0,
        "events": "r",
        "cmd": session.last_command,
        "user": session.user.name.decode("utf-8", "surrogateescape"),
        "redir": session.tracker.redirect if session.tracker.on else -1,
        "resp": session.protocol,
    }
    if session.release.knows_libraries:
        fields |= {"lib-name": session.lib_name, "lib-ver": session.lib_ver}
    return " ".join(f"{name}={value}" for name, value in fields.items())


def _all(session: Session) -> list[Session]:
    return sorted(session.service.sessions, key=lambda each: each.client_id)


def _list(session: Session, arguments: list[bytes]) -> ClientReply:
    match [arguments[2].upper() if len(arguments) > 2 else b"", *arguments[3:]]:
        case [b""]:
            chosen = _all(session)
        case [b"TYPE", word]:
            chosen = list(_of_type(session, word))
        case [b"ID", first, *others]:
            error = "ERR Invalid client ID"
            wanted = {parse_integer(word, error) for word in (first, *others)}
            chosen = [each for each in _all(session) if each.client_id in wanted]
        case _:
            return _SYNTAX
    return Verbatim("".join(f"{describe_client(each)}\n" for each in chosen))


def _of_type(session: Session, word: bytes) -> Iterator[Session]:
    kind = _TYPES.get(word.lower())
    if kind is None and word.lower() not in _MASTER:
        text = word.decode("utf-8", "surrogateescape")
        raise CommandError(f"ERR Unknown client type '{text}'")
    return (each for each in _all(session) if each.output_class is kind)


def _info(session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(f"{describe_client(session)}\n")


@clause("CM-87")
def kill(session: Session, arguments: list[bytes]) -> ClientReply:
    """The connections that fit all that is said end. Counterpart: `clientKillCommand`."""
    if len(arguments) == 3:
        text = arguments[2].decode("utf-8", "surrogateescape")
        found = [each for each in _all(session) if each.address == text]
        of_master = session.node.drop_master_link(text)
        if not found and not of_master:
            return ErrorReply("ERR No such client")
        end_sessions(session, found)
        return OK
    skips_me, tests = True, list[Callable[[Session], bool]]()
    for option, value in zip_longest(arguments[2::2], arguments[3::2]):
        if value is None:
            return _SYNTAX
        if option.upper() == b"SKIPME" and value.lower() in (b"yes", b"no"):
            skips_me = value.lower() == b"yes"
        else:
            tests.append(_test(session, option.upper(), value))
    found = [each for each in _all(session) if all(test(each) for test in tests)]
    return end_sessions(session, [each for each in found if not (skips_me and each is session)])


def _test(session: Session, option: bytes, value: bytes) -> Callable[[Session], bool]:
    text = value.decode("utf-8", "surrogateescape")
    match option:
        case b"ID":
            number = parse_integer(value, session.release.bad_client_id)
            if number < 1:
                raise CommandError(session.release.bad_client_id)
            return lambda each: each.client_id == number
        case b"ADDR":
            return lambda each: each.address == text
        case b"LADDR":
            return lambda each: each.local_address == text
        case b"USER":
            if session.service.users.get(value) is None:
                raise CommandError(f"ERR No such user '{text}'")
            return lambda each: each.user.name == value
        case b"TYPE":
            chosen = set(_of_type(session, value))
            return lambda each: each in chosen
        case _:
            raise CommandError("ERR syntax error")


def end_sessions(session: Session, chosen: list[Session]) -> int:
    """These connections end, this one after the reply; how many they are."""
    for each in chosen:
        if each is session:
            session.closing = True  # after the reply
        elif each.outlet is not None:
            each.outlet.abort()
    return len(chosen)


@clause("CM-88")
def pause(session: Session, arguments: list[bytes]) -> ClientReply:
    """Requests, or those that write, are answered after so long. Counterpart: `pauseCommand`."""
    mode = arguments[3].upper() if len(arguments) == 4 else b"ALL"
    if mode not in (b"ALL", b"WRITE"):
        return ErrorReply("ERR CLIENT PAUSE mode must be WRITE or ALL")
    if len(arguments) > 4:
        return _SYNTAX
    error = "ERR timeout is not an integer or out of range"
    milliseconds = parse_integer(arguments[2], error)
    if milliseconds < 0:
        return ErrorReply("ERR timeout is negative")
    purpose = ClientPause.ALL if mode == b"ALL" else ClientPause.WRITE
    session.node.writes.begin(min(milliseconds, _LONGEST_MS), purpose)
    return OK


def _unpause(session: Session, _arguments: list[bytes]) -> ClientReply:
    for purpose in ClientPause:
        session.node.writes.end(purpose)
    return OK


@clause("CM-89")
def reply(session: Session, arguments: list[bytes]) -> ClientReply:
    """Whether requests from now on are answered. Counterpart: `clientCommand` (REPLY)."""
    match arguments[2].upper():
        case b"ON":
            session.mode = Replies.ON
            return OK
        case b"OFF":
            session.mode = Replies.OFF
        case b"SKIP":
            if session.mode is not Replies.OFF:
                session.mode = Replies.SKIP_NEXT
        case _:
            return _SYNTAX
    return Raw()


def _no_evict(session: Session, arguments: list[bytes]) -> ClientReply:
    if arguments[2].lower() not in (b"on", b"off"):
        return _SYNTAX
    session.no_evict = arguments[2].lower() == b"on"
    return OK


def _no_touch(_session: Session, arguments: list[bytes]) -> ClientReply:
    return OK if arguments[2].lower() in (b"on", b"off") else _SYNTAX


def _unblock(session: Session, arguments: list[bytes]) -> ClientReply:
    reason = arguments[3].upper() if len(arguments) == 4 else b"TIMEOUT"
    if len(arguments) > 4 or reason not in (b"TIMEOUT", b"ERROR"):
        return ErrorReply("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    number = parse_integer(arguments[2])
    found = [each for each in session.service.sessions if each.client_id == number]
    return sum(session.service.waits.unblock(each, error=reason == b"ERROR") for each in found)


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    lines = ["CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for usage, text in _HELP:
        lines += [usage, f"    {text}"]
    return [SimpleString(line) for line in lines]


CLIENT_HANDLERS: Final[Handlers] = {
    "client|help": _help,
    "client|info": _info,
    "client|kill": kill,
    "client|list": _list,
    "client|no-evict": _no_evict,
    "client|no-touch": _no_touch,
    "client|pause": pause,
    "client|reply": reply,
    "client|unblock": _unblock,
    "client|unpause": _unpause,
}
"""The handlers of this module by command."""
