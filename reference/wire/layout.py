"""Fixed runs of big-endian fields: where each lies, and the primitive values in them."""

import struct
from functools import lru_cache
from typing import Final

from reference.clauses import clause
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import SLOT_COUNT

NAME_LENGTH: Final = 40
"""Bytes of a node id or shard id (`CLUSTER_NAMELEN`)."""

SLOTS_LENGTH: Final = SLOT_COUNT // 8
"""Bytes of a slot bitmap."""

IP_LENGTH: Final = 46
"""Bytes of an address in text form, NUL included (`NET_IP_STR_LEN`)."""

_NO_SLOTS_BYTES: Final = bytes(SLOTS_LENGTH)


class Layout:
    """The fields of a fixed block of bytes, in order, as (name, struct code) pairs."""

    __slots__ = ("_codes", "size", "struct", "table")

    def __init__(self, *fields: tuple[str, str]) -> None:
        offset = 0
        rows = []
        for name, code in fields:
            size = struct.calcsize(">" + code)
            rows.append((name, offset, size))
            offset += size
        self.table: tuple[tuple[str, int, int], ...] = tuple(rows)  # (field, offset, size)
        self.size = offset  # bytes
        self.struct = struct.Struct(">" + "".join(code for _, code in fields))
        self._codes = dict(fields)

    def offset(self, field: str) -> int:
        """Where the field begins."""
        return next(offset for name, offset, _ in self.table if name == field)

    def part(self, first: str, end: str | None = None) -> struct.Struct:
        """The fields from the first one up to the one at which it ends, or to the last."""
        names, codes = list(self._codes), list(self._codes.values())
        stop = len(names) if end is None else names.index(end)
        return struct.Struct(">" + "".join(codes[names.index(first) : stop]))


@clause("BU-15")
@lru_cache(maxsize=1024)
def unpack_slots(raw: bytes) -> SlotSet:
    """The slots of a 2048-byte bitmap: slot s is bit s & 7 of byte s >> 3.

    Equal bitmaps mostly give the same object, so that its `ranges` are computed once.
    Counterpart: `bitmapTestBit`.
    """
    return NO_SLOTS if raw == _NO_SLOTS_BYTES else SlotSet(int.from_bytes(raw, "little"))


@clause("BU-15")
def pack_slots(slots: SlotSet) -> bytes:
    """The 2048-byte bitmap of the slots; ValueError if one is not below 16384.

    Counterpart: `bitmapSetBit`.
    """
    if not slots.bitmap:
        return _NO_SLOTS_BYTES
    try:
        return slots.bitmap.to_bytes(SLOTS_LENGTH, "little")
    except OverflowError as error:
        raise ValueError(f"a slot is outside 0..{SLOT_COUNT - 1}") from error


@clause("BU-16")
def unpack_name(raw: bytes) -> str:
    """The 40 bytes as 40 characters, whatever they are: only the rules judge an id.

    Counterpart: `clusterLookupNode`.
    """
    return raw.decode("latin-1")


@clause("BU-16")
def pack_name(name: str) -> bytes:
    """The 40 bytes of an id; ValueError for any other length.

    Counterpart: `clusterBuildMessageHdr`.
    """
    raw = name.encode("latin-1")
    if len(raw) != NAME_LENGTH:
        raise ValueError(f"an id has {NAME_LENGTH} characters, not {len(raw)}: {name!r}")
    return raw


@clause("BU-17")
@lru_cache(maxsize=4096)
def unpack_text(raw: bytes) -> tuple[str, bytes]:
    """The text before the first NUL, and what follows that NUL if it is not all NUL.

    The remainder is what an earlier, longer text left behind in the sender's memory. It means
    nothing and is kept so that encoding gives the same bytes.
    """
    text = raw.rstrip(b"\0")
    if b"\0" not in text:
        return text.decode("latin-1"), b""
    text, _, residue = text.partition(b"\0")
    return text.decode("latin-1"), residue


@clause("BU-17")
def pack_text(text: str, residue: bytes, length: int) -> bytes:
    """The text, a NUL and the residue in a field of `length` bytes, padded with NUL.

    ValueError if they do not fit, or if the text holds a NUL itself.
    """
    raw = text.encode("latin-1")
    if b"\0" in raw:
        raise ValueError(f"a text field cannot hold a NUL: {text!r}")
    if residue:
        raw += b"\0" + residue
    if len(raw) > length:
        raise ValueError(f"text of {len(raw)} bytes in a field of {length}: {text!r}")
    return raw.ljust(length, b"\0")
