# mypy: allow-untyped-defs
"""The fused CPU kernel: one loop over the circuit's elements, forward and backward, in float64.

Rows of the batch are taken in blocks of `LANES`, and the innermost loop runs over a block's rows, which lie side by
side in memory: the compiler turns it into vector operations. A block is also the unit in which sums over the batch are
taken: the same bits come out whatever the number of threads.

Two number formats. Plain float64 covers roots down to `TINY`. A row with a smaller root is evaluated again with
extended range (see ``cpu_extended``).

For a small circuit the calls cost more than the work, so that little is handed over: a circuit and its inversion arrive
packed, each as one array, and tensors as the addresses of their numbers. Inside, what belongs together travels as a
named tuple.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import deepplp.evaluation.readings as readings
from deepplp.circuit import IntArray, Inversion, PlanArrays
from deepplp.evaluation.kernels.compiled import compiled, inlined
from deepplp.evaluation.kernels.cpu_extended import extended_adjoints, extended_values, room_for
from deepplp.evaluation.kernels.cpu_memory import numbers_at
from deepplp.evaluation.kernels.cpu_sums import LANES, sum_products

__all__ = ["LANES", "backward_blocks", "forward_blocks", "read_roots", "rows_are_distributions"]

TINY, MAY_UNDERFLOW = readings.TINY, readings.MAY_UNDERFLOW
_LONGS, _SINGLES, _DOUBLES = np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0)  # formats at an address

FloatArray = NDArray[np.float64]


class Floats(NamedTuple):
    """Numbers of one of two formats, flat; the array of the other has no entries."""

    singles: NDArray[np.float32]
    doubles: FloatArray


class Weights(NamedTuple):
    """The weights of a plan, and the number of rows of those that are batched."""

    batched: Floats
    shared: FloatArray
    rows: int


class Block(NamedTuple):
    """A block of rows: the first one, how many, and their values.

    ``factor`` [leaves + nodes, lanes] are those of the leaves and, behind them, of the nodes, which are also ``value``
    [nodes, lanes].
    """

    first: int
    lanes: int
    factor: FloatArray
    value: FloatArray


class Roots(NamedTuple):
    """Root r of row b is ``numbers[0, b, r] * 2**numbers[1, b, r]``, and query q is given the root ``given[q]``.

    ``numbers`` is [2, rows, roots + 1]: the last of ``numbers[1, b]`` says whether row b took the extended range.
    """

    numbers: FloatArray
    given: IntArray


class Reading(NamedTuple):
    """``width`` roots of each row, from ``first`` on, or the one that ``chosen`` [rows] says if that has entries."""

    as_logs: bool
    first: int
    width: int
    chosen: IntArray


@inlined
def _nine(p):
    """The nine arrays of a packed plan, or of a packed inversion."""
    return (
        p[p[0] : p[1]], p[p[1] : p[2]], p[p[2] : p[3]], p[p[3] : p[4]], p[p[4] : p[5]], p[p[5] : p[6]],
        p[p[6] : p[7]], p[p[7] : p[8]], p[p[8] : p[9]],
    )  # fmt: skip


@inlined
def _floats(address, single):
    """The numbers at an address."""
    return Floats(numbers_at(address * single, _SINGLES), numbers_at(address * (not single), _DOUBLES))


@inlined
def _block(circuit, rows, room, block):
    """A block of rows, in its own slot of the ``room`` if that has one for all blocks."""
    leaves = len(circuit.leaf_offsets) - 1
    slot = block if room.shape[0] > 1 else 0
    first = block * LANES
    return Block(first, min(LANES, rows - first), room[slot], room[slot, leaves:])


@inlined
def _fill(numbers, count, number):
    for i in range(count):  # numba takes longer to compile a slice
        numbers[i] = number


@inlined
def _add_lanes(numbers, first, stride, count, out, fresh):
    """Add every ``stride``-th of the numbers, from the ``first`` on, to ``out``, or write them if that is ``fresh``."""
    for lane in range(count):
        # Unsigned: numba would allow for a negative index, lane by lane.
        number = float(numbers[np.uint64(first + lane * stride)])
        out[lane] = number if fresh else out[lane] + number


@inlined
def _fill_leaves(circuit, weights, block):
    leaves = len(circuit.leaf_offsets) - 1
    for i in range(leaves):
        leaf = block.factor[i]
        start, end = circuit.leaf_offsets[i], circuit.leaf_offsets[i + 1]
        if start == end:
            _fill(leaf, block.lanes, 0.0)
        for k in range(start, end):
            stride, offset = circuit.strides[k], circuit.offsets[k]
            first = circuit.bases[k] * weights.rows + block.first * stride + offset
            if stride == 0:
                weight = weights.shared[offset]
                for lane in range(block.lanes):
                    leaf[lane] = weight if k == start else leaf[lane] + weight
            elif len(weights.batched.singles):
                _add_lanes(weights.batched.singles, first, stride, block.lanes, leaf, k == start)
            else:
                _add_lanes(weights.batched.doubles, first, stride, block.lanes, leaf, k == start)


@inlined
def _fill_nodes(circuit, block):
    value = block.value
    _fill(value[0], block.lanes, 0.0)
    _fill(value[1], block.lanes, 1.0)
    offsets, factor, primes, subs = circuit.node_offsets, block.factor, circuit.primes, circuit.subs
    for n in range(2, len(offsets) - 1):
        sum_products(value, n, factor, primes, value, subs, offsets[n], offsets[n + 1], block.lanes)


@inlined
def _may_underflow(factor, leaves, lane, choices):
    """Whether a product of one leaf a choice could leave float64's range; if not, a root of zero is exactly zero."""
    smallest = 1.0
    for i in range(leaves):
        if 0.0 < factor[i, lane] < smallest:
            smallest = factor[i, lane]
    return choices * math.log2(smallest) < MAY_UNDERFLOW


@compiled
def forward_blocks(packed, choices, batched, single, shared, rows, first_block, last_block, room, numbers):
    """Evaluate blocks ``first_block`` to ``last_block - 1`` of rows: the values of all roots.

    ``packed`` are a plan's arrays and ``choices`` its own; ``batched`` and ``shared`` are the addresses of the weights
    that it reads, the former perhaps in ``single`` precision. ``room`` [blocks or 1, leaves + nodes, lanes]
    receives what backward needs, if it has room for all blocks, and ``numbers`` [2, rows, roots + 1] the roots (see
    `Roots`).
    """
    circuit = PlanArrays(*_nine(packed))
    weights = Weights(_floats(batched, single), numbers_at(shared, _DOUBLES), rows)
    roots, mantissas, exponents = circuit.roots, numbers[0], numbers[1]
    leaves = len(circuit.leaf_offsets) - 1
    extended = room_for(0)
    for number in range(first_block, last_block):
        block = _block(circuit, rows, room, number)
        _fill_leaves(circuit, weights, block)
        _fill_nodes(circuit, block)
        for lane in range(block.lanes):
            row = block.first + lane
            small = zero = False
            for r in range(len(roots)):
                v = block.value[roots[r], lane]
                mantissas[row, r] = v
                if v < TINY and roots[r] != 0:
                    zero |= v == 0.0
                    small |= v != 0.0
            _fill(exponents[row], len(roots) + 1, 0.0)
            if small or (zero and _may_underflow(block.factor, leaves, lane, choices)):
                if not len(extended.m):
                    extended = room_for(room.shape[1])
                extended_values(circuit, weights, row, extended)
                for r in range(len(roots)):
                    mantissas[row, r] = extended.m[leaves + roots[r]]
                    exponents[row, r] = extended.e[leaves + roots[r]]
                exponents[row, len(roots)] = 1.0


# The readings' formulas, for numbers.

_in_line = partial(inlined, forceinline=True)  # a call costs as much as a formula


@_in_line
def _where(condition, x, y):
    return x if condition else y


@_in_line
def _log(x):
    return math.log(x)


@_in_line
def _scale(x, exponent):
    return x if exponent == 0.0 else math.ldexp(x, int(max(exponent, -2000.0)))


_NUMBERS = readings.Operations(_where, _log, _scale)
_ratio, _log_ratio = _in_line(readings.ratio), _in_line(readings.log_ratio)
_ratio_seeds, _log_ratio_seeds = _in_line(readings.ratio_seeds), _in_line(readings.log_ratio_seeds)


@_in_line
def _root(mantissas, exponents, given, r):
    """A root's mantissa, that of what it is given (1 if nothing), and the difference of their exponents."""
    if r >= len(given):
        return mantissas[r], 1.0, exponents[r]
    return mantissas[r], mantissas[given[r]], exponents[r] - exponents[given[r]]


@inlined
def _read_row(mantissas, exponents, given, as_logs, first, out):
    """Read as many of a row's roots as ``out`` has room for."""
    for j in range(len(out)):
        m, s, shift = _root(mantissas, exponents, given, first + j)
        out[j] = _log_ratio(_NUMBERS, m, s, shift) if as_logs else _ratio(_NUMBERS, m, s, shift)


@compiled
def read_roots(packed, numbers, as_logs, first, count, chosen, out, single):
    """Read roots, given theirs, into the numbers [rows * count] at the address ``out``, in ``single`` precision or not.

    ``packed`` and ``numbers`` are those of `forward_blocks`; see `Reading` for the others, where ``chosen`` is the
    address of a long a row, or 0. Returns the first row that asks for what is no query, where reading ends, or -1.
    """
    given = packed[packed[8] : packed[9]]
    asked, found = numbers_at(chosen, _LONGS), _floats(out, single)
    for row in range(numbers.shape[1]):
        if chosen:
            first = asked[row]
            if not 0 <= first < len(given):
                return row
        start, end = row * count, (row + 1) * count
        if single:
            _read_row(numbers[0, row], numbers[1, row], given, as_logs, first, found.singles[start:end])
        else:
            _read_row(numbers[0, row], numbers[1, row], given, as_logs, first, found.doubles[start:end])
    return -1


@inlined
def _seed(roots, reading, gradient, row, seeds, powers):
    """One row's derivatives of the loss by the roots, ``seeds * 2**powers`` [roots], from those by a reading."""
    given, mantissas, exponents = roots.given, roots.numbers[0, row], roots.numbers[1, row]
    _fill(seeds, len(seeds), 0.0)
    first = reading.chosen[row] if len(reading.chosen) else reading.first
    for j in range(reading.width):
        r, entry = first + j, row * reading.width + j
        g = float(gradient.singles[entry]) if len(gradient.singles) else gradient.doubles[entry]
        m, s, shift = _root(mantissas, exponents, given, r)
        if reading.as_logs:
            seeds[r], by_log_given = _log_ratio_seeds(_NUMBERS, g, m, s)
            powers[r] = -int(exponents[r])
        else:
            seeds[r], by_log_given = _ratio_seeds(_NUMBERS, g, m, s, shift)
            powers[r] = int(shift - exponents[r])
        if r < len(given):
            seeds[given[r]] += by_log_given
    if first < len(given):
        for e in range(len(given), len(seeds)):
            s = mantissas[e]
            seeds[e] = seeds[e] / s if s > 0.0 else 0.0
            powers[e] = -int(exponents[e])


@inlined
def _propagate(uses, block, adjoint, leaf_adjoint):
    """The derivatives by all nodes and leaves, from those by the roots behind them in ``adjoint``."""
    offsets, parents, cofactors = uses.node_offsets, uses.node_parents, uses.node_cofactors
    for n in range(len(offsets) - 2, 1, -1):
        sum_products(adjoint, n, adjoint, parents, block.factor, cofactors, offsets[n], offsets[n + 1], block.lanes)
    offsets, parents, subs = uses.leaf_offsets, uses.leaf_parents, uses.leaf_subs
    for i in range(len(offsets) - 1):
        sum_products(leaf_adjoint, i, adjoint, parents, block.value, subs, offsets[i], offsets[i + 1], block.lanes)


@inlined
def _write_lanes(numbers, first, stride, count, values):
    """Write values where `_add_lanes` reads a weight."""
    for lane in range(count):
        numbers[np.uint64(first + lane * stride)] = values[lane]


@inlined
def _hand_over(circuit, uses, block, rows, leaf_adjoint, by_weight, by_batched, by_shared):
    """Write the derivatives by weights: each the sum of those by the leaves that read it, lane by lane `by_weight`."""
    for i in range(len(uses.weights)):
        entry = uses.weights[i]
        stride, offset = circuit.strides[entry], circuit.offsets[entry]
        start, end = uses.weight_offsets[i], uses.weight_offsets[i + 1]
        for k in range(start, end):
            leaf = leaf_adjoint[uses.weight_leaves[k]]
            for lane in range(block.lanes):
                by_weight[lane] = leaf[lane] if k == start else by_weight[lane] + leaf[lane]
        first = circuit.bases[entry] * rows + block.first * stride + offset
        if stride == 0:
            if len(by_shared):
                for lane in range(block.lanes):
                    by_shared[offset] += by_weight[lane]
        elif len(by_batched.singles):
            _write_lanes(by_batched.singles, first, stride, block.lanes, by_weight)
        elif len(by_batched.doubles):
            _write_lanes(by_batched.doubles, first, stride, block.lanes, by_weight)


@compiled
def backward_blocks(
    packed, packed_uses, batched, single, shared, rows, first_block, last_block, room, have_values, numbers,
    as_logs, first, count, chosen, gradient, single_gradient, by_batched, by_shared,
):  # fmt: skip
    """From the loss's derivatives by a reading, numbers [rows * count] at ``gradient``, to those by the weights.

    Writes those by batched weights at the address ``by_batched``, in the format of ``batched``, for the weights that
    some leaf reads, unless it is 0; adds to ``by_shared`` [blocks, s], where s is 0 if nobody asks for it.
    ``packed_uses`` is the plan's inversion, and ``have_values`` says that `forward_blocks` filled ``room``; the other
    arguments are those of `forward_blocks` and `read_roots`.
    """
    circuit, uses = PlanArrays(*_nine(packed)), Inversion(*_nine(packed_uses))
    weights = Weights(_floats(batched, single), numbers_at(shared, _DOUBLES), rows)
    roots, reading = Roots(numbers, circuit.given), Reading(as_logs, first, count, numbers_at(chosen, _LONGS))
    gradients, derivatives = _floats(gradient, single_gradient), _floats(by_batched, single)
    leaves, nodes, n_roots = len(circuit.leaf_offsets) - 1, len(circuit.node_offsets) - 1, len(circuit.roots)
    adjoint = np.empty((nodes + n_roots, room.shape[2]))
    leaf_adjoint, by_weight = np.empty((leaves, room.shape[2])), np.empty(room.shape[2])
    seeds, powers = np.empty(n_roots), np.zeros(n_roots, np.int64)
    for number in range(first_block, last_block):
        block = _block(circuit, rows, room, number)
        if not have_values:
            _fill_leaves(circuit, weights, block)
            _fill_nodes(circuit, block)
        for lane in range(block.lanes):
            row = block.first + lane
            plain = numbers[1, row, n_roots] == 0.0
            if plain:
                _seed(roots, reading, gradients, row, seeds, powers)
            for r in range(n_roots):
                adjoint[nodes + r, lane] = seeds[r] if plain else 0.0
        _propagate(uses, block, adjoint, leaf_adjoint)
        for lane in range(block.lanes):
            row = block.first + lane
            if numbers[1, row, n_roots] != 0.0:
                values = room_for(room.shape[1])
                extended_values(circuit, weights, row, values)
                _seed(roots, reading, gradients, row, seeds, powers)
                extended_adjoints(circuit, values, seeds, powers, lane, leaf_adjoint)
        _hand_over(circuit, uses, block, rows, leaf_adjoint, by_weight, derivatives, by_shared[number])


@compiled
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
