"""The checksum of long data, many words at a time.

A checksum is linear: that of a long message is that of its first half, carried over as many bytes
as the second half has, with the second half added. So the halves of all words of a block are added
at once, until one word is left.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.clauses import clause

_Words: TypeAlias = npt.NDArray[np.uint64]

_WORD: Final = 8
_LEVELS: Final = 13
_BLOCK: Final = _WORD << (_LEVELS - 1)
"""Bytes that are folded at once: their words and tables stay in the processor's caches."""


def _carried(words: _Words, table: _Words) -> _Words:
    """Each word after as many zero bytes as the table stands for."""
    octets = words.view(np.uint8).reshape(-1, _WORD)
    total: _Words = table[0].take(octets[:, 0])
    for place in range(1, _WORD):
        total ^= table[place].take(octets[:, place])
    return total


@cache
def _carry_tables(one: tuple[int, ...]) -> tuple[_Words, ...]:
    """For each level the table that carries a word over 8 << level zero bytes.

    Each has 8 rows of 256 words: what becomes of a byte at that place of the word.
    """
    one_byte = np.array(one, dtype=np.uint64)
    table = np.zeros((_WORD, 256), dtype=np.uint64)
    table[_WORD - 1] = one_byte
    for place in reversed(range(_WORD - 1)):
        later = table[place + 1]
        table[place] = one_byte[later & np.uint64(0xFF)] ^ (later >> np.uint64(8))
    tables = [table]
    while len(tables) < _LEVELS:
        last = tables[-1]
        tables.append(_carried(last.reshape(-1), last).reshape(_WORD, 256))
    return tuple(tables)


@clause("RB-9")
def folded(data: bytes | bytearray | memoryview, crc: int, one: tuple[int, ...]) -> int:
    """The checksum of the data if `crc` is that of all before it.

    `one` is what a register of one byte becomes when that byte is shifted out, for each.
    Counterpart: `crc64`.
    """
    # Zero bytes in front change nothing, and the register is the same as its bytes in the data.
    size = min(_BLOCK, 1 << (len(data) - 1).bit_length())
    front = -len(data) % size
    padded = np.zeros(front + len(data), dtype=np.uint8)
    padded[front:] = np.frombuffer(data, dtype=np.uint8)
    padded[front : front + _WORD] ^= np.frombuffer(crc.to_bytes(_WORD, "little"), dtype=np.uint8)
    return _fold(
        padded.view("<u8").astype(np.uint64, copy=False), size // _WORD, _carry_tables(one)
    )


def _fold(words: _Words, count: int, carry: Sequence[_Words]) -> int:
    """The checksum of words in blocks of `count`, a power of two."""
    level = count.bit_length() - 1
    block = words[:count]
    for start in range(count, len(words), count):
        block = _carried(block, carry[level]) ^ words[start : start + count]
    while len(block) > 1:
        level -= 1
        half = len(block) // 2
        block = _carried(block[:half], carry[level]) ^ block[half:]
    return int(_carried(block, carry[0])[0])
