"""Commands about the server: INFO, CONFIG and COMMAND."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import parse_integer
from reference.runtime.clients.channels import Kind
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.command_table.table import keys_of
from reference.runtime.commands.replication import replication_lines, sync_lines
from reference.runtime.commands.saving import persistence_lines
from reference.runtime.configuration.directives import (
    PLACES,
    DirectiveError,
    configured,
    given_names,
    is_hidden,
    kept_text,
    values,
)
from reference.runtime.configuration.file import replace_file, rewritten, with_users
from reference.runtime.configuration.kept_directives import list_names
from reference.runtime.driver_log import set_log_level
from reference.runtime.limits import configured_limits
from reference.runtime.options import NodeOptions
from reference.runtime.patterns import glob
from reference.runtime.replies import ClientReply, Raw, SetReply, Verbatim
from reference.runtime.tls.settings import TlsError, changes_tls
from reference.wire.resp import OK, ErrorReply, SimpleString

_LOG = logging.getLogger(__name__)
_NOT_LISTENING: Final = "ERR CONFIG SET failed (possibly related to argument '{}') - {}"
_WHY_NOT: Final = {
    "bind": "Failed to bind to specified addresses.",
    "port": "Unable to listen on this port. Check server logs.",
    "tls-port": "Unable to listen on this port. Check server logs.",
}
_STAYS: Final = ErrorReply("ERR Errors trying to SHUTDOWN. Check logs.")

_NO_AOF: Final = (
    "ERR CONFIG SET failed (possibly related to argument 'appendonly') - "
    "Unable to turn on AOF. Check server logs."
)
_NO_TLS: Final = (
    "ERR CONFIG SET failed (possibly related to argument '{}') - "
    "Unable to update TLS configuration. Check server logs."
)
_ALL_SECTIONS: Final = frozenset({"all", "everything"})
_ON_REQUEST: Final = frozenset({"Commandstats"})


def _server_section(session: Session) -> Iterator[str]:
    yield from session.release.version_lines
    yield f"{session.release.mode_field}:cluster"
    yield "arch_bits:64"
    yield f"process_id:{os.getpid()}"
    yield f"run_id:{session.service.run_id}"
    yield f"tcp_port:{session.node.options.port or session.node.options.tls_port}"
    if session.release.knows_libraries:  # both came with the same release
        yield from _listeners(session.node.options)
    uptime_s = int(time.monotonic() - session.service.stats.started_s)
    yield f"uptime_in_seconds:{uptime_s}"
    yield f"uptime_in_days:{uptime_s // 86400}"
    file = session.node.options.config_file
    yield f"config_file:{'' if file is None else file.absolute()}"
    if session.release.zones:
        yield f"availability_zone:{session.node.options.availability_zone}"
    left_ms = session.service.ending.left_ms
    if left_ms is not None:
        yield f"shutdown_in_milliseconds:{left_ms}"


def _listeners(options: NodeOptions) -> Iterator[str]:
    """Where clients are served, with and without TLS (`genListenersInfoString`)."""
    ports = {"tcp": options.port, "tls": options.tls_port}
    places = "".join(f",bind={address}" for address in options.addresses)
    served = [(name, port) for name, port in ports.items() if port]
    for number, (name, port) in enumerate(served):
        yield f"listener{number}:name={name}{places},port={port}"


def _clients_section(session: Session) -> Iterator[str]:
    yield f"connected_clients:{len(session.service.sessions)}"
    yield f"maxclients:{configured_limits(session.node.options.kept).max_clients}"
    yield f"tracking_clients:{len(session.service.tracking.trackers)}"
    pause = session.node.writes
    held = sum(each.held for each in session.service.sessions)
    yield f"blocked_clients:{held + pause.waiting}"
    if session.release.knows_later_options:
        yield f"paused_reason:{'client_pause' if pause.active else 'none'}"
        actions = ("all" if pause.holds_all else "write") if pause.active else "none"
        yield f"paused_actions:{actions}"
        yield f"paused_timeout_milliseconds:{pause.left_ms}"


def _stats_section(session: Session) -> Iterator[str]:
    yield from session.service.stats.lines()
    keyspace = session.service.keyspace
    yield f"expired_keys:{keyspace.database().expired_count if keyspace.is_open else 0}"
    yield "evicted_keys:0"  # none ever is
    channels = session.service.channels
    yield f"pubsub_channels:{len(channels.names(Kind.CHANNEL))}"
    yield f"pubsub_patterns:{len(channels.names(Kind.PATTERN))}"
    yield f"pubsubshard_channels:{len(channels.names(Kind.SHARD))}"
    if session.release.knows_later_acl:
        log = session.service.users.log
        yield from log.lines(has_databases=session.release.has_databases)
    names = ("total_keys", "total_items", "total_prefixes")
    for name, count in zip(names, session.service.tracking.counts(), strict=True):
        yield f"tracking_{name}:{count}"
    yield from sync_lines(session)


def _memory_section(session: Session) -> Iterator[str]:
    options = session.node.options
    most = int(kept_text(options, "maxmemory"))
    yield f"maxmemory:{most}"
    yield f"maxmemory_human:{_human(most)}"
    yield f"maxmemory_policy:{kept_text(options, 'maxmemory-policy')}"
    yield f"mem_cluster_links:{sum(link.unsent for link in session.node.links())}"


def _human(count: int) -> str:
    """So many bytes in the unit that people read (`bytesToHuman`)."""
    if count < 1024:
        return f"{count}B"
    power = min((count.bit_length() - 1) // 10, 5)
    return f"{count / 1024**power:.2f}{' KMGTP'[power]}"


def _error_section(session: Session) -> Iterator[str]:
    yield from session.service.stats.error_lines()


def _command_section(session: Session) -> Iterator[str]:
    yield from session.service.stats.command_lines()


def _cluster_section(_session: Session) -> Iterator[str]:
    yield "cluster_enabled:1"


def _keyspace_section(session: Session) -> Iterator[str]:
    keyspace = session.service.keyspace
    if len(keyspace):
        yield f"db0:keys={len(keyspace)},expires={keyspace.expires_count()},avg_ttl=0"


_SECTIONS: Final[dict[str, Callable[[Session], Iterator[str]]]] = {
    "Server": _server_section,
    "Clients": _clients_section,
    "Memory": _memory_section,
    "Persistence": persistence_lines,
    "Stats": _stats_section,
    "Replication": replication_lines,
    "Commandstats": _command_section,
    "Errorstats": _error_section,
    "Cluster": _cluster_section,
    "Keyspace": _keyspace_section,
}


@clause("CM-18")
def info(session: Session, arguments: list[bytes]) -> ClientReply:
    """The sections that were asked for, or all, each with its title. Counterpart: `infoCommand`."""
    wanted = {argument.decode("latin-1").lower() for argument in arguments[1:]} or {"default"}
    parts = [
        "".join(f"{line}\r\n" for line in (f"# {title}", *lines(session)))
        for title, lines in _SECTIONS.items()
        if title.lower() in wanted
        or wanted & _ALL_SECTIONS
        or ("default" in wanted and title not in _ON_REQUEST)
    ]
    return Verbatim("\r\n".join(parts))


@clause("CM-19")
def config_get(session: Session, arguments: list[bytes]) -> ClientReply:
    """The settings whose names match one of the patterns. Counterpart: `configGetCommand`."""
    patterns = [argument.decode("latin-1").lower() for argument in arguments[2:]]
    options = session.node.options
    return {
        name: value
        for name, value in values(options).items()
        if name in patterns
        or (
            not is_hidden(options, name) and any(fnmatchcase(name, pattern) for pattern in patterns)
        )
    }


@clause("CM-41")
def config_set(session: Session, arguments: list[bytes]) -> ClientReply:
    """The directives have these values, all or none. Counterpart: `configSetCommand`."""
    words = [argument.decode("utf-8", "surrogateescape") for argument in arguments[2:]]
    if len(words) % 2:
        return ErrorReply("ERR syntax error")
    pairs = list(zip(words[::2], words[1::2], strict=True))
    try:
        options = configured(session.node.options, pairs)
    except DirectiveError as error:
        return ErrorReply(f"ERR {error}")
    use_tls: Callable[[], None] | None = None
    if changes_tls(pairs):
        try:
            use_tls = session.node.tls.load(options)
        except TlsError as error:
            _LOG.warning("%s", error)
            return ErrorReply(_NO_TLS.format(pairs[0][0].lower()))
    places = [name.lower() for name, _ in pairs if name.lower() in PLACES]
    refused = _why_not_listening(session, places, options)
    if refused is not None:
        return refused
    record_as = session.service.keyspace.record_as
    if record_as is not None:
        try:
            record_as(options)
        except (OSError, ValueError) as error:
            _LOG.warning("the append only file cannot be used: %s", error)
            _why_not_listening(session, places, session.node.options)
            return ErrorReply(_NO_AOF)
    if use_tls is not None:
        use_tls()
    session.node.configure(options)
    session.service.users.follow(options)
    session.service.tell_events()
    if any(name.lower() == "loglevel" for name, _ in pairs):
        set_log_level(options.kept["loglevel"])
    return OK


@clause("RT-36")
def _why_not_listening(
    session: Session, places: list[str], options: NodeOptions
) -> ErrorReply | None:
    """New clients are served where the options say if these change, or the error says why not.

    Counterpart: `updatePort`, `applyBind`.
    """
    listen_at = session.service.listen_at
    if not places or listen_at is None:
        return None
    try:
        if not options.port and not options.tls_port:
            raise OSError("a node without a port for clients is not served")  # noqa: TRY301
        listen_at(options)
    except OSError as error:
        _LOG.warning("Failed listening: %s", error)
        return ErrorReply(_NOT_LISTENING.format(places[0], _WHY_NOT[places[0]]))
    return None


@clause("RT-34")
def config_rewrite(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The file that the node was started with says what is so now. Counterpart: `configRewrite`."""
    options = session.node.options
    if options.config_file is None:
        return ErrorReply("ERR The server is running without a config file")
    shown, changed = values(options), given_names(options)
    try:
        old = options.config_file.read_text(encoding="utf-8")
        text = rewritten(old, shown, changed, list_names(options.dialect))
        replace_file(options.config_file, with_users(text, session.service.users.config_lines()))
    except (OSError, UnicodeError) as error:
        return ErrorReply(f"ERR Rewriting config file: {error}")
    return OK


def _config_resetstat(session: Session, _arguments: list[bytes]) -> ClientReply:
    session.service.stats.reset()
    if session.service.keyspace.is_open:
        session.service.keyspace.database().expired_count = 0
    session.service.users.log.refused.clear()
    if session.release.counts_bytes:
        session.node.forget_traffic()
    return OK


@clause("CM-20")
def command(session: Session, _arguments: list[bytes]) -> ClientReply:
    """What is known of every command. Counterpart: `commandCommand`."""
    return [found.describe() for found in session.release.table.commands.values()]


def _command_count(session: Session, _arguments: list[bytes]) -> ClientReply:
    return len(session.release.table.commands)


def _command_info(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) == 2:
        return command(session, arguments)
    names = [argument.decode("latin-1").lower() for argument in arguments[2:]]
    table = session.release.table
    found = [table.commands.get(name) or table.subcommands.get(name) for name in names]
    return [entry.describe() if entry else None for entry in found]


def _command_list(session: Session, arguments: list[bytes]) -> ClientReply:
    table = session.release.table
    found = [*table.commands.values(), *table.subcommands.values()]
    match [word.upper() for word in arguments[2:4]]:
        case []:
            return [each.name for each in found]
        case [b"FILTERBY", b"MODULE"] if len(arguments) == 5:
            return []
        case [b"FILTERBY", b"ACLCAT"] if len(arguments) == 5:
            wanted = arguments[4].decode("latin-1").lower()
            return [each.name for each in found if wanted in each.categories]
        case [b"FILTERBY", b"PATTERN"] if len(arguments) == 5:
            fits = glob(arguments[4].lower()).fullmatch
            return [each.name for each in found if fits(each.name.encode())]
        case _:
            return ErrorReply("ERR syntax error")


@clause("CM-21")
def command_getkeys(session: Session, arguments: list[bytes]) -> ClientReply:
    """The keys of the request that follows, in their order. Counterpart: `getKeysSubcommand`."""
    request = arguments[2:]
    found = session.release.table.lookup(request)
    if found is None:
        return ErrorReply("ERR Invalid command specified")
    if all("not_key" in spec.flags for spec in found.key_specs):
        return ErrorReply("ERR The command has no key arguments")
    if not found.takes(len(request)):
        return ErrorReply("ERR Invalid number of arguments specified for command")
    keys = keys_of(found, request, channels=False)
    return ErrorReply("ERR Invalid arguments specified for command") if keys is None else keys


@clause("CM-90")
def shutdown(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node ends, without a reply, or the reply says why not. Counterpart: `shutdownCommand`."""
    words = {argument.upper() for argument in arguments[1:]}
    known = {b"SAVE", b"NOSAVE", b"NOW", b"FORCE", b"ABORT", b"SAFE", b"FAILOVER"}
    if session.release.server != "valkey":
        known -= {b"SAFE", b"FAILOVER"}
    mixed = b"ABORT" in words and len(words) > 1
    if not words <= known or words >= {b"SAVE", b"NOSAVE"} or mixed:
        return ErrorReply("ERR syntax error")
    ending = session.service.ending
    if words == {b"ABORT"}:
        return OK if ending.abort() else ErrorReply("ERR No shutdown in progress.")
    answered: list[bool] = []

    def done(ends: bool) -> None:  # noqa: FBT001
        answered.append(ends)
        session.closing |= ends
        if not ends:
            session.settle(_STAYS)

    ending.ask(frozenset(word.decode() for word in words), done)
    if answered == [False]:
        return _STAYS
    if not answered:
        session.hold()
    return Raw()


@clause("CM-117")
def lolwut(session: Session, arguments: list[bytes]) -> ClientReply:
    """Which release this is. Counterpart: `lolwutUnstableCommand`."""
    if len(arguments) > 2 and arguments[1].upper() == b"VERSION":
        parse_integer(arguments[2])
    return Verbatim(f"{session.release.server.capitalize()} ver. {session.release.version}\n")


def _command_getkeysandflags(session: Session, arguments: list[bytes]) -> ClientReply:
    keys = command_getkeys(session, arguments)
    request = arguments[2:]
    found = session.release.table.lookup(request)
    if isinstance(keys, ErrorReply) or found is None:
        return keys
    return [
        [request[position], SetReply([SimpleString(flag) for flag in spec.flags])]
        for spec in found.key_specs
        if "not_key" not in spec.flags
        for position in spec.positions(request) or ()
    ]


SERVER_HANDLERS: Final[Handlers] = {
    "info": info,
    "config|get": config_get,
    "config|resetstat": _config_resetstat,
    "config|rewrite": config_rewrite,
    "config|set": config_set,
    "lolwut": lolwut,
    "shutdown": shutdown,
    "command": command,
    "command|count": _command_count,
    "command|info": _command_info,
    "command|list": _command_list,
    "command|getkeys": command_getkeys,
    "command|getkeysandflags": _command_getkeysandflags,
}
"""The handlers of this module by command."""
