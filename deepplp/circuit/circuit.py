"""`Circuit`: what is evaluated, as flat index arrays without weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALSE_NODE", "TRUE_NODE", "Circuit"]

IntArray = NDArray[np.int64]

FALSE_NODE = 0
TRUE_NODE = 1


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Circuit:
    """A multi-rooted sum-product circuit over categorical choices, deterministic and decomposable.

    A weight *column* is one value of one choice: choice c owns columns ``column_offsets[c]:column_offsets[c + 1]``. A
    *leaf* is a set of values of one choice, and its value is the sum of their columns
    (``leaf_columns[leaf_offsets[i]:leaf_offsets[i + 1]]``). Node 0 is false (0), node 1 is true (1), and node n > 1 is

        value[n] = sum over its elements e of factor[primes[e]] * value[subs[e]],

    its elements being ``node_offsets[n]:node_offsets[n + 1]``. The first factor of an element is a leaf or a node.
    Both are numbered jointly as *factors*, ``[leaves | nodes]``: factor i is leaf i if ``i < leaves``, and node
    ``i - leaves`` otherwise. Nodes stand behind the nodes they use. ``roots`` are the nodes of the queries, each
    conjoined with the evidence, and ``evidence`` that of the evidence.

    Shapes: ``column_offsets`` [choices + 1], ``order`` [at most choices], ``leaf_offsets`` [leaves + 1],
    ``leaf_columns`` [entries of leaves], ``node_offsets`` [nodes + 1], ``primes`` and ``subs`` [elements], ``roots``
    [queries].

    The circuit is *decomposable*: the two factors of an element share no choice. It is *deterministic*: no two elements
    of a node hold in the same world. So the value of a root is the weighted model count, provided the weights of each
    choice sum to one (Darwiche, Marquis, "A Knowledge Compilation Map", JAIR 2002).

    Where nodes decide choices along one line, ``order`` holds the numbers of the formula's choices that they may
    decide, the first decided one first. Then every prime is a leaf, a node decides one choice (`node_choices`), and the
    subs of its elements decide choices later in the order, or are constants. Other circuits have an empty ``order``.

    The *scope* of a node is the set of choices below it (see `scopes_of`). An element need not have all choices of its
    node's scope: one whose value does not matter is skipped. A sum may pass over skipped choices, because their weights
    sum to one. A maximum may not: the best world takes the best value of every skipped choice as well. So a max-product
    walk multiplies an element with the largest weight of each choice that the element lacks in the scope of its node,
    and a root with those of all choices that its scope lacks.
    """

    column_offsets: IntArray
    order: IntArray
    leaf_offsets: IntArray
    leaf_columns: IntArray
    node_offsets: IntArray
    primes: IntArray
    subs: IntArray
    roots: IntArray
    evidence: int

    @property
    def nodes(self) -> int:
        """The number of nodes, the constants included."""
        return len(self.node_offsets) - 1

    @property
    def leaves(self) -> int:
        """The number of leaves."""
        return len(self.leaf_offsets) - 1

    @property
    def elements(self) -> int:
        """The number of elements (products) of all nodes."""
        return len(self.primes)

    @property
    def columns(self) -> int:
        """The number of weight columns."""
        return int(self.column_offsets[-1])

    @property
    def node_choices(self) -> IntArray:
        """The choice that each node decides, to which all columns of its leaves belong; -1 for constants: [nodes].

        For circuits with an ``order`` only.
        """
        first_leaves = self.primes[self.node_offsets[2:-1]]
        first_columns = self.leaf_columns[self.leaf_offsets[first_leaves]]
        choices = np.searchsorted(self.column_offsets, first_columns, side="right") - 1
        return np.concatenate([[-1, -1], choices]).astype(np.int64)
