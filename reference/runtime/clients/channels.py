"""Who of a node's clients listens to which channels, and what they hear."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Protocol

from reference.clauses import clause
from reference.core.slots import key_hash_slot
from reference.core.state import ClusterState
from reference.runtime.patterns import glob
from reference.runtime.replies import ClientReply, Push


class Kind(Enum):
    """What one can listen to, with the words of its replies."""

    CHANNEL = ("subscribe", "unsubscribe")
    PATTERN = ("psubscribe", "punsubscribe")
    SHARD = ("ssubscribe", "sunsubscribe")

    @property
    def begins(self) -> str:
        """What a client hears when it begins to listen."""
        return self.value[0]

    @property
    def ends(self) -> str:
        """What a client hears when it does not listen any more."""
        return self.value[1]


class Listener(Protocol):
    """A client that can be told something."""

    def send(self, reply: ClientReply) -> None:
        """The client hears this."""


Listeners = dict[bytes, dict[Listener, None]]


class Channels:
    """The channels of one node (`server.pubsub_channels`, `_patterns`, `pubsubshard_channels`)."""

    def __init__(self) -> None:
        """Nobody listens."""
        self._listeners: dict[Kind, Listeners] = {kind: {} for kind in Kind}
        self._of: dict[Listener, dict[Kind, dict[bytes, None]]] = {}

    def heard_by(self, listener: Listener, kind: Kind) -> list[bytes]:
        """What the client listens to, in the order in which it began."""
        return list(self._of.get(listener, {}).get(kind, ()))

    def listens(self, listener: Listener) -> bool:
        """Whether the client listens to anything."""
        return listener in self._of

    def count(self, listener: Listener, kind: Kind) -> int:
        """How much the client listens to; channels and patterns count together."""
        if kind is Kind.SHARD:
            return len(self.heard_by(listener, kind))
        return len(self.heard_by(listener, Kind.CHANNEL) + self.heard_by(listener, Kind.PATTERN))

    def names(self, kind: Kind, pattern: bytes | None = None) -> list[bytes]:
        """All that somebody listens to here, or what of it fits the pattern."""
        fits: Callable[[bytes], object] = lambda _: True  # noqa: E731 - one of two
        if pattern is not None:
            fits = glob(pattern).fullmatch
        return [name for name in self._listeners[kind] if fits(name)]

    def listener_count(self, kind: Kind, name: bytes) -> int:
        """How many clients listen to this."""
        return len(self._listeners[kind].get(name, ()))

    @clause("CM-71")
    def begin(self, listener: Listener, kind: Kind, name: bytes) -> Push:
        """The client listens to it; the answer says so.

        Counterpart: `pubsubSubscribeChannel`, `pubsubSubscribePattern`.
        """
        self._listeners[kind].setdefault(name, {})[listener] = None
        self._of.setdefault(listener, {}).setdefault(kind, {})[name] = None
        return Push([kind.begins, name, self.count(listener, kind)])

    @clause("CM-71")
    def end(self, listener: Listener, kind: Kind, name: bytes) -> Push:
        """The client does not listen to it; the answer says so.

        Counterpart: `pubsubUnsubscribeChannel`, `pubsubUnsubscribePattern`.
        """
        found = self._listeners[kind].get(name)
        if found is not None and listener in found:
            del found[listener]
            if not found:
                del self._listeners[kind][name]
            del self._of[listener][kind][name]
            if not any(self._of[listener].values()):
                del self._of[listener]
        return Push([kind.ends, name, self.count(listener, kind)])

    def end_all(self, listener: Listener) -> None:
        """The client, which is gone or begins anew, listens to nothing."""
        for kind in Kind:
            for name in self.heard_by(listener, kind):
                self.end(listener, kind, name)

    @clause("CM-72")
    def deliver(self, channel: bytes, message: bytes) -> int:
        """The message has been told to all who listen to it here; so often the answer says.

        A client that listens to it in several ways hears it several times. Counterpart:
        `pubsubPublishMessageInternal`.
        """
        told = self._tell(Kind.CHANNEL, channel, Push(["message", channel, message]))
        for pattern in list(self._listeners[Kind.PATTERN]):
            if glob(pattern).fullmatch(channel):
                told += self._tell(
                    Kind.PATTERN, pattern, Push(["pmessage", pattern, channel, message])
                )
        return told

    @clause("CM-73")
    def deliver_shard(self, channel: bytes, message: bytes) -> int:
        """The same for a channel that is in a slot. Counterpart: `pubsubPublishMessage`."""
        return self._tell(Kind.SHARD, channel, Push(["smessage", channel, message]))

    def _tell(self, kind: Kind, name: bytes, push: Push) -> int:
        listeners = list(self._listeners[kind].get(name, ()))
        for listener in listeners:
            listener.send(push)
        return len(listeners)

    @clause("CM-74")
    def leave_slots_of_others(self, state: ClusterState) -> None:
        """Nobody listens to a channel whose slot is not of this node's shard any more.

        Counterpart: `removeChannelsInSlot`.
        """
        for channel in list(self._listeners[Kind.SHARD]):
            owner = state.owner(key_hash_slot(channel))
            if owner is None or owner.node_id not in (state.myself_id, state.myself.replicaof):
                for listener in list(self._listeners[Kind.SHARD][channel]):
                    listener.send(self.end(listener, Kind.SHARD, channel))


def numbers_of(channels: Channels, kind: Kind, names: Iterable[bytes]) -> list[ClientReply]:
    """Each name, and how many clients listen to it here."""
    return [each for name in names for each in (name, channels.listener_count(kind, name))]
