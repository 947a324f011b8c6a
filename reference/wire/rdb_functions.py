"""The payload of FUNCTION DUMP and FUNCTION RESTORE: libraries, as their sources."""

from collections.abc import Iterable
from typing import Final

from reference.clauses import clause
from reference.wire.rdb_dump import with_footer, without_footer
from reference.wire.rdb_strings import RdbReader, format_string

FUNCTION2: Final = 245  # RDB_OPCODE_FUNCTION2
_FUNCTION_PRE_GA: Final = 246


@clause("RB-16")
def format_functions(codes: Iterable[bytes]) -> bytes:
    """The payload with these libraries. Counterpart: `functionDumpCommand`."""
    return with_footer(b"".join(bytes((FUNCTION2,)) + format_string(code) for code in codes))


@clause("RB-16")
def parse_functions(payload: bytes) -> list[bytes]:
    """The sources of the libraries in a payload; RdbError if it is damaged or has anything else.

    Counterpart: `functionRestoreCommand`.
    """
    reader = RdbReader(buffer=without_footer(payload))
    codes = []
    while reader.position < len(reader.buffer):
        kind = reader.byte()
        if kind == _FUNCTION_PRE_GA:
            reader.fail("Pre-GA function format not supported")
        if kind != FUNCTION2:
            reader.fail("given type is not a function")
        codes.append(reader.string())
    return codes
