"""One row of weights, evaluated with numpy alone: for programs that are asked once, where loading torch costs more.

Numbers have extended range as in the torch reference: a mantissa in [1/2, 1) times a power of two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepplp.circuit import TRUE_NODE, Circuit, IntArray, bind, layers_of
from deepplp.errors import InputError

__all__ = ["one_row_probabilities"]

FloatArray = NDArray[np.float64]

_NO_EXPONENT = -(1 << 40)  # below that of every product
_REACH = 2_000  # a number that is smaller by so many powers of two adds nothing


def one_row_probabilities(circuit: Circuit, weights: FloatArray) -> FloatArray | None:
    """P(query | evidence) of every query, [queries]; None where the evidence has probability 0.

    ``weights`` [columns] holds a weight for each value of each choice, in the circuit's order of columns.

    Raises:
        InputError: there are more or fewer weights than columns.
    """
    if weights.shape != (circuit.columns,):
        raise InputError(f"the weights have shape {list(weights.shape)}; this circuit needs [{circuit.columns}]")
    mantissas, exponents = _roots(circuit, weights)
    if mantissas[-1] <= 0.0:
        return None
    shifts = np.clip(exponents[:-1] - exponents[-1], -_REACH, _REACH)
    found: FloatArray = np.ldexp(mantissas[:-1] / mantissas[-1], shifts)
    return found


def _roots(circuit: Circuit, weights: FloatArray) -> tuple[FloatArray, IntArray]:
    """The mantissas and exponents [queries + 1] of the queries conjoined with the evidence, and of the evidence."""
    layers = layers_of(bind(circuit))
    plan, arrays = layers.plan, layers.plan.arrays
    leaf_of = np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))
    # Those of the leaves, and behind them those of the nodes.
    value, exponent = np.zeros(plan.leaves + plan.nodes), np.zeros(plan.leaves + plan.nodes, dtype=np.int64)
    leaf = np.bincount(leaf_of, weights=weights[arrays.offsets], minlength=plan.leaves)
    value[: plan.leaves], exponent[: plan.leaves] = np.frexp(leaf)
    value[plan.leaves + TRUE_NODE] = 1.0
    starts = arrays.node_offsets
    for first, last in zip(layers.bounds[1:-1].tolist(), layers.bounds[2:].tolist(), strict=True):
        elements = slice(int(starts[first]), int(starts[last]))
        primes, subs = arrays.primes[elements], plan.leaves + arrays.subs[elements]
        made = slice(plan.leaves + first, plan.leaves + last)
        of_node = starts[first:last] - starts[first]  # a node behind the constants has an element or more
        products = value[primes] * value[subs]
        powers = np.where(products == 0.0, _NO_EXPONENT, exponent[primes] + exponent[subs])
        top = np.maximum.reduceat(powers, of_node)
        down = np.maximum(powers - np.repeat(top, np.diff(starts[first : last + 1])), -_REACH)
        value[made], shift = np.frexp(np.add.reduceat(np.ldexp(products, down), of_node))
        exponent[made] = np.where(top == _NO_EXPONENT, 0, top + shift)
    roots = plan.leaves + arrays.roots
    return value[roots], exponent[roots]
