"""What the compiler is told: which functions are parts of kernels, and what addresses point to."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

ADDRESS = types.CPointer(types.int64)
"""The type of a directory."""


def part(function: F) -> F:
    """The function as a part of kernels."""
    return cast("F", numba.njit(error_model="numpy", no_cpython_wrapper=True)(function))


def _pointer(element: types.Type) -> Any:  # noqa: ANN401  an intrinsic has no type of its own
    @intrinsic  # type: ignore[untyped-decorator]
    def cast_address(_context: Any, address: Any) -> Any:  # noqa: ANN401
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
            pointer = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], pointer)

        return types.CPointer(element)(address), generate

    return cast_address


narrow = _pointer(types.int32)
"""The array of 32-bit numbers at an address."""

wide = _pointer(types.int64)
"""The array of 64-bit numbers at an address."""
