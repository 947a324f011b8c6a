"""What is left of each budget of the environment, as one number."""

from collections.abc import Mapping
from typing import Final

from model_check.engine.interner import Interner
from model_check.engine.layout import NOTHING, SPEND
from model_check.engine.memo import Memo

FREE: Final = 0
"""The cost of what may happen any number of times."""


class Budgets:
    """What is left, as a number for each combination; 0 is the whole budget.

    Raises ValueError if a budget is negative.
    """

    def __init__(self, budgets: Mapping[str, int], memo: Memo) -> None:
        for name, count in budgets.items():
            if count < 0:
                raise ValueError(f"budget {name!r} is negative: {count}")
        self._names = tuple(budgets)
        self._left: Interner[tuple[int, ...]] = Interner()
        self._left.add(tuple(budgets.values()))
        memo.define(SPEND, self._spend)

    def cost(self, name: str | None) -> int:
        """The number of a cost.

        Raises ValueError if the system declares no such budget.
        """
        if name is None:
            return FREE
        if name not in self._names:
            raise ValueError(f"a move costs {name!r}, which is no budget: {list(self._names)}")
        return self._names.index(name) + 1

    def _spend(self, left: int, cost: int) -> int:
        counts = self._left[left]
        if not counts[cost - 1]:
            return NOTHING
        return self._left.add((*counts[: cost - 1], counts[cost - 1] - 1, *counts[cost:]))
