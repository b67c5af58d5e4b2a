"""Probabilities that the program states to be 0 or 1: left out of what is compiled, and not taken for logic.

A fact ``0::a`` holds in no world that counts, and ``1::a`` in all of them, so that a circuit need not read them. But
whether an answer can be proved does not depend on numbers: a target is impossible where it would be so with any others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepplp.circuit import FALSE_NODE, Circuit
from deepplp.compilation.compile_budget import CompileBudget
from deepplp.compilation.compiler import compile_formula
from deepplp.compilation.orders import DEFAULT_ORDER
from deepplp.errors import BudgetExceededError
from deepplp.formula import Choice, Fixed, Formula

__all__ = ["impossible_queries"]

_MOST_NODES = 50_000  # of the circuit that tells what is impossible


def impossible_queries(formula: Formula, circuit: Circuit, budget: CompileBudget | None) -> tuple[int, ...]:
    """The queries, by number, that hold together with the evidence in no world, whatever the probabilities are.

    ``circuit`` is the formula's. Where a probability of 0 or 1 is stated, a second one is made in which it is open; if
    that takes too much, its queries are taken for possible.
    """
    false: list[int] = np.flatnonzero(circuit.roots == FALSE_NODE).tolist()
    stated = [isinstance(c.origin, Fixed) and 0.0 in c.origin.probabilities for c in formula.choices]
    if not false or not any(stated):
        return tuple(false)
    opened = replace(
        formula,
        choices=tuple(_open(c) if s else c for c, s in zip(formula.choices, stated, strict=True)),
        queries=tuple(formula.queries[number] for number in false),
        derivations=None,
    )
    seconds = None if budget is None else budget.seconds
    try:
        found = compile_formula(opened, DEFAULT_ORDER, budget=CompileBudget(seconds=seconds, nodes=_MOST_NODES))
    except BudgetExceededError:
        return ()
    return tuple(number for number, root in zip(false, found.roots, strict=True) if root == FALSE_NODE)


def _open(choice: Choice) -> Choice:
    """A choice all of whose values are possible."""
    count = len(choice.values)
    return replace(choice, origin=Fixed((1 / count,) * count))
