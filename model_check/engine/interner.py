"""Values as numbers: equal values are the same number, from 0 on in the order of their coming."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Interner(Generic[T]):
    """The numbers of all values seen so far, and back."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self.values: list[T] = []

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> T:
        return self.values[number]

    def find(self, value: T) -> int | None:
        """The number of the value, if it was added."""
        return self._numbers.get(value)

    def add(self, value: T) -> int:
        """The number of the value, a new one if it was not seen before."""
        number = self._numbers.get(value)
        if number is None:
            number = len(self.values)
            self._numbers[value] = number
            self.values.append(value)
        return number
