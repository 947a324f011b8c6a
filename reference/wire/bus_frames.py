"""Cutting the byte stream of a bus link into messages."""

import struct
from typing import Final

import attrs

from reference.clauses import clause
from reference.wire.bus_errors import BusLinkError
from reference.wire.bus_header import HEADER_LAYOUT, LIGHT, LIGHT_HEADER_LAYOUT, SIGNATURE

DEFAULT_MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes of the longest message taken; servers take what totlen can say, 4 GiB."""

_START: Final = struct.Struct(">4sI")
_TYPE: Final = struct.Struct(">H")
_TYPE_OFFSET: Final = 12


@attrs.define(kw_only=True)
class FrameReader:
    """The messages of one link, in order, as their bytes arrive in pieces of any size.

    It never holds more than `max_frame` bytes and the piece it was fed last.
    """

    max_frame: int = DEFAULT_MAX_FRAME
    light_headers: bool = True  # False: every message has the full header (redis-7.0)
    error: BusLinkError | None = attrs.field(default=None, init=False)  # why no more can follow
    _buffer: bytearray = attrs.field(factory=bytearray, init=False)

    @clause("BU-1", "BU-2", "BU-D1")
    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """The messages that these bytes complete, each whole and not yet decoded.

        A damaged stream sets `error`, and the messages before the damage are still returned;
        BusLinkError is raised if there are none, and by every later call.
        Counterpart: `clusterReadHandler`.
        """
        if self.error is not None:
            raise self.error
        if not self._buffer and self._is_one(data):
            return [bytes(data)]
        self._buffer += data
        frames: list[bytes] = []
        start = 0
        try:
            with memoryview(self._buffer) as view:
                while (length := self._frame_length(view, start)) and start + length <= len(view):
                    frames.append(bytes(view[start : start + length]))
                    start += length
        except BusLinkError as error:
            self.error = error
            self._buffer.clear()
            if not frames:
                raise
        else:
            del self._buffer[:start]
        return frames

    def _is_one(self, data: bytes | bytearray | memoryview) -> bool:
        """Whether the bytes are one whole message, as they are most of the time."""
        if len(data) < HEADER_LAYOUT.size:
            return False
        start = _START.unpack_from(data)
        return start == (SIGNATURE, len(data)) and len(data) <= self.max_frame

    def _frame_length(self, data: memoryview, start: int) -> int:
        """The length of the message that starts there, 0 if too little of it is here to tell."""
        needed = _TYPE_OFFSET + _TYPE.size if self.light_headers else _START.size
        if len(data) - start < needed:
            return 0
        sig, totlen = _START.unpack_from(data, start)
        if sig != SIGNATURE:
            raise BusLinkError(f"bad signature {sig!r}")
        shortest = HEADER_LAYOUT.size
        if self.light_headers and _TYPE.unpack_from(data, start + _TYPE_OFFSET)[0] & LIGHT:
            shortest = LIGHT_HEADER_LAYOUT.size
        if totlen < shortest:
            raise BusLinkError(f"totlen {totlen} is less than the header's {shortest}")
        if totlen > self.max_frame:
            raise BusLinkError(f"totlen {totlen} is more than the limit of {self.max_frame}")
        length: int = totlen
        return length
