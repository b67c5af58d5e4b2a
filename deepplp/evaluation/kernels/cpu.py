# mypy: allow-untyped-defs
"""The fused CPU kernel: one loop over the circuit's elements, forward and backward, in float64.

Rows of the batch are taken in blocks of `LANES`, and the innermost loop runs over a block's rows, which lie side by
side in memory: the compiler turns it into vector operations. A block is also the unit in which sums over the batch are
taken: the same bits come out whatever the number of threads.

Two number formats. Plain float64 covers roots down to `TINY`. A row with a smaller root is evaluated again with
extended range, a float64 mantissa and an int64 exponent for every value and adjoint: products and sums keep 53 bits
however small they are, zero stays zero, and no logarithm is taken before the end.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = [
    "LANES",
    "MAY_UNDERFLOW",
    "TINY",
    "backward_blocks",
    "compiled",
    "forward_blocks",
    "grouped",
    "node_levels",
]

LANES = 32  # of 8, 16, 32 and 64, where the gain levels off: longer rows leave the first-level cache
TINY = 1e-280
MAY_UNDERFLOW = -900.0  # the least power of two that a product may have for its zero to be trusted
_NO_EXPONENT = -(1 << 40)  # smaller than any exponent that occurs: the exponent of zero in a maximum
_LARGEST_SHIFT = 2000
_LARGEST_EXPONENT = 1023  # derivatives beyond float64's range become its largest numbers, not infinity


def compiled(function: Any) -> Any:
    """Compile without the GIL, and keep the machine code on disk where there is a place to keep it.

    A change is noticed in a function's own file only: functions that call each other stand in one.
    """
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no writable folder for the cache: compile anew in every process
        return numba.njit(nogil=True, error_model="numpy")(function)


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


@numba.njit(nogil=True, error_model="numpy", forceinline=True)  # a call costs as much as a short sum
def _sum_products(out, row, left, lefts, right, rights, first, last, count):
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


@compiled
def _fill_leaves(leaf_offsets, bases, strides, offsets, batched, rows, shared, first, count, leaf):
    for i in range(len(leaf_offsets) - 1):
        start = leaf_offsets[i]
        if start == leaf_offsets[i + 1]:
            for lane in range(count):
                leaf[i, lane] = 0.0
        for k in range(start, leaf_offsets[i + 1]):
            stride = strides[k]
            at = bases[k] * rows + first * stride + offsets[k]
            for lane in range(count):
                # Unsigned: numba would allow for a negative index, lane by lane.
                weight = float(batched[np.uint64(at + lane * stride)]) if stride > 0 else shared[offsets[k]]
                leaf[i, lane] = weight if k == start else leaf[i, lane] + weight


@compiled
def _fill_nodes(node_offsets, primes, subs, count, leaf, value):
    for lane in range(count):
        value[0, lane] = 0.0
        value[1, lane] = 1.0
    for n in range(2, len(node_offsets) - 1):
        _sum_products(value, n, leaf, primes, value, subs, node_offsets[n], node_offsets[n + 1], count)


@compiled
def _row_may_underflow(leaf, lane, choices):
    """Whether a product of one leaf a choice could leave float64's range; if not, a root of zero is exactly zero."""
    smallest = 1.0
    for i in range(leaf.shape[0]):
        if 0.0 < leaf[i, lane] < smallest:
            smallest = leaf[i, lane]
    return choices * math.log2(smallest) < MAY_UNDERFLOW


@compiled
def _extended_row(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, batched, rows, shared, row, lm, le, vm, ve,
):  # fmt: skip
    """One row with extended range: mantissas in lm, vm and exponents in le, ve."""
    for i in range(len(leaf_offsets) - 1):
        total = 0.0
        for k in range(leaf_offsets[i], leaf_offsets[i + 1]):
            if strides[k] > 0:
                total += batched[bases[k] * rows + row * strides[k] + offsets[k]]
            else:
                total += shared[offsets[k]]
        m, e = math.frexp(total)
        lm[i] = m
        le[i] = e
    vm[0] = 0.0
    ve[0] = 0
    vm[1] = 0.5
    ve[1] = 1
    for n in range(2, len(node_offsets) - 1):
        top = _NO_EXPONENT
        for k in range(node_offsets[n], node_offsets[n + 1]):
            p = primes[k]
            s = subs[k]
            if lm[p] != 0.0 and vm[s] != 0.0:
                top = max(top, le[p] + ve[s])
        total = 0.0
        if top != _NO_EXPONENT:
            for k in range(node_offsets[n], node_offsets[n + 1]):
                p = primes[k]
                s = subs[k]
                if lm[p] != 0.0 and vm[s] != 0.0:
                    shift = le[p] + ve[s] - top
                    if shift > -_LARGEST_SHIFT:
                        total += math.ldexp(lm[p] * vm[s], shift)
        if total == 0.0:
            vm[n] = 0.0
            ve[n] = 0
        else:
            m, e = math.frexp(total)
            vm[n] = m
            ve[n] = top + e


@compiled
def _accumulate(mantissas, exponents, i, m, e):
    """Add m * 2**e to an extended number, signs and all."""
    if m == 0.0:
        return
    if mantissas[i] == 0.0:
        total = m
        top = e
    else:
        top = max(exponents[i], e)
        total = 0.0
        if exponents[i] - top > -_LARGEST_SHIFT:
            total += math.ldexp(mantissas[i], exponents[i] - top)
        if e - top > -_LARGEST_SHIFT:
            total += math.ldexp(m, e - top)
    if total == 0.0:
        mantissas[i] = 0.0
        exponents[i] = 0
    else:
        mm, ee = math.frexp(total)
        mantissas[i] = mm
        exponents[i] = top + ee


@compiled
def forward_blocks(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, choices, batched, rows, shared,
    first_block, last_block, leaves, values, mantissas, exponents,
):  # fmt: skip
    """Evaluate blocks ``first_block`` to ``last_block - 1`` of rows.

    ``batched`` is flat; the weight at leaf entry k of row b is
    ``batched[bases[k] * rows + b * strides[k] + offsets[k]]`` where ``strides[k] > 0``, else ``shared[offsets[k]]``.
    ``leaves`` [blocks or 1, leaf, lanes] and ``values`` [blocks or 1, node, lanes] receive what backward needs, if they
    have room for all blocks. Root r of row b is ``mantissas[b, r] * 2**exponents[b, r]``; the last column of
    ``exponents`` says which rows took the extended range.
    """
    extended_ready = False
    lm = np.empty(0)
    le = np.empty(0, np.int64)
    vm = np.empty(0)
    ve = np.empty(0, np.int64)
    n_roots = len(roots)
    for block in range(first_block, last_block):
        slot = block if values.shape[0] > 1 else 0
        leaf = leaves[slot]
        value = values[slot]
        first = block * LANES
        count = min(LANES, rows - first)
        _fill_leaves(leaf_offsets, bases, strides, offsets, batched, rows, shared, first, count, leaf)
        _fill_nodes(node_offsets, primes, subs, count, leaf, value)
        for lane in range(count):
            row = first + lane
            small = False
            zero = False
            for r in range(n_roots):
                v = value[roots[r], lane]
                mantissas[row, r] = v
                exponents[row, r] = 0
                if v < TINY and roots[r] != 0:
                    if v == 0.0:
                        zero = True
                    else:
                        small = True
            exponents[row, n_roots] = 0
            if small or (zero and _row_may_underflow(leaf, lane, choices)):
                if not extended_ready:
                    lm = np.empty(len(leaf_offsets) - 1)
                    le = np.empty(len(leaf_offsets) - 1, np.int64)
                    vm = np.empty(len(node_offsets) - 1)
                    ve = np.empty(len(node_offsets) - 1, np.int64)
                    extended_ready = True
                _extended_row(
                    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, batched, rows, shared, row,
                    lm, le, vm, ve,
                )  # fmt: skip
                for r in range(n_roots):
                    mantissas[row, r] = vm[roots[r]]
                    exponents[row, r] = ve[roots[r]]
                exponents[row, n_roots] = 1


@compiled
def _propagate(
    sub_offsets, sub_parents, sub_primes, prime_offsets, prime_parents, prime_subs, root_offsets, root_places,
    first, count, leaf, value, exponents, seeds, adjoint, leaf_adjoint,
):  # fmt: skip
    """The derivatives by all nodes and leaves, from those by the roots of the rows that did without extended range."""
    plain = seeds.shape[1]
    for n in range(len(sub_offsets) - 2, 1, -1):
        _sum_products(adjoint, n, adjoint, sub_parents, leaf, sub_primes, sub_offsets[n], sub_offsets[n + 1], count)
        for k in range(root_offsets[n], root_offsets[n + 1]):
            for lane in range(count):
                if exponents[first + lane, plain] == 0:
                    adjoint[n, lane] += seeds[first + lane, root_places[k]]
    for i in range(len(prime_offsets) - 1):
        _sum_products(
            leaf_adjoint, i, adjoint, prime_parents, value, prime_subs, prime_offsets[i], prime_offsets[i + 1], count
        )


@compiled
def _hand_over(weight_offsets, weight_leaves, widths, rows, first, count, leaf_adjoint, batched_gradient):
    """Write the derivatives by batched weights: each the sum of those by the leaves that read it."""
    weight = 0
    for block in range(len(widths)):
        width = widths[block]
        start = weight * rows + first * width
        for column in range(width):
            k, last = weight_offsets[weight], weight_offsets[weight + 1]
            if last == k + 1:
                only = leaf_adjoint[weight_leaves[k]]
                for lane in range(count):
                    batched_gradient[np.uint64(start + column + lane * width)] = only[lane]
            else:
                for lane in range(count):
                    total = 0.0
                    for leaf in weight_leaves[k:last]:
                        total += leaf_adjoint[leaf, lane]
                    batched_gradient[np.uint64(start + column + lane * width)] = total
            weight += 1


@compiled
def backward_blocks(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots,
    sub_offsets, sub_parents, sub_primes, prime_offsets, prime_parents, prime_subs, root_offsets, root_places,
    weight_offsets, weight_leaves, widths, batched, rows, shared, first_block, last_block, leaves, values, have_values,
    exponents, seeds, seed_exponents, batched_gradient, shared_gradients,
):  # fmt: skip
    """Propagate the loss's derivatives by the roots down: ``seeds[b, r] * 2**seed_exponents[b, r]`` by root r of row b.

    Writes ``batched_gradient`` (flat, as ``batched``) and adds to ``shared_gradients`` [blocks, s], one row a block.
    """
    lanes = values.shape[2]
    adjoint = np.empty((len(node_offsets) - 1, lanes))
    leaf_adjoint = np.empty((len(leaf_offsets) - 1, lanes))
    for block in range(first_block, last_block):
        slot = block if values.shape[0] > 1 else 0
        leaf = leaves[slot]
        value = values[slot]
        first = block * LANES
        count = min(LANES, rows - first)
        if not have_values:
            _fill_leaves(leaf_offsets, bases, strides, offsets, batched, rows, shared, first, count, leaf)
            _fill_nodes(node_offsets, primes, subs, count, leaf, value)
        _propagate(
            sub_offsets, sub_parents, sub_primes, prime_offsets, prime_parents, prime_subs, root_offsets, root_places,
            first, count, leaf, value, exponents, seeds, adjoint, leaf_adjoint,
        )  # fmt: skip
        for lane in range(count):
            if exponents[first + lane, len(roots)] != 0:
                _extended_backward(
                    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, batched, rows, shared,
                    first + lane, seeds, seed_exponents, leaf_adjoint, lane,
                )  # fmt: skip
        _hand_over(weight_offsets, weight_leaves, widths, rows, first, count, leaf_adjoint, batched_gradient)
        if shared_gradients.shape[1]:
            for i in range(len(leaf_offsets) - 1):
                for k in range(leaf_offsets[i], leaf_offsets[i + 1]):
                    if strides[k] == 0:
                        for lane in range(count):
                            shared_gradients[block, offsets[k]] += leaf_adjoint[i, lane]


@compiled
def _extended_backward(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, batched, rows, shared,
    row, seeds, seed_exponents, leaf_adjoint, lane,
):  # fmt: skip
    """The derivatives of one row's leaves with extended range, written as float64 where they fit again."""
    n_nodes = len(node_offsets) - 1
    n_leaves = len(leaf_offsets) - 1
    lm = np.empty(n_leaves)
    le = np.empty(n_leaves, np.int64)
    vm = np.empty(n_nodes)
    ve = np.empty(n_nodes, np.int64)
    _extended_row(
        leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, batched, rows, shared, row, lm, le, vm, ve,
    )  # fmt: skip
    am = np.zeros(n_nodes)
    ae = np.zeros(n_nodes, np.int64)
    dm = np.zeros(n_leaves)
    de = np.zeros(n_leaves, np.int64)
    for r in range(len(roots)):
        _accumulate(am, ae, roots[r], seeds[row, r], seed_exponents[row, r])
    for n in range(n_nodes - 1, 1, -1):
        if am[n] == 0.0:
            continue
        for k in range(node_offsets[n], node_offsets[n + 1]):
            p = primes[k]
            s = subs[k]
            _accumulate(am, ae, s, am[n] * lm[p], ae[n] + le[p])
            _accumulate(dm, de, p, am[n] * vm[s], ae[n] + ve[s])
    for i in range(n_leaves):
        if dm[i] == 0.0 or de[i] < -_LARGEST_SHIFT:
            leaf_adjoint[i, lane] = 0.0
        else:
            leaf_adjoint[i, lane] = math.ldexp(dm[i], min(de[i], _LARGEST_EXPONENT))


@compiled
def node_levels(node_offsets, subs):
    """The level of every node: that of the constants is 0, of any other one more than the highest that it uses."""
    levels = np.zeros(len(node_offsets) - 1, np.int64)
    for n in range(2, len(levels)):
        highest = 0
        for e in range(node_offsets[n], node_offsets[n + 1]):
            highest = max(highest, levels[subs[e]])
        levels[n] = highest + 1
    return levels


@compiled
def grouped(keys, count):
    """The places of every key from 0 to ``count - 1``: ``order[offsets[i]:offsets[i + 1]]`` are those of key i."""
    offsets = np.zeros(count + 1, np.int64)
    for place in range(len(keys)):
        offsets[keys[place] + 1] += 1
    for i in range(count):
        offsets[i + 1] += offsets[i]
    order = np.empty(len(keys), np.int64)
    free = offsets.copy()
    for place in range(len(keys)):
        order[free[keys[place]]] = place
        free[keys[place]] += 1
    return offsets, order
