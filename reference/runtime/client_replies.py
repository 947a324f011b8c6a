"""Replies that only version 3 of the client protocol has a form for."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

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


ClientReply: TypeAlias = (
    SimpleString
    | ErrorReply
    | Verbatim
    | SetReply
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
        case Verbatim():
            parts.append(_verbatim(reply.text, protocol))
        case Mapping():
            opening = b"%%%d\r\n" % len(reply) if protocol == 3 else b"*%d\r\n" % (2 * len(reply))
            parts.append(opening)
            for key, value in reply.items():
                _append(parts, key, protocol)
                _append(parts, value, protocol)
        case _:
            is_set = isinstance(reply, SetReply)
            elements = reply.elements if isinstance(reply, SetReply) else reply
            mark = b"~" if is_set and protocol == 3 else b"*"
            parts.append(b"%b%d\r\n" % (mark, len(elements)))
            for element in elements:
                _append(parts, element, protocol)


def _verbatim(text: str, protocol: int) -> bytes:
    if protocol == 2:
        return encode_reply(text)
    raw = text.encode()
    return b"=%d\r\ntxt:%b\r\n" % (len(raw) + 4, raw)
