"""All states that are known: their fingerprints, and how each was reached first."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Flags, Narrow, Wide
from model_check.engine.compiling import kernel
from model_check.engine.crew import Crew
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    ALL_ROWS,
    COUNT,
    EXACT,
    FOUND,
    NUMBERED,
    OLD_KEYS,
    OLD_NUMBERS,
    OLD_SLOTS,
    PART_COUNT,
    PARTS,
    SHARD,
    SHARD_END,
    SHARDS,
    SLOT_KEYS,
    SLOT_NUMBERS,
    SLOTS,
)
from model_check.engine.parts import Part
from model_check.engine.sheets import Tape
from model_check.engine.spool import Spool

_FIRST_SLOTS: Final = 1 << 12
_FULLEST: Final = 0.7  # of the places; beyond it the table grows
_GROWTH: Final = 1.6
_LEAST_GROWTH: Final = 1.1
_FEW: Final = 1 << 12  # fingerprints, for which one thread is enough
_MOST_RUNS: Final = 8  # files, before they are merged


class MemoryLimitError(Exception):
    """What has to be in memory does not fit into what may be taken of it."""


class States:
    """The states found so far, numbered from 0 in the order of their being found.

    An open-addressing table of fingerprints (8 bytes a place), and for each state its parent and
    the code of the transition from it (4 bytes each). With `numbered` the table also says which
    number a state has; with `exact` it keeps all rows and tells states apart by these. Otherwise
    the table can be emptied into a sorted file: then it has only what came afterwards.
    """

    def __init__(self, *, numbered: bool, exact: bool, crew: Crew | None = None) -> None:
        self._crew = crew or Crew()
        self.numbered = numbered or exact
        self.exact = exact
        self.parents = Tape()  # -1 for the initial state
        self.codes = Tape()  # -1 for the initial state
        self._absorb = kernel("absorb")
        self._sift = kernel("sift")
        self._resettle = kernel("resettle")
        self._rows: Narrow = np.zeros(0, dtype=np.int32)  # all of them, if exact
        self._row_room = 0  # rows
        self._runs: list[Wide] = []  # sorted fingerprints, in files
        self._directories: list[Directory] = []  # of those who fill the table
        self._used = 0  # places of the table
        self._peak = 0
        self.most: int | None = None
        """So many bytes may be taken, if the table is one that can't be emptied."""

        self._allocate(_FIRST_SLOTS)

    def __len__(self) -> int:
        return len(self.parents)

    @property
    def bytes(self) -> int:
        """The memory that the table and the tapes take."""
        table = self._keys.nbytes + self._numbers.nbytes + self._rows.nbytes
        return table + self.parents.bytes + self.codes.bytes

    @property
    def bytes_to_grow(self) -> int:
        """The memory that the table takes besides when it grows next."""
        return int(_GROWTH * (self._keys.nbytes + self._numbers.nbytes))

    def take_peak(self) -> int:
        """The most memory that table and tapes took since this was asked last."""
        peak = max(self._peak, self.bytes)
        self._peak = 0
        return peak

    def describe(self, directory: Directory) -> None:
        """The directory says where the table is."""
        directory[NUMBERED] = int(self.numbered)
        directory[EXACT] = int(self.exact)
        directory[COUNT] = len(self)
        directory[SLOTS] = len(self._keys)
        directory.point(SLOT_KEYS, self._keys)
        directory.point(SLOT_NUMBERS, self._numbers)
        directory.point(ALL_ROWS, self._rows)

    def absorb(self, parts: Sequence[Part], columns: int) -> list[Narrow]:
        """Of what each of the parts found, the rows of those states that are new.

        They are known from now on, with the numbers that follow; the rows stand there only until
        the parts are used again. Shape: (n, columns) of each. Raises MemoryLimitError if more than
        `most` would be taken; then some of the states are known, and no more can be.
        """
        found = self._absorb_in_turn if self.numbered else self._absorb_together
        pieces: list[Narrow] = []
        for part, count in zip(parts, found(parts, columns), strict=True):
            rows, (parents, codes) = part.new_rows(count), part.new_origins(count)
            if self._runs and count:
                new = self._unknown(part.prints(count))
                rows, parents, codes = rows[new], parents[new], codes[new]
            self.parents.extend(parents)
            self.codes.extend(codes)
            pieces.append(rows)
        return pieces

    def _absorb_in_turn(self, parts: Sequence[Part], columns: int) -> Iterator[int]:
        """How many states each part found that nobody had; they stand at its front."""
        for part in parts:
            self._reserve(self._used + part.directory[FOUND], columns)
            self.describe(part.directory)
            count = self._absorb(part.directory.address)
            self._used += count
            yield count

    def _absorb_together(self, parts: Sequence[Part], columns: int) -> list[int]:
        """The same by all threads, each of which has its shards of the table."""
        found = sum(part.directory[FOUND] for part in parts)
        self._reserve(self._used + found, columns)
        addresses = np.array([part.directory.address for part in parts], dtype=np.int64)
        directories = self._by_shards(self._crew.size if found > _FEW else 1)
        for directory in directories:
            directory.point(PARTS, addresses)
            directory[PART_COUNT] = len(parts)
        self._used += sum(self._crew.do([partial(self._sift, d.address) for d in directories]))
        return self._crew.do([part.gather for part in parts])

    def _by_shards(self, threads: int) -> list[Directory]:
        """A directory for each of so many threads, with shards of its own."""
        count = min(SHARDS, threads)
        while len(self._directories) < count:
            self._directories.append(Directory(miss_room=0))
        for rank, directory in enumerate(self._directories[:count]):
            self.describe(directory)
            directory[SHARD] = SHARDS * rank // count
            directory[SHARD_END] = SHARDS * (rank + 1) // count
        return self._directories[:count]

    def spill(self, spool: Spool) -> None:
        """What can be is in files: the tapes, and the table unless it has numbers."""
        self.parents.spill(spool)
        self.codes.spill(spool)
        if self.numbered or not self._used:
            return
        self._runs.append(spool.keep(np.sort(self._keys[self._keys != 0])))
        self._used = 0
        self._allocate(_FIRST_SLOTS)
        if len(self._runs) > _MOST_RUNS:
            self._runs = [spool.merge(self._runs)]

    def close(self) -> None:
        """No more states will be found: only how each was reached is known."""
        self._peak = max(self._peak, self.bytes)
        self._rows, self._row_room = np.zeros(0, dtype=np.int32), 0
        self._used = 0
        self._allocate(_FIRST_SLOTS)

    def to_save(self) -> dict[str, npt.NDArray[Any]]:
        """All that is known, as arrays; those with numbers in the order of these."""
        used = np.flatnonzero(self._keys)
        prints = self._keys[used]
        if self.numbered:
            prints = prints[np.argsort(self._numbers[used])]
        rows = self._rows[: len(self) * (len(self._rows) // max(1, self._row_room))]
        return {
            "prints": np.concatenate([prints, *self._runs]),
            "parents": self.parents.whole(),
            "codes": self.codes.whole(),
            "rows": rows,
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """All is known that was saved."""
        prints, self._rows = saved["prints"], saved["rows"]
        self._row_room = len(saved["parents"])
        self._allocate(int(len(prints) / _FULLEST) + 1)
        self._used = len(prints)
        self.parents, self.codes = Tape(), Tape()
        self.parents.extend(saved["parents"])
        self.codes.extend(saved["codes"])
        self._settle(prints, np.arange(len(prints), dtype=np.int32))

    def _unknown(self, prints: Wide) -> Flags:
        """Whether each is in none of the files. Shapes: (n,) -> (n,)."""
        order = np.argsort(prints)
        wanted = prints[order]
        known = np.zeros(len(prints), dtype=np.bool_)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, wanted), len(run) - 1)
            known |= run[at] == wanted
        unknown = np.empty(len(prints), dtype=np.bool_)
        unknown[order] = ~known
        return unknown

    def widen(self, before: int, columns: int) -> None:
        """Rows have more columns than before; the new ones are 0."""
        if self.exact:
            rows = self._rows.reshape(-1, before)
            grown = np.zeros((len(rows), columns), dtype=np.int32)
            grown[:, :before] = rows
            self._rows = grown.reshape(-1)

    def _reserve(self, count: int, columns: int) -> None:
        if self.exact and count > self._row_room:
            self._row_room = max(count, 2 * self._row_room)
            grown = np.zeros(self._row_room * columns, dtype=np.int32)
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        if count > _FULLEST * len(self._keys):
            keys, numbers = self._keys, self._numbers
            before = keys.nbytes + numbers.nbytes
            self._allocate(self._slots_for(count))
            self._peak = max(self._peak, self.bytes + before)
            self._settle(keys, numbers)

    def _slots_for(self, count: int) -> int:
        """How many places the table is to have that needs more of them."""
        needed = max(int(count / _FULLEST) + 1, int(_LEAST_GROWTH * len(self._keys)))
        wished = max(needed, int(_GROWTH * len(self._keys)))
        if self.most is None or not self.numbered:
            return wished
        room = (self.most - self.bytes) // (self._keys.itemsize + self._numbers.itemsize)
        if needed > room:
            raise MemoryLimitError("the table of states can't grow any more")
        return min(wished, room)

    def _settle(self, keys: Wide, numbers: Narrow) -> None:
        """The table, empty before, has these."""
        directories = self._by_shards(self._crew.size if len(keys) > _FEW else 1)
        for directory in directories:
            directory.point(OLD_KEYS, keys)
            directory.point(OLD_NUMBERS, numbers)
            directory[OLD_SLOTS] = len(keys)
        self._crew.do([partial(self._resettle, d.address) for d in directories])
        for directory in directories:
            directory.forget(OLD_KEYS)
            directory.forget(OLD_NUMBERS)

    def _allocate(self, slots: int) -> None:
        slots = max(_FIRST_SLOTS, -(-slots // SHARDS) * SHARDS)
        self._keys: Wide = np.zeros(slots, dtype=np.int64)
        self._numbers: Narrow = np.zeros(slots if self.numbered else 1, dtype=np.int32)
