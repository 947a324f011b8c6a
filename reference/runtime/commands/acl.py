"""AUTH and ACL: who a client is, and what users there are."""

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer, subcommand_error
from reference.runtime.clients.channels import Kind
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.commands.clients import end_sessions
from reference.runtime.commands.permission import describe_trial, note_wrong_password
from reference.runtime.replies import ClientReply, SetReply
from reference.runtime.users.check import hears, why_refused
from reference.runtime.users.describe import SelectorTexts, selector_texts, user_flags
from reference.runtime.users.log import LogEntry
from reference.runtime.users.names import CATEGORIES
from reference.runtime.users.rules import OpenSelectorError, RuleError, User, has_blanks
from reference.runtime.users.users import DEFAULT, AclError
from reference.wire.resp import OK, ErrorReply, SimpleString

_LOGGER = logging.getLogger(__name__)

_WRONG: Final = "WRONGPASS invalid username-password pair or user is disabled."
_AUTH_IN_VAIN: Final = (
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
_MOST_BITS: Final = 4096
_SHOWN: Final = 10
_HELP: Final = (
    ("CAT [<category>]", "The categories of commands, or the commands of one."),
    ("DELUSER <username> [<username> ...]", "Remove users, and end their connections."),
    ("DRYRUN <username> <command> [<arg> ...]", "Whether a user may do this; it is not done."),
    ("GETUSER <username>", "What one user may do."),
    ("GENPASS [<bits>]", "A random password, of 256 bits if nothing else is said."),
    ("LIST", "The users, each as a line of rules."),
    ("LOAD", "Take the users from the ACL file."),
    ("LOG [<count> | RESET]", "What was refused to users, the newest first."),
    ("SAVE", "Write the users to the ACL file."),
    ("SETUSER <username> <rule> [<rule> ...]", "Make or change a user by rules."),
    ("USERS", "The names of the users."),
    ("WHOAMI", "The user of this connection."),
    ("HELP", "Print these lines."),
)


@clause("CM-85", "US-7")
def authenticate(session: Session, user: bytes, password: bytes, command: bytes = b"AUTH") -> None:
    """The client is the user; CommandError if the password is not the user's, which is noted.

    Counterpart: `authCommand`, `ACLAuthenticateUser`.
    """
    found = session.service.users.authenticated(user, password)
    if found is None:
        note_wrong_password(session, user, command)
        raise CommandError(_WRONG)
    session.become(found)
    session.authenticated = True


def _auth(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3:
        return ErrorReply("ERR syntax error")
    user, password = (DEFAULT, *arguments[1:])[-2:]
    if len(arguments) == 2 and session.service.users.default.no_password:
        return ErrorReply(_AUTH_IN_VAIN)
    authenticate(session, user, password, arguments[0])
    return OK


def _whoami(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.user.name


def _users(session: Session, _arguments: list[bytes]) -> ClientReply:
    return [user.name for user in session.service.users]


def _list(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.service.users.lines()


@clause("US-3")
def get_user(session: Session, arguments: list[bytes]) -> ClientReply:
    """What the user may do, nothing if there is none of the name. Counterpart: `aclCommand`."""
    users = session.service.users
    user = users.get(arguments[2])
    if user is None:
        return None
    first, *others = (selector_texts(each, users.language) for each in user.selectors)
    head: dict[bytes | str, ClientReply] = {
        "flags": SetReply(user_flags(user, users.language)),
        "passwords": list(user.passwords),
    }
    told = [_described(session, each) for each in others]
    return {**head, **_described(session, first), "selectors": told}


def _described(session: Session, texts: SelectorTexts) -> dict[bytes | str, ClientReply]:
    names = ["commands", "keys", "channels"]
    if session.release.has_databases:
        names.append("databases")
    return {name: getattr(texts, name) for name in names}


@clause("US-1", "US-11")
def set_user(session: Session, arguments: list[bytes]) -> ClientReply:
    """The user is so, after all of the rules or none, for all who have come in as him.

    Counterpart: `ACLStringSetUser`.
    """
    name, users = arguments[2], session.service.users
    if has_blanks(name):
        return ErrorReply("ERR Usernames can't contain spaces or null characters")
    old = users.get(name)
    try:
        new = users.changed(name, arguments[3:])
    except RuleError as error:
        rule = _text(error.rule)
        return ErrorReply(f"ERR Error in ACL SETUSER modifier '{rule}': {error}")
    except OpenSelectorError as error:
        return ErrorReply(
            f"ERR Unmatched parenthesis in acl selector starting at '{_text(error.word)}'."
        )
    if old is not None:
        _end_listeners(session, old, new)
    users.put(new)
    _follow(session, new)
    return OK


def _of(session: Session, name: bytes) -> list[Session]:
    return [each for each in session.service.sessions if each.user.name == name]


def _follow(session: Session, user: User) -> None:
    """Whoever has come in as the user may do what he may do now."""
    for each in {session, *session.service.sessions}:
        if each.user.name == user.name:
            each.become(user)


@clause("US-11")
def _end_listeners(session: Session, old: User, new: User) -> None:
    """Nobody listens as this user to what he may not hear any more.

    Counterpart: `ACLKillPubsubClientsIfNeeded`.
    """
    if any(each.all_channels for each in new.selectors):
        return
    allowed = [channel for each in new.selectors for channel in each.channels]
    before = {channel for each in old.selectors for channel in each.channels}
    if before <= set(allowed) and not any(each.all_channels for each in old.selectors):
        return
    end_sessions(session, [each for each in _of(session, old.name) if _overhears(each, allowed)])


def _overhears(session: Session, allowed: Sequence[bytes]) -> bool:
    channels = session.service.channels
    return any(
        not hears(allowed, name, is_pattern=kind is Kind.PATTERN)
        for kind in Kind
        for name in channels.heard_by(session, kind)
    )


@clause("US-11")
def delete_users(session: Session, arguments: list[bytes]) -> ClientReply:
    """There are no such users any more, nor clients that have come in as one of them.

    Counterpart: `ACLFreeUserAndKillClients`.
    """
    if DEFAULT in arguments[2:]:
        return ErrorReply("ERR The 'default' user cannot be removed")
    return sum(_delete(session, name) for name in arguments[2:])


def _delete(session: Session, name: bytes) -> bool:
    if not session.service.users.remove(name):
        return False
    _throw_out(session, name)
    return True


def _throw_out(session: Session, name: bytes) -> None:
    """Nobody is the user any more: connections end, this one after the reply."""
    gone = _of(session, name)
    for each in gone:
        each.become(session.service.users.default)
        each.authenticated = False
    end_sessions(session, gone)


def _cat(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3:
        return subcommand_error(arguments)
    if len(arguments) == 2:
        return CATEGORIES
    word = _text(arguments[2])
    found = session.service.users.language.names.of_kind(word.lower())
    return ErrorReply(f"ERR Unknown category '{word[:128]}'") if found is None else found


def _genpass(_session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3:
        return subcommand_error(arguments)
    bits = parse_integer(arguments[2]) if len(arguments) == 3 else 256
    if not 0 < bits <= _MOST_BITS:
        return ErrorReply(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a "
            f"positive number up to {_MOST_BITS}"
        )
    digits = (bits + 3) // 4
    return secrets.token_hex(digits)[:digits]


@clause("US-4")
def dry_run(session: Session, arguments: list[bytes]) -> ClientReply:
    """Whether the user might do this, which is not done. Counterpart: `aclCommand` (DRYRUN)."""
    user, request = session.service.users.get(arguments[2]), arguments[3:]
    if user is None:
        return ErrorReply(f"ERR User '{_text(arguments[2])}' not found")
    info = session.release.table.lookup(request)
    if info is None:
        return ErrorReply(f"ERR Command '{_text(request[0])}' not found")
    if not info.takes(len(request)):
        return ErrorReply(f"ERR wrong number of arguments for '{info.name}' command")
    refusal = why_refused(user, info, request)
    if refusal is None:
        return OK
    return describe_trial(session.release, _text(user.name), info, request, refusal)


@clause("US-9")
def show_log(session: Session, arguments: list[bytes]) -> ClientReply:
    """What was refused last, or nothing is kept of it any more. Counterpart: `aclCommand` (LOG)."""
    log = session.service.users.log
    match [word.upper() for word in arguments[2:]]:
        case []:
            count = _SHOWN
        case [b"RESET"]:
            log.entries.clear()
            return OK
        case [_]:
            count = max(parse_integer(arguments[2]), 0)
        case _:
            return subcommand_error(arguments)
    now = time.time()
    return [_entry(session, each, now) for each in list(log.entries)[:count]]


def _entry(session: Session, entry: LogEntry, now: float) -> ClientReply:
    told: dict[bytes | str, ClientReply] = {
        "count": entry.count,
        "reason": entry.reason.word,
        "context": entry.context,
        "object": entry.object,
        "username": entry.username,
        "age-seconds": round(max(now - entry.at_s, 0), 3),
        "client-info": entry.client,
    }
    if session.release.knows_later_acl:
        told["entry-id"] = entry.number
        told["timestamp-created"] = int(entry.created_s * 1000)
        told["timestamp-last-updated"] = int(entry.at_s * 1000)
    return told


def _no_file(session: Session) -> ErrorReply:
    redis = "Redis " if session.release.server == "redis" else ""
    a, the = f"This {redis}instance", f"the {redis}configuration"
    return ErrorReply(
        f"ERR {a} is not configured to use an ACL file. You may want to specify users via the ACL "
        f"SETUSER command and then issue a CONFIG REWRITE (assuming you have a {redis}"
        f"configuration file set) in order to store users in {the}."
    )


@clause("US-8", "US-11")
def load(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The users are those of the file, all of them or none; who is none of them is thrown out.

    In Redis 7.0 that is everybody but `default`. Counterpart: `ACLLoadFromFile`.
    """
    users = session.service.users
    if users.path is None:
        return _no_file(session)
    try:
        found = users.read()
    except AclError as error:
        return ErrorReply(f"ERR {error}")
    before = list(users)
    users.replace(found)
    for old in before:
        new = users.get(old.name)
        if new is None or not (session.release.knows_later_acl or old.name == DEFAULT):
            _throw_out(session, old.name)
            continue
        if session.release.knows_later_acl:
            _end_listeners(session, old, new)
        _follow(session, new)
    return OK


def _save(session: Session, _arguments: list[bytes]) -> ClientReply:
    if session.service.users.path is None:
        return _no_file(session)
    try:
        session.service.users.save()
    except OSError as error:
        _LOGGER.warning("the ACL file cannot be written: %s", error)
        return ErrorReply(
            "ERR There was an error trying to save the ACLs. Please check the server logs for more "
            "information"
        )
    return OK


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return list(_help_lines(_HELP))


def _help_lines(rows: Iterable[tuple[str, str]]) -> Iterable[SimpleString]:
    yield SimpleString("ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    for usage, text in rows:
        yield SimpleString(usage)
        yield SimpleString(f"    {text}")


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


ACL_HANDLERS: Final[Handlers] = {
    "auth": _auth,
    "acl|cat": _cat,
    "acl|deluser": delete_users,
    "acl|dryrun": dry_run,
    "acl|genpass": _genpass,
    "acl|getuser": get_user,
    "acl|help": _help,
    "acl|list": _list,
    "acl|load": load,
    "acl|log": show_log,
    "acl|save": _save,
    "acl|setuser": set_user,
    "acl|users": _users,
    "acl|whoami": _whoami,
}
"""The handlers of this module by command."""
