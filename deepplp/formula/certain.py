"""Choices of which the program says which value they take, by a probability of 1: constants in their place."""

from __future__ import annotations

from dataclasses import replace

from deepplp.formula.formula import FALSE, TRUE, Atom, Fixed, Formula, Goal

__all__ = ["without_certain"]


def without_certain(formula: Formula) -> Formula:
    """The same formula with constants in place of the atoms of choices that are no choices; its choices stay."""
    certain = {
        number: choice.origin.probabilities.index(1.0)
        for number, choice in enumerate(formula.choices)
        if isinstance(choice.origin, Fixed) and _is_certain(choice.origin.probabilities)
    }
    if not certain:
        return formula
    constant: dict[int, int] = {}
    for index, node in enumerate(formula.nodes):
        if isinstance(node, Atom) and node.choice in certain:
            holds = certain[node.choice] == node.value
            constant[index + 1], constant[-index - 1] = (TRUE, FALSE) if holds else (FALSE, TRUE)
    if not constant:
        return formula

    def changed(goal: Goal) -> Goal:
        return replace(goal, literal=constant.get(goal.literal, goal.literal))

    return replace(
        formula,
        nodes=tuple(
            n if isinstance(n, Atom) else type(n)(tuple(constant.get(c, c) for c in n.children)) for n in formula.nodes
        ),
        queries=tuple(map(changed, formula.queries)),
        evidence=tuple(map(changed, formula.evidence)),
    )


def _is_certain(probabilities: tuple[float, ...]) -> bool:
    return 1.0 in probabilities and probabilities.count(0.0) == len(probabilities) - 1
