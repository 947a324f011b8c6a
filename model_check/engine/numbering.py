"""64-bit keys as numbers, a whole array of keys at a time."""

from typing import Final

import numpy as np

from model_check.engine.arrays import Ints, Words

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: neighbours land far apart
_NO_KEY: Final = np.uint64(0)
_FIRST_BITS = 12


class Numbering:
    """The number of each key, from 0 on in the order of their coming.

    An open-addressing table with double hashing, at most half full: 12 bytes for each place.
    The key 0 marks a free place and must not be asked for.
    """

    def __init__(self) -> None:
        self._count = 0
        self._allocate(_FIRST_BITS)

    def __len__(self) -> int:
        return self._count

    def claim(self, keys: Words) -> tuple[Ints, Ints]:
        """The number of each key, and the positions of the keys that are new, in rising order.

        A key that is new and occurs several times is new at its first position only; new keys
        are numbered in the order of these positions. Shapes: (n,), (new,).
        """
        numbers, absent = self._find(keys)
        if not absent.size:
            return numbers, absent
        wanted = keys[absent]
        self._reserve(self._count + len(wanted))
        place, first = self._insert(wanted)
        self._numbers[place[first]] = np.arange(self._count, self._count + len(first))
        self._count += len(first)
        numbers[absent] = self._numbers[place]
        return numbers, absent[first]

    def _allocate(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._keys: Words = np.zeros(1 << bits, dtype=np.uint64)
        self._numbers = np.empty(1 << bits, dtype=np.int32)

    def _probe(self, keys: Words) -> tuple[Ints, Ints]:
        """The first place of each key, and the distance to each next one, which is odd."""
        spread = keys * _SPREAD
        place = (spread >> self._shift).view(np.int64)
        stride = (spread & np.uint64(0xFFFF)).view(np.int64) | 1
        return place, stride

    def _find(self, keys: Words) -> tuple[Ints, Ints]:
        place, stride = self._probe(keys)
        present = self._keys.take(place)
        found = present == keys
        numbers: Ints = self._numbers.take(place).astype(np.int64)
        absent = [np.flatnonzero(present == _NO_KEY)]
        left = np.flatnonzero(~found & (present != _NO_KEY))
        place, stride, sought = place[left], stride[left], keys[left]
        while left.size:
            place = (place + stride) & self._mask
            present = self._keys.take(place)
            found = present == sought
            free = present == _NO_KEY
            numbers[left[found]] = self._numbers[place[found]]
            absent.append(left[free])
            on = ~(found | free)
            left, place, stride, sought = left[on], place[on], stride[on], sought[on]
        if len(absent) == 1:
            return numbers, absent[0]
        return numbers, np.sort(np.concatenate(absent))

    def _insert(self, keys: Words) -> tuple[Ints, Ints]:
        """The place of each key, none of which was there, and the first position of each."""
        place, stride = self._probe(keys)
        position: Ints = np.arange(len(keys))
        left = position
        while left.size:
            here = place[left]
            free = self._keys.take(here) == _NO_KEY
            # Where several want one place, the last write stays: backwards, the first one wins.
            winner, won = left[free][::-1], here[free][::-1]
            self._numbers[won] = winner
            self._keys[won] = keys[winner]
            left = left[self._keys.take(here) != keys[left]]
            place[left] = (place[left] + stride[left]) & self._mask
        return place, np.flatnonzero(self._numbers[place] == position)

    def _reserve(self, count: int) -> None:
        if 2 * count <= self._mask + 1:
            return
        used = self._keys != _NO_KEY
        keys, numbers = self._keys[used], self._numbers[used]
        self._allocate((2 * count - 1).bit_length())
        place, _ = self._insert(keys)
        self._numbers[place] = numbers
