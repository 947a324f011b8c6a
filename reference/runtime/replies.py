"""Replies that only version 3 of the client protocol has a form for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from reference.clauses import clause
from reference.wire.resp import ErrorReply, SimpleString, encode_reply


@attrs.frozen
class Verbatim:
    """Text for people, a bulk string in version 2."""

    text: str


@attrs.frozen
class SetReply:
    """Elements in no order, an array in version 2."""

    elements: Sequence["ClientReply"]


@attrs.frozen
class Push:
    """A message out of turn, such as one of a channel; an array in version 2."""

    elements: Sequence["ClientReply"]


@attrs.frozen
class Several:
    """One reply after another to the same request."""

    replies: Sequence["ClientReply"]


@attrs.frozen
class Raw:
    """Bytes that are sent as they are; none at all if the request has no reply."""

    data: bytes = b""


@attrs.frozen
class NullArray:
    """Nothing, where there could have been an array; version 3 has one null for all."""


NULL_ARRAY: Final = NullArray()

ClientReply: TypeAlias = (
    SimpleString
    | ErrorReply
    | Verbatim
    | SetReply
    | Push
    | Several
    | Raw
    | NullArray
    | int
    | float
    | bytes
    | str
    | Sequence["ClientReply"]
    | Mapping[bytes | str, "ClientReply"]
    | None
)
"""What a command answers with."""


@clause("CM-3")
def encode(reply: ClientReply, protocol: int) -> bytes:
    """The bytes of a reply in the client's protocol version, 2 or 3. Counterpart: `addReply`."""
    parts: list[bytes] = []
    _append(parts, reply, protocol)
    return b"".join(parts)


def _append(parts: list[bytes], reply: ClientReply, protocol: int) -> None:
    match reply:
        case SimpleString() | ErrorReply() | int() | bytes() | str() | None:
            parts.append(encode_reply(reply, protocol))
        case float():
            text = repr(reply).removesuffix(".0")
            parts.append(encode_reply(text) if protocol == 2 else b",%b\r\n" % text.encode())
        case Raw():
            parts.append(reply.data)
        case NullArray():
            parts.append(b"*-1\r\n" if protocol == 2 else b"_\r\n")
        case Several():
            for each in reply.replies:
                _append(parts, each, protocol)
        case Verbatim():
            parts.append(_verbatim(reply.text, protocol))
        case _:
            _append_all(parts, reply, protocol)


def _append_all(
    parts: list[bytes],
    reply: SetReply | Push | Mapping[bytes | str, ClientReply] | Sequence[ClientReply],
    protocol: int,
) -> None:
    if isinstance(reply, Mapping):
        opening = b"%%%d\r\n" % len(reply) if protocol == 3 else b"*%d\r\n" % (2 * len(reply))
        parts.append(opening)
        elements: Iterable[ClientReply] = (each for pair in reply.items() for each in pair)
    else:
        mark = b"*"
        elements = reply.elements if isinstance(reply, SetReply | Push) else reply
        if protocol == 3 and not isinstance(reply, Sequence):
            mark = b"~" if isinstance(reply, SetReply) else b">"
        parts.append(b"%b%d\r\n" % (mark, len(elements)))
    for element in elements:
        _append(parts, element, protocol)


def _verbatim(text: str, protocol: int) -> bytes:
    if protocol == 2:
        return encode_reply(text)
    raw = text.encode()
    return b"=%d\r\ntxt:%b\r\n" % (len(raw) + 4, raw)
