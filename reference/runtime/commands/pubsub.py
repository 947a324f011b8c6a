"""Publish and subscribe: channels of the whole cluster, and channels that are in slots."""

from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import subcommand_error
from reference.runtime.clients.channels import Kind, numbers_of
from reference.runtime.clients.session import Handler, Handlers, Session
from reference.runtime.limits import OutputClass
from reference.runtime.replies import ClientReply, Push, Several
from reference.wire.resp import ErrorReply, SimpleString

_WHILE_LISTENING: Final = frozenset(
    {
        "ping", "subscribe", "ssubscribe", "unsubscribe", "sunsubscribe", "psubscribe",
        "punsubscribe", "quit", "reset",
    }
)  # fmt: skip

_HELP: Final = (
    ("CHANNELS [<pattern>]", "The channels that somebody listens to here."),
    ("NUMPAT", "How many patterns clients listen to here."),
    ("NUMSUB [<channel> ...]", "How many clients listen to each of the channels here."),
    ("SHARDCHANNELS [<pattern>]", "The channels of slots that somebody listens to here."),
    ("SHARDNUMSUB [<shardchannel> ...]", "How many clients listen to each of them here."),
    ("HELP", "Print these lines."),
)


@clause("CM-75")
def why_not_while_listening(session: Session, name: str) -> ErrorReply | None:
    """The error for a command that a client of version 2 cannot send while it listens.

    Counterpart: `processCommand`.
    """
    if session.protocol != 2 or name in _WHILE_LISTENING:
        return None
    if not session.service.channels.listens(session):
        return None
    word = name.removeprefix("exec|")
    return ErrorReply(
        f"ERR Can't execute '{word}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
        "RESET are allowed in this context"
    )


def _begin(kind: Kind) -> Handler:
    def begin(session: Session, arguments: list[bytes]) -> ClientReply:
        channels = session.service.channels
        session.output_class = OutputClass.PUBSUB
        return Several([channels.begin(session, kind, name) for name in arguments[1:]])

    return begin


def _end(kind: Kind) -> Handler:
    def end(session: Session, arguments: list[bytes]) -> ClientReply:
        channels = session.service.channels
        names = arguments[1:] or channels.heard_by(session, kind)
        replies = [channels.end(session, kind, name) for name in names]
        if not channels.listens(session) and session.output_class is OutputClass.PUBSUB:
            session.output_class = OutputClass.NORMAL
        if not replies:
            return Push([kind.ends, None, channels.count(session, kind)])
        return Several(replies)

    return end


@clause("CM-72")
def publish(session: Session, arguments: list[bytes]) -> ClientReply:
    """Who listens here has heard the message, and all other nodes are sent it.

    The answer is how often it was told here. Counterpart: `publishCommand`.
    """
    channel, message = arguments[1:3]
    told = session.service.channels.deliver(channel, message)
    session.node.publish(channel, message, shard=False)
    return told


@clause("CM-73")
def publish_to_shard(session: Session, arguments: list[bytes]) -> ClientReply:
    """The same within the shard. Counterpart: `spublishCommand`."""
    channel, message = arguments[1:3]
    told = session.service.channels.deliver_shard(channel, message)
    session.node.publish(channel, message, shard=True)
    return told


def _channels(kind: Kind) -> Handler:
    def channels(session: Session, arguments: list[bytes]) -> ClientReply:
        if len(arguments) > 3:
            return subcommand_error(arguments)
        return session.service.channels.names(kind, *arguments[2:])

    return channels


def _numbers(kind: Kind) -> Handler:
    def numbers(session: Session, arguments: list[bytes]) -> ClientReply:
        return numbers_of(session.service.channels, kind, arguments[2:])

    return numbers


def _pattern_count(session: Session, _arguments: list[bytes]) -> ClientReply:
    return len(session.service.channels.names(Kind.PATTERN))


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    lines = ["PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for usage, text in _HELP:
        lines += [usage, f"    {text}"]
    return [SimpleString(line) for line in lines]


PUBSUB_HANDLERS: Final[Handlers] = {
    "subscribe": _begin(Kind.CHANNEL),
    "unsubscribe": _end(Kind.CHANNEL),
    "psubscribe": _begin(Kind.PATTERN),
    "punsubscribe": _end(Kind.PATTERN),
    "ssubscribe": _begin(Kind.SHARD),
    "sunsubscribe": _end(Kind.SHARD),
    "publish": publish,
    "spublish": publish_to_shard,
    "pubsub|channels": _channels(Kind.CHANNEL),
    "pubsub|numsub": _numbers(Kind.CHANNEL),
    "pubsub|numpat": _pattern_count,
    "pubsub|shardchannels": _channels(Kind.SHARD),
    "pubsub|shardnumsub": _numbers(Kind.SHARD),
    "pubsub|help": _help,
}
"""The handlers of this module by command."""
