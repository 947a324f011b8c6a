"""What a thread remembers of transitions while it expands states, whatever part they are of."""

import numpy as np

from model_check.engine.arrays import Narrow, Wide
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    BLOCK,
    BLOCK_SIZE,
    LIST_HEADS,
    LIST_PLACES,
    LIST_ROOM,
    LISTED,
    LISTED_DELTAS,
    LISTED_WIDTH,
    LISTS,
    OFFER_PRINTS,
    OFFER_REFS,
    OFFER_ROOM,
    RECENT,
    RECENT_ROOM,
)


class Lists:
    """What a local state leads to, and a box with its receiver; and room for what states offer.

    Where a part found what is there no longer once the next one is expanded, and does no harm.
    """

    def __init__(self) -> None:
        self._heads: Wide = np.zeros(2 * LIST_PLACES, dtype=np.int64)
        self._lists: Narrow = np.empty(LIST_ROOM * LISTED_WIDTH, dtype=np.int32)
        self._deltas: Wide = np.empty(LIST_ROOM, dtype=np.int64)
        self._offer_refs: Narrow = np.empty(2 * OFFER_ROOM, dtype=np.int32)
        self._offer_prints: Wide = np.empty(OFFER_ROOM, dtype=np.int64)
        self._block: Wide = np.empty(3 * BLOCK_SIZE, dtype=np.int64)
        self._recent: Narrow = np.zeros(RECENT_ROOM, dtype=np.int32)
        self._listed = 0

    def lend(self, directory: Directory) -> None:
        """A kernel finds them, and adds to them."""
        directory[LISTED] = self._listed
        directory.point(LIST_HEADS, self._heads)
        directory.point(LISTS, self._lists)
        directory.point(LISTED_DELTAS, self._deltas)
        directory.point(OFFER_REFS, self._offer_refs)
        directory.point(OFFER_PRINTS, self._offer_prints)
        directory.point(BLOCK, self._block)
        directory.point(RECENT, self._recent)

    def take_back(self, directory: Directory) -> None:
        """The kernel is done with them."""
        self._listed = directory[LISTED]


class Shelf:
    """As many of these as threads ever asked for them at a time."""

    def __init__(self) -> None:
        self._free: list[Lists] = []

    def take(self) -> Lists:
        """One that no other thread has."""
        try:
            return self._free.pop()
        except IndexError:
            return Lists()

    def give(self, lists: Lists) -> None:
        """It may be taken again."""
        self._free.append(lists)
