"""Tuples of small values that local states are projected to, each distinct tuple a number."""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Final

from model_check.engine.interner import Interner
from model_check.engine.layout import KEY_BITS
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Sheet

_WIDTHS: Final = (2, 3, 4, 6, 8, 13, KEY_BITS)
"""Bits that a class may take in a key."""

Prefix = Callable[[int], tuple[Any, ...]]
"""The projections that a number stands for."""


class Projector:
    """The projections of all processes together, as a chain of functions for the kernels.

    A number of a key holds the classes of `span` processes, `bits` for each. The function `first`
    takes two such numbers, each further one of the chain the result of the one before and the next
    number. The last gives what `finish` makes of the whole tuple, or the number of this. Once there
    are more classes than the bits can tell apart, another chain takes the place of this one.
    """

    def __init__(
        self,
        local: LocalTables,
        project: Callable[[int, Any], Hashable],
        finish: Callable[[tuple[Any, ...]], int] | None = None,
    ) -> None:
        self._project = project
        self._finish = finish
        self._memo = local.memo
        self._process_count = local.process_count
        self._projections: Interner[Hashable] = Interner()
        self._tuples: Interner[tuple[Any, ...]] = Interner()
        self.classes = Sheet()  # of each local state
        self._lay_out(_WIDTHS[0])
        for process, value in local.states.values:
            self._classify(process, value)
        local.on_state.append(self._classify)

    def __len__(self) -> int:
        return len(self._tuples)

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        return self._tuples[number]

    def _classify(self, process: int, value: Hashable) -> None:
        self.classes.append(self._projections.add(self._project(process, value)))
        if len(self._projections) > 1 << self.bits:
            self._lay_out(_WIDTHS[_WIDTHS.index(self.bits) + 1])

    def _lay_out(self, bits: int) -> None:
        half = -(-self._process_count // 2)  # so that either number takes few values
        self.bits, self.span = bits, min(KEY_BITS // bits, max(1, half))
        starts = range(self.span, max(self._process_count, self.span + 1), self.span)
        self.first = self._memo.reserve(len(starts))
        shorter = self._unpacked(min(self.span, self._process_count))
        for link, start in enumerate(starts):
            more = self._unpacked(max(0, min(self.span, self._process_count - start)))
            if start == starts[-1]:
                self._memo.define(self.first + link, self._whole(shorter, more))
            else:
                prefixes: Interner[tuple[Any, ...]] = Interner()
                self._memo.define(self.first + link, _longer(shorter, more, prefixes))
                shorter = prefixes.__getitem__

    def _unpacked(self, count: int) -> Prefix:
        """What a number stands for that holds the classes of so many processes."""
        shifts, mask = range((count - 1) * self.bits, -1, -self.bits), (1 << self.bits) - 1
        projections = self._projections
        return cache(lambda packed: tuple(projections[packed >> shift & mask] for shift in shifts))

    def _whole(self, shorter: Prefix, more: Prefix) -> Callable[[int, int], int]:
        finish = self._finish

        def whole(before: int, packed: int) -> int:
            projected = shorter(before) + more(packed)
            number = self._tuples.add(projected)
            return number if finish is None else finish(projected)

        return whole


def _longer(
    shorter: Prefix, more: Prefix, prefixes: Interner[tuple[Any, ...]]
) -> Callable[[int, int], int]:
    return lambda before, packed: prefixes.add(shorter(before) + more(packed))
