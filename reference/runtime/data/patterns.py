"""Patterns of keys and members, in a time that grows with their lengths alone.

The engine's own expressions take for ever for some patterns with many stars.
"""

from collections.abc import Collection
from typing import Any, Final

from fakeredis._socket import FakeSocket
from typing_extensions import override

from reference.clauses import clause
from reference.runtime.patterns import glob

_MATCH: Final = b"MATCH"


class PatternSocket(FakeSocket):
    """A connection to the engine, for which names fit patterns as they do for this node."""

    @override
    @clause("CM-72")
    def keys(self, pattern: bytes) -> list[bytes]:
        """The keys whose names fit the pattern. Counterpart: `keysCommand`."""
        fits = glob(pattern).fullmatch
        return [key for key in self._db if fits(key)]

    @override
    def _scan(
        self,
        keys: Collection[Any],
        cursor: int,
        *args: bytes,
        scanned_key: bytes | None = None,
    ) -> list[Any]:
        words, pattern = _without_match(args)
        position, batch = super()._scan(keys, cursor, *words, scanned_key=scanned_key)
        if pattern is not None:
            fits = glob(pattern).fullmatch
            batch = [name for name in batch if fits(name)]
        return [position, batch]


def _without_match(words: tuple[bytes, ...]) -> tuple[list[bytes], bytes | None]:
    """The options, each a word and its value, and the pattern that was among them."""
    rest: list[bytes] = []
    pattern = None
    for position in range(0, len(words), 2):
        option = words[position : position + 2]
        if len(option) == 2 and option[0].upper() == _MATCH:
            pattern = option[1]
        else:
            rest += option
    return rest, pattern
