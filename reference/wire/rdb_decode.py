"""Values from bytes, in every encoding that Redis up to 7.2 and Valkey up to 9.1 write."""

import math
import re
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial
from typing import Final, NoReturn

from reference.clauses import clause
from reference.wire.rdb_listpack import Element, PackedError, read_listpack, text_of
from reference.wire.rdb_streams import read_stream
from reference.wire.rdb_strings import RdbReader, Steps, each, once
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbString,
    RdbValue,
)
from reference.wire.rdb_ziplist import read_intset, read_ziplist, read_zipmap


class RdbType(IntEnum):
    """How a value is encoded (`RDB_TYPE_STRING` ...)."""

    STRING = 0
    LIST = 1
    SET = 2
    ZSET = 3
    HASH = 4
    ZSET_2 = 5
    MODULE_PRE_GA = 6
    MODULE_2 = 7
    HASH_ZIPMAP = 9
    LIST_ZIPLIST = 10
    SET_INTSET = 11
    ZSET_ZIPLIST = 12
    HASH_ZIPLIST = 13
    LIST_QUICKLIST = 14
    STREAM_LISTPACKS = 15
    HASH_LISTPACK = 16
    ZSET_LISTPACK = 17
    LIST_QUICKLIST_2 = 18
    STREAM_LISTPACKS_2 = 19
    SET_LISTPACK = 20
    STREAM_LISTPACKS_3 = 21
    HASH_2 = 22


TYPES: Final = frozenset(RdbType)
"""All numbers that are types."""

_PLAIN_NODE: Final = 1
_PACKED_NODE: Final = 2
_NO_EXPIRY: Final = -1
_NUMBER: Final = re.compile(rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|inf)")
_MAX_NUMBER: Final = 400
"""Characters of the longest score: the largest number without an exponent has 309 digits."""

_SPECIAL_SCORES: Final = {254: math.inf, 255: -math.inf}


@clause("RB-6")
def read_value(reader: RdbReader, kind: int) -> Steps[RdbValue]:
    """The next value, which is of this type; it may be a collection without members.

    Counterpart: `rdbLoadObject`.
    """
    read = _READERS.get(kind)
    if read is None:
        reader.fail(_refusal(kind))
    return (yield from read(reader))


def _refusal(kind: int) -> str:
    if kind in {RdbType.MODULE_PRE_GA, RdbType.MODULE_2}:
        return "the value belongs to a module"
    return f"unknown type of value {kind}"


def _read_string(reader: RdbReader) -> Steps[RdbString]:
    return RdbString((yield from once(reader, reader.string)))


def _read_strings(reader: RdbReader) -> Steps[list[bytes]]:
    count = yield from once(reader, partial(reader.count, 1))
    return (yield from each(reader, count, reader.string))


def _read_list(reader: RdbReader) -> Steps[RdbList]:
    return RdbList(tuple((yield from _read_strings(reader))))


def _read_set(reader: RdbReader) -> Steps[RdbSet]:
    start = reader.offset
    return _as_set(reader, start, (yield from _read_strings(reader)))


def _read_scores(reader: RdbReader, read_score: Callable[[RdbReader], float]) -> Steps[RdbValue]:
    start = reader.offset
    count = yield from once(reader, partial(reader.count, 2))

    def pair() -> tuple[bytes, float]:
        return reader.string(), read_score(reader)

    return _as_sorted_set(reader, start, (yield from each(reader, count, pair)))


def _binary_score(reader: RdbReader) -> float:
    [score] = struct.unpack("<d", reader.take(8))
    return float(score)


def _text_score(reader: RdbReader) -> float:
    start = reader.offset
    size = reader.byte()
    if size in _SPECIAL_SCORES:
        return _SPECIAL_SCORES[size]
    if size == 253:
        return math.nan
    return _number(reader, start, reader.take(size))


@clause("RB-14")
def _number(reader: RdbReader, start: int, text: bytes) -> float:
    """The score that this text is, to its end. Counterpart: `rdbLoadDoubleValue`."""
    if len(text) > _MAX_NUMBER or not _NUMBER.fullmatch(text):
        reader.fail(f"a score that is no number: {text[:40]!r}", start)
    return float(text)


def _read_hash(reader: RdbReader) -> Steps[RdbHash]:
    start = reader.offset
    count = yield from once(reader, partial(reader.count, 2))

    def pair() -> tuple[bytes, bytes]:
        return reader.string(), reader.string()

    return _as_hash(reader, start, (yield from each(reader, count, pair)))


@clause("RB-10")
def _read_expiring_hash(reader: RdbReader) -> Steps[RdbHash]:
    """A hash whose fields may expire. Counterpart: `rdbLoadObject`."""
    start = reader.offset
    count = yield from once(reader, partial(reader.count, 10))

    def triple() -> tuple[bytes, bytes, int]:
        return reader.string(), reader.string(), reader.signed(8)

    triples = yield from each(reader, count, triple)
    expiries = tuple((field, ms) for field, _, ms in triples if ms != _NO_EXPIRY)
    if any(ms < 0 for _, ms in expiries):
        reader.fail("a field expires before 1970", start)
    return _as_hash(reader, start, [(field, value) for field, value, _ in triples], expiries)


def _packed(reader: RdbReader, unpack: Callable[[bytes], Sequence[Element]]) -> Sequence[Element]:
    """The elements of the next string, which is a packed collection."""
    start = reader.offset
    try:
        return unpack(reader.string())
    except PackedError as error:
        reader.fail(f"{unpack.__name__.removeprefix('read_')}: {error}", start)


def _read_packed_list(reader: RdbReader) -> Steps[RdbList]:
    elements = yield from once(reader, partial(_packed, reader, read_ziplist))
    return RdbList(tuple(map(text_of, elements)))


def _read_packed_set(
    reader: RdbReader, unpack: Callable[[bytes], Sequence[Element]]
) -> Steps[RdbSet]:
    start = reader.offset
    elements = yield from once(reader, partial(_packed, reader, unpack))
    return _as_set(reader, start, list(map(text_of, elements)))


def _packed_pairs(
    reader: RdbReader, unpack: Callable[[bytes], Sequence[Element]]
) -> list[tuple[bytes, bytes]]:
    start = reader.offset
    texts = list(map(text_of, _packed(reader, unpack)))
    if len(texts) % 2:
        reader.fail(f"{len(texts)} elements, which are no pairs", start)
    return list(zip(texts[::2], texts[1::2], strict=True))


def _read_packed_hash(
    reader: RdbReader, unpack: Callable[[bytes], Sequence[Element]]
) -> Steps[RdbHash]:
    start = reader.offset
    return _as_hash(
        reader, start, (yield from once(reader, partial(_packed_pairs, reader, unpack)))
    )


def _read_packed_scores(
    reader: RdbReader, unpack: Callable[[bytes], Sequence[Element]]
) -> Steps[RdbSortedSet]:
    start = reader.offset
    pairs = yield from once(reader, partial(_packed_pairs, reader, unpack))
    scores = [(member, _number(reader, start, text)) for member, text in pairs]
    return _as_sorted_set(reader, start, scores)


def _read_quicklist(
    reader: RdbReader, read_node: Callable[[RdbReader], Sequence[Element]]
) -> Steps[RdbList]:
    """A list in pieces, each of which is packed or one long element."""
    count = yield from once(reader, partial(reader.count, 1))
    nodes = yield from each(reader, count, partial(read_node, reader))
    return RdbList(tuple(text_of(element) for node in nodes for element in node))


def _ziplist_node(reader: RdbReader) -> Sequence[Element]:
    return _packed(reader, read_ziplist)


def _listpack_node(reader: RdbReader) -> Sequence[Element]:
    start = reader.offset
    container = reader.length()
    if container not in {_PLAIN_NODE, _PACKED_NODE}:
        reader.fail(f"unknown kind of list node {container}", start)
    return [reader.string()] if container == _PLAIN_NODE else _packed(reader, read_listpack)


def _as_set(reader: RdbReader, start: int, members: list[bytes]) -> RdbSet:
    unique = frozenset(members)
    if len(unique) < len(members):
        _refuse_twice(reader, start, "a member of a set")
    return RdbSet(unique)


def _as_hash(
    reader: RdbReader,
    start: int,
    pairs: list[tuple[bytes, bytes]],
    expires_at_ms: tuple[tuple[bytes, int], ...] = (),
) -> RdbHash:
    if len(dict(pairs)) < len(pairs):
        _refuse_twice(reader, start, "a field of a hash")
    return RdbHash(tuple(pairs), expires_at_ms)


def _as_sorted_set(
    reader: RdbReader, start: int, scores: list[tuple[bytes, float]]
) -> RdbSortedSet:
    if len(dict(scores)) < len(scores):
        _refuse_twice(reader, start, "a member of a sorted set")
    if any(math.isnan(score) for _, score in scores):
        reader.fail("a score that is not a number", start)
    return RdbSortedSet(tuple(scores))


@clause("RB-8")
def _refuse_twice(reader: RdbReader, start: int, what: str) -> NoReturn:
    """The value is refused, since something is in it twice. Counterpart: `rdbLoadObject`."""
    reader.fail(f"{what} occurs twice", start)


_READERS: Final[dict[int, Callable[[RdbReader], Steps[RdbValue]]]] = {
    RdbType.STRING: _read_string,
    RdbType.LIST: _read_list,
    RdbType.SET: _read_set,
    RdbType.ZSET: partial(_read_scores, read_score=_text_score),
    RdbType.HASH: _read_hash,
    RdbType.ZSET_2: partial(_read_scores, read_score=_binary_score),
    RdbType.HASH_ZIPMAP: partial(_read_packed_hash, unpack=read_zipmap),
    RdbType.LIST_ZIPLIST: _read_packed_list,
    RdbType.SET_INTSET: partial(_read_packed_set, unpack=read_intset),
    RdbType.ZSET_ZIPLIST: partial(_read_packed_scores, unpack=read_ziplist),
    RdbType.HASH_ZIPLIST: partial(_read_packed_hash, unpack=read_ziplist),
    RdbType.LIST_QUICKLIST: partial(_read_quicklist, read_node=_ziplist_node),
    RdbType.STREAM_LISTPACKS: partial(read_stream, form=1),
    RdbType.HASH_LISTPACK: partial(_read_packed_hash, unpack=read_listpack),
    RdbType.ZSET_LISTPACK: partial(_read_packed_scores, unpack=read_listpack),
    RdbType.LIST_QUICKLIST_2: partial(_read_quicklist, read_node=_listpack_node),
    RdbType.STREAM_LISTPACKS_2: partial(read_stream, form=2),
    RdbType.SET_LISTPACK: partial(_read_packed_set, unpack=read_listpack),
    RdbType.STREAM_LISTPACKS_3: partial(read_stream, form=3),
    RdbType.HASH_2: _read_expiring_hash,
}
