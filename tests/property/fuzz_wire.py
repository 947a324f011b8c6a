"""Feed the codecs garbage that begins like the real thing: `python -m tests.property.fuzz_wire`.

Inputs are made from what real servers sent and saved (spec/vectors) by a generator of its own, so
that equal seeds give equal inputs. Nothing but the codecs' own errors may be raised, what decodes
must encode to the same bytes, and now and then the memory is measured.
"""

import argparse
import base64
import json
import random
import sys
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Final, NoReturn

import attrs

from reference.wire import bus, nodes_conf_parse, resp
from reference.wire.bus_errors import BusLinkError, BusProtocolError
from reference.wire.bus_frames import FrameReader
from reference.wire.dialects import COMMON, WIRE_DIALECTS, WireDialect
from reference.wire.nodes_conf import format_nodes_conf
from tests.traceability import SPEC

DIALECTS: Final = (*WIRE_DIALECTS.values(), COMMON)
MAX_FRAME: Final = 16 * 1024
MAX_REQUEST: Final = 16 * 1024
MEASURED_EVERY: Final = 500
"""Memory is measured for one input of so many, since measuring costs time."""

_EDGES: Final = (0, 1, 2, 3, 7, 8, 9, 16, 40, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0xFFFFFFF8)
_PLACES: Final = (4, 8, 12, 14, 2214, 2250, 2253, 2256, 2260, 16, 20)
_WORDS: Final = (
    b"myself", b"master", b"slave", b"-", b",", b"=", b":", b"@", b"vars", b"currentEpoch", b"\n",
    b" ", b"0-16383", b"[7->-", b"]", b"connected", b"\0", b'"', b"shard-id=", b"client-ipv4=",
    b"99999", b"*3\r\n", b"$3\r\n", b"$-1\r\n", b"*1000000000\r\n", b"$1000000000\r\n", b"\r\n",
)  # fmt: skip
_REQUESTS: Final = (
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n" * 2,
    b"PING\r\nset 'a b' \"\\x41\"\r\n",
    b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
)


class FoundError(Exception):
    """An input with which a codec does what it must not."""


@attrs.define
class Fuzzer:
    """Makes inputs, feeds them, and counts what became of them."""

    seed: int = 0
    outcomes: Counter[str] = attrs.field(factory=Counter)
    worst: dict[str, float] = attrs.field(factory=dict)  # bytes allocated per byte, by codec
    _random: random.Random = attrs.field(init=False)
    _frames: list[bytes] = attrs.field(init=False)
    _files: list[bytes] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """The seeds of the mutations are read."""
        self._random = random.Random(self.seed)  # noqa: S311 - must be the same every time
        self._frames = [
            zlib.decompress(base64.b64decode(vector["zlib_base64"]))
            for path in sorted((SPEC / "vectors").glob("bus-*.json"))
            for vector in json.loads(path.read_text(encoding="utf-8"))
        ]
        self._files = [path.read_bytes() for path in sorted((SPEC / "vectors").glob("*.conf"))]

    def run(self, inputs: int) -> None:
        """So many inputs were fed; FoundError tells of the first one that was not handled."""
        kinds = (self._bus, self._bus, self._bus, self._stream, self._file, self._requests)
        for number in range(inputs):
            kinds[number % len(kinds)](number)

    def _bus(self, number: int) -> None:
        data = self._mutated(self._random.choice(self._frames), _EDGES)
        if self._random.random() < 0.8:  # otherwise few would be looked into
            data = data[:4] + len(data).to_bytes(4, "big") + data[8:]
        dialect = self._random.choice(DIALECTS)
        limit = bus.MEMORY_PER_BYTE * len(data) + bus.MEMORY_BESIDE
        self._feed("bus", number, data, limit, lambda: _through_bus(data, dialect))

    def _stream(self, number: int) -> None:
        some = b"".join(self._random.choices(self._frames, k=2))
        data = self._mutated(some, _EDGES) if self._random.random() < 0.9 else self._noise()
        cut = self._random.randrange(len(data) + 1)
        light = self._random.random() < 0.5
        limit = 4 * len(data) + 2 * MAX_FRAME + bus.MEMORY_BESIDE
        self._feed(
            "stream", number, data, limit, lambda: _through_frames((data[:cut], data[cut:]), light)
        )

    def _file(self, number: int) -> None:
        data = self._mutated(self._random.choice(self._files), _EDGES[:4])
        dialect = self._random.choice(DIALECTS)
        limit = nodes_conf_parse.MEMORY_PER_BYTE * len(data) + nodes_conf_parse.MEMORY_BESIDE
        self._feed("nodes.conf", number, data, limit, lambda: _through_file(data, dialect))

    def _requests(self, number: int) -> None:
        base = self._random.choice(_REQUESTS)
        data = self._mutated(base, _EDGES[:4]) if self._random.random() < 0.8 else self._noise()
        cut = self._random.randrange(len(data) + 1)
        limit = 8 * (len(data) + MAX_REQUEST) + bus.MEMORY_BESIDE
        self._feed("RESP", number, data, limit, lambda: _through_requests((data[:cut], data[cut:])))

    def _feed(
        self, codec: str, number: int, data: bytes, limit: int, run: Callable[[], str]
    ) -> None:
        measured = number // 6 % (MEASURED_EVERY // 6) == 0
        try:
            if measured:
                run()  # what is cached from now on is not counted
                tracemalloc.start()
            outcome = run()
        except FoundError as error:
            self._give_up(codec, number, data, error)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self._give_up(codec, number, data, error)
        finally:
            peak = tracemalloc.get_traced_memory()[1] if measured else 0
            tracemalloc.stop()
        if peak > limit:
            self._give_up(codec, number, data, f"{peak} bytes allocated, the limit is {limit}")
        if measured:
            self.worst[codec] = max(self.worst.get(codec, 0), peak / (len(data) + 1024))
        self.outcomes[f"{codec}: {outcome}"] += 1

    def _give_up(self, codec: str, number: int, data: bytes, error: object) -> NoReturn:
        shown = data if len(data) < 400 else zlib.compress(data)
        raise FoundError(f"{codec}, input {number} of seed {self.seed}: {error!r}\n{shown!r}")

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randrange(200))

    def _mutated(self, data: bytes, edges: tuple[int, ...]) -> bytes:
        """The bytes with one to four changes; half of the time the length stays as it is."""
        changed = bytearray(data)
        change = self._overwrite if self._random.random() < 0.5 else self._reshape
        for _ in range(self._random.choice((1, 1, 2, 4))):
            change(changed, edges)
        return bytes(changed)

    def _overwrite(self, changed: bytearray, edges: tuple[int, ...]) -> None:
        draw = self._random
        place = draw.randrange(len(changed))
        match draw.randrange(5):
            case 0:
                changed[place] ^= 1 << draw.randrange(8)
            case 1:
                changed[place] = changed[draw.randrange(len(changed))]
            case 2:
                place = max(0, min(place, len(changed) - 300) + draw.randrange(299))
                self._put(changed, place, draw.choice(edges))
            case 3:
                self._put(changed, draw.choice(_PLACES), draw.choice(edges))
            case _:
                start = draw.randrange(len(changed))
                piece = changed[start : start + draw.choice((2, 8, 40))]
                if place + len(piece) <= len(changed):
                    changed[place : place + len(piece)] = piece

    def _put(self, changed: bytearray, place: int, number: int) -> None:
        width = self._random.choice((1, 2, 4))
        if place + width <= len(changed):
            changed[place : place + width] = (number & (1 << 8 * width) - 1).to_bytes(width, "big")

    def _reshape(self, changed: bytearray, edges: tuple[int, ...]) -> None:
        draw = self._random
        place = draw.randrange(len(changed) + 1)
        match draw.randrange(6):
            case 0:
                del changed[max(place, 1) :]
            case 1:
                changed[place:place] = draw.randbytes(draw.randrange(1, 9))
            case 2 if len(changed) > 50:
                del changed[place : place + draw.randrange(1, 50)]
            case 3:
                start = draw.randrange(len(changed) + 1)
                changed[place:place] = changed[start : start + draw.choice((8, 40, 104))]
            case 4:
                changed[place:place] = draw.choice(_WORDS)
            case _:
                self._overwrite(changed, edges)


def _through_bus(data: bytes, dialect: WireDialect) -> str:
    try:
        message = bus.decode(
            data, light_headers=dialect.light_headers, extensions=dialect.extensions
        )
    except BusProtocolError as error:
        return type(error).__name__
    if bus.encode(message) != data:
        raise FoundError("other bytes after decode and encode")
    return "decoded"


def _through_frames(pieces: tuple[bytes, ...], light: bool) -> str:  # noqa: FBT001
    reader = FrameReader(max_frame=MAX_FRAME, light_headers=light)
    frames: list[bytes] = []
    try:
        for piece in pieces:
            frames += reader.feed(piece)
    except BusLinkError:
        pass
    if not b"".join(pieces).startswith(b"".join(frames)):
        raise FoundError("frames that were not sent")
    return "damaged" if reader.error else "cut"


def _through_file(data: bytes, dialect: WireDialect) -> str:
    try:
        conf = nodes_conf_parse.parse_nodes_conf(data, dialect)
    except nodes_conf_parse.NodesConfError:
        return "refused"
    if nodes_conf_parse.parse_nodes_conf(format_nodes_conf(conf), dialect) != conf:
        raise FoundError("another file after parsing and formatting")
    return "parsed"


def _through_requests(pieces: tuple[bytes, ...]) -> str:
    reader = resp.RequestReader(max_bulk_len=MAX_REQUEST, max_request=MAX_REQUEST)
    count = 0
    try:
        for piece in pieces:
            reader.feed(piece)
            count += sum(1 for _ in reader)
    except resp.RespProtocolError:
        return "refused"
    return f"{min(count, 2)} requests or more"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    fuzzer = Fuzzer(chosen.seed)
    start = time.monotonic()
    fuzzer.run(chosen.inputs)
    seconds = time.monotonic() - start
    sys.stdout.write(f"{chosen.inputs} inputs of seed {chosen.seed}, {seconds:.0f} s\n")
    for outcome, count in sorted(fuzzer.outcomes.items()):
        sys.stdout.write(f"{count:10} {outcome}\n")
    for codec, factor in sorted(fuzzer.worst.items()):
        sys.stdout.write(f"{factor:10.1f} bytes allocated for each byte at most, {codec}\n")


if __name__ == "__main__":
    main()
