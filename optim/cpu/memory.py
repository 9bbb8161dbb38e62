"""Memory as numba sees it: addresses, arrays at them, and numbers in 16 bits."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

Array: TypeAlias = np.ndarray[Any, Any]

# How numbers are stored: as they are computed, or in 16 bits.
NATIVE, FLOAT16, BFLOAT16 = range(3)

# Helpers are compiled into their callers, and nothing calls them from Python: without what only such calls need, they
# compile in half the time. They are not cached one by one: numba's cache watches one file, and they call each other
# across files. Integer constants that they take as arguments are of numpy: of a literal, each value compiles a copy.
_INSIDE = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
compiled: Any = njit(**_INSIDE)
# Copied into the caller as source, where a function of its own would only be optimised once more.
inlined: Any = njit(inline="always", **_INSIDE)
# Sums of products in any order (γ_n bounds them all), so that vector registers can hold them. Nothing else may move.
summing: Any = njit(fastmath={"reassoc", "contract"}, **_INSIDE)


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_context: Any, _address: Any) -> Any:
    """An address as a pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


@compiled
def at(address: int, n: int, like: Array) -> Array:
    """n numbers at an address, of the dtype of an array; unlike a slice, it costs nothing."""
    return carray(pointer(address), (n,), like.dtype)


@compiled
def address_of(x: Array) -> int:
    return x.ctypes.data


@compiled
def as_stored(value: float, like: Array) -> Any:
    """A number in the dtype of an array."""
    return like.dtype.type(value)


# Storage in 16 bits, by the bits: float16 needs instructions that not every CPU has, bfloat16 a type that numba lacks.


@compiled
def _bits(x: float) -> int:
    return np.int64(np.float32(x).view(np.uint32))


@compiled
def _number(bits: int) -> float:
    return np.uint32(bits).view(np.float32)


@compiled
def _widen(address: int, storage: int, x: Array) -> None:
    stored = carray(pointer(address), (x.size,), np.uint16)
    if storage == BFLOAT16:
        for i in range(x.size):
            x[i] = _number(np.int64(stored[i]) << 16)
        return
    for i in range(x.size):
        bits = np.int64(stored[i])
        # The exponent's bias is 15 and not 127. A subnormal number is an integer times 2⁻²⁴, and no number on the way
        # is subnormal in float32: torch.set_flush_denormal would make it 0.
        size = ((bits & 0x7FFF) << 13) + (112 << 23)
        if bits & 0x7C00 == 0x7C00:
            size += 112 << 23
        if bits & 0x7C00 == 0:
            size = _bits(np.float32(bits & 0x3FF) * np.float32(2.0**-24))
        x[i] = _number(size | ((bits & 0x8000) << 16))


@compiled
def _narrow(address: int, storage: int, x: Array) -> None:
    """Round to nearest, ties to even; NaN stays NaN."""
    stored = carray(pointer(address), (x.size,), np.uint16)
    if storage == BFLOAT16:
        for i in range(x.size):
            bits = _bits(x[i])
            nan = bits & 0x7FFFFFFF > 0x7F800000
            rounded = bits + 0x7FFF + ((bits >> 16) & 1)
            stored[i] = ((bits | 0x400000) if nan else rounded) >> 16
        return
    for i in range(x.size):
        bits = _bits(x[i])
        size = bits & 0x7FFFFFFF
        if size > 0x7F800000:
            half = np.int64(0x7E00)
        elif size >= 0x47800000:  # 2¹⁶ and above
            half = np.int64(0x7C00)
        elif size < 0x38800000:  # below 2⁻¹⁴: added to 1/2, whose last bit is 2⁻²⁴, the sum rounds
            half = _bits(_number(size) + np.float32(0.5)) - 0x3F000000
        else:
            half = (size - (112 << 23) + 0xFFF + ((size >> 13) & 1)) >> 13
        stored[i] = half | ((bits >> 16) & 0x8000)


@compiled
def room(rooms: Array, row: int) -> int:
    """The address of a row of scratch (a slice would count references)."""
    return address_of(rooms) + row * rooms.strides[0]


@compiled
def load(address: int, storage: int, start: int, n: int, rooms: Array, row: int) -> Array:
    """n numbers from `start` on: where they are stored, or widened in a row of scratch."""
    if storage == NATIVE:
        return at(address + rooms.itemsize * start, n, rooms)
    x = at(room(rooms, row), n, rooms)
    _widen(address + 2 * start, storage, x)
    return x


@compiled
def store(address: int, storage: int, start: int, x: Array) -> None:
    """Write numbers back that were widened."""
    if storage != NATIVE:
        _narrow(address + 2 * start, storage, x)


@compiled
def part(x: Array, first: int, n: int) -> Array:
    """n elements of x, or fewer at its end."""
    return at(address_of(x) + first * x.itemsize, min(n, x.size - first), x)
