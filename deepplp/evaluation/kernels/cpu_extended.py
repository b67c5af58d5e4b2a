# mypy: allow-untyped-defs
"""One row with extended range: every value and adjoint is a float64 mantissa times a power of two in an int64.

Products and sums keep 53 bits however small they are, zero stays zero, and no logarithm is taken.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepplp.evaluation.kernels.compiled import inlined

__all__ = ["Extended", "extended_adjoints", "extended_values", "room_for"]

_NO_EXPONENT = -(1 << 40)  # smaller than any exponent that occurs: the exponent of zero in a maximum
_LARGEST_SHIFT = 2000
_LARGEST_EXPONENT = 1023  # derivatives beyond float64's range become its largest numbers, not infinity


class Extended(NamedTuple):
    """Numbers ``m * 2**e`` for the leaves of a circuit and, behind them, for the nodes: [leaves + nodes]."""

    m: NDArray[np.float64]
    e: NDArray[np.int64]


@inlined
def room_for(count):
    """So many zeros."""
    return Extended(np.zeros(count), np.zeros(count, np.int64))


@inlined
def extended_values(circuit, weights, row, out):
    """The values of one row's leaves and nodes."""
    leaves, m, e = len(circuit.leaf_offsets) - 1, out.m, out.e
    for i in range(leaves):
        total = 0.0
        for k in range(circuit.leaf_offsets[i], circuit.leaf_offsets[i + 1]):
            stride = circuit.strides[k]
            place = circuit.bases[k] * weights.rows + row * stride + circuit.offsets[k]
            if stride == 0:
                total += weights.shared[circuit.offsets[k]]
            elif len(weights.batched.singles):
                total += float(weights.batched.singles[place])
            else:
                total += weights.batched.doubles[place]
        m[i], e[i] = math.frexp(total)
    m[leaves], e[leaves] = 0.0, 0
    m[leaves + 1], e[leaves + 1] = 0.5, 1
    for n in range(2, len(circuit.node_offsets) - 1):
        first, last = circuit.node_offsets[n], circuit.node_offsets[n + 1]
        top = _NO_EXPONENT
        for k in range(first, last):
            p, s = circuit.primes[k], leaves + circuit.subs[k]
            if m[p] != 0.0 and m[s] != 0.0:
                top = max(top, e[p] + e[s])
        total = 0.0
        if top != _NO_EXPONENT:
            for k in range(first, last):
                p, s = circuit.primes[k], leaves + circuit.subs[k]
                if m[p] != 0.0 and m[s] != 0.0:
                    shift = e[p] + e[s] - top
                    if shift > -_LARGEST_SHIFT:
                        total += math.ldexp(m[p] * m[s], shift)
        if total == 0.0:
            m[leaves + n], e[leaves + n] = 0.0, 0
        else:
            mantissa, exponent = math.frexp(total)
            m[leaves + n], e[leaves + n] = mantissa, top + exponent


@inlined
def _accumulate(mantissas, exponents, i, m, e):
    """Add m * 2**e to number i, signs and all."""
    if m == 0.0:
        return
    if mantissas[i] == 0.0:
        total, top = m, e
    else:
        top = max(exponents[i], e)
        total = 0.0
        if exponents[i] - top > -_LARGEST_SHIFT:
            total += math.ldexp(mantissas[i], exponents[i] - top)
        if e - top > -_LARGEST_SHIFT:
            total += math.ldexp(m, e - top)
    if total == 0.0:
        mantissas[i], exponents[i] = 0.0, 0
    else:
        m, e = math.frexp(total)
        mantissas[i], exponents[i] = m, top + e


@inlined
def extended_adjoints(circuit, values, seeds, powers, lane, leaf_adjoint):
    """Write the derivatives by one row's leaves, as float64 where they fit, to column ``lane`` of ``leaf_adjoint``.

    ``seeds * 2**powers`` [roots] are the derivatives by the roots.
    """
    leaves, nodes = len(circuit.leaf_offsets) - 1, len(circuit.node_offsets) - 1
    adjoints = room_for(leaves + nodes)
    for r in range(len(circuit.roots)):
        _accumulate(adjoints.m, adjoints.e, leaves + circuit.roots[r], seeds[r], powers[r])
    for n in range(nodes - 1, 1, -1):
        m, e = adjoints.m[leaves + n], adjoints.e[leaves + n]
        if m == 0.0:
            continue
        for k in range(circuit.node_offsets[n], circuit.node_offsets[n + 1]):
            p, s = circuit.primes[k], leaves + circuit.subs[k]
            _accumulate(adjoints.m, adjoints.e, s, m * values.m[p], e + values.e[p])
            _accumulate(adjoints.m, adjoints.e, p, m * values.m[s], e + values.e[s])
    for i in range(leaves):
        m, e = adjoints.m[i], adjoints.e[i]
        leaf_adjoint[i, lane] = 0.0 if m == 0.0 or e < -_LARGEST_SHIFT else math.ldexp(m, min(e, _LARGEST_EXPONENT))
