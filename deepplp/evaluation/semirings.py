"""Semirings: what a circuit computes when sums and products mean something else.

A circuit is a polynomial of its weights. Over probabilities it sums up the worlds; with the maximum in place of the sum
it finds the most probable one, over whole numbers it counts them (Kimmig, Van den Broeck, De Raedt, "Algebraic model
counting", J. Applied Logic 2017). `walk` is the one slow way up a circuit, for all of them: the torch reference is its
case of numbers with extended range.

Elements are held in *tables*: tuples of arrays [rows, n], one entry of each array an element. Most semirings have one
array a table; numbers with extended range have two. Arrays are torch tensors, or numpy's where elements are Python
objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepplp.circuit import Circuit, IntArray, Layers, bind, layers_of
from deepplp.errors import QueryError

__all__ = [
    "COUNTING",
    "LOG",
    "MAX_PRODUCT",
    "PROBABILITY",
    "Level",
    "Places",
    "Semiring",
    "Table",
    "evaluate_semiring",
    "levels_of",
    "taken",
    "walk",
]

Array: TypeAlias = "Tensor | NDArray[np.object_]"
Table: TypeAlias = tuple[Array, ...]
Places: TypeAlias = "Tensor | IntArray"


@dataclass(frozen=True, slots=True)
class Semiring:
    """A commutative semiring over tables.

    ``times(a, b)`` multiplies two tables entry by entry. ``plus(table, group_of, groups)`` adds up entries: entry i
    belongs to group ``group_of[i]`` of so many ``groups``, and each group has one entry or more. ``zero`` and ``one``
    are the neutral elements, one number for each array of a table.

    ``normalised`` says that the weights of each choice add up to ``one``, as probabilities do: a choice that a way
    through the circuit skips then adds nothing. In the other semirings the walk multiplies with what its weights add up
    to.
    """

    plus: Callable[[Table, Places, int], Table]
    times: Callable[[Table, Table], Table]
    zero: tuple[object, ...]
    one: tuple[object, ...]
    normalised: bool = False


def _sums(table: Table, group_of: Places, groups: int) -> Table:
    (x,) = table
    assert isinstance(x, Tensor)
    return (x.new_zeros(len(x), groups).index_add(1, torch.as_tensor(group_of, device=x.device), x),)


def _products(a: Table, b: Table) -> Table:
    return (a[0] * b[0],)


def _largest(table: Table, group_of: Places, groups: int) -> Table:
    (x,) = table
    assert isinstance(x, Tensor)
    places = torch.as_tensor(group_of, device=x.device).expand(len(x), -1)
    return (x.new_full((len(x), groups), -torch.inf).scatter_reduce(1, places, x, "amax"),)


def _log_sums(table: Table, group_of: Places, groups: int) -> Table:
    (x,) = table
    assert isinstance(x, Tensor)
    places = torch.as_tensor(group_of, device=x.device)
    (top,) = _largest((x.detach(),), places, groups)
    assert isinstance(top, Tensor)
    top = top.masked_fill(torch.isneginf(top), 0.0)
    total = x.new_zeros(len(x), groups).index_add(1, places, torch.exp(x - top[:, places]))
    return (total.log() + top,)


def _log_products(a: Table, b: Table) -> Table:
    return (a[0] + b[0],)


def _counts(table: Table, group_of: Places, groups: int) -> Table:
    (x,) = table
    total = np.zeros((len(x), groups), dtype=object)
    for place, group in enumerate(np.asarray(group_of).tolist()):
        total[:, group] += x[:, place]
    return (total,)


PROBABILITY = Semiring(_sums, _products, (0.0,), (1.0,), normalised=True)
"""Sums of products of probabilities, tensors [rows, n], differentiable."""
LOG = Semiring(_log_sums, _log_products, (-torch.inf,), (0.0,), normalised=True)
"""The same of logarithms."""
MAX_PRODUCT = Semiring(_largest, _products, (0.0,), (1.0,))
"""The largest product: the probability of the most probable world."""
COUNTING = Semiring(_counts, _products, (0,), (1,))
"""Whole numbers of any size, in numpy arrays of Python integers."""


class Level(NamedTuple):
    """The elements of one level's nodes: leaves ``primes`` times nodes ``subs``, each for a node of the level."""

    primes: Places
    subs: Places
    node_of: Places
    nodes: int


def levels_of(layers: Layers) -> list[Level]:
    """The levels of a plan behind its constants, the lowest first."""
    arrays, bounds = layers.plan.arrays, layers.bounds
    starts, levels = arrays.node_offsets, []
    for first, last in zip(bounds[1:-1].tolist(), bounds[2:].tolist(), strict=True):
        mine = slice(int(starts[first]), int(starts[last]))
        node_of = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        levels.append(Level(arrays.primes[mine], arrays.subs[mine], node_of, last - first))
    return levels


def walk(levels: Sequence[Level], leaves: Table, semiring: Semiring, gaps: Sequence[Table] = ()) -> Table:
    """The values [rows, node] of a plan's nodes in the order of its layers, from those [rows, leaf] of its leaves.

    ``gaps`` gives for each level what its elements are multiplied with for the choices that they skip; none are given
    where the semiring is normalised.
    """
    values = _constants(leaves, semiring)
    for number, level in enumerate(levels):
        products = semiring.times(taken(leaves, level.primes), taken(values, level.subs))
        if gaps:
            products = semiring.times(products, gaps[number])
        values = _joined(values, semiring.plus(products, level.node_of, level.nodes))
    return values


def _constants(like: Table, semiring: Semiring) -> Table:
    """The elements zero and one for each row: [rows, 2]."""
    pairs = zip(like, semiring.zero, semiring.one, strict=True)
    return tuple(_repeated(array, [zero, one]) for array, zero, one in pairs)


def _repeated(like: Array, elements: Sequence[object]) -> Array:
    """Some elements for each row of an array of the same kind: [rows, elements]."""
    if isinstance(like, Tensor):
        return torch.tensor(elements, dtype=like.dtype, device=like.device).expand(len(like), -1)
    made = np.empty((len(like), len(elements)), dtype=object)
    made[:] = elements
    return made


def taken(table: Table, places: Places) -> Table:
    """The entries at some places: [rows, places]."""
    return tuple(
        a[:, torch.as_tensor(places, device=a.device)] if isinstance(a, Tensor) else a[:, places] for a in table
    )


def _joined(a: Table, b: Table) -> Table:
    def join(x: Array, y: Array) -> Array:
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            return torch.cat([x, y], dim=1)
        return np.concatenate([np.asarray(x), np.asarray(y)], axis=1)

    return tuple(join(x, y) for x, y in zip(a, b, strict=True))


class _Gaps:
    """What the choices add that ways through a circuit skip.

    ``totals`` are the sums of each choice's weights, in the circuit's order. A gap (first, last) is the product of
    those at the places from ``first`` to ``last - 1``. Each is computed once.
    """

    def __init__(self, totals: Table, semiring: Semiring) -> None:
        self._totals = totals
        self._semiring = semiring
        self._known: dict[tuple[int, int], Table] = {}

    def _product(self, first: int, last: int) -> Table:
        if last <= first:
            return tuple(_repeated(a, [one]) for a, one in zip(self._totals, self._semiring.one, strict=True))
        known = next((k for k in range(last, first, -1) if (first, k) in self._known), first)
        made = self._known[first, known] if known > first else self._product(first, first)
        for place in range(known, last):
            made = self._semiring.times(made, taken(self._totals, np.array([place])))
            self._known[first, place + 1] = made
        return made

    def of(self, firsts: IntArray, lasts: IntArray) -> Table:
        """Several gaps side by side: [rows, gaps]."""
        pairs = list(zip(firsts.tolist(), lasts.tolist(), strict=True))
        distinct = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        columns = [self._product(*pair) for pair in distinct]
        made = columns[0]
        for column in columns[1:]:
            made = _joined(made, column)
        return taken(made, np.array([distinct[pair] for pair in pairs]))


def evaluate_semiring(circuit: Circuit, weights: Array, semiring: Semiring) -> Table:
    """The value [rows, queries + 1] of every query conjoined with the evidence, and, last, of the evidence.

    ``weights`` [rows, columns] are elements, one for each value of each choice, in the circuit's order of columns. In
    `MAX_PRODUCT` and `COUNTING` every choice of the formula counts, also one that no query depends on.

    The compiler may treat a value to which the program itself gives probability 0 like another one. Give such a value
    the weight zero, and it counts for nothing.

    Raises:
        QueryError: there are more or fewer weights than columns.

    >>> from deepplp import Program, compile, ground
    >>> formula = ground(Program.from_string("0.3::a; 0.5::b; 0.2::c. 0.4::d. q :- a. q :- b, d."), "q")
    >>> circuit = compile(formula)
    >>> p = torch.tensor([[p for c in formula.choices for p in c.origin.probabilities]])
    >>> round(float(evaluate_semiring(circuit, p, PROBABILITY)[0][0, 0]), 4)  # 0.3 + 0.5 * 0.4
    0.5
    >>> round(float(evaluate_semiring(circuit, p, MAX_PRODUCT)[0][0, 0]), 4)  # b and d: 0.2; a and no d: 0.18
    0.2
    >>> evaluate_semiring(circuit, np.ones((1, circuit.columns), dtype=object), COUNTING)[0].tolist()
    [[3, 6]]
    """
    if weights.ndim != 2 or weights.shape[1] != circuit.columns:
        raise QueryError(f"the weights have shape {list(weights.shape)}; this circuit needs [rows, {circuit.columns}]")
    plan = bind(circuit)
    layers = layers_of(plan)
    arrays, levels = layers.plan.arrays, levels_of(layers)
    leaf_of = np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))
    leaves = semiring.plus(taken((weights,), arrays.offsets), leaf_of, plan.leaves)
    if semiring.normalised:
        return taken(walk(levels, leaves, semiring), arrays.roots)
    places, rank = _places(circuit, layers)
    of_columns = np.repeat(rank, np.diff(circuit.column_offsets))
    gaps = _Gaps(semiring.plus((weights,), of_columns, len(rank)), semiring)
    first_node = 2
    skipped = []
    for level in levels:
        parents = places[first_node + np.asarray(level.node_of)]
        skipped.append(gaps.of(parents + 1, places[np.asarray(level.subs)]))
        first_node += level.nodes
    values = walk(levels, leaves, semiring, skipped)
    over_roots = gaps.of(np.zeros(len(arrays.roots), dtype=np.int64), places[arrays.roots])
    return semiring.times(taken(values, arrays.roots), over_roots)


def _places(circuit: Circuit, layers: Layers) -> tuple[IntArray, IntArray]:
    """The place in the order of the choice that each node decides, in the layers' order, and that of each choice.

    Choices that no node decides stand in front of the others; the constants stand behind all choices.
    """
    count = len(circuit.column_offsets) - 1
    order = np.concatenate([np.setdiff1d(np.arange(count), circuit.order), circuit.order])
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    arrays = layers.plan.arrays
    first_leaves = arrays.primes[arrays.node_offsets[2:-1]]
    columns = circuit.leaf_columns[circuit.leaf_offsets[first_leaves]]
    decided = np.searchsorted(circuit.column_offsets, columns, side="right") - 1
    return np.concatenate([[count, count], rank[decided]]).astype(np.int64), rank
