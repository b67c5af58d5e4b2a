# mypy: allow-untyped-defs
"""Arrays over memory that others own: what a tensor holds, without the array that Python would make of it."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

__all__ = ["numbers_at"]


def _numbers_at(typing, address, like):
    """The numbers at an address as a flat array in the format of the array ``like``; empty where the address is 0.

    How many there are is the caller's to know: as long as the longest array, or none.
    """
    array_type = types.Array(like.dtype, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(array_type)(context, builder)  # type: ignore[no-untyped-call]
        size = context.get_abi_sizeof(context.get_data_type(like.dtype))
        int64 = ir.IntType(64)
        nothing, most = ir.Constant(int64, 0), ir.Constant(int64, (1 << 62) // size)
        count = builder.select(builder.icmp_unsigned("==", args[0], nothing), nothing, most)
        populate_array(  # type: ignore[no-untyped-call]
            array,
            data=builder.inttoptr(args[0], array.data.type),
            shape=[count],
            strides=[ir.Constant(ir.IntType(64), size)],
            itemsize=ir.Constant(ir.IntType(64), size),
            meminfo=None,
        )
        return array._getvalue()

    return array_type(types.int64, like), emit


numbers_at: Any = intrinsic(_numbers_at)
