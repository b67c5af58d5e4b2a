"""The choices below each node of a plan."""

from __future__ import annotations

from deepplp.circuit.circuit import IntArray
from deepplp.circuit.plan import Plan

__all__ = ["scopes_of"]


def scopes_of(plan: Plan, leaf_choices: IntArray) -> list[int]:
    """The scope of each factor, ``[leaves | nodes]``: bit c is set where choice c stands below it.

    ``leaf_choices`` [leaves] is the choice of each leaf. Nodes stand behind the nodes they use.
    """
    arrays = plan.arrays
    scopes = [1 << choice for choice in leaf_choices.tolist()] + [0] * plan.nodes
    starts = arrays.node_offsets.tolist()
    lefts, rights = arrays.primes.tolist(), (plan.leaves + arrays.subs).tolist()
    for node in range(plan.nodes):
        scope = 0
        for e in range(starts[node], starts[node + 1]):
            scope |= scopes[lefts[e]] | scopes[rights[e]]
        scopes[plan.leaves + node] = scope
    return scopes
