"""RDB files, read as a whole or as their bytes arrive, and written.

A file is a header, then records, each with its opcode or the type of a value first, then a
checksum. A replica gets its master's data in this form, before the stream of commands.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import partial
from typing import Final, TypeAlias, assert_never

import attrs

from reference.clauses import clause
from reference.core.types import SLOT_COUNT
from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_decode import TYPES, read_value
from reference.wire.rdb_dump import READABLE_VERSIONS
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION, check_version, format_value
from reference.wire.rdb_strings import (
    MAX_STRING,
    RdbError,
    RdbReader,
    Steps,
    each,
    format_length,
    format_string,
    once,
)
from reference.wire.rdb_values import RdbValue, holds_nothing


class RdbOpcode(IntEnum):
    """What a record is that is no key (`RDB_OPCODE_EOF` ...)."""

    SLOT_IMPORT = 243
    SLOT_INFO = 244
    FUNCTION2 = 245
    FUNCTION_PRE_GA = 246
    MODULE_AUX = 247
    IDLE = 248
    FREQ = 249
    AUX = 250
    RESIZEDB = 251
    EXPIRETIME_MS = 252
    EXPIRETIME = 253
    SELECTDB = 254
    EOF = 255


@attrs.frozen
class RdbAux:
    """A fact about the file or its writer, such as `repl-id`; unknown ones mean nothing."""

    name: bytes
    value: bytes


@attrs.frozen
class RdbFunction:
    """A library of functions, as its source."""

    code: bytes


@attrs.frozen
class RdbSizes:
    """A hint: how many keys a database has, and how many of them expire."""

    db: int
    keys: int
    expires: int


@attrs.frozen
class RdbSlotInfo:
    """A hint: how many keys a slot has, and how many of them expire."""

    slot: int
    keys: int
    expires: int


@attrs.frozen
class RdbSlotImport:
    """A migration of slots to this node that was under way (Valkey 9)."""

    name: bytes
    ranges: tuple[tuple[int, int], ...]  # first and last slot


@attrs.frozen
class RdbModuleAux:
    """What a module keeps beside the keys; its content was passed over."""

    module: str
    encoding: int
    after_keys: bool


@attrs.frozen(kw_only=True)
class RdbKey:
    """A key with its value."""

    db: int = 0
    key: bytes
    value: RdbValue
    expires_at_ms: int | None = None  # milliseconds since 1970
    idle: int | None = None  # seconds since it was used
    freq: int | None = None  # how often it is used, 0 to 255 (LFU)


RdbEntry: TypeAlias = (
    RdbAux | RdbFunction | RdbSizes | RdbSlotInfo | RdbSlotImport | RdbModuleAux | RdbKey
)
WritableEntry: TypeAlias = RdbAux | RdbFunction | RdbSizes | RdbSlotImport | RdbKey

_HEADER_BYTES: Final = 9
_REDIS: Final = re.compile(rb"REDIS([0-9]{4})")
_VALKEY: Final = re.compile(rb"VALKEY([0-9]{3})")
_CHECKSUM: Final = 8
_FIRST_WITH_CHECKSUM: Final = 5
_CHUNK: Final = 64 * 1024
_SHOWN: Final = 40
_JOB_NAME: Final = 40
_MODULE_NAME: Final = 9
_MODULE_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MODULE_EOF, _MODULE_UINT = 0, 2
_AFTER_KEYS: Final = 2


@attrs.define(kw_only=True)
class RdbDecoder:
    """The entries of a file, as its bytes arrive in pieces of any size.

    It holds no more than what is unfinished: a value, or the bytes of a string.
    """

    max_string: int = MAX_STRING
    whole: bool = False  # all bytes come with the first feed
    version: int | None = attrs.field(default=None, init=False)  # None: not read yet
    done: bool = attrs.field(default=False, init=False)  # the file's end was read
    rest: bytes = attrs.field(default=b"", init=False)  # what came behind the end
    error: RdbError | None = attrs.field(default=None, init=False)
    _reader: RdbReader = attrs.field(init=False)
    _steps: Steps[None] = attrs.field(init=False)
    _pending: list[bytes] = attrs.field(factory=list, init=False)
    _arrived: int = attrs.field(default=0, init=False)  # offset behind the last byte that came
    _wanted: int = attrs.field(default=0, init=False)  # offset up to which it takes to go on
    _crc: int = attrs.field(default=0, init=False)  # of all bytes before the reader's buffer
    _found: list[RdbEntry] = attrs.field(factory=list, init=False)
    _db: int = attrs.field(default=0, init=False)
    _expires_at_ms: int | None = attrs.field(default=None, init=False)  # of the next key
    _idle: int | None = attrs.field(default=None, init=False)
    _freq: int | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._reader = RdbReader(buffer=b"", whole=self.whole, max_string=self.max_string)
        self._steps = self._read()

    @clause("RB-8")
    def feed(self, data: bytes | bytearray | memoryview) -> list[RdbEntry]:
        """The entries that these bytes complete, which follow those fed before.

        RdbError if the file is damaged, and from then on always. Bytes behind the end of the file
        are kept in `rest`. Counterpart: `rdbLoadRio`.
        """
        if self.error is not None:
            raise self.error
        if self.done:
            self.rest += data
            return []
        self._pending.append(bytes(data))
        self._arrived += len(data)
        if self._arrived < self._wanted:
            return []
        self._join_pending()
        try:
            self._wanted = next(self._steps)
        except StopIteration:
            self.done = True
            self.rest = self._reader.buffer[self._reader.position :]
        except RdbError as error:
            self.error = error
            self._found = []
            raise
        finally:
            found, self._found = self._found, []
        return found

    def finish(self) -> None:
        """No more bytes come: RdbError if the file did not end. Counterpart: `rdbLoadRio`."""
        if self.error is None and not self.done:
            self.error = RdbError(self._arrived, "the file is cut off")
        if self.error is not None:
            raise self.error

    def _join_pending(self) -> None:
        reader = self._reader
        self._crc = crc64(memoryview(reader.buffer)[: reader.position], self._crc)
        reader.base += reader.position
        reader.buffer = b"".join([reader.buffer[reader.position :], *self._pending])
        reader.position = 0
        self._pending = []

    @clause("RB-1", "RB-5")
    def _read(self) -> Steps[None]:
        """The file is read up to its end. Counterpart: `rdbLoadRioWithLoadingCtx`."""
        self.version = yield from once(self._reader, self._header)
        simple = self._simple_records()
        stepwise: dict[int, Callable[[], Steps[RdbEntry]]] = {
            RdbOpcode.SLOT_IMPORT: self._slot_import,
            RdbOpcode.MODULE_AUX: self._module_aux,
        }
        while (code := (yield from once(self._reader, self._reader.byte))) != RdbOpcode.EOF:
            if code in simple:
                entry = yield from once(self._reader, simple[code])
                if entry is not None:
                    self._found.append(entry)
            elif code in stepwise:
                entry = yield from stepwise[code]()
                self._found.append(entry)
            else:
                yield from self._key(code)
        if self.version >= _FIRST_WITH_CHECKSUM:
            yield from self._check_checksum()

    def _header(self) -> int:
        start = self._reader.offset
        header = self._reader.take(_HEADER_BYTES)
        match = _REDIS.fullmatch(header) or _VALKEY.fullmatch(header)
        if match is None:
            self._reader.fail(f"not the start of an RDB file: {header!r}", start)
        version = int(match[1])
        if version not in READABLE_VERSIONS or (version >= VALKEY_VERSION) != (match.re is _VALKEY):
            self._reader.fail(f"unknown version: {header!r}", start)
        return version

    def _simple_records(self) -> dict[int, Callable[[], RdbEntry | None]]:
        """How the records are read that have only a few numbers and strings."""
        reader = self._reader
        return {
            RdbOpcode.AUX: lambda: RdbAux(reader.string(), reader.string()),
            RdbOpcode.FUNCTION2: lambda: RdbFunction(reader.string()),
            RdbOpcode.RESIZEDB: lambda: RdbSizes(self._db, reader.length(), reader.length()),
            RdbOpcode.SLOT_INFO: self._slot_info,
            RdbOpcode.SELECTDB: self._select_db,
            RdbOpcode.EXPIRETIME: self._expire_time,
            RdbOpcode.EXPIRETIME_MS: self._expire_time_ms,
            RdbOpcode.IDLE: self._idle_time,
            RdbOpcode.FREQ: self._frequency,
        }

    def _slot_info(self) -> RdbSlotInfo:
        return RdbSlotInfo(self._slot(), self._reader.length(), self._reader.length())

    def _slot(self) -> int:
        start = self._reader.offset
        slot = self._reader.length()
        if slot >= SLOT_COUNT:
            self._reader.fail(f"slot {slot} does not exist", start)
        return slot

    def _slot_import(self) -> Steps[RdbSlotImport]:
        reader = self._reader
        start = reader.offset
        name = yield from once(reader, reader.string)
        if len(name) != _JOB_NAME:
            reader.fail(f"the name of a slot import has {len(name)} bytes", start)
        count = yield from once(reader, partial(reader.count, 2))
        if count > SLOT_COUNT:
            reader.fail(f"{count} ranges of slots", start)
        ranges = yield from each(reader, count, self._slot_range)
        return RdbSlotImport(name, tuple(ranges))

    def _slot_range(self) -> tuple[int, int]:
        start = self._reader.offset
        first, last = self._slot(), self._slot()
        if first > last:
            self._reader.fail(f"a range of slots from {first} to {last}", start)
        return first, last

    def _select_db(self) -> None:
        self._db = self._reader.length()

    def _expire_time(self) -> None:
        self._expires_at_ms = self._reader.signed(4) * 1000

    def _expire_time_ms(self) -> None:
        self._expires_at_ms = self._reader.signed(8)

    def _idle_time(self) -> None:
        self._idle = self._reader.length()

    def _frequency(self) -> None:
        self._freq = self._reader.byte()

    @clause("RB-13")
    def _module_aux(self) -> Steps[RdbModuleAux]:
        """What a module keeps is passed over. Counterpart: `rdbLoadCheckModuleValue`."""
        reader = self._reader
        start = reader.offset
        module = yield from once(reader, reader.length)
        if (yield from once(reader, reader.length)) != _MODULE_UINT:
            reader.fail("the data of a module does not say when it is to be read", start)
        when = yield from once(reader, reader.length)
        while (kind := (yield from once(reader, reader.length))) != _MODULE_EOF:
            skip = {
                1: reader.length, _MODULE_UINT: reader.length, 3: lambda: reader.take(4),
                4: lambda: reader.take(8), 5: reader.string,
            }.get(kind)  # fmt: skip
            if skip is None:
                reader.fail(f"unknown kind of module data {kind}")
            yield from once(reader, skip)
        return RdbModuleAux(_module_name(module), module & 1023, when == _AFTER_KEYS)

    @clause("RB-4", "RB-13", "RB-15")
    def _key(self, kind: int) -> Steps[None]:
        """A key is found, unless it is a collection without members.

        Counterpart: `rdbLoadRioWithLoadingCtx`.
        """
        reader = self._reader
        if kind not in TYPES:
            reader.fail(f"unknown opcode or type of value {kind}", reader.offset - 1)
        key = yield from once(reader, reader.string)
        try:
            value = yield from read_value(reader, kind)
        except RdbError as error:
            raise RdbError(error.position, f"key {key[:_SHOWN]!r}: {error.reason}") from None
        if not holds_nothing(value):
            entry = RdbKey(
                db=self._db,
                key=key,
                value=value,
                expires_at_ms=self._expires_at_ms,
                idle=self._idle,
                freq=self._freq,
            )
            self._found.append(entry)
        self._expires_at_ms = self._idle = self._freq = None

    @clause("RB-9")
    def _check_checksum(self) -> Steps[None]:
        """What was read is what was written; 0 means that the writer made no checksum.

        Counterpart: `rdbLoadRioWithLoadingCtx`.
        """
        reader = self._reader
        start = reader.offset
        expected = crc64(memoryview(reader.buffer)[: reader.position], self._crc)
        checksum = int.from_bytes(
            (yield from once(reader, lambda: reader.take(_CHECKSUM))), "little"
        )
        if checksum not in {0, expected}:
            reader.fail(f"checksum {checksum:016x}, expected {expected:016x}", start)


def _module_name(module: int) -> str:
    """The name in the upper 54 bits of a module's number, 6 bits a letter."""
    places = reversed(range(_MODULE_NAME))
    return "".join(_MODULE_LETTERS[module >> (10 + 6 * place) & 63] for place in places)


@clause("RB-8")
def parse_rdb(data: bytes, *, max_string: int = MAX_STRING) -> list[RdbEntry]:
    """The entries of a whole file; RdbError if it is damaged or anything follows it.

    Counterpart: `rdbLoadRio`.
    """
    decoder = RdbDecoder(whole=True, max_string=max_string)
    entries = decoder.feed(data)
    if decoder.rest:
        raise RdbError(len(data) - len(decoder.rest), f"{len(decoder.rest)} bytes are left over")
    return entries


@clause("RB-1", "RB-9", "RB-11")
def format_rdb(entries: Iterable[WritableEntry], version: int = RDB_VERSION) -> Iterator[bytes]:
    """The pieces of a file with these entries, in this order.

    ValueError for what cannot be written. Counterpart: `rdbSaveRio`.
    """
    check_version(version)
    head = b"VALKEY%03d" % version if version >= VALKEY_VERSION else b"REDIS%04d" % version
    crc = 0
    chunk = bytearray(head)
    for part in _format_entries(entries, version):
        chunk += part
        if len(chunk) >= _CHUNK:
            crc = crc64(chunk, crc)
            yield bytes(chunk)
            chunk.clear()
    chunk.append(RdbOpcode.EOF)
    yield bytes(chunk) + crc64(chunk, crc).to_bytes(_CHECKSUM, "little")


def _format_entries(entries: Iterable[WritableEntry], version: int) -> Iterator[bytes]:
    selected: int | None = None
    for entry in entries:
        if isinstance(entry, RdbKey | RdbSizes) and entry.db != selected:
            selected = entry.db
            yield bytes((RdbOpcode.SELECTDB,)) + format_length(entry.db)
        match entry:
            case RdbAux(name, value):
                yield bytes((RdbOpcode.AUX,)) + format_string(name) + format_string(value)
            case RdbFunction(code):
                yield bytes((RdbOpcode.FUNCTION2,)) + format_string(code)
            case RdbSizes(_, keys, expires):
                sizes = format_length(keys) + format_length(expires)
                yield bytes((RdbOpcode.RESIZEDB,)) + sizes
            case RdbSlotImport():
                yield _format_slot_import(entry)
            case RdbKey():
                yield _format_key(entry, version)
            case _:
                assert_never(entry)


@clause("SM-37")
def _format_slot_import(entry: RdbSlotImport) -> bytes:
    """A job under way; its keys follow. Counterpart: `clusterRDBSaveSlotImports`."""
    bounds = [format_length(bound) for run in entry.ranges for bound in run]
    head = bytes((RdbOpcode.SLOT_IMPORT,)) + format_string(entry.name)
    return b"".join([head, format_length(len(entry.ranges)), *bounds])


@clause("RB-4")
def _format_key(entry: RdbKey, version: int) -> bytes:
    """A key behind what is said of it. Counterpart: `rdbSaveKeyValuePair`."""
    parts = []
    if entry.expires_at_ms is not None:
        parts += [
            bytes((RdbOpcode.EXPIRETIME_MS,)),
            entry.expires_at_ms.to_bytes(8, "little", signed=True),
        ]
    if entry.idle is not None:
        parts += [bytes((RdbOpcode.IDLE,)), format_length(entry.idle)]
    if entry.freq is not None:
        parts += [bytes((RdbOpcode.FREQ, entry.freq))]
    kind, body = format_value(entry.value, version)
    return b"".join([*parts, bytes((kind,)), format_string(entry.key), body])
