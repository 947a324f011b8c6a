"""Who a client is: the one user that a node has, and its password."""

import hashlib
import hmac
import secrets
from typing import Final

from reference.clauses import clause
from reference.runtime.client_arguments import CommandError, parse_integer, subcommand_error
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_session import Handlers, Session
from reference.wire.resp import OK, ErrorReply

_DEFAULT_USER: Final = b"default"
_WRONG: Final = "WRONGPASS invalid username-password pair or user is disabled."
_AUTH_IN_VAIN: Final = (
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
_MOST_BITS: Final = 4096


@clause("CM-85")
def authenticate(session: Session, user: bytes, password: bytes) -> None:
    """The client is the user; CommandError if the password is not the user's.

    Every password is right while there is none. Counterpart: `authCommand`,
    `ACLAuthenticateUser`.
    """
    wanted = session.service.password.encode("utf-8", "surrogateescape")
    # The time that it takes says nothing of the password.
    right = not wanted or hmac.compare_digest(wanted, password)
    if user != _DEFAULT_USER or not right:
        raise CommandError(_WRONG)
    session.authenticated = True


def _auth(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3:
        return ErrorReply("ERR syntax error")
    if len(arguments) == 2:
        if not session.service.password:
            return ErrorReply(_AUTH_IN_VAIN)
        authenticate(session, _DEFAULT_USER, arguments[1])
    else:
        authenticate(session, arguments[1], arguments[2])
    return OK


def _hash_of(session: Session) -> str:
    password = session.service.password
    if not password:
        return ""
    return hashlib.sha256(password.encode("utf-8", "surrogateescape")).hexdigest()


def _whoami(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return _DEFAULT_USER


def _users(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return [_DEFAULT_USER]


def _list(session: Session, _arguments: list[bytes]) -> ClientReply:
    found = _hash_of(session)
    return [f"user default on {f'#{found}' if found else 'nopass'} ~* &* +@all"]


def _getuser(session: Session, arguments: list[bytes]) -> ClientReply:
    if arguments[2] != _DEFAULT_USER:
        return None
    found = _hash_of(session)
    facts: dict[bytes | str, ClientReply] = {
        "flags": ["on"] if found else ["on", "nopass"],
        "passwords": [found] if found else [],
        "commands": "+@all",
        "keys": "~*",
        "channels": "&*",
    }
    if session.release.has_databases:
        facts["databases"] = "alldbs"
    return facts | {"selectors": []}


def _categories(session: Session) -> dict[str, list[str]]:
    table = session.release.table
    found: dict[str, list[str]] = {}
    for each in (*table.commands.values(), *table.subcommands.values()):
        for category in each.categories:
            found.setdefault(category, []).append(each.name)
    return found


def _cat(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3:
        return subcommand_error(arguments)
    found = _categories(session)
    if len(arguments) == 2:
        return list(found)
    word = arguments[2].decode("utf-8", "surrogateescape")
    names = found.get(word.lower())
    return ErrorReply(f"ERR Unknown category '{word}'") if names is None else names


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


USER_HANDLERS: Final[Handlers] = {
    "auth": _auth,
    "acl|cat": _cat,
    "acl|genpass": _genpass,
    "acl|getuser": _getuser,
    "acl|list": _list,
    "acl|users": _users,
    "acl|whoami": _whoami,
}
"""The handlers of this module by command."""
