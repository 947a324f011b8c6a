"""The checksum of RDB files and DUMP payloads: CRC-64 with Jones's polynomial, reflected."""

from typing import Final

from reference.clauses import clause

POLYNOMIAL: Final = 0x95AC9329AC4BC9B5
"""0xAD93D23594C935A9 (Jones) with its bits in reverse, for a register that shifts right."""

_FEW: Final = 1024
"""Bytes below which one byte after the other is faster."""


def _byte_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_BYTES: Final = _byte_table()
"""What a register of one byte becomes when that byte is shifted out."""


@clause("RB-9")
def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """The checksum of the data, if `crc` is that of all that comes before it.

    Counterpart: `crc64`.
    """
    if len(data) < _FEW:
        for byte in data:
            crc = _BYTES[(crc ^ byte) & 0xFF] ^ crc >> 8
        return crc
    from reference.wire.rdb_crc64_folding import folded  # noqa: PLC0415 - numpy, for long data only

    return folded(data, crc, _BYTES)
