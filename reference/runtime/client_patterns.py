"""Patterns of names, as servers match them."""

import re
from functools import lru_cache

from reference.clauses import clause


@lru_cache(maxsize=1024)
@clause("CM-72")
def glob(pattern: bytes) -> re.Pattern[bytes]:
    r"""An expression whose `fullmatch` finds the names that fit the pattern.

    ``*`` is anything, ``?`` any byte, ``[a-c]`` one of these, ``[^a]`` none of these, and a
    backslash takes the next byte as it is. Counterpart: `stringmatchlen`.
    """
    parts: list[bytes] = []
    position = 0
    while position < len(pattern):
        byte = pattern[position : position + 1]
        position += 1
        if byte == b"*":
            if parts[-1:] != [b".*"]:
                parts.append(b".*")
        elif byte == b"?":
            parts.append(b".")
        elif byte == b"[":
            part, position = _one_of(pattern, position)
            parts.append(part)
        else:
            if byte == b"\\" and position < len(pattern):
                byte = pattern[position : position + 1]
                position += 1
            parts.append(re.escape(byte))
    return re.compile(b"".join(parts), re.DOTALL)


def _one_of(pattern: bytes, position: int) -> tuple[bytes, int]:
    """The expression for what follows a bracket, and the position behind it."""
    negated = pattern[position : position + 1] == b"^"
    position += negated
    ranges: list[bytes] = []
    while position < len(pattern) and pattern[position] != ord("]"):
        if pattern[position] == ord("\\") and position + 1 < len(pattern):
            position += 1
        low = high = pattern[position]
        if pattern[position + 1 : position + 2] == b"-" and position + 2 < len(pattern):
            low, high = sorted((low, pattern[position + 2]))
            position += 2
        ranges.append(b"\\x%02x-\\x%02x" % (low, high))
        position += 1
    if not ranges:
        return (b"." if negated else b"(?!)"), position + 1
    return b"[%b%b]" % (b"^" if negated else b"", b"".join(ranges)), position + 1
