"""What a thread remembers of transitions while it expands states, whatever part they are of."""

from typing import Final

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
    OFFER_ROWS,
    RECENT,
    RECENT_ROOM,
    WIDTH,
)

_OF_LISTS: Final = np.array(
    [
        LIST_HEADS,
        LISTS,
        LISTED_DELTAS,
        OFFER_REFS,
        OFFER_PRINTS,
        OFFER_ROWS,
        BLOCK,
        RECENT,
    ]
)


class Lists:
    """What a local state leads to, and a box with its receiver; and room for what states offer.

    What was found recently is forgotten each time, since it stands where the part has it.
    """

    def __init__(self) -> None:
        self._heads: Wide = np.zeros(2 * LIST_PLACES, dtype=np.int64)
        self._lists: Narrow = np.empty(LIST_ROOM * LISTED_WIDTH, dtype=np.int32)
        self._deltas: Wide = np.empty(LIST_ROOM, dtype=np.int64)
        self._offer_refs: Narrow = np.empty(2 * OFFER_ROOM, dtype=np.int32)
        self._offer_prints: Wide = np.empty(OFFER_ROOM, dtype=np.int64)
        self._offer_rows: Narrow = np.empty(0, dtype=np.int32)
        self._block: Wide = np.empty(2 * BLOCK_SIZE, dtype=np.int64)
        self._recent: Narrow = np.zeros(RECENT_ROOM, dtype=np.int32)
        self._listed = 0
        self._where = Directory(miss_room=0)
        self._where.point(LIST_HEADS, self._heads)
        self._where.point(LISTS, self._lists)
        self._where.point(LISTED_DELTAS, self._deltas)
        self._where.point(OFFER_REFS, self._offer_refs)
        self._where.point(OFFER_PRINTS, self._offer_prints)
        self._where.point(BLOCK, self._block)
        self._where.point(RECENT, self._recent)

    def lend(self, directory: Directory) -> None:
        """A kernel finds them, and adds to them."""
        if len(self._offer_rows) < OFFER_ROOM * directory[WIDTH]:
            self._offer_rows = np.empty(OFFER_ROOM * directory[WIDTH], dtype=np.int32)
            self._where.point(OFFER_ROWS, self._offer_rows)
        directory.numbers[_OF_LISTS] = self._where.numbers[_OF_LISTS]
        directory[LISTED] = self._listed
        self._recent.fill(0)

    def take_back(self, directory: Directory) -> None:
        """The kernel is done with them."""
        self._listed = directory[LISTED]


class Shelf:
    """As many of these as threads ever asked for them at a time, and what all parts have seen."""

    def __init__(self) -> None:
        self._free: list[Lists] = []
        self.found_by_each = 0.0
        """The most states found for each state that was expanded, of the parts that are done."""
        self.edges_of_each = 0.0
        """The most transitions of each."""

    def take(self) -> Lists:
        """One that no other thread has."""
        try:
            return self._free.pop()
        except IndexError:
            return Lists()

    def give(self, lists: Lists) -> None:
        """It may be taken again."""
        self._free.append(lists)
