"""Scans that miss nothing that stays, and tell nothing twice, however many go on at a time."""

import zlib
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Any, Final

import attrs

from reference.clauses import clause

_SMALL: Final = 128
"""So many members are told at once."""

_REMEMBERED: Final = 16
"""Of so many collections the order is remembered, those that were scanned last."""


@attrs.frozen
class _Order:
    """The names of a collection at some moment, in the order of their checksums."""

    checksums: list[int]
    names: list[bytes]

    @classmethod
    def of(cls, names: Collection[bytes]) -> "_Order":
        pairs = sorted((zlib.crc32(name), name) for name in names)
        return cls([checksum for checksum, _ in pairs], [name for _, name in pairs])


class Scans:
    """Where scans go on: a cursor is one more than the checksum of the last name that was told.

    Of a collection one order is remembered, that of the scan which began last. A name that is there
    from the beginning to the end of a scan is in it, and in every later one, at the same place.
    """

    def __init__(self) -> None:
        """Nothing is scanned."""
        self._orders: OrderedDict[bytes | None, _Order] = OrderedDict()

    @clause("CM-121")
    def batch(
        self, scanned: bytes | None, names: Collection[Any], cursor: int, count: int
    ) -> tuple[int, list[Any]]:
        """The next cursor, 0 at the end, and so many names from this one on, if they are there.

        All names with one checksum are told at once, and so are those of a small collection, in its
        own order. `scanned` is the key of the collection, None for that of all keys. Counterpart:
        `scanGenericCommand`.
        """
        if scanned is not None and not cursor and len(names) <= _SMALL:
            return 0, sorted(names) if isinstance(names, AbstractSet) else list(names)
        order = self._orders.get(scanned) if cursor else None
        if order is None:
            order = _Order.of(names)
        self._orders[scanned] = order
        self._orders.move_to_end(scanned)
        if len(self._orders) > _REMEMBERED:
            self._orders.popitem(last=False)
        start = bisect_left(order.checksums, cursor)
        end = start + count
        if end >= len(order.names):
            del self._orders[scanned]
            return 0, [name for name in order.names[start:] if name in names]
        last = order.checksums[end - 1]
        end = bisect_right(order.checksums, last, lo=end)
        following = last + 1 if end < len(order.names) else 0
        return following, [name for name in order.names[start:end] if name in names]
