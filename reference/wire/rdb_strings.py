"""What everything in an RDB file is made of: bytes taken from what is there, lengths and strings.

No length is believed: it is compared with what is left before anything of that size is made.
"""

from collections.abc import Callable, Generator
from typing import Final, NoReturn, TypeAlias, TypeVar

import attrs

from reference.clauses import clause

_T = TypeVar("_T")
Steps: TypeAlias = Generator[int, None, _T]
"""Something that is read in steps: it yields the offset up to which bytes must be there to go on,
whenever they are not, and returns what was read."""

MAX_STRING: Final = 512 * 1024 * 1024
"""Bytes of the longest string, also after decompression (`proto-max-bulk-len`)."""

_LZF_MAX_RATIO: Final = 88
"""Three bytes say at most 264."""

_INTEGER_BYTES: Final = {0: 1, 1: 2, 2: 4}
"""The forms of a string that is a number, and their sizes (`RDB_ENC_INT8` ...)."""

_LZF: Final = 3


class RdbError(Exception):
    """The bytes are damaged, cut off or of an unknown kind: at which offset, and what is wrong."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"byte {position}: {reason}")
        self.position = position
        self.reason = reason


class ShortError(Exception):
    """What is to be read goes up to the offset `wanted`, and has not arrived yet."""

    def __init__(self, wanted: int) -> None:
        super().__init__(f"bytes up to {wanted} are missing")
        self.wanted = wanted


@attrs.define(kw_only=True)
class RdbReader:
    """Takes values off the front of bytes; of what did not arrive it says how far it goes.

    With `whole`, nothing follows the buffer, so that whatever goes beyond it is an RdbError.
    """

    buffer: bytes
    position: int = 0  # in the buffer
    base: int = 0  # the offset of the buffer's first byte in the file
    whole: bool = True
    max_string: int = MAX_STRING

    @property
    def offset(self) -> int:
        """Where the next byte is in the file."""
        return self.base + self.position

    def take(self, count: int) -> bytes:
        """The next bytes, so many of them."""
        end = self.position + count
        if end > len(self.buffer):
            self._lack(count)
        taken = self.buffer[self.position : end]
        self.position = end
        return taken

    def byte(self) -> int:
        """The next byte."""
        if self.position >= len(self.buffer):
            self._lack(1)
        byte = self.buffer[self.position]
        self.position += 1
        return byte

    def unsigned(self, size: int) -> int:
        """The little-endian number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        """The little-endian number with a sign, of so many bytes."""
        return int.from_bytes(self.take(size), "little", signed=True)

    def _lack(self, count: int) -> NoReturn:
        if self.whole:
            left = len(self.buffer) - self.position
            raise RdbError(self.offset, f"{count} bytes expected, {left} left")
        raise ShortError(self.offset + count)

    def fail(self, reason: str, position: int | None = None) -> NoReturn:
        """RdbError at this offset, or at the next byte."""
        raise RdbError(self.offset if position is None else position, reason)

    def length(self) -> int:
        """The next length or other unsigned number. Counterpart: `rdbLoadLen`."""
        start = self.offset
        number, special = self._length_or_form()
        if special:
            raise RdbError(start, f"a length expected, found a string of form {number}")
        return number

    def count(self, smallest: int) -> int:
        """A length that says how many things of at least `smallest` bytes follow."""
        start = self.offset
        number = self.length()
        left = len(self.buffer) - self.position
        if self.whole and number * smallest > left:
            raise RdbError(start, f"{number} elements declared, {left} bytes left")
        return number

    @clause("RB-2")
    def _length_or_form(self) -> tuple[int, bool]:
        """The next length, or the form of a string and True. Counterpart: `rdbLoadLenByRef`."""
        first = self.byte()
        kind = first >> 6
        if kind == 0:
            return first, False
        if kind == 1:
            return (first & 0x3F) << 8 | self.byte(), False
        if kind == 3:
            return first & 0x3F, True
        if first == 0x80:
            return int.from_bytes(self.take(4), "big"), False
        if first == 0x81:
            return int.from_bytes(self.take(8), "big"), False
        raise RdbError(self.offset - 1, f"unknown length encoding {first:#04x}")

    @clause("RB-3")
    def string(self) -> bytes:
        """The next string: counted, a number, or compressed.

        Counterpart: `rdbGenericLoadStringObject`.
        """
        start = self.offset
        number, special = self._length_or_form()
        if not special:
            self._check_length(start, number)
            return self.take(number)
        size = _INTEGER_BYTES.get(number)
        if size is not None:
            return b"%d" % self.signed(size)
        if number == _LZF:
            return self._compressed(start)
        raise RdbError(start, f"unknown form of a string: {number}")

    def _check_length(self, start: int, number: int) -> None:
        if number > self.max_string:
            raise RdbError(start, f"a string of {number} bytes, allowed are {self.max_string}")

    def _compressed(self, start: int) -> bytes:
        packed, size = self.length(), self.length()
        self._check_length(start, packed)
        self._check_length(start, size)
        if size > packed * _LZF_MAX_RATIO:
            raise RdbError(start, f"{packed} compressed bytes cannot become {size}")
        data = self.take(packed)
        try:
            return lzf_decompress(data, size)
        except ValueError as error:
            raise RdbError(start, f"compressed string: {error}") from None


@clause("RB-3")
def lzf_decompress(data: bytes, size: int) -> bytes:
    """What was compressed to the data; ValueError if that is not exactly so many bytes.

    Counterpart: `lzf_decompress`.
    """
    out = bytearray()
    place, end = 0, len(data)
    while place < end:
        control = data[place]
        place += 1
        if control < 32:  # that many bytes and one more follow as they are
            upto = place + control + 1
            if upto > end:
                raise ValueError("cut off in a run of plain bytes")
            out += data[place:upto]
            place = upto
        else:
            place = _copy_back(data, place, control, out)
        if len(out) > size:
            raise ValueError(f"longer than the {size} bytes declared")
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes, declared were {size}")
    return bytes(out)


def _copy_back(data: bytes, place: int, control: int, out: bytearray) -> int:
    """Bytes that came before are appended again; the result is the place behind the reference."""
    count = (control >> 5) + 2
    needed = 2 if control >= 0xE0 else 1
    if place + needed > len(data):
        raise ValueError("cut off in a reference")
    if needed == 2:
        count += data[place]
        place += 1
    back = ((control & 0x1F) << 8 | data[place]) + 1
    start = len(out) - back
    if start < 0:
        raise ValueError(f"a reference to {-start} bytes before the start")
    piece = out[start : start + count]
    out += (piece * (count // len(piece) + 1))[:count]  # a reference may reach into its own result
    return place + 1


def each(reader: RdbReader, count: int, read: Callable[[], _T]) -> Steps[list[_T]]:
    """What `read` finds when called so many times; what is cut off is read again from its start."""
    items: list[_T] = []
    while True:
        mark = reader.position
        try:
            while len(items) < count:
                items.append(read())
                mark = reader.position
        except ShortError as short:
            reader.position = mark
            yield short.wanted
        else:
            return items


def once(reader: RdbReader, read: Callable[[], _T]) -> Steps[_T]:
    """What `read` finds."""
    while True:
        mark = reader.position
        try:
            return read()
        except ShortError as short:
            reader.position = mark
            yield short.wanted


def complete(steps: Steps[_T]) -> _T:
    """The result of steps that are never short of bytes, since their reader has the whole."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: _T = stop.value
            return result


@clause("RB-2")
def format_length(number: int) -> bytes:
    """The number in as few bytes as its size allows. Counterpart: `rdbSaveLen`."""
    if number < 1 << 6:
        return bytes((number,))
    if number < 1 << 14:
        return (number | 1 << 14).to_bytes(2, "big")
    if number < 1 << 32:
        return b"\x80" + number.to_bytes(4, "big")
    return b"\x81" + number.to_bytes(8, "big")


@clause("RB-3")
def format_string(text: bytes) -> bytes:
    """The text behind its length. Counterpart: `rdbSaveRawString`."""
    return format_length(len(text)) + text
