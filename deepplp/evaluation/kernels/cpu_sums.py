# mypy: allow-untyped-defs
"""Sums of products in every lane of a block of rows, as vector operations."""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from deepplp.evaluation.kernels.compiled import inlined

__all__ = ["LANES", "sum_products"]

LANES = 32  # of 8, 16, 32 and 64, where the gain levels off: longer rows leave the first-level cache


def _product_sums(width: int) -> Any:
    """An operation for numba: ``width`` lanes of a sum of products, held in vector registers.

    numba has no vectors, and what it makes of a loop over lanes loads and stores the sum again for every product, since
    it cannot know that two rows of one array do not overlap. LLVM splits the vector into those of the machine.
    """
    vector = ir.VectorType(ir.DoubleType(), width)
    int64 = ir.IntType(64)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        """Write the loop over the elements: the place ``e`` and the sum are carried from block to block."""
        row, (first, last, lane) = args[1], args[6:]
        out, left, lefts, right, rights = (
            context.make_array(signature.args[i])(context, builder, args[i]) for i in (0, 2, 3, 4, 5)
        )

        def place(matrix: Any, index: Any) -> Any:
            entry = builder.add(builder.mul(index, builder.extract_value(matrix.shape, 1)), lane)
            return builder.bitcast(builder.gep(matrix.data, [entry]), vector.as_pointer())

        def factor(matrix: Any, indices: Any, e: Any) -> Any:
            return builder.load(place(matrix, builder.load(builder.gep(indices.data, [e]))), align=8)

        nothing = ir.Constant(vector, [0.0] * width)
        before, body, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<", first, last), body, after)
        builder.position_at_end(body)
        e, partial = builder.phi(int64), builder.phi(vector)
        total = builder.fadd(partial, builder.fmul(factor(left, lefts, e), factor(right, rights, e)))
        following = builder.add(e, int64(1))
        builder.cbranch(builder.icmp_signed("<", following, last), body, after)
        builder.position_at_end(after)
        result = builder.phi(vector)
        for phi, values in ((e, (first, following)), (partial, (nothing, total)), (result, (nothing, total))):
            for value, block in zip(values, (before, body), strict=True):
                phi.add_incoming(value, block)
        builder.store(result, place(out, row), align=8)
        return context.get_dummy_value()

    @intrinsic
    def sums(typing, out, row, left, lefts, right, rights, first, last, lane):
        return types.void(out, types.int64, left, lefts, right, rights, *[types.int64] * 3), emit

    return sums


_sums_of_32 = _product_sums(LANES)
_sums_of_8 = _product_sums(8)
_sum_of_1 = _product_sums(1)


@partial(inlined, forceinline=True)  # a call costs as much as a short sum
def sum_products(out, row, left, lefts, right, rights, first, last, count):
    """``out[row] = sum of left[lefts[e]] * right[rights[e]]`` over e from ``first`` to ``last - 1``, in every lane.

    A lane has the same bits whichever operation computes it.
    """
    lane = 0
    while lane + LANES <= count:
        _sums_of_32(out, row, left, lefts, right, rights, first, last, lane)
        lane += LANES
    while lane + 8 <= count:
        _sums_of_8(out, row, left, lefts, right, rights, first, last, lane)
        lane += 8
    while lane < count:
        _sum_of_1(out, row, left, lefts, right, rights, first, last, lane)
        lane += 1
