"""What a client is told of what it may not do, and what is noted of it."""

from collections.abc import Sequence
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Session
from reference.runtime.clients.view import Release
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.commands.clients import describe_client
from reference.runtime.users.check import Reason, Refusal, why_refused
from reference.runtime.users.log import LogEntry
from reference.wire.resp import ErrorReply

_LOG_LENGTH: Final = "128"

_NOPERM_7_0: Final = {
    Reason.COMMAND: "NOPERM this user has no permissions to run the '{command}' command",
    Reason.KEY: ("NOPERM this user has no permissions to access one of the keys used as arguments"),
    Reason.CHANNEL: (
        "NOPERM this user has no permissions to access one of the channels used as arguments"
    ),
}
_NOPERM: Final = {
    Reason.DATABASE: "NOPERM No permissions to access database",
    Reason.COMMAND: "NOPERM User {user} has no permissions to run the '{command}' command",
    Reason.KEY: "NOPERM No permissions to access a key",
    Reason.CHANNEL: "NOPERM No permissions to access a channel",
}
_IN_EXEC: Final = {
    Reason.DATABASE: "no permission to access the database",
    Reason.COMMAND: "no permission to execute the command or subcommand",
    Reason.KEY: "no permission to touch the specified keys",
    Reason.CHANNEL: "no permission to access one of the channels used as arguments",
}
_IN_SCRIPT_7_0: Final = {
    Reason.COMMAND: "can't run this command or subcommand",
    Reason.KEY: "can't access at least one of the keys mentioned in the command arguments",
    Reason.CHANNEL: "can't publish to the channel mentioned in the command",
}
_TRIED: Final = {
    Reason.DATABASE: "access database {object}",
    Reason.COMMAND: "run the '{command}' command",
    Reason.KEY: "access the '{object}' key",
    Reason.CHANNEL: "access the '{object}' channel",
}


@clause("US-4", "US-9")
def why_not_permitted(
    session: Session, info: CommandInfo, arguments: Sequence[bytes]
) -> ErrorReply | None:
    """The error for a request that the client's user may not make, which is noted; else None."""
    refusal = why_refused(session.user, info, arguments)
    if refusal is None:
        return None
    context = "toplevel" if session.transaction is None else "multi"
    _note(session, info, arguments, refusal, context)
    return ErrorReply(_told(session, info, refusal))


@clause("US-10")
def why_not_any_more(
    session: Session, info: CommandInfo, arguments: Sequence[bytes]
) -> ErrorReply | None:
    """The same for a command that has waited: the user may have changed since.

    Counterpart: `processCommandAndResetClient`.
    """
    if session.user.unrestricted or not session.release.knows_later_acl:
        return None
    return why_not_permitted(session, info, arguments)


@clause("US-10")
def why_not_in_exec(
    session: Session, info: CommandInfo, arguments: Sequence[bytes]
) -> ErrorReply | None:
    """The same for a command of a transaction: the user may have changed since it was queued.

    Counterpart: `execCommand`.
    """
    refusal = why_refused(session.user, info, arguments)
    if refusal is None:
        return None
    _note(session, info, arguments, refusal, "multi")
    return ErrorReply(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
        "call. This command is no longer allowed for the following reason: "
        f"{_IN_EXEC[refusal.reason]}"
    )


@clause("US-10")
def why_not_in_script(
    session: Session, info: CommandInfo, arguments: Sequence[bytes]
) -> ErrorReply | None:
    """The same for a command that a script calls. Counterpart: `scriptVerifyACL`."""
    refusal = why_refused(session.user, info, arguments)
    if refusal is None:
        return None
    _note(session, info, arguments, refusal, "lua")
    if session.release.knows_later_acl:
        told = _told(session, info, refusal).removeprefix("NOPERM ")
        return ErrorReply(f"ERR ACL failure in script: {told}")
    return ErrorReply(f"ERR The user executing the script {_IN_SCRIPT_7_0[refusal.reason]}")


def describe_trial(
    release: Release, name: str, info: CommandInfo, arguments: Sequence[bytes], refusal: Refusal
) -> str:
    """What ACL DRYRUN says of a request that would be refused."""
    who = f"User {name}" if release.knows_later_acl else "This user"
    tried = _TRIED[refusal.reason].format(command=info.name, object=_text(arguments[refusal.at]))
    return f"{who} has no permissions to {tried}"


def _told(session: Session, info: CommandInfo, refusal: Refusal) -> str:
    texts = _NOPERM if session.release.knows_later_acl else _NOPERM_7_0
    return texts[refusal.reason].format(user=_text(session.user.name), command=info.name)


def _note(
    session: Session,
    info: CommandInfo,
    arguments: Sequence[bytes],
    refusal: Refusal,
    context: str,
) -> None:
    named = refusal.reason in (Reason.KEY, Reason.CHANNEL) or refusal.at
    what = arguments[refusal.at] if named else info.name.encode()
    _keep(session, refusal.reason, context, what, session.user.name)


@clause("US-9")
def note_wrong_password(session: Session, name: bytes, command: bytes) -> None:
    """Somebody tried to come in as this user. Counterpart: `ACLAuthenticateUser`."""
    context = "toplevel" if session.transaction is None else "multi"
    _keep(session, Reason.AUTH, context, command, name)


def _keep(session: Session, reason: Reason, context: str, what: bytes, username: bytes) -> None:
    longest = int(session.node.options.kept.get("acllog-max-len", _LOG_LENGTH))
    entry = LogEntry(
        reason=reason,
        context=context,
        object=what,
        username=username,
        client=describe_client(session),
    )
    session.service.users.log.note(entry, longest)


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
