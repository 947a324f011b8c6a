"""Requests typed by hand: one line, split into arguments as a shell would."""

from typing import Final

from reference.clauses import clause

_BLANKS: Final = b" \t\n\v\f\r"
_ENDS: Final = b" \t\n\r"  # \v and \f are skipped before an argument, yet do not end one
_HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
_ESCAPES: Final = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_DOUBLE: Final = ord('"')
_SINGLE: Final = ord("'")
_BACKSLASH: Final = ord("\\")
_UNUSUAL: Final = frozenset((_DOUBLE, _SINGLE, ord("\v"), ord("\f")))


@clause("RP-3")
def split_args(line: bytes) -> list[bytes] | None:
    r"""The arguments of the line, None if a quote is not closed or not followed by a blank.

    Double quotes know escapes (``\n``, ``\x41``), single quotes only an escaped single quote.
    Counterpart: `sdssplitargs`.
    """
    if _UNUSUAL.isdisjoint(line):
        return line.split()
    arguments: list[bytes] = []
    position = 0
    while True:
        while position < len(line) and line[position] in _BLANKS:
            position += 1
        if position == len(line):
            return arguments
        argument, position = _read_argument(line, position)
        if argument is None:
            return None
        arguments.append(argument)


def _read_argument(line: bytes, position: int) -> tuple[bytes | None, int]:
    argument = bytearray()
    while position < len(line) and line[position] not in _ENDS:
        byte = line[position]
        position += 1
        if byte in (_DOUBLE, _SINGLE):
            position = _read_quoted(line, position, byte, argument)
            if position < 0 or (position < len(line) and line[position] not in _BLANKS):
                return None, position
            break
        argument.append(byte)
    return bytes(argument), position


def _read_quoted(line: bytes, position: int, quote: int, argument: bytearray) -> int:
    """The position behind the closing quote, -1 if there is none."""
    while position < len(line):
        byte = line[position]
        if byte == quote:
            return position + 1
        if byte == _BACKSLASH and position + 1 < len(line):
            taken, byte = _read_escape(line, position, quote)
            position += taken
        else:
            position += 1
        argument.append(byte)
    return -1


def _read_escape(line: bytes, position: int, quote: int) -> tuple[int, int]:
    """How many bytes the escape takes, and the byte it means."""
    following = line[position + 1]
    if quote == _SINGLE:
        return (2, _SINGLE) if following == _SINGLE else (1, _BACKSLASH)
    digits = line[position + 2 : position + 4]
    if following == ord("x") and len(digits) == 2 and _HEX_DIGITS.issuperset(digits):
        return 4, int(digits, 16)
    return 2, _ESCAPES.get(following, following)
