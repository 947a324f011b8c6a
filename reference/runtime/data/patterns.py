"""Patterns of keys and members, in a time that grows with their lengths alone.

The engine's own expressions take for ever for some patterns with many stars.
"""

from collections.abc import Collection
from typing import Any, Final

from fakeredis._socket import FakeSocket
from typing_extensions import override

from reference.clauses import clause
from reference.runtime.data.scanning import Scans
from reference.runtime.patterns import glob

_MATCH: Final = b"MATCH"


class PatternSocket(FakeSocket):
    """A connection to the engine, which finds names as this node does."""

    scans: Scans  # of all connections to the same data

    @override
    @clause("CM-72")
    def keys(self, pattern: bytes) -> list[bytes]:
        """The keys whose names fit the pattern. Counterpart: `keysCommand`."""
        fits = glob(pattern).fullmatch
        return [key for key in self._db if fits(key)]

    @override
    @clause("CM-121")
    def _scan(
        self,
        keys: Collection[Any],
        cursor: int,
        *args: bytes,
        scanned_key: bytes | None = None,
    ) -> list[Any]:
        words, pattern = _without_match(args)
        super()._scan((), 0, *words)  # who sees whether these are options
        options = {word.upper(): value for word, value in zip(words[::2], words[1::2], strict=True)}
        count = max(int(options.get(b"COUNT", b"10")), 1)
        position, batch = self.scans.batch(scanned_key, keys, int(cursor), count)
        if pattern is not None:
            fits = glob(pattern).fullmatch
            batch = [name for name in batch if fits(name)]
        if b"TYPE" in options:
            kind = options[b"TYPE"].lower()
            batch = [name for name in batch if self._key_value_type(self._db[name]).value == kind]
        return [b"%d" % position, batch]


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
