"""The payload of FUNCTION DUMP.

Clauses: RB-16.
"""

import pytest

from reference.wire.rdb_dump import DumpFooterError, with_footer
from reference.wire.rdb_functions import format_functions, parse_functions
from reference.wire.rdb_strings import RdbError

CODES = [b"#!lua name=a\n", b"", b"x" * 20_000]


def test_what_is_written_is_read() -> None:
    assert parse_functions(format_functions(CODES)) == CODES
    assert parse_functions(format_functions([])) == []


def test_damage_is_refused() -> None:
    payload = format_functions(CODES)
    for damaged in (b"", payload[:-1], b"\xf5" + payload[2:], payload[:20] + b"!" + payload[21:]):
        with pytest.raises(DumpFooterError):
            parse_functions(damaged)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xf6\x01a", "Pre-GA function format not supported"),
        (b"\x00\x01a", "given type is not a function"),
        (b"\xf5\x05abc", "5 bytes expected, 3 left"),
        (b"\xf5", "1 bytes expected, 0 left"),
    ],
)
def test_what_is_no_library_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RdbError, match=reason):
        parse_functions(with_footer(body))
