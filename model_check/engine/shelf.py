"""What a thread remembers of deliveries while it expands states, whatever part they are of."""

import numpy as np

from model_check.engine.arrays import Narrow, Wide
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    LIST_COUNTS,
    LIST_FIRSTS,
    LIST_KEYS,
    LIST_PLACES,
    LIST_ROOM,
    LISTED,
    LISTED_DELTAS,
    LISTED_WIDTH,
    LISTS,
)


class Deliveries:
    """Lists of what can come out of a box, each for a local state and a content."""

    def __init__(self) -> None:
        self._keys: Wide = np.zeros(LIST_PLACES, dtype=np.int64)
        self._firsts: Narrow = np.empty(LIST_PLACES, dtype=np.int32)
        self._counts: Narrow = np.empty(LIST_PLACES, dtype=np.int32)
        self._lists: Narrow = np.empty(LIST_ROOM * LISTED_WIDTH, dtype=np.int32)
        self._deltas: Wide = np.empty(LIST_ROOM, dtype=np.int64)
        self._listed = 0

    def lend(self, directory: Directory) -> None:
        """A kernel finds them, and adds to them."""
        directory[LISTED] = self._listed
        directory.point(LIST_KEYS, self._keys)
        directory.point(LIST_FIRSTS, self._firsts)
        directory.point(LIST_COUNTS, self._counts)
        directory.point(LISTS, self._lists)
        directory.point(LISTED_DELTAS, self._deltas)

    def take_back(self, directory: Directory) -> None:
        """The kernel is done with them."""
        self._listed = directory[LISTED]


class Shelf:
    """As many of these as threads ever asked for them at a time."""

    def __init__(self) -> None:
        self._free: list[Deliveries] = []

    def take(self) -> Deliveries:
        """One that no other thread has."""
        try:
            return self._free.pop()
        except IndexError:
            return Deliveries()

    def give(self, deliveries: Deliveries) -> None:
        """It may be taken again."""
        self._free.append(deliveries)
