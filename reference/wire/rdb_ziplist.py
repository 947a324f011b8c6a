"""Packed collections of older files, and sets of integers: all of them are only read."""

from collections.abc import Iterator
from typing import Final

from reference.clauses import clause
from reference.wire.rdb_listpack import Element, PackedError

_END: Final = 0xFF
_HEADER: Final = 10  # 4 bytes: size of all, 4 bytes: where the last one is, 2 bytes: how many
_UNCOUNTED: Final = 0xFFFF
_LONG: Final = 0xFE
"""Stands for a length that follows in 4 bytes."""

_INTEGERS: Final = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
"""The first bytes of integers, and how many bytes follow."""


@clause("RB-6")
def read_ziplist(data: bytes) -> list[Element]:
    """The elements; PackedError if anything in it contradicts anything else.

    Counterpart: `ziplistValidateIntegrity`.
    """
    end = len(data) - 1
    if end < _HEADER:
        raise PackedError(len(data), "a ziplist has at least 11 bytes")
    if int.from_bytes(data[:4], "little") != len(data):
        raise PackedError(0, f"not the size of a ziplist of {len(data)} bytes")
    elements: list[Element] = []
    place, last, size = _HEADER, _HEADER, 0
    while place < end:
        start = place
        if size != (before := _previous_size(data, place)):
            raise PackedError(place, f"{before} bytes said to be before it, not {size}")
        place += 5 if data[place] == _LONG else 1
        element, place = _ziplist_element(data, place, end)
        elements.append(element)
        last, size = start, place - start
    if data[end] != _END:
        raise PackedError(end, "no end mark")
    if int.from_bytes(data[4:8], "little") != last:
        raise PackedError(4, f"not the place of the last element, {last}")
    counted = int.from_bytes(data[8:10], "little")
    if counted not in {len(elements), _UNCOUNTED}:
        raise PackedError(8, f"{counted} elements declared, {len(elements)} found")
    return elements


def _previous_size(data: bytes, place: int) -> int:
    if data[place] == _END:
        raise PackedError(place, "an end mark before the end")
    if data[place] == _LONG:
        return int.from_bytes(data[place + 1 : place + 5], "little")
    return data[place]


def _ziplist_element(data: bytes, place: int, end: int) -> tuple[Element, int]:
    """The element whose kind is told at this place, and the place behind it."""
    if place >= end:
        raise PackedError(place, "an element goes beyond the end of the ziplist")
    first = data[place]
    if 0xF1 <= first <= 0xFD:
        return first - 0xF1, place + 1
    head, size = _extent(data, place)
    behind = place + head + size
    if behind > end:
        raise PackedError(place, "an element goes beyond the end of the ziplist")
    payload = data[place + head : behind]
    if first < 0xC0:
        return payload, behind
    return int.from_bytes(payload, "little", signed=True), behind


def _extent(data: bytes, place: int) -> tuple[int, int]:
    """Bytes that say what the element is, and bytes that follow them."""
    first = data[place]
    if first < 0x40:
        return 1, first
    if first < 0x80:
        return 2, (first & 0x3F) << 8 | data[place + 1]
    if first == 0x80:
        return 5, int.from_bytes(data[place + 1 : place + 5], "big")
    if first in _INTEGERS:
        return 1, _INTEGERS[first]
    raise PackedError(place, f"unknown kind of element {first:#04x}")


@clause("RB-6")
def read_zipmap(data: bytes) -> list[bytes]:
    """Fields and values by turns; PackedError if it is damaged.

    Counterpart: `zipmapValidateIntegrity`.
    """
    if len(data) < 2 or data[-1] != _END:
        raise PackedError(len(data), "a zipmap ends with 255")
    texts = list(_zipmap_texts(data))
    if data[0] < _LONG and data[0] != len(texts) // 2:
        raise PackedError(0, f"{data[0]} fields declared, {len(texts) // 2} found")
    return texts


def _zipmap_texts(data: bytes) -> Iterator[bytes]:
    place, end = 1, len(data) - 1
    while place < end:
        for spare in (0, 1):  # a value has a byte more, which counts unused bytes behind it
            start = place
            if place >= end or data[place] == _END:
                raise PackedError(place, "a field or value is missing")
            size, head = data[place], 1
            if size == _LONG:
                size, head = int.from_bytes(data[place + 1 : place + 5], "little"), 5
            place += head + spare
            if place + size > end:
                raise PackedError(start, "a string goes beyond the end of the zipmap")
            yield data[place : place + size]
            place += size + (data[place - 1] if spare else 0)
    if place != end:
        raise PackedError(place, "unused bytes go beyond the end of the zipmap")


@clause("RB-6")
def read_intset(data: bytes) -> list[int]:
    """The integers, which ascend; PackedError if it is damaged.

    Counterpart: `intsetValidateIntegrity`.
    """
    if len(data) < 8:
        raise PackedError(len(data), "an intset has at least 8 bytes")
    size = int.from_bytes(data[:4], "little")
    if size not in {2, 4, 8}:
        raise PackedError(0, f"no size of integers: {size}")
    count = int.from_bytes(data[4:8], "little")
    if len(data) != 8 + count * size:
        raise PackedError(4, f"{count} integers declared, in {len(data) - 8} bytes")
    numbers = [
        int.from_bytes(data[place : place + size], "little", signed=True)
        for place in range(8, len(data), size)
    ]
    for index in range(1, count):
        if numbers[index - 1] >= numbers[index]:
            raise PackedError(8 + index * size, "integers do not ascend")
    return numbers
