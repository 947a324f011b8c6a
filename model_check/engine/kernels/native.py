"""What the compiler is told: which functions are parts of kernels, and what addresses point to."""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

import numba
from numba import types
from numba.extending import intrinsic


class Array(Protocol):
    """Numbers at an address: no length, no bounds, and none below 0."""

    def __getitem__(self, at: int, /) -> int:
        """The number that stands there."""

    def __setitem__(self, at: int, number: int, /) -> None:
        """The number stands there."""


F = TypeVar("F", bound=Callable[..., Any])

ADDRESS: Final = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
"""The type of a directory."""


def part(function: F) -> F:
    """The function as a part of kernels."""
    return cast("F", numba.njit(error_model="numpy")(function))


def _pointer(element: Any) -> Callable[[int], Array]:  # noqa: ANN401  numba has no types
    @intrinsic
    def cast_address(_context: Any, address: Any) -> Any:  # noqa: ANN401
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
            pointer = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], pointer)

        return types.CPointer(element)(address), generate  # type: ignore[no-untyped-call]

    return cast("Callable[[int], Array]", cast_address)


narrow: Final = _pointer(types.int32)
"""The array of 32-bit numbers at an address."""

wide: Final = _pointer(types.int64)
"""The array of 64-bit numbers at an address."""
