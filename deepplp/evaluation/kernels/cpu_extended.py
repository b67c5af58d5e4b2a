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
    """Numbers ``mantissas * 2**exponents`` for the leaves and for the nodes of a circuit, each [leaves] or [nodes]."""

    leaf_m: NDArray[np.float64]
    leaf_e: NDArray[np.int64]
    node_m: NDArray[np.float64]
    node_e: NDArray[np.int64]


@inlined
def room_for(leaves, nodes):
    """Zeros."""
    return Extended(np.zeros(leaves), np.zeros(leaves, np.int64), np.zeros(nodes), np.zeros(nodes, np.int64))


@inlined
def extended_values(circuit, weights, row, out):
    """The values of one row's leaves and nodes."""
    for i in range(len(circuit.leaf_offsets) - 1):
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
        out.leaf_m[i], out.leaf_e[i] = math.frexp(total)
    out.node_m[0], out.node_e[0] = 0.0, 0
    out.node_m[1], out.node_e[1] = 0.5, 1
    for n in range(2, len(circuit.node_offsets) - 1):
        first, last = circuit.node_offsets[n], circuit.node_offsets[n + 1]
        top = _NO_EXPONENT
        for k in range(first, last):
            p, s = circuit.primes[k], circuit.subs[k]
            if out.leaf_m[p] != 0.0 and out.node_m[s] != 0.0:
                top = max(top, out.leaf_e[p] + out.node_e[s])
        total = 0.0
        if top != _NO_EXPONENT:
            for k in range(first, last):
                p, s = circuit.primes[k], circuit.subs[k]
                if out.leaf_m[p] != 0.0 and out.node_m[s] != 0.0:
                    shift = out.leaf_e[p] + out.node_e[s] - top
                    if shift > -_LARGEST_SHIFT:
                        total += math.ldexp(out.leaf_m[p] * out.node_m[s], shift)
        if total == 0.0:
            out.node_m[n], out.node_e[n] = 0.0, 0
        else:
            m, e = math.frexp(total)
            out.node_m[n], out.node_e[n] = m, top + e


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
    adjoints = room_for(len(circuit.leaf_offsets) - 1, len(circuit.node_offsets) - 1)
    for r in range(len(circuit.roots)):
        _accumulate(adjoints.node_m, adjoints.node_e, circuit.roots[r], seeds[r], powers[r])
    for n in range(len(circuit.node_offsets) - 2, 1, -1):
        m, e = adjoints.node_m[n], adjoints.node_e[n]
        if m == 0.0:
            continue
        for k in range(circuit.node_offsets[n], circuit.node_offsets[n + 1]):
            p, s = circuit.primes[k], circuit.subs[k]
            _accumulate(adjoints.node_m, adjoints.node_e, s, m * values.leaf_m[p], e + values.leaf_e[p])
            _accumulate(adjoints.leaf_m, adjoints.leaf_e, p, m * values.node_m[s], e + values.node_e[s])
    for i in range(len(circuit.leaf_offsets) - 1):
        m, e = adjoints.leaf_m[i], adjoints.leaf_e[i]
        leaf_adjoint[i, lane] = 0.0 if m == 0.0 or e < -_LARGEST_SHIFT else math.ldexp(m, min(e, _LARGEST_EXPONENT))
