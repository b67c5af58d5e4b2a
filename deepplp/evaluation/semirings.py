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

from deepplp.circuit import Circuit, IntArray, Layers, bind, layers_of, scopes_of
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
    """The elements of one level's nodes: products of two factors, each for a node of the level.

    ``primes`` and ``subs`` are numbers of leaves and nodes, jointly: ``[leaves | nodes]``.
    """

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
        levels.append(Level(arrays.primes[mine], layers.plan.leaves + arrays.subs[mine], node_of, last - first))
    return levels


def walk(levels: Sequence[Level], leaves: Table, semiring: Semiring, gaps: Sequence[Table] = ()) -> Table:
    """The values of a plan's leaves and, behind them, of its nodes in the order of its layers, [rows, leaves + nodes].

    ``leaves`` are those of the leaves, [rows, leaves].
    ``gaps`` gives for each level what its elements are multiplied with for the choices that they skip; none are given
    where the semiring is normalised.
    """
    values = _joined(leaves, _constants(leaves, semiring))
    for number, level in enumerate(levels):
        products = semiring.times(taken(values, level.primes), taken(values, level.subs))
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


def _joined(*tables: Table) -> Table:
    """Tables side by side."""

    def join(*arrays: Array) -> Array:
        tensors = [a for a in arrays if isinstance(a, Tensor)]
        if len(tensors) == len(arrays):
            return torch.cat(tensors, dim=1)
        return np.concatenate([np.asarray(a) for a in arrays], axis=1)

    return tuple(join(*arrays) for arrays in zip(*tables, strict=True))


class _Gaps:
    """What the choices add that ways through a circuit skip.

    ``totals`` are the sums of each choice's weights, [rows, choices]. A gap is a set of choices, as bits: the product
    of their totals. Each is computed once, from gaps of half its range that others have as well.
    """

    def __init__(self, totals: Table, semiring: Semiring) -> None:
        nothing = tuple(_repeated(a, [one]) for a, one in zip(totals, semiring.one, strict=True))
        self._totals = totals
        self._times = semiring.times
        self._known: dict[int, Table] = {0: nothing}

    def _product(self, choices: int) -> Table:
        made = self._known.get(choices)
        if made is None:
            lowest, highest = (choices & -choices).bit_length() - 1, choices.bit_length() - 1
            if lowest == highest:
                made = taken(self._totals, np.array([lowest]))
            else:
                shift = (lowest ^ highest).bit_length() - 1
                upper = choices >> (highest >> shift << shift) << (highest >> shift << shift)
                made = self._times(self._product(choices ^ upper), self._product(upper))
            self._known[choices] = made
        return made

    def of(self, gaps: Sequence[int]) -> Table:
        """Several gaps side by side: [rows, gaps]."""
        distinct = {gap: number for number, gap in enumerate(dict.fromkeys(gaps))}
        columns = [self._product(gap) for gap in distinct]
        return taken(_joined(*columns), np.array([distinct[gap] for gap in gaps]))


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
        return taken(walk(levels, leaves, semiring), plan.leaves + arrays.roots)
    choices = len(circuit.column_offsets) - 1
    of_columns = np.repeat(np.arange(choices), np.diff(circuit.column_offsets))
    gaps = _Gaps(semiring.plus((weights,), of_columns, choices), semiring)
    scopes = scopes_of(layers.plan, of_columns[circuit.leaf_columns[circuit.leaf_offsets[:-1]]])
    skipped, first_node = [], plan.leaves + 2
    for level in levels:
        elements = zip(*(np.asarray(places).tolist() for places in level[:3]), strict=True)
        skipped.append(gaps.of([scopes[first_node + n] & ~(scopes[p] | scopes[s]) for p, s, n in elements]))
        first_node += level.nodes
    values = walk(levels, leaves, semiring, skipped)
    roots = plan.leaves + arrays.roots
    return semiring.times(taken(values, roots), gaps.of([~scopes[r] & (1 << choices) - 1 for r in roots.tolist()]))
