"""Scripts: they run as a whole, on keys that are served here, and replicas get what they did."""

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.slots import key_hash_slot
from reference.runtime.clients.arguments import parse_integer
from reference.runtime.clients.routing import needs_moving_keys, route
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.command_table.table import CommandInfo, keys_of
from reference.runtime.commands.permission import why_not_in_script
from reference.runtime.configuration.directives import kept_text
from reference.runtime.replies import ClientReply
from reference.runtime.scripts.known_scripts import Script
from reference.runtime.scripts.lua import NoLuaError, ScriptError
from reference.wire.resp import OK, ErrorReply

MAY_WRITE: Final = frozenset({"eval", "evalsha", "fcall"})
"""What is no command that writes, and yet may do so."""

_NOT_IN_SCRIPTS: Final = {"noscript", "migrate"}
_REFUSED: Final = (
    ("MOVED", "ERR Script attempted to access a non local key in a cluster node"),
    ("ASK", "ERR Script attempted to access a non local key in a cluster node"),
    ("TRYAGAIN", "ERR Script attempted to access a non local key in a cluster node"),
    ("CLUSTERDOWN", "ERR Script attempted to execute a command while the cluster is down"),
)


def _blocks(info: CommandInfo, words: list[bytes]) -> bool:
    """Whether it is one of those that wait if they are asked to, and it is."""
    if info.name not in ("xread", "xreadgroup"):
        return False
    options = [word.upper() for word in words]
    return b"BLOCK" in options[: options.index(b"STREAMS") if b"STREAMS" in options else None]


Run = Callable[[Session, CommandInfo, list[bytes]], ClientReply]
"""Carries out a command that may be carried out."""


@attrs.define(kw_only=True)
class Running:
    """A script that runs: what it may do."""

    session: Session  # of its own, with the rights of the client's
    script: Script
    reads_only: bool
    run: Run
    slot: int | None

    @clause("RP-11")
    def call(self, arguments: Sequence[bytes]) -> ClientReply:
        """The command is carried out, or the error says why a script may not have it.

        Counterpart: `scriptCall`.
        """
        words, session = list(arguments), self.session
        info = session.release.table.lookup(words)
        called, kind = session.release.script_words
        if info is None:
            return ErrorReply(f"ERR Unknown{called} command called from script")
        if not info.takes(len(words)):
            return ErrorReply(f"ERR Wrong number of args calling{called} command from script")
        if not _NOT_IN_SCRIPTS.isdisjoint((info.name, *info.flags)) or info.subcommands:
            return ErrorReply(f"ERR This{kind} command is not allowed from script")
        if _blocks(info, words) and not session.release.scripts_may_block:
            return ErrorReply(
                f"ERR {info.name} command is not allowed with BLOCK option from scripts"
            )
        refused = why_not_in_script(session, info, words)
        if refused is not None:
            return refused
        if self.reads_only and info.writes:
            return ErrorReply("ERR Write commands are not allowed from read-only scripts.")
        refused = self._refused(info, words)
        return self.run(session, info, words) if refused is None else refused

    @clause("RP-11")
    def _refused(self, info: CommandInfo, words: list[bytes]) -> ErrorReply | None:
        """The error for keys that are not here. Counterpart: `scriptVerifyClusterState`."""
        error = route(self.session, info, [(info, words)])
        if error is not None:
            for code, text in _REFUSED:
                if error.text.startswith(code):
                    return ErrorReply(text)
            return error
        if needs_moving_keys(self.session, info, words):
            return ErrorReply("ERR Script attempted to access a key that is on its way elsewhere")
        free = self.script.flags is None or "allow-cross-slot-keys" in self.script.flags
        for key in () if free else keys_of(info, words) or ():
            slot = key_hash_slot(key)
            if self.slot is None:
                self.slot = slot
            if slot != self.slot:
                return ErrorReply(
                    "ERR Script attempted to access keys that do not hash to the same slot"
                )
        return None


def script_handlers(run: Run) -> Handlers:
    """The handlers of this module by command; their commands are carried out by `run`."""

    def evaluate(session: Session, arguments: list[bytes]) -> ClientReply:
        try:
            return _evaluate(session, arguments, run)
        except (NoLuaError, ScriptError) as error:
            return ErrorReply(str(error))

    names = ("eval", "eval_ro", "evalsha", "evalsha_ro")
    return {
        **dict.fromkeys(names, evaluate),
        "script|exists": _exists,
        "script|flush": _flush,
        "script|kill": _kill,
        "script|load": _load,
    }


@clause("RP-10", "RP-12", "RP-13")
def _evaluate(session: Session, arguments: list[bytes], run: Run) -> ClientReply:
    """What the script answers; what it did is one change. Counterpart: `evalGenericCommand`."""
    name = arguments[0].decode("latin-1").lower()
    count = parse_integer(arguments[2])
    if count > len(arguments) - 3:
        return ErrorReply("ERR Number of keys can't be greater than number of args")
    if count < 0:
        return ErrorReply("ERR Number of keys can't be negative")
    scripts = session.service.scripts
    if name.startswith("evalsha"):
        wanted = arguments[1].decode("latin-1").lower()
        known = scripts.known.get(wanted)
        if known is None:
            return ErrorReply("NOSCRIPT No matching script. Please use EVAL.")
        script = known
    else:
        script = scripts.learn(arguments[1])
    flags = script.flags or frozenset()
    if "no-cluster" in flags:
        return ErrorReply("ERR Can not run script on cluster, 'no-cluster' flag is set.")
    reads_only = name.endswith("_ro")
    if reads_only and script.flags is not None and "no-writes" not in flags:
        return ErrorReply("ERR Can not execute a script with write flag using *_ro command.")
    keys, values = arguments[3 : 3 + count], arguments[3 + count :]
    running = Running(
        session=own_session(session),
        script=script,
        reads_only=reads_only or "no-writes" in flags,
        run=run,
        slot=key_hash_slot(keys[0]) if keys else None,
    )
    with session.service.keyspace.together():
        try:
            return scripts.lua.run(script.body, keys, values, running.call, limit_s(session))
        except ScriptError as error:
            return ErrorReply(str(error).replace("{}", script.name))


def own_session(session: Session) -> Session:
    """A client with the rights of this one, that nobody hears of."""
    return Session(
        service=session.service,
        client_id=session.client_id,
        local_ip=session.local_ip,
        address=session.address,
        local_address=session.local_address,
        by_tls=session.by_tls,
        readonly=session.readonly,
        asking=session.asking,
        tracker=session.tracker,
        user=session.user,
    )


@clause("RP-13")
def limit_s(session: Session) -> float:
    """For how long the script may run: the node does nothing else in the meantime."""
    options = session.node.options
    names = ("busy-reply-threshold", "lua-time-limit")
    given = next((options.kept[name] for name in names if name in options.kept), None)
    asked = int(given if given is not None else kept_text(options, names[0]))
    most = options.node_timeout_ms // 2
    return (min(asked, most) if asked else most) / 1000


def _load(session: Session, arguments: list[bytes]) -> ClientReply:
    try:
        return session.service.scripts.learn(arguments[2]).name
    except (NoLuaError, ScriptError) as error:
        return ErrorReply(str(error))


def _exists(session: Session, arguments: list[bytes]) -> ClientReply:
    known = session.service.scripts.known
    return [int(name.decode("latin-1").lower() in known) for name in arguments[2:]]


def _flush(session: Session, arguments: list[bytes]) -> ClientReply:
    if len(arguments) > 3 or [word.upper() for word in arguments[2:]] not in (
        [],
        [b"SYNC"],
        [b"ASYNC"],
    ):
        return ErrorReply("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    session.service.scripts.forget()
    return OK


@clause("RP-13")
def _kill(_session: Session, _arguments: list[bytes]) -> ClientReply:
    """None runs when this is asked: a script ends by itself. Counterpart: `scriptKill`."""
    return ErrorReply("NOTBUSY No scripts in execution right now.")
