"""DEBUG: what tests of servers ask of a node."""

import logging
from collections.abc import Mapping
from typing import Final

from reference.clauses import clause
from reference.core.types import Link
from reference.runtime.clients.arguments import (
    CommandError,
    parse_integer,
    parse_node_id,
    subcommand_error,
)
from reference.runtime.clients.session import Handler, Handlers, Session
from reference.runtime.commands.debug_data import reload_data, show_key, show_reply
from reference.runtime.data.digest import (
    ScoreText,
    all_digits,
    digest_of_data,
    digest_of_value,
    shortest,
)
from reference.runtime.replies import ClientReply
from reference.wire.rdb import RdbKey
from reference.wire.rdb_values import RdbString
from reference.wire.resp import OK, ErrorReply, SimpleString

_LOG = logging.getLogger(__name__)

_NOT_ALLOWED: Final = ErrorReply(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
    '"local", you can run it from a local connection, otherwise you need to set this option '
    "in the configuration file, and then restart the server."
)

_DIRECTIONS: Final[Mapping[bytes, tuple[Link, ...]]] = {
    b"TO": (Link.OUTBOUND,),
    b"FROM": (Link.INBOUND,),
    b"ALL": (Link.OUTBOUND, Link.INBOUND),
}

_HELP: Final = (
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CLOSE-CLUSTER-LINK-ON-PACKET-DROP <0|1>",
    "    Whether the link of a message that the filter drops is closed.",
    "CLUSTERLINK KILL <to|from|all> <node-id>",
    "    The links with the node in this direction are closed.",
    "DIGEST",
    "    A digest of all data.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    A digest of the value of each key.",
    "DISABLE-CLUSTER-RANDOM-PING <0|1>",
    "    Whether no node is pinged but those whose turn has come.",
    "DISABLE-CLUSTER-RECONNECTION <0|1>",
    "    Whether links that are gone stay away.",
    "DROP-CLUSTER-PACKET-FILTER <type>",
    "    Messages of this type are not heard; -1 for none, -2 for all.",
    "ERROR <text>",
    "    The text as an error.",
    "LOG <text>",
    "    The text is in the log.",
    "OBJECT <key>",
    "    How the value of the key is kept.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    So many strings are there, whether or not their slots are served here.",
    "PROTOCOL <type>",
    "    A reply of this type.",
    "RELOAD [NOSAVE|NOFLUSH|MERGE ...]",
    "    All data is written and read again, in memory.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys are deleted in the background once their time is over.",
    "SLEEP <seconds>",
    "    The node does nothing for so long.",
    "SLOTMIGRATION PREVENT-PAUSE <0|1>",
    "    Whether a source does not pause, however little is left to send.",
    "HELP",
    "    This text.",
)


def _is_local(session: Session) -> bool:
    return session.address.rpartition(":")[0] in ("127.0.0.1", "::1", "")


@clause("CM-95")
def debug(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node does as it is told, where its configuration allows it.

    Counterpart: `debugCommand`.
    """
    allowed = session.node.options.kept.get("enable-debug-command", "no")
    if allowed == "no" or (allowed == "local" and not _is_local(session)):
        return _NOT_ALLOWED
    name = arguments[1].decode("latin-1").lower()
    known = _SUBCOMMANDS.get(name)
    if known is None or len(arguments) not in known[1]:
        return subcommand_error(arguments)
    if name in _OF_VALKEY_8 and session.release.server != "valkey":
        return subcommand_error(arguments)
    if name in _OF_VALKEY_9 and session.release.dialect != "valkey-9.1":
        return subcommand_error(arguments)
    return known[0](session, arguments)


def _sleep(session: Session, arguments: list[bytes]) -> ClientReply:
    try:
        seconds = float(arguments[2])
    except ValueError:
        seconds = 0.0  # as strtod has it
    if seconds <= 0:
        return OK
    session.hold()
    session.node.debugging.sleep(seconds, lambda: session.settle(OK))
    return OK


def _log(_session: Session, arguments: list[bytes]) -> ClientReply:
    _LOG.warning("DEBUG LOG: %s", arguments[2].decode("utf-8", "backslashreplace"))
    return OK


def _error(_session: Session, arguments: list[bytes]) -> ClientReply:
    text = arguments[2].decode("utf-8", "backslashreplace")
    return ErrorReply(text.replace("\r", " ").replace("\n", " "))


def _digest(session: Session, _arguments: list[bytes]) -> ClientReply:
    keyspace = session.service.keyspace
    entries = (keyspace.entry(key) for key in list(keyspace.database()))
    return SimpleString(
        digest_of_data((entry for entry in entries if entry is not None), _score_text(session))
    )


def _digest_value(session: Session, arguments: list[bytes]) -> ClientReply:
    keyspace = session.service.keyspace
    score_text = _score_text(session)
    return [SimpleString(digest_of_value(keyspace.entry(key), score_text)) for key in arguments[2:]]


def _score_text(session: Session) -> ScoreText:
    return all_digits if session.release.dialect == "redis-7.0" else shortest


def _populate(session: Session, arguments: list[bytes]) -> ClientReply:
    wrong = "ERR value is out of range, must be positive"
    count = parse_integer(arguments[2], wrong)
    size = parse_integer(arguments[4], wrong) if len(arguments) > 4 else 0
    if count < 0 or size < 0:
        raise CommandError(wrong)
    prefix = arguments[3] if len(arguments) > 3 else b"key"
    keyspace = session.service.keyspace
    present = keyspace.database()
    for number in range(count):
        key, text = b"%b:%d" % (prefix, number), b"value:%d" % number
        if key not in present:
            value = text[:size].ljust(size, b"\0") if size else text
            keyspace.load(RdbKey(key=key, value=RdbString(value)))
    return OK


def _set_active_expire(session: Session, arguments: list[bytes]) -> ClientReply:
    session.service.keyspace.expires_by_itself = _switch(arguments[2])
    return OK


def _drop_filter(session: Session, arguments: list[bytes]) -> ClientReply:
    session.node.debugging.dropped_type = parse_integer(arguments[2])
    return OK


def _close_on_drop(session: Session, arguments: list[bytes]) -> ClientReply:
    session.node.debugging.closes_link_on_drop = _switch(arguments[2])
    return OK


def _no_reconnection(session: Session, arguments: list[bytes]) -> ClientReply:
    session.node.debugging.reconnects = not _switch(arguments[2])
    return OK


def _no_random_ping(session: Session, arguments: list[bytes]) -> ClientReply:
    session.node.debugging.pings_at_random = not _switch(arguments[2])
    return OK


def _switch(argument: bytes) -> bool:
    digits = argument.strip()
    return digits.isdigit() and int(digits) != 0


def _cluster_link(session: Session, arguments: list[bytes]) -> ClientReply:
    if arguments[2].upper() != b"KILL":
        return subcommand_error(arguments)
    node_id = parse_node_id(arguments[4])
    if session.state.nodes.get(node_id) is None:
        return ErrorReply(f"ERR Unknown node {node_id}")
    directions = _DIRECTIONS.get(arguments[3].upper())
    if directions is None:
        return ErrorReply(f"ERR Unknown direction {parse_node_id(arguments[3])}")
    session.node.debugging.kill_links(node_id, *directions)
    return OK


def _slot_migration(session: Session, arguments: list[bytes]) -> ClientReply:
    if arguments[2].upper() != b"PREVENT-PAUSE":
        return subcommand_error(arguments)
    session.node.migrations.pauses = parse_integer(arguments[3]) == 0
    return OK


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return [SimpleString(line) for line in _HELP]


_SUBCOMMANDS: Final[Mapping[str, tuple[Handler, range]]] = {
    "close-cluster-link-on-packet-drop": (_close_on_drop, range(3, 4)),
    "clusterlink": (_cluster_link, range(5, 6)),
    "digest": (_digest, range(2, 3)),
    "digest-value": (_digest_value, range(2, 1 << 31)),
    "disable-cluster-random-ping": (_no_random_ping, range(3, 4)),
    "disable-cluster-reconnection": (_no_reconnection, range(3, 4)),
    "drop-cluster-packet-filter": (_drop_filter, range(3, 4)),
    "error": (_error, range(3, 4)),
    "help": (_help, range(2, 3)),
    "log": (_log, range(3, 4)),
    "object": (show_key, range(3, 5)),
    "populate": (_populate, range(3, 6)),
    "protocol": (show_reply, range(3, 4)),
    "reload": (reload_data, range(2, 1 << 31)),
    "set-active-expire": (_set_active_expire, range(3, 4)),
    "sleep": (_sleep, range(3, 4)),
    "slotmigration": (_slot_migration, range(4, 5)),
}
_OF_VALKEY_8: Final = frozenset({"close-cluster-link-on-packet-drop"})
_OF_VALKEY_9: Final = frozenset(
    {"disable-cluster-random-ping", "disable-cluster-reconnection", "slotmigration"}
)

DEBUG_HANDLERS: Final[Handlers] = {"debug": debug}
"""The handlers of this module by command."""
