"""What the compiler is told: which functions are parts of kernels, and what addresses point to."""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

import numba
from llvmlite import ir
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

octets: Final = _pointer(types.uint8)
"""The array of 8-bit numbers, none below 0, at an address."""


@intrinsic
def _fetch(_context: Any, address: Any) -> Any:  # noqa: ANN401  numba has no types
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, *[number] * 3])
        )
        to_read, keep, data = number(0), number(3), number(1)
        builder.call(function, [builder.inttoptr(arguments[0], byte), to_read, keep, data])
        return context.get_dummy_value()

    return types.void(address), generate


fetch: Final = cast("Callable[[int], None]", _fetch)
"""The memory at an address is on its way to the cache; nothing waits for it."""
