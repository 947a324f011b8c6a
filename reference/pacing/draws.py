"""Chance from one number: all that a decision draws follows from the entropy it was given."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

_T = TypeVar("_T")

_MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15


def draws(entropy: int) -> Iterator[int]:
    """An endless row of 64-bit numbers that depends on the entropy alone (SplitMix64)."""
    state = entropy & _MASK
    while True:
        state = (state + _STEP) & _MASK
        yield _mixed(state)


def _mixed(state: int) -> int:
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


def below(limit: int, entropy: int) -> int:
    """A number from 0 to limit - 1; 0 if there is none below the limit."""
    return next(draws(entropy)) % limit if limit > 0 else 0


def shuffled(items: Iterable[_T], entropy: int) -> Iterator[_T]:
    """All of the items, none twice, in an order that is drawn as far as it is asked for."""
    pool, state = list(items), entropy & _MASK
    while pool:  # the numbers of `draws`, without asking for each
        state = (state + _STEP) & _MASK
        drawn = _mixed(state) % len(pool)
        pool[drawn], pool[-1] = pool[-1], pool[drawn]
        yield pool.pop()
