"""Damaged files and payloads cost an RdbError and nothing else: python -m tests.property.fuzz_rdb.

It damages samples of every encoding and repairs the checksum, so that the damage is reached, and
reads each as a payload, as a whole file and in pieces. With --inputs N it reads N of them, with
--seed S always the same. It ends with 1 at the first exception that is not an RdbError, at the
first value that is not the same when it is written and read again, and at the first two ways of
reading that differ.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs
import click

from reference.wire.rdb import RdbDecoder, RdbEntry, format_rdb, parse_rdb
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.rdb_encode import VALKEY_VERSION
from reference.wire.rdb_listpack import format_listpack
from reference.wire.rdb_strings import RdbError, format_string
from reference.wire.rdb_values import RdbHash
from tests.rdb_samples import ENTRIES, LONG, SAMPLES, file, payload, ziplist, zipmap

_MAX_STRING: Final = 1 << 20
_TELLING: Final = bytes(
    [0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xE0, 0xF0, 0xF1, 0xF4, 0xFA, 0xFE, 0xFF]
)
"""Bytes that are often lengths, forms, kinds or ends."""


_BODIES: Final = [bytes((sample.kind,)) + sample.body for sample in SAMPLES]
_FEW: Final[list[bytes | int]] = [b"ab", 5, b"", -1000, LONG, 2**40]
_PACKED: Final = [format_string(ziplist(_FEW)), format_string(format_listpack(_FEW))]
_SEEDS: Final = [
    *_BODIES,
    *(bytes((kind,)) + body for kind in (10, 12, 13, 16, 17, 20) for body in _PACKED),
    b"\x0e\x01" + _PACKED[0],
    b"\x12\x01\x02" + _PACKED[1],
    bytes((13,)) + format_string(ziplist([b"f", 1, b"g", 20000], wide=True)),
    bytes((9,)) + format_string(zipmap([(b"a", b"b"), (b"c", b"")], 2)),
]
_RECORDS: Final = [
    b"".join(format_rdb([entry], VALKEY_VERSION))[9:-9] for entry in ENTRIES
] + [
    b"\xf4\x05\x02\x01",
    b"\xf3\x28" + b"j" * 40 + b"\x01\x05\x09",
    b"\xf7\x81" + bytes(8) + b"\x02\x02\x01\x05\x03\x00\x00\x00\x00\x05\x03abc\x00",
    b"\xfd\x01\x00\x00\x00\xf8\x05\xf9\x06",
]  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The data with a few bytes changed, inserted, removed or copied."""
    octets = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(octets) + 1)
        match chance.randrange(7):
            case 0:
                octets[place : place + 1] = chance.randbytes(1)
            case 1:
                octets[place : place + 1] = bytes((chance.choice(_TELLING),))
            case 2:
                del octets[place : place + chance.choice((1, 2, 4, 16))]
            case 3:
                octets[place:place] = bytes((chance.choice(_TELLING),))
            case 4:
                octets[place : place + 1] = bytes((octets[place - 1] ^ 1 << chance.randrange(8),))
            case 5:
                del octets[max(place, 1) :]
            case _:
                start = chance.randrange(len(octets) + 1)
                octets[place:place] = octets[start : start + chance.choice((1, 2, 8, 40))]
        if not octets:
            octets += b"\0"
    if chance.random() < 0.1:
        octets[0] = chance.randrange(24)
    return bytes(octets)


def read_payload(data: bytes) -> str:
    """What becomes of a payload: "read" or "refused"."""
    try:
        value = parse_dump(data, max_string=_MAX_STRING)
    except RdbError:
        return "refused"
    version = VALKEY_VERSION if isinstance(value, RdbHash) else 10
    again = format_dump(value, version)
    assert format_dump(parse_dump(again), version) == again
    return "read"


def read_file(data: bytes, cuts: Sequence[int]) -> str:
    """What becomes of a file, which is the same whether it is cut at these places or not."""
    refused = False
    whole: list[RdbEntry] = []
    try:
        whole = parse_rdb(data, max_string=_MAX_STRING)
    except RdbError:
        refused = True
    decoder = RdbDecoder(max_string=_MAX_STRING)
    found: list[RdbEntry] = []
    try:
        for start, end in pairwise([0, *sorted(cuts), len(data)]):
            found += decoder.feed(data[start:end])
        decoder.finish()
    except RdbError:
        assert refused
        return "refused"
    assert refused == bool(decoder.rest)
    assert refused or found == whole
    return "refused" if refused else "read"


@attrs.define
class Fuzzer:
    """Reads damaged inputs, one after the other, and counts what became of them."""

    chance: random.Random
    counts: Counter[str] = attrs.field(factory=Counter)
    slowest: float = 0.0  # seconds

    def read_one(self) -> None:
        """One more input was read."""
        began = time.perf_counter()
        if self.chance.random() < 0.6:
            version = self.chance.choice((10, 10, 10, 11, VALKEY_VERSION, 12))
            data = payload(damaged(self.chance.choice(_SEEDS), self.chance), version)
            outcome = f"payload {read_payload(data)}"
        else:
            outcome = f"file {self._read_file()}"
        self.counts[outcome] += 1
        self.slowest = max(self.slowest, time.perf_counter() - began)

    def _read_file(self) -> str:
        records = self.chance.choices(_RECORDS, k=self.chance.randrange(1, 4))
        if self.chance.random() < 0.5:
            seed = self.chance.choice(_SEEDS)
            records.append(seed[:1] + b"\x01k" + seed[1:])
        header = self.chance.choice((b"REDIS0010", b"REDIS0011", b"VALKEY080"))
        data = file(damaged(b"".join(records), self.chance), header)
        if self.chance.random() < 0.2:
            data = damaged(data, self.chance)
        cuts = [self.chance.randrange(len(data) + 1) for _ in range(self.chance.randrange(6))]
        return read_file(data, cuts)


@click.command()
@click.option("--inputs", default=300_000, show_default=True, help="How many inputs to read.")
@click.option("--seed", default=0, show_default=True, help="The same seed, the same inputs.")
def main(inputs: int, seed: int) -> None:
    """Read damaged RDB files and payloads."""
    fuzzer = Fuzzer(random.Random(seed))  # noqa: S311 - to damage files, not to keep secrets
    began = time.perf_counter()
    for number in range(inputs):
        try:
            fuzzer.read_one()
        except Exception:
            click.echo(f"input {number} of seed {seed}:", err=True)
            raise
    seconds = time.perf_counter() - began
    for outcome, count in sorted(fuzzer.counts.items()):
        click.echo(f"{count:>9,}  {outcome}")
    slowest = fuzzer.slowest * 1000
    click.echo(f"{inputs:,} inputs in {seconds:.0f} s, the slowest took {slowest:.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
