"""The tie between a clause of the specification and the function that realises it."""

from collections.abc import Callable
from typing import Final, TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

CLAUSES_ATTRIBUTE: Final = "__clauses__"
"""Where a function carries the ids of the clauses it realises."""


def clause(*ids: str) -> Callable[[_F], _F]:
    """The decorated function realises the clauses with these ids, and is otherwise unchanged.

    The ids are those of the headings in spec/ (``EL-4``); tests/test_traceability.py checks that
    each exists there and that each rule of the specification is realised somewhere.
    """

    def tie(function: _F) -> _F:
        setattr(function, CLAUSES_ATTRIBUTE, ids)
        return function

    return tie
