"""COMMAND DOCS: what commands are for and what they take, as clients show it to people."""

from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.command_table.documents import Argument, documents_of
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.resp import SimpleString

_HAVE_NO_FACE: Final = frozenset({"oneof", "block"})
"""Kinds of arguments that are shown as their parts are."""

_SHOWS_NAMES_AS_THEY_ARE: Final = "redis-7.0"


def _described(info: CommandInfo, dialect: str) -> ClientReply:
    document = documents_of(dialect)[info.name]
    told: dict[bytes | str, ClientReply] = {
        "summary": document.summary,
        "since": document.since,
        "group": document.group,
    }
    if document.complexity:
        told["complexity"] = document.complexity
    if document.flags:
        told["doc_flags"] = SetReply([SimpleString(flag) for flag in document.flags])
    if document.replaced_by:
        told["deprecated_since"] = document.deprecated_since
        told["replaced_by"] = document.replaced_by
    if document.arguments:
        told["arguments"] = [_argument(each, dialect) for each in document.arguments]
    if info.subcommands:
        told["subcommands"] = {each.name: _described(each, dialect) for each in info.subcommands}
    return told


def _argument(argument: Argument, dialect: str) -> ClientReply:
    """Counterpart: `addReplyCommandArgList`."""
    told: dict[bytes | str, ClientReply] = {"name": argument.name, "type": argument.kind}
    if argument.kind not in _HAVE_NO_FACE and dialect != _SHOWS_NAMES_AS_THEY_ARE:
        told["display_text"] = argument.shown
    if argument.key_spec is not None:
        told["key_spec_index"] = argument.key_spec
    if argument.token is not None:
        told["token"] = argument.token
    if argument.since:
        told["since"] = argument.since
    if argument.deprecated_since:
        told["deprecated_since"] = argument.deprecated_since
    if argument.flags:
        told["flags"] = SetReply([SimpleString(flag) for flag in argument.flags])
    if argument.parts:
        told["arguments"] = [_argument(each, dialect) for each in argument.parts]
    return told


@clause("CM-97")
def command_docs(session: Session, arguments: list[bytes]) -> ClientReply:
    """What the commands of these names are for, or all. Counterpart: `commandDocsCommand`."""
    table, dialect = session.release.table, session.release.dialect
    names = [argument.decode("latin-1").lower() for argument in arguments[2:]]
    found = [table.commands.get(name) or table.subcommands.get(name) for name in names]
    asked = found if names else list(table.commands.values())
    return {info.name: _described(info, dialect) for info in asked if info is not None}


DOCS_HANDLERS: Final[Handlers] = {"command|docs": command_docs}
"""The handlers of this module by command."""
