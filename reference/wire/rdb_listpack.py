"""Listpacks: small collections as one string, whose elements are short strings and integers."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from reference.clauses import clause

Element: TypeAlias = bytes | int

_HEADER: Final = 6  # 4 bytes: size of all, 2 bytes: number of elements
_UNCOUNTED: Final = 0xFFFF
"""Stands for the number of elements when there are as many or more."""

_END: Final = 0xFF
_INTEGERS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
"""The first bytes of integers, and how many bytes follow."""


class PackedError(ValueError):
    """A packed collection is damaged: at which of its bytes, and what is wrong."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(f"its byte {place}: {reason}")


@clause("RB-6")
def read_listpack(data: bytes) -> list[Element]:
    """The elements; PackedError if anything in it contradicts anything else.

    Counterpart: `lpValidateIntegrity`.
    """
    end = len(data) - 1
    if end < _HEADER:
        raise PackedError(len(data), "a listpack has at least 7 bytes")
    if int.from_bytes(data[:4], "little") != len(data):
        raise PackedError(0, f"not the size of a listpack of {len(data)} bytes")
    elements: list[Element] = []
    place = _HEADER
    while place < end:
        head, size = _extent(data, place)
        behind = place + head + size
        back = _back_length(head + size)
        if behind + len(back) > end:
            raise PackedError(place, "an element goes beyond the end of the listpack")
        if data[behind : behind + len(back)] != back:
            raise PackedError(behind, "not the size of the element before it")
        elements.append(_element(data, place, head, size))
        place = behind + len(back)
    if data[end] != _END:
        raise PackedError(end, "no end mark")
    counted = int.from_bytes(data[4:6], "little")
    if counted not in {len(elements), _UNCOUNTED}:
        raise PackedError(4, f"{counted} elements declared, {len(elements)} found")
    return elements


def _extent(data: bytes, place: int) -> tuple[int, int]:
    """Bytes that say what the element is, and bytes that follow them."""
    first = data[place]
    if first < 0x80:
        return 1, 0
    if first < 0xC0:
        return 1, first & 0x3F
    if first < 0xE0:
        return 1, 1
    if first < 0xF0:
        return 2, (first & 0x0F) << 8 | data[place + 1]
    if first == 0xF0:
        return 5, int.from_bytes(data[place + 1 : place + 5], "little")
    if first in _INTEGERS:
        return 1, _INTEGERS[first]
    raise PackedError(place, f"unknown kind of element {first:#04x}")


def _element(data: bytes, place: int, head: int, size: int) -> Element:
    first = data[place]
    if first < 0x80:
        return first
    payload = data[place + head : place + head + size]
    if first < 0xC0 or 0xE0 <= first <= 0xF0:
        return payload
    if first < 0xE0:
        number = (first & 0x1F) << 8 | payload[0]
        return number - (1 << 13 if number >= 1 << 12 else 0)
    return int.from_bytes(payload, "little", signed=True)


def _back_length(size: int) -> bytes:
    """The size of an element as it stands behind it: 7 bits a byte, to be read backwards."""
    if size < 128:
        return bytes((size,))
    octets = [size & 0x7F | 0x80]
    size >>= 7
    while size >= 128:
        octets.append(size & 0x7F | 0x80)
        size >>= 7
    octets.append(size)
    return bytes(reversed(octets))


@clause("RB-11")
def format_listpack(elements: Iterable[Element]) -> bytes:
    """A listpack of these elements. Counterpart: `lpAppend`."""
    body = bytearray()
    count = 0
    for element in elements:
        entry = _format_integer(element) if isinstance(element, int) else _format_text(element)
        body += entry + _back_length(len(entry))
        count += 1
    size = _HEADER + len(body) + 1
    header = size.to_bytes(4, "little") + min(count, _UNCOUNTED).to_bytes(2, "little")
    return header + bytes(body) + bytes((_END,))


def _format_text(text: bytes) -> bytes:
    if len(text) < 1 << 6:
        return bytes((0x80 | len(text),)) + text
    if len(text) < 1 << 12:
        return (0xE000 | len(text)).to_bytes(2, "big") + text
    return b"\xf0" + len(text).to_bytes(4, "little") + text


def _format_integer(number: int) -> bytes:
    """The integer, which has a sign and 64 bits."""
    if 0 <= number < 1 << 7:
        return bytes((number,))
    if -(1 << 12) <= number < 1 << 12:
        return (0xC000 | number & 0x1FFF).to_bytes(2, "big")
    first, size = next(
        (first, size)
        for first, size in _INTEGERS.items()
        if -(1 << (8 * size - 1)) <= number < 1 << (8 * size - 1)
    )
    return bytes((first,)) + number.to_bytes(size, "little", signed=True)


def text_of(element: Element) -> bytes:
    """The element as the string that a client sees."""
    return b"%d" % element if isinstance(element, int) else element
