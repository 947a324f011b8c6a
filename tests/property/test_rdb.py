"""What is written in the RDB format is read back, in pieces of any size; damage costs an RdbError.

Clauses: RB-2, RB-3, RB-6, RB-7, RB-8, RB-9, RB-10, RB-11, RB-12.
"""

import random
from itertools import pairwise
from typing import Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.wire.rdb import (
    RdbAux,
    RdbDecoder,
    RdbEntry,
    RdbFunction,
    RdbKey,
    RdbSizes,
    format_rdb,
    parse_rdb,
)
from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.rdb_listpack import format_listpack, read_listpack
from reference.wire.rdb_strings import RdbError, RdbReader, format_length, lzf_decompress
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbStream,
    RdbString,
    RdbValue,
    StreamConsumer,
    StreamEntry,
    StreamGroup,
    StreamId,
    StreamPending,
)
from reference.wire.rdb_ziplist import read_intset, read_ziplist, read_zipmap
from tests.property.fuzz_rdb import Fuzzer, read_payload
from tests.rdb_samples import intset, payload, without_active_times, ziplist, zipmap

UNHURRIED: Final = settings(deadline=None)
U64: Final = st.integers(0, 2**64 - 1)
I64: Final = st.integers(-(2**63), 2**63 - 1)
MS: Final = st.integers(0, 2**62)
TEXTS: Final = st.one_of(
    st.binary(max_size=20),
    I64.map(lambda number: b"%d" % number),
    st.integers(0, 20000).map(lambda size: b"x" * size),
)
ELEMENTS: Final = st.lists(st.one_of(TEXTS, I64), max_size=30)
SCORES: Final = st.floats(allow_nan=False)
IDS: Final = st.builds(StreamId, st.one_of(st.integers(0, 5), U64), st.one_of(MS, U64))


@st.composite
def hashes(draw: st.DrawFn) -> RdbHash:
    pairs = draw(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=8))
    expiring = draw(st.sets(st.sampled_from(sorted(pairs))))
    return RdbHash(tuple(pairs.items()), tuple((field, draw(MS)) for field in expiring))


@st.composite
def groups(draw: st.DrawFn, name: bytes) -> StreamGroup:
    ids = draw(st.lists(IDS, unique=True, max_size=6))
    names = draw(st.lists(TEXTS, unique=True, min_size=bool(ids), max_size=3))
    owners = [draw(st.sampled_from(names)) for _ in ids]
    return StreamGroup(
        name=name,
        last_id=draw(IDS),
        entries_read=draw(st.none() | st.integers(0, 2**64 - 2)),
        pending=tuple(StreamPending(one, draw(I64), draw(U64)) for one in ids),
        consumers=tuple(
            StreamConsumer(
                name=consumer,
                seen_time=draw(I64),
                active_time=draw(I64),
                pending=tuple(
                    one for one, owner in zip(ids, owners, strict=True) if owner == consumer
                ),
            )
            for consumer in names
        ),
    )


@st.composite
def streams(draw: st.DrawFn) -> RdbStream:
    ids = sorted(draw(st.sets(IDS, max_size=8)))
    pairs = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"7"]), TEXTS), max_size=3).map(tuple)
    return RdbStream(
        entries=tuple(StreamEntry(one, draw(pairs)) for one in ids),
        last_id=max([draw(IDS), *ids]),
        max_deleted_id=draw(IDS),
        entries_added=draw(U64),
        groups=tuple(draw(groups(name)) for name in draw(st.lists(TEXTS, unique=True, max_size=2))),
    )


VALUES: Final = st.one_of(
    st.builds(RdbString, TEXTS),
    st.builds(RdbList, st.lists(TEXTS, min_size=1, max_size=8).map(tuple)),
    st.builds(RdbSet, st.frozensets(TEXTS, min_size=1, max_size=8)),
    st.builds(
        RdbSortedSet,
        st.dictionaries(TEXTS, SCORES, min_size=1, max_size=8).map(lambda d: tuple(d.items())),
    ),
    hashes(),
    streams(),
)
DBS: Final = st.sampled_from([0, 1, 15, 300])
KEYS: Final = st.builds(
    RdbKey,
    db=DBS,
    key=TEXTS,
    value=VALUES,
    expires_at_ms=st.none() | I64,
    idle=st.none() | U64,
    freq=st.none() | st.integers(0, 255),
)
ENTRIES: Final = st.lists(
    st.one_of(
        KEYS,
        st.builds(RdbAux, TEXTS, TEXTS),
        st.builds(RdbFunction, TEXTS),
        st.builds(RdbSizes, DBS, U64, U64),
    ),
    max_size=6,
)


@UNHURRIED
@given(VALUES)
def test_payload_of_version_80_comes_back(value: RdbValue) -> None:
    assert parse_dump(format_dump(value, 80)) == value


@UNHURRIED
@given(VALUES)
def test_payload_of_version_10_comes_back_but_for_what_it_cannot_say(value: RdbValue) -> None:
    if isinstance(value, RdbHash):
        value = attrs.evolve(value, expires_at_ms=())
    if isinstance(value, RdbStream):
        value = without_active_times(value)

    assert parse_dump(format_dump(value)) == value


@UNHURRIED
@given(ENTRIES, st.lists(st.integers(0, 100000), max_size=6), st.binary(max_size=9))
def test_file_comes_back_in_pieces_of_any_size(
    entries: list[RdbEntry], cuts: list[int], rest: bytes
) -> None:
    data = b"".join(format_rdb(entries, 80))  # type: ignore[arg-type]  # none but writable ones
    assert parse_rdb(data) == entries

    decoder = RdbDecoder()
    found: list[RdbEntry] = []
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    for start, end in pairwise([0, *places, len(data)]):
        found += decoder.feed(data[start:end])
    decoder.feed(rest)

    assert found == entries
    assert decoder.rest == rest
    decoder.finish()


@UNHURRIED
@given(VALUES, st.data())
def test_no_payload_can_be_cut_off(value: RdbValue, data: st.DataObject) -> None:
    body = format_dump(value, 80)[:-10]
    size = data.draw(st.integers(0, len(body) - 1))

    with pytest.raises(RdbError):
        parse_dump(payload(body[:size], 80))


@UNHURRIED
@given(VALUES, st.data())
def test_changed_bit_is_noticed(value: RdbValue, data: st.DataObject) -> None:
    body = bytearray(format_dump(value, 80))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(RdbError):
        parse_dump(bytes(body))


@UNHURRIED
@given(st.binary(max_size=200), st.sampled_from([10, 11, 80]))
def test_any_bytes_are_read_or_refused(body: bytes, version: int) -> None:
    assert read_payload(payload(body, version)) in {"read", "refused"}


@pytest.mark.parametrize("seed", range(3))
def test_damaged_inputs_are_read_or_refused(seed: int) -> None:
    fuzzer = Fuzzer(random.Random(seed))  # noqa: S311 - the same inputs each time
    for _ in range(700):
        fuzzer.read_one()

    assert set(fuzzer.counts) == {"file read", "file refused", "payload read", "payload refused"}


@UNHURRIED
@given(U64)
def test_any_length_comes_back(number: int) -> None:
    assert RdbReader(buffer=format_length(number)).length() == number


@UNHURRIED
@given(ELEMENTS)
def test_any_listpack_and_ziplist_comes_back(elements: list[bytes | int]) -> None:
    assert read_listpack(format_listpack(elements)) == elements
    assert read_ziplist(ziplist(elements)) == elements
    assert read_ziplist(ziplist(elements, wide=True)) == elements


@UNHURRIED
@given(st.dictionaries(TEXTS, TEXTS, max_size=8), st.integers(0, 255), st.frozensets(I64))
def test_any_zipmap_and_intset_comes_back(
    pairs: dict[bytes, bytes], spare: int, numbers: frozenset[int]
) -> None:
    texts = [text for pair in pairs.items() for text in pair]

    assert read_zipmap(zipmap(list(pairs.items()), spare)) == texts
    assert read_intset(intset(sorted(numbers), 8)) == sorted(numbers)


@UNHURRIED
@given(st.binary(min_size=1, max_size=6000), st.lists(st.integers(0, 6000), max_size=4), U64)
def test_checksum_does_not_depend_on_pieces(data: bytes, cuts: list[int], start: int) -> None:
    crc = start
    for begin, end in pairwise([0, *sorted(cut % len(data) for cut in cuts), len(data)]):
        crc = crc64(data[begin:end], crc)

    assert crc == crc64(data, start)


def _lzf(data: bytes) -> bytes:
    """The data compressed as well as a search through all of it can."""
    out = bytearray()
    place = 0
    while place < len(data):
        best, back = 0, 0
        for start in range(max(0, place - 8192), place):
            size = 0
            while (
                size < 264 and place + size < len(data) and data[start + size] == data[place + size]
            ):
                size += 1
            if size > best:
                best, back = size, place - start - 1
        if best < 3:
            out += bytes((0, data[place]))
            place += 1
            continue
        short = best - 2
        if short < 7:
            out += bytes((short << 5 | back >> 8, back & 0xFF))
        else:
            out += bytes((7 << 5 | back >> 8, short - 7, back & 0xFF))
        place += best
    return bytes(out)


@UNHURRIED
@given(st.one_of(st.binary(max_size=60), st.text("ab", max_size=400).map(str.encode)))
def test_what_was_compressed_comes_back(data: bytes) -> None:
    assert lzf_decompress(_lzf(data), len(data)) == data


@UNHURRIED
@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_are_decompressed_to_the_size_declared_or_refused(data: bytes, size: int) -> None:
    try:
        assert len(lzf_decompress(data, size)) == size
    except ValueError:
        return
