"""CLIENT TRACKING and what belongs to it: which clients are told that keys have changed."""

from collections.abc import Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.clients.tracking import Tracker
from reference.runtime.command_table.table import CommandInfo, keys_of
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.resp import OK, ErrorReply

_SYNTAX: Final = "ERR syntax error"
_ANEW: Final = (
    "before disabling tracking for this client, and then re-enabling it with a different mode."
)
_NOT_TRACKED: Final = ErrorReply(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
    "OPTOUT mode enabled"
)


@attrs.define
class _Options:
    redirect: int = 0
    broadcast: bool = False
    opt_in: bool = False
    opt_out: bool = False
    no_loop: bool = False
    prefixes: list[bytes] = attrs.field(factory=list)


def _options(session: Session, words: Sequence[bytes]) -> _Options:
    options, rest = _Options(), list(words)
    while rest:
        match [rest.pop(0).upper(), *rest[:1]]:
            case [b"REDIRECT", number]:
                if options.redirect:
                    raise CommandError("ERR A client can only redirect to a single other client")
                options.redirect = parse_integer(number)
                if session.service.tracking.receivers.find(options.redirect) is None:
                    raise CommandError("ERR The client ID you want redirect to does not exist")
                del rest[0]
            case [b"PREFIX", prefix]:
                options.prefixes.append(prefix)
                del rest[0]
            case [b"BCAST", *_]:
                options.broadcast = True
            case [b"OPTIN", *_]:
                options.opt_in = True
            case [b"OPTOUT", *_]:
                options.opt_out = True
            case [b"NOLOOP", *_]:
                options.no_loop = True
            case _:
                raise CommandError(_SYNTAX)
    return options


def _check(options: _Options, tracker: Tracker) -> None:
    """CommandError for options that do not go together, or with what is so already."""
    if options.prefixes and not options.broadcast:
        raise CommandError("ERR PREFIX option requires BCAST mode to be enabled")
    if tracker.on and tracker.broadcast != options.broadcast:
        raise CommandError(f"ERR You can't switch BCAST mode on/off {_ANEW}")
    if options.broadcast and (options.opt_in or options.opt_out):
        raise CommandError("ERR OPTIN and OPTOUT are not compatible with BCAST")
    if options.opt_in and options.opt_out:
        raise CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
    if (options.opt_in and tracker.opt_out) or (options.opt_out and tracker.opt_in):
        raise CommandError(f"ERR You can't switch OPTIN/OPTOUT mode {_ANEW}")
    if options.broadcast:
        _check_prefixes(options.prefixes, tracker.prefixes)


def _check_prefixes(prefixes: Sequence[bytes], known: Sequence[bytes]) -> None:
    for place, prefix in enumerate(prefixes):
        candidates = [("an existing", each) for each in known]
        candidates += [("another provided", each) for each in prefixes[place + 1 :]]
        for what, other in candidates:
            if prefix.startswith(other) or other.startswith(prefix):
                raise CommandError(
                    f"ERR Prefix '{_text(prefix)}' overlaps with {what} prefix '{_text(other)}'. "
                    "Prefixes for a single client must not overlap."
                )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@clause("CM-110")
def track(session: Session, arguments: list[bytes]) -> ClientReply:
    """The client is told of changes, or not any more. Counterpart: `clientCommand` (TRACKING)."""
    options, word = _options(session, arguments[3:]), arguments[2].lower()
    tracker, tracking = session.tracker, session.service.tracking
    if word == b"off":
        tracking.end(tracker)
    elif word == b"on":
        _check(options, tracker)
        tracker.redirect, tracker.broadcast = options.redirect, options.broadcast
        tracker.opt_in, tracker.opt_out = options.opt_in, options.opt_out
        tracker.no_loop = options.no_loop
        if options.broadcast:
            tracker.prefixes = tuple(sorted({*tracker.prefixes, *(options.prefixes or [b""])}))
        tracking.begin(tracker)
    else:
        return ErrorReply(_SYNTAX)
    session.service.observe_keys()
    return OK


@clause("CM-110")
def caching(session: Session, arguments: list[bytes]) -> ClientReply:
    """Whether the keys of the next command count. Counterpart: `clientCommand` (CACHING)."""
    tracker, word = session.tracker, arguments[2].lower()
    if not tracker.on:
        return _NOT_TRACKED
    modes = {b"yes": ("OPTIN", tracker.opt_in), b"no": ("OPTOUT", tracker.opt_out)}
    if word not in modes:
        return ErrorReply(_SYNTAX)
    mode, fits = modes[word]
    if not fits:
        return ErrorReply(
            f"ERR CLIENT CACHING {word.decode().upper()} is only valid when tracking is enabled "
            f"in {mode} mode."
        )
    tracker.caching = True
    return OK


@clause("CM-110")
def track_keys(session: Session, info: CommandInfo, arguments: list[bytes]) -> None:
    """The keys of a command that reads count, if they are to. Counterpart: `call`."""
    tracker = session.tracker
    if tracker.remembers:
        session.service.tracking.remember(tracker, keys_of(info, arguments, channels=False) or ())


def _info(session: Session, _arguments: list[bytes]) -> ClientReply:
    tracker = session.tracker
    flags = {
        "on": tracker.on,
        "off": not tracker.on,
        "bcast": tracker.broadcast,
        "optin": tracker.opt_in,
        "caching-yes": tracker.opt_in and tracker.caching,
        "optout": tracker.opt_out,
        "caching-no": tracker.opt_out and tracker.caching,
        "noloop": tracker.no_loop,
        "broken_redirect": tracker.broken,
    }
    return {
        "flags": SetReply([name for name, given in flags.items() if given]),
        "redirect": tracker.redirect if tracker.on else -1,
        "prefixes": list(tracker.prefixes),
    }


def _redirection(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.tracker.redirect if session.tracker.on else -1


TRACKING_HANDLERS: Final[Handlers] = {
    "client|caching": caching,
    "client|getredir": _redirection,
    "client|tracking": track,
    "client|trackinginfo": _info,
}
"""The handlers of this module by command."""
