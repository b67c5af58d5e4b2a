"""`Formula` → `Circuit` by elimination of variables: the circuit's size follows the treewidth, not an order's width.

Gates and choices are variables, and relations say which of their values go together. The variables are summed out one
after another; a relation's weights are nodes of the circuit, so that what is computed is not numbers but how to compute
them (Chavira, Darwiche, "Compiling Bayesian networks using variable elimination", IJCAI 2007). All queries are answered
by the derivatives of the one root that is left.
"""

from __future__ import annotations

import numpy as np

from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, IntArray, starts_of
from deepplp.compilation.compile_budget import Meter
from deepplp.compilation.elimination.derivatives import derivatives
from deepplp.compilation.elimination.network import Network, network_of
from deepplp.compilation.elimination.order import elimination_order
from deepplp.compilation.elimination.products import Products
from deepplp.compilation.elimination.propagation import ContradictionError, TooWideError, simplified
from deepplp.compilation.elimination.relations import Relation, joined, joined_without, reduced
from deepplp.formula import Formula

__all__ = ["Elimination", "TooWideError"]


class Elimination:
    """One attempt to compile a formula without cycles. ``choices`` are those of the relation in work, for messages."""

    def __init__(self, formula: Formula, meter: Meter) -> None:
        self.choices: tuple[int, ...] = ()
        self._formula = formula
        self._meter = meter
        self._products = Products(meter)

    @property
    def nodes(self) -> int:
        """The number of nodes made so far."""
        return self._products.count

    def circuit(self) -> Circuit:
        """The circuit.

        Raises:
            OutOfBudgetError: the meter's limits do not suffice.
            TooWideError: a gate reads too much to be a relation, or there are cycles.
        """
        try:
            return self._compiled()
        except ContradictionError:
            return exported(self._formula, self._products, [FALSE_NODE] * len(self._formula.queries), FALSE_NODE)

    def _compiled(self) -> Circuit:
        products = self._products
        network = network_of(self._formula, simplified(self._formula), products)
        network.relations[:] = reduced(network.relations, network.sizes)
        if any(not relation.rows for relation in network.relations):
            raise ContradictionError
        markers = self._mark(network)
        certain, free = self._eliminate(network)
        evidence = TRUE_NODE
        for node in certain:
            evidence = int(products.product(np.array([evidence]), np.array([node]))[0])
        seeds = dict.fromkeys(free, evidence)
        if evidence != TRUE_NODE:
            seeds[evidence] = TRUE_NODE
        every = np.concatenate([np.empty(0, np.int64), *map(np.unique, markers.values())])
        found = derivatives(products, {n: by for n, by in seeds.items() if n > TRUE_NODE}, every)
        roots: list[int] = []
        for query in network.queries:
            if isinstance(query, bool):
                roots.append(evidence if query else FALSE_NODE)
                continue
            variable, truth = query
            mine = [found[m] for m in np.unique(markers[variable][truth]).tolist() if m in found]
            if len(mine) > 1:
                ones = np.full(len(mine), TRUE_NODE, dtype=np.int64)
                mine = products.sums(np.zeros(len(mine), np.int64), 1, np.array(mine), ones).tolist()
            roots.append(mine[0] if mine else FALSE_NODE)
        return exported(self._formula, products, roots, evidence)

    def _mark(self, network: Network) -> dict[int, IntArray]:
        """For each variable that a query reads, a marker a class of values that the queries tell apart: [values]."""
        signatures: dict[int, list[np.ndarray[tuple[int], np.dtype[np.bool_]]]] = {}
        for query in network.queries:
            if not isinstance(query, bool):
                signatures.setdefault(query[0], []).append(query[1])
        found: dict[int, IntArray] = {}
        for variable, truths in signatures.items():
            _, which = np.unique(np.stack(truths, axis=1), axis=0, return_inverse=True)
            which = which.reshape(-1)
            found[variable] = self._products.markers(int(which.max()) + 1)[which]
            values = np.arange(network.sizes[variable], dtype=np.int32)[:, None]
            network.relations.append(Relation((variable,), values, found[variable]))
            network.conditioned.append(False)
        return found

    def _eliminate(self, network: Network) -> tuple[list[int], list[int]]:
        """Sum out all variables: the nodes that are left, those that the evidence weighs, and those that it does not.

        The latter are 1, as the weights of each choice add up to one.
        """
        sizes, alive = network.sizes, dict(enumerate(network.relations))
        conditioned = dict(enumerate(network.conditioned))
        users: dict[int, set[int]] = {}
        for number, relation in alive.items():
            for variable in relation.scope:
                users.setdefault(variable, set()).add(number)
        following = len(alive)
        order, cost = elimination_order([r.scope for r in alive.values()], sizes, self._meter)
        self._meter.expect(cost)
        for variable in order:
            mine = sorted(users.pop(variable), key=lambda n: (alive[n].rows, n))
            self.choices = tuple(
                dict.fromkeys(c for n in mine for v in alive[n].scope for c in network.choices.get(v, ()))
            )
            made = alive[mine[0]]
            for number in mine[1:-1]:
                made = joined(made, alive[number], sizes, self._products)
            last = alive[mine[-1]] if len(mine) > 1 else None
            made = joined_without(made, last, variable, sizes, self._products)
            if not made.rows:
                raise ContradictionError
            for number in mine:
                for other in alive[number].scope:
                    if other != variable:
                        users[other].discard(number)
                del alive[number]
            alive[following] = made
            conditioned[following] = any(conditioned[n] for n in mine)
            for other in made.scope:
                users[other].add(following)
            following += 1
        certain: list[int] = []
        free: list[int] = []
        for number, relation in alive.items():
            (certain if conditioned[number] else free).append(int(relation.nodes[0]))
        return certain, free


def exported(formula: Formula, products: Products, roots: list[int], evidence: int) -> Circuit:
    """The circuit of the nodes that the roots and the evidence use."""
    count = products.count
    used = np.zeros(count, dtype=np.bool_)
    used[[n for n in [*roots, evidence] if n >= 0]] = True
    sizes = np.zeros(count, dtype=np.int64)
    for made in reversed(products.rounds):
        last = made.first + len(made.offsets) - 1
        mine = np.repeat(used[made.first : last], np.diff(made.offsets))
        for side in (made.left[mine], made.right[mine]):
            used[side[side >= 0]] = True
        sizes[made.first : last] = np.diff(made.offsets)
    left = np.concatenate([np.empty(0, np.int64), *(r.left for r in products.rounds)])
    right = np.concatenate([np.empty(0, np.int64), *(r.right for r in products.rounds)])
    used &= sizes > 0  # constants and markers have no elements
    kept = np.repeat(used, sizes)
    left, right = left[kept], right[kept]
    # A marker is true. A leaf that stands where a node must gets a node of its own.
    left, right = _without_markers(left, sizes), _without_markers(right, sizes)
    swapped = (right < 0) & (left >= 0)
    left, right = np.where(swapped, right, left), np.where(swapped, left, right)
    goals = np.array([*roots, evidence], dtype=np.int64)
    goals = _without_markers(goals, sizes)
    wrapped = np.unique(np.concatenate([right[right < 0], goals[goals < 0]]))
    leaves, used_leaves = len(products.leaves), np.unique(-np.concatenate([left[left < 0], wrapped]) - 1)
    place_of_leaf = np.full(leaves + 1, -1, dtype=np.int64)
    place_of_leaf[used_leaves] = np.arange(len(used_leaves))
    number = np.full(count, -1, dtype=np.int64)
    number[:2] = 0, 1
    number[np.flatnonzero(used)] = 2 + len(wrapped) + np.arange(int(used.sum()))
    number_of_wrapped = np.full(leaves + 1, -1, dtype=np.int64)
    number_of_wrapped[-wrapped - 1] = 2 + np.arange(len(wrapped))

    def nodes(references: IntArray) -> IntArray:
        return np.where(
            references < 0, number_of_wrapped[-np.minimum(references, -1) - 1], number[np.maximum(references, 0)]
        )

    primes = np.where(
        left < 0, place_of_leaf[-np.minimum(left, -1) - 1], len(used_leaves) + number[np.maximum(left, 0)]
    )
    columns = [products.leaves[i] for i in used_leaves.tolist()]
    offsets = starts_of([len(c.values) for c in formula.choices])
    return Circuit(
        column_offsets=offsets,
        order=np.empty(0, dtype=np.int64),
        leaf_offsets=starts_of([len(c) for c in columns]),
        leaf_columns=np.array([c for row in columns for c in row], dtype=np.int64),
        node_offsets=starts_of(np.concatenate([[0, 0], np.ones(len(wrapped), np.int64), sizes[used]])),
        primes=np.concatenate([place_of_leaf[-wrapped - 1], primes]),
        subs=np.concatenate([np.full(len(wrapped), TRUE_NODE), nodes(right)]),
        roots=nodes(goals[:-1]),
        evidence=int(nodes(goals[-1:])[0]),
    )


def _without_markers(references: IntArray, sizes: IntArray) -> IntArray:
    """References with the constant true in place of markers, which are the nodes without elements but for false."""
    nodes = np.maximum(references, 0)
    return np.where((references > TRUE_NODE) & (sizes[nodes] == 0), TRUE_NODE, references)
