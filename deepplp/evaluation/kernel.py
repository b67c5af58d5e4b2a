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

__all__ = ["LANES", "TINY", "backward_blocks", "forward_blocks", "rows_are_distributions", "scatter", "select"]

LANES = 32  # of 8, 16, 32 and 64, where the gain levels off: longer rows leave the first-level cache
TINY = 1e-280
_NO_EXPONENT = -(1 << 40)  # smaller than any exponent that occurs: the exponent of zero in a maximum
_LARGEST_SHIFT = 2000
_LARGEST_EXPONENT = 1023  # derivatives beyond float64's range become its largest numbers, not infinity
LOG_2 = math.log(2.0)


def _compiled(function: Any) -> Any:
    """Compile without the GIL, and keep the machine code on disk where there is a place to keep it."""
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no writable folder for the cache: compile anew in every process
        return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _fill_leaves(leaf_offsets, bases, strides, offsets, batched, rows, shared, first, count, leaf):
    for i in range(len(leaf_offsets) - 1):
        for lane in range(count):
            leaf[i, lane] = 0.0
        for k in range(leaf_offsets[i], leaf_offsets[i + 1]):
            stride = strides[k]
            if stride > 0:
                at = bases[k] * rows + first * stride + offsets[k]
                for lane in range(count):
                    leaf[i, lane] += batched[at + lane * stride]
            else:
                weight = shared[offsets[k]]
                for lane in range(count):
                    leaf[i, lane] += weight


@_compiled
def _fill_nodes(node_offsets, primes, subs, count, leaf, value):
    for lane in range(count):
        value[0, lane] = 0.0
        value[1, lane] = 1.0
    for n in range(2, len(node_offsets) - 1):
        v = value[n]
        for lane in range(count):
            v[lane] = 0.0
        for e in range(node_offsets[n], node_offsets[n + 1]):
            x = leaf[primes[e]]
            y = value[subs[e]]
            for lane in range(count):
                v[lane] += x[lane] * y[lane]


@_compiled
def _propagate(node_offsets, primes, subs, count, leaf, value, adjoint, leaf_adjoint):
    """The derivatives by all nodes and leaves, from those by the roots in ``adjoint``."""
    for n in range(len(node_offsets) - 2, 1, -1):
        a = adjoint[n]
        for e in range(node_offsets[n], node_offsets[n + 1]):
            x = leaf[primes[e]]
            y = value[subs[e]]
            by_sub = adjoint[subs[e]]
            by_leaf = leaf_adjoint[primes[e]]
            for lane in range(count):
                by_sub[lane] += a[lane] * x[lane]
            for lane in range(count):
                by_leaf[lane] += a[lane] * y[lane]


@_compiled
def _row_may_underflow(leaf, lane, choices):
    """Whether a product of one leaf a choice could leave float64's range; if not, a root of zero is exactly zero."""
    smallest = 1.0
    for i in range(leaf.shape[0]):
        if 0.0 < leaf[i, lane] < smallest:
            smallest = leaf[i, lane]
    return choices * math.log2(smallest) < -900.0


@_compiled
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


@_compiled
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


@_compiled
def _conclude(row, given, mantissas, exponents, log_probs, probs):
    """Log-probabilities and probabilities of a row's queries, each given its evidence: the root ``given[q]``."""
    for q in range(len(given)):
        em = mantissas[row, given[q]]
        m = mantissas[row, q]
        if em <= 0.0:
            log_probs[row, q] = math.nan
            probs[row, q] = math.nan
        elif m == 0.0:
            log_probs[row, q] = -math.inf
            probs[row, q] = 0.0
        else:
            shift = exponents[row, q] - exponents[row, given[q]]
            # The ratio before the logarithm: log P(q|e) near 0 is no difference of large numbers.
            # Less than 0 where rounding took a weight there: as good as 0.
            log_probs[row, q] = math.log(m / em) + shift * LOG_2 if m > 0.0 else -math.inf
            probs[row, q] = m / em if shift == 0 else math.ldexp(m / em, max(shift, -_LARGEST_SHIFT))


@_compiled
def forward_blocks(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, given, choices, batched, rows, shared,
    first_block, last_block, leaves, values, mantissas, exponents, log_probs, probs,
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
            _conclude(row, given, mantissas, exponents, log_probs, probs)


@_compiled
def _seed(row, given, mantissas, probs, log_gradient, gradient, by_evidence, seeds):
    """The loss's derivative by every root of a row.

    With P(q|e) = r / s for the roots r and s of query and evidence, a gradient g of P(q|e) and h of log P(q|e) give
    dr = g / s + h / r and ds = (k - sum over q of (g * P(q|e) + h)) / s, where k is the gradient of log s. A zero r
    takes no part in h.
    """
    queries = len(given)
    for e in range(queries, len(seeds)):
        seeds[e] = by_evidence[row, e - queries] if len(by_evidence) else 0.0
    for q in range(queries):
        seeds[q] = 0.0
        m = mantissas[row, q]
        if len(gradient):
            seeds[q] += gradient[row, q] / mantissas[row, given[q]]
            seeds[given[q]] -= gradient[row, q] * probs[row, q]
        if len(log_gradient) and m > 0.0:
            seeds[q] += log_gradient[row, q] / m
            seeds[given[q]] -= log_gradient[row, q]
    for e in range(queries, len(seeds)):
        seeds[e] /= mantissas[row, e]


@_compiled
def _seed_extended(row, given, mantissas, exponents, probs, log_gradient, gradient, by_evidence, am, ae, roots):
    """The same with extended range, added to the adjoints: g / s and h / r may be as far apart as r and s are."""
    queries = len(given)
    totals = np.zeros(len(roots) - queries)
    for q in range(queries):
        e = given[q]
        m = mantissas[row, q]
        if len(gradient):
            _accumulate(am, ae, roots[q], gradient[row, q] / mantissas[row, e], -exponents[row, e])
            totals[e - queries] -= gradient[row, q] * probs[row, q]
        if len(log_gradient) and m > 0.0:
            _accumulate(am, ae, roots[q], log_gradient[row, q] / m, -exponents[row, q])
            totals[e - queries] -= log_gradient[row, q]
    for i in range(len(totals)):
        e = queries + i
        total = totals[i] + (by_evidence[row, i] if len(by_evidence) else 0.0)
        _accumulate(am, ae, roots[e], total / mantissas[row, e], -exponents[row, e])


@_compiled
def backward_blocks(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, given, batched, rows, shared,
    first_block, last_block, leaves, values, have_values, mantissas, exponents, probs, log_gradient, gradient,
    by_evidence, batched_gradient, shared_gradients,
):  # fmt: skip
    """Propagate ``log_gradient`` and ``gradient`` [batch, query] and ``by_evidence`` [batch, evidence] down.

    They are the loss's derivatives by log-probabilities, probabilities and log P(evidence); each may be empty.

    Writes ``batched_gradient`` (flat, as ``batched``) and ``shared_gradients`` [blocks, s], the latter one row a block.
    """
    n_nodes = len(node_offsets) - 1
    n_leaves = len(leaf_offsets) - 1
    n_roots = len(roots)
    adjoint = np.empty((n_nodes, values.shape[2]))
    leaf_adjoint = np.empty((n_leaves, values.shape[2]))
    seeds = np.empty(n_roots)
    for block in range(first_block, last_block):
        slot = block if values.shape[0] > 1 else 0
        leaf = leaves[slot]
        value = values[slot]
        first = block * LANES
        count = min(LANES, rows - first)
        if not have_values:
            _fill_leaves(leaf_offsets, bases, strides, offsets, batched, rows, shared, first, count, leaf)
            _fill_nodes(node_offsets, primes, subs, count, leaf, value)
        adjoint[:] = 0.0
        leaf_adjoint[:] = 0.0
        for lane in range(count):
            row = first + lane
            if exponents[row, n_roots] == 0:
                _seed(row, given, mantissas, probs, log_gradient, gradient, by_evidence, seeds)
                for r in range(n_roots):
                    adjoint[roots[r], lane] += seeds[r]
        _propagate(node_offsets, primes, subs, count, leaf, value, adjoint, leaf_adjoint)
        for lane in range(count):
            row = first + lane
            if exponents[row, n_roots] != 0:
                _extended_backward(
                    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, given, batched, rows,
                    shared, row, mantissas, exponents, probs, log_gradient, gradient, by_evidence, leaf_adjoint, lane,
                )  # fmt: skip
        for i in range(n_leaves):
            for k in range(leaf_offsets[i], leaf_offsets[i + 1]):
                stride = strides[k]
                if stride > 0:
                    at = bases[k] * rows + first * stride + offsets[k]
                    for lane in range(count):
                        batched_gradient[at + lane * stride] += leaf_adjoint[i, lane]
                else:
                    total = 0.0
                    for lane in range(count):
                        total += leaf_adjoint[i, lane]
                    shared_gradients[block, offsets[k]] += total


@_compiled
def _extended_backward(
    leaf_offsets, bases, strides, offsets, node_offsets, primes, subs, roots, given, batched, rows, shared,
    row, mantissas, exponents, probs, log_gradient, gradient, by_evidence, leaf_adjoint, lane,
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
    _seed_extended(row, given, mantissas, exponents, probs, log_gradient, gradient, by_evidence, am, ae, roots)
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


@_compiled
def rows_are_distributions(rows, sum_tolerance, negative_tolerance):
    """Whether every row of [n, k] is finite, at least 0 and sums to 1, within the tolerances."""
    for i in range(rows.shape[0]):
        total = 0.0
        smallest = 0.0
        for j in range(rows.shape[1]):
            total += rows[i, j]
            smallest = min(smallest, rows[i, j])
        # Comparisons with NaN are false.
        if not (abs(total - 1.0) <= sum_tolerance and smallest >= -negative_tolerance):
            return False
    return True


@_compiled
def select(table, indices, out):
    """``out[i] = table[i, indices[i]]``; returns the first i whose index is out of range, else -1."""
    for i in range(len(out)):
        if not 0 <= indices[i] < table.shape[1]:
            return i
        out[i] = table[i, indices[i]]
    return -1


@_compiled
def scatter(values, indices, table):
    """``table[i, indices[i]] = values[i]``."""
    for i in range(len(values)):
        table[i, indices[i]] = values[i]
