"""COMMAND DOCS: what commands are for, as clients show it to people."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.command_table.doc_rows import COMMAND_DOC_ROWS
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.replies import ClientReply


@cache
def _rows() -> Mapping[str, tuple[str, str, str]]:
    """Since when, group and summary of each command and subcommand."""
    found = {}
    for row in COMMAND_DOC_ROWS.strip().splitlines():
        name, since, group, summary = row.split(" ", 3)
        found[name] = (since, group, summary)
    return found


def _described(info: CommandInfo) -> ClientReply:
    since, group, summary = _rows()[info.name]
    told: dict[bytes | str, ClientReply] = {"summary": summary, "since": since, "group": group}
    if info.subcommands:
        told["subcommands"] = {each.name: _described(each) for each in info.subcommands}
    return told


@clause("CM-97")
def command_docs(session: Session, arguments: list[bytes]) -> ClientReply:
    """What the commands of these names are for, or all. Counterpart: `commandDocsCommand`."""
    table = session.release.table
    names = [argument.decode("latin-1").lower() for argument in arguments[2:]]
    found = [table.commands.get(name) or table.subcommands.get(name) for name in names]
    asked = found if names else list(table.commands.values())
    return {info.name: _described(info) for info in asked if info is not None}


DOCS_HANDLERS: Final[Handlers] = {"command|docs": command_docs}
"""The handlers of this module by command."""
