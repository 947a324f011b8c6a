"""Patterns of names, as servers match them."""

import re
from functools import lru_cache

from reference.clauses import clause


@lru_cache(maxsize=1024)
@clause("CM-72")
def glob(pattern: bytes) -> re.Pattern[bytes]:
    r"""An expression whose `fullmatch` finds the names that fit the pattern.

    ``*`` is anything, ``?`` any byte, ``[a-c]`` one of these, ``[^a]`` none of these, and a
    backslash takes the next byte as it is. What stands between two stars is looked for once, at the
    first place behind what came before, which is never worse than another: the time grows with the
    product of the lengths. Counterpart: `stringmatchlen`.
    """
    first, *others = _between_stars(pattern)
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    found = b"".join(b"(?>.*?%b)" % part for part in middle if part)
    return re.compile(b"%b%b.*%b" % (first, found, last), re.DOTALL)


def _between_stars(pattern: bytes) -> list[bytes]:
    """The expressions for what comes before the first star, between stars, and after the last."""
    parts = [b""]
    position = 0
    while position < len(pattern):
        byte = pattern[position : position + 1]
        position += 1
        if byte == b"*":
            parts.append(b"")
        elif byte == b"?":
            parts[-1] += b"."
        elif byte == b"[":
            part, position = _one_of(pattern, position)
            parts[-1] += part
        else:
            if byte == b"\\" and position < len(pattern):
                byte = pattern[position : position + 1]
                position += 1
            parts[-1] += re.escape(byte)
    return parts


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
