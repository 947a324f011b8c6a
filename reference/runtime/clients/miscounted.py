"""What servers say of a request whose number of keys is not a number of the keys it has."""

from collections.abc import Sequence
from typing import Final

from reference.clauses import clause
from reference.wire.resp import ErrorReply

_SYNTAX: Final = ErrorReply("ERR syntax error")
_POSITIVE: Final = ErrorReply("ERR numkeys should be greater than 0")
_MORE_THAN_ALL: Final = ErrorReply("ERR Number of keys can't be greater than number of args")
_BEHIND_ANOTHER: Final = frozenset({"blmpop", "bzmpop", "zunionstore", "zinterstore", "zdiffstore"})
"""Commands that have something else before the number."""
_AT_LEAST_ONE: Final = frozenset(
    {
        "zunion", "zinter", "zdiff", "zunionstore", "zinterstore", "zdiffstore", "zintercard",
    }
)  # fmt: skip
_LARGEST: Final = 2**63 - 1


@clause("CM-118")
def why_not_counted(name: str, arguments: Sequence[bytes]) -> ErrorReply:
    """The error for a request whose keys are not found.

    Counterpart: `genericZpopCommand`, `zunionInterDiffGenericCommand`, `sinterCardCommand`.
    """
    place = 2 if name in _BEHIND_ANOTHER else 1
    word = arguments[place] if place < len(arguments) else b""
    digits = word.removeprefix(b"-")
    number = int(word) if digits.isdigit() and len(digits) < 20 else None
    if name in _AT_LEAST_ONE:
        if number is None or not -_LARGEST - 1 <= number <= _LARGEST:
            return ErrorReply("ERR value is not an integer or out of range")
        least = ErrorReply(f"ERR at least 1 input key is needed for '{name}' command")
        return least if number < 1 else _SYNTAX
    if name == "msetex":
        bad = ErrorReply("ERR invalid numkeys value or out of range")
        return bad if number is None or not 0 < number < 2**31 else _SYNTAX
    if name == "sintercard" or name.endswith("mpop"):
        if number is None or not 0 < number <= _LARGEST:
            return _POSITIVE
        return _MORE_THAN_ALL if name == "sintercard" else _SYNTAX
    return _SYNTAX
