"""What scripts find beside Lua's own library: `cmsgpack`, `struct` and `bit`.

Each function takes what Lua has given and returns what is wrong, else None, and the results.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from reference.clauses import clause

_DEEPEST: Final = 16
_MOST: Final = 1_000_000
"""Values that are packed at once."""
_SIZES: Final = {"b": 1, "B": 1, "h": 2, "H": 2, "l": 8, "L": 8, "T": 8, "f": 4, "d": 8}
_FLOATS: Final = "fd"
_LARGEST: Final = 32
"""Bytes of an integer."""

Value: TypeAlias = Any
"""A value of Lua: a number, a text, or a table that only Lua knows."""
Results = tuple[object, ...]


class _PackingError(Exception):
    """What is wrong."""


def _told(function: Callable[..., Sequence[object]]) -> Callable[..., Results]:
    def told(*given: object) -> Results:
        try:
            return (None, *function(*given))
        except _PackingError as error:
            return (str(error).encode(),)
        except Exception:  # noqa: BLE001 - no object of Python may reach the script
            return (b"bad argument",)

    return told


# cmsgpack. Counterpart: `lua_cmsgpack.c`.


def _sized(length: int, small: tuple[int, int] | None, codes: Sequence[tuple[int, int]]) -> bytes:
    """What stands before so many elements: in one byte if they are few."""
    if small is not None and length < small[1]:
        return bytes((small[0] | length,))
    for code, size in codes:
        if length < 1 << (8 * size):
            return bytes((code,)) + length.to_bytes(size)
    raise _PackingError("too long")


def _packed_integer(value: int) -> bytes:
    if 0 <= value < 128 or -32 <= value < 0:
        return (value & 0xFF).to_bytes(1)
    for place, size in enumerate((1, 2, 4, 8)):
        if 0 <= value < 1 << (8 * size):
            return bytes((0xCC + place,)) + value.to_bytes(size)
        if -(1 << (8 * size - 1)) <= value < 0:
            return bytes((0xD0 + place,)) + value.to_bytes(size, signed=True)
    return b"\xcb" + struct.pack(">d", value)


def _packed_number(value: float) -> bytes:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1 << 63):
        return _packed_integer(int(value))
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return b"\xcb" + struct.pack(">d", value)
    exact = struct.unpack(">f", short)[0] == value
    return b"\xca" + short if exact else b"\xcb" + struct.pack(">d", value)


@attrs.define
class _Packer:
    """Values on their way into bytes; tables may hold each other, so that there is a limit."""

    kind: Callable[[Value], str | None]
    left: int = _MOST

    def packed(self, value: Value, depth: int = 0) -> bytes:
        """The value, and all that is in it."""
        self.left -= 1
        if self.left < 0:
            raise _PackingError("too many elements")
        if value is True or value is False:
            return b"\xc3" if value else b"\xc2"
        if isinstance(value, int | float):
            return _packed_number(value)
        if isinstance(value, bytes):
            return _sized(len(value), (0xA0, 32), ((0xD9, 1), (0xDA, 2), (0xDB, 4))) + value
        if value is None or self.kind(value) != "table" or depth == _DEEPEST:
            return b"\xc0"
        return self._table(dict(value.items()), depth + 1)

    def _table(self, members: Mapping[Value, Value], depth: int) -> bytes:
        count = len(members)
        if all(type(key) is int and 0 < key <= count for key in members):
            parts = [self.packed(members[place], depth) for place in range(1, count + 1)]
            return _sized(count, (0x90, 16), ((0xDC, 2), (0xDD, 4))) + b"".join(parts)
        parts = [self.packed(each, depth) for pair in members.items() for each in pair]
        return _sized(count, (0x80, 16), ((0xDE, 2), (0xDF, 4))) + b"".join(parts)


class _Unpacker:
    """The values in some bytes, one after another."""

    def __init__(self, data: bytes, position: int, made: Callable[[Value], Value]) -> None:
        self.data, self.position, self._made = data, position, made

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise _PackingError("Missing bytes in input.")
        taken, self.position = self.data[self.position : end], end
        return taken

    def _number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(size), signed=signed)

    def value(self, depth: int = 0) -> Value:
        """The next one. Counterpart: `mp_decode_to_lua_type`."""
        code = self._take(1)[0]
        if code < 0x80 or code >= 0xE0:
            return float(code if code < 0x80 else code - 256)
        if code < 0xA0:
            return self._table(code & 15, is_map=code < 0x90, depth=depth)
        if code < 0xC0:
            return self._take(code & 31)
        if code in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[code]
        if code in (0xCA, 0xCB):
            size = 4 if code == 0xCA else 8
            return struct.unpack(">f" if size == 4 else ">d", self._take(size))[0]
        if 0xCC <= code <= 0xD3:
            return float(self._number(1 << ((code - 0xCC) % 4), signed=code >= 0xD0))
        if 0xC4 <= code <= 0xC6 or 0xD9 <= code <= 0xDB:
            first = 0xC4 if code <= 0xC6 else 0xD9
            return self._take(self._number(1 << (code - first)))
        if code >= 0xDC:
            size = 2 if code % 2 == 0 else 4
            return self._table(self._number(size), is_map=code >= 0xDE, depth=depth)
        raise _PackingError("Bad data format in input.")

    def _table(self, count: int, *, is_map: bool, depth: int) -> Value:
        if depth > 200 or count > len(self.data) - self.position:
            raise _PackingError("Missing bytes in input.")
        if not is_map:
            return self._made([self.value(depth + 1) for _ in range(count)])
        found = {}
        for _ in range(count):
            key, value = self.value(depth + 1), self.value(depth + 1)
            if key is not None and value is not None:
                found[key] = value
        return self._made(found)


def _unpacker(made: Callable[[Value], Value]) -> Callable[..., Results]:
    def unpack(data: Value, limit: Value = 0, offset: Value = 0) -> Sequence[object]:
        data = _text(data)
        if limit < 0 or not 0 <= offset <= len(data):
            raise _PackingError(
                f"Start offset {int(offset)} greater than input length {len(data)}."
            )
        reader = _Unpacker(data, int(offset), made)
        found: list[object] = []
        while reader.position < len(data) and (not limit or len(found) < limit):
            found.append(reader.value())
        end = -1 if reader.position >= len(data) else reader.position
        return [end, *found] if limit else found

    return _told(unpack)


# struct. Counterpart: `lua_struct.c`.


@attrs.frozen
class _Element:
    """One element of a format."""

    letter: str
    size: int  # -1: as long as it is
    order: str  # of its bytes, as int.from_bytes calls it
    align: int

    @property
    def signed(self) -> bool:
        return self.letter in "bhli"


def _elements(form: str, function: str) -> Iterator[_Element]:
    order, most = "little", 1
    for letter, digits in re.findall(r"(.)((?<=[!iIc])[0-9]*|)", form, re.DOTALL):
        said = int(digits[:9]) if digits else None
        if letter in "<>":
            order = "little" if letter == "<" else "big"
        elif letter == "!":
            most = 8 if said is None else said
            if most not in (1, 2, 4, 8):
                raise _PackingError("alignment is not a power of 2")
        elif letter in "iI" or letter in _SIZES:
            size = _SIZES.get(letter) or (4 if said is None else said)
            if not 0 < size <= _LARGEST:
                raise _PackingError(f"integral size {size} is larger than limit of {_LARGEST}")
            yield _Element(letter, size, order, min(size, most))
        elif letter in "csx":
            size = -1 if letter == "s" or said == 0 else said or 1
            yield _Element(letter, size, order, 1)
        elif letter != " ":
            problem = f"invalid format option '{letter}'"
            raise _PackingError(f"bad argument #1 to '{function}' ({problem})")


def _written(element: _Element, value: Value, number: int) -> bytes:
    if element.letter in "cs":
        text = _text(value)
        if len(text) < element.size:
            raise _PackingError(f"bad argument #{number + 1} to 'pack' (string too short)")
        if element.letter == "s":
            return text + b"\0"
        return text if element.size < 0 else text[: element.size]
    if element.letter in _FLOATS:
        mark = "<" if element.order == "little" else ">"
        return struct.pack(mark + element.letter, value)
    rest = int(value) & ((1 << 8 * element.size) - 1)
    return rest.to_bytes(element.size, "little" if element.order == "little" else "big")


def _struct_pack(form: Value, *values: Value) -> Sequence[object]:
    made, number = bytearray(), 1
    for element in _elements(_text(form).decode("latin-1"), "pack"):
        made += bytes(-len(made) % element.align)
        if element.letter == "x":
            made += b"\0"
            continue
        number += 1
        if number - 2 >= len(values):
            kind = "string" if element.letter in "cs" else "number"
            raise _PackingError(f"bad argument #{number} to 'pack' ({kind} expected, got nil)")
        made += _written(element, values[number - 2], number)
    return [bytes(made)]


def _read(element: _Element, piece: bytes) -> object:
    if element.letter in "cs":
        return piece.removesuffix(b"\0") if element.letter == "s" else piece
    if element.letter in _FLOATS:
        return struct.unpack(("<" if element.order == "little" else ">") + element.letter, piece)[0]
    big = element.order == "big"
    return float(int.from_bytes(piece, "big" if big else "little", signed=element.signed))


def _struct_unpack(form: Value, data: Value, position: Value = 1) -> Sequence[object]:
    text, at = _text(data), int(position) - 1
    if at < 0:
        raise _PackingError("offset must be 1 or greater")
    found: list[object] = []
    for element in _elements(_text(form).decode("latin-1"), "unpack"):
        at += -at % element.align
        size = element.size
        if element.letter == "s":
            size = text.find(b"\0", at) - at + 1
        elif size < 0:
            before = found.pop() if found else None
            size = int(before) if isinstance(before, float) else -1
        if size < 0 or at + size > len(text):
            raise _PackingError("bad argument #2 to 'unpack' (data string too short)")
        piece, at = text[at : at + size], at + size
        if element.letter != "x":
            found.append(_read(element, piece))
    return [*found, at + 1]


def _struct_size(form: Value) -> Sequence[object]:
    total = 0
    for element in _elements(_text(form).decode("latin-1"), "size"):
        if element.size < 0:
            name = "s" if element.letter == "s" else "c0"
            raise _PackingError(f"bad argument #1 to 'size' (option '{name}' has no fixed size)")
        total += -total % element.align + element.size
    return [total]


# bit: numbers of 32 bits, with a sign.


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _word(value: Value) -> int:
    number: float = float(value) if isinstance(value, bytes) else value
    return round(number) & 0xFFFFFFFF


def _over_all(combine: Callable[[int, int], int]) -> Callable[..., Results]:
    def combined(first: Value, *others: Value) -> Sequence[object]:
        made = _word(first)
        for other in others:
            made = combine(made, _word(other))
        return [_signed(made)]

    return _told(combined)


def _shifted(shift: Callable[[int, int], int]) -> Callable[..., Results]:
    return _told(lambda value, count: [_signed(shift(_word(value), _word(count) & 31))])


def _hex(value: Value, digits: Value = 8) -> Sequence[object]:
    count = max(-8, min(8, int(digits)))
    text = f"{_word(value):08x}"[8 - abs(count) :]
    return [(text.upper() if count < 0 else text).encode()]


def _text(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _PackingError("bad argument (string expected)")
    return (b"%d" % value) if float(value).is_integer() else f"{value:.14g}".encode()


@clause("RP-12")
def libraries(
    made: Callable[[Value], Value], kind: Callable[[Value], str | None]
) -> Mapping[str, Mapping[str, Callable[..., Results]]]:
    """The functions of each library; `made` makes a table of Lua, `kind` is the type of a value."""
    pack = lambda *values: [b"".join(map(_Packer(kind).packed, values))]  # noqa: E731
    unpack = _unpacker(made)
    return {
        "cmsgpack": {
            "pack": _told(pack),
            "unpack": lambda data=None: unpack(data),
            "unpack_one": lambda data=None, offset=0: unpack(data, 1, offset),
            "unpack_limit": unpack,
        },
        "struct": {
            "pack": _told(_struct_pack),
            "unpack": _told(_struct_unpack),
            "size": _told(_struct_size),
        },
        "bit": {
            "tobit": _told(lambda value: [_signed(_word(value))]),
            "tohex": _told(_hex),
            "bnot": _told(lambda value: [_signed(~_word(value))]),
            "band": _over_all(lambda one, other: one & other),
            "bor": _over_all(lambda one, other: one | other),
            "bxor": _over_all(lambda one, other: one ^ other),
            "lshift": _shifted(lambda value, count: value << count),
            "rshift": _shifted(lambda value, count: value >> count),
            "arshift": _shifted(lambda value, count: _signed(value) >> count),
            "rol": _shifted(lambda value, count: value << count | value >> (32 - count)),
            "ror": _shifted(lambda value, count: value >> count | value << (32 - count)),
            "bswap": _told(
                lambda value: [_signed(int.from_bytes(_word(value).to_bytes(4), "little"))]
            ),
        },
    }
