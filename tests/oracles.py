"""Slow and simple answers to hold the fast ones against: enumeration of all worlds, and ProbLog."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from problog import get_evaluatable
from problog.program import PrologString

from deepplp.grounding import And, Atom, Formula

Weights = Sequence[Sequence[float]]


def assignments(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All worlds: one value a choice."""
    assert math.prod(sizes) <= 2**16
    return itertools.product(*(range(k) for k in sizes))


def _strata(formula: Formula) -> list[int]:
    """The stratum of every node: above the nodes it negates, not below those it uses."""
    stratum = [0] * len(formula.nodes)
    for _ in range(len(formula.nodes) + 1):
        for index, node in enumerate(formula.nodes):
            if not isinstance(node, Atom):
                for child in node.children:
                    stratum[index] = max(stratum[index], stratum[abs(child) - 1] + (child < 0))
    assert max(stratum) <= len(formula.nodes), "the formula is not stratified"
    return stratum


def world_truth(formula: Formula, world: Sequence[int]) -> list[bool]:
    """The truth of every node in one world: the least fixpoint, stratum by stratum."""
    stratum = _strata(formula)
    truth = [isinstance(n, Atom) and world[n.choice] == n.value for n in formula.nodes]
    for level in range(max(stratum) + 1):
        changed = True
        while changed:
            changed = False
            for index, node in enumerate(formula.nodes):
                if isinstance(node, Atom) or stratum[index] != level or truth[index]:
                    continue
                held = [truth[c - 1] if c > 0 else not truth[-c - 1] for c in node.children]
                if all(held) if isinstance(node, And) else any(held):
                    truth[index] = changed = True
    return truth


def enumerate_formula(formula: Formula, weights: Weights) -> tuple[list[float], float]:
    """P(query and evidence) for every query, and P(evidence), by enumerating all worlds."""
    totals = [0.0] * len(formula.queries)
    evidence_total = 0.0
    for world in assignments([len(w) for w in weights]):
        p = math.prod(w[v] for w, v in zip(weights, world, strict=True))
        truth = world_truth(formula, world)

        def holds(literal: int, truth: list[bool] = truth) -> bool:
            return truth[literal - 1] if literal > 0 else not truth[-literal - 1]

        if not all(holds(g.literal) for g in formula.evidence):
            continue
        evidence_total += p
        for i, goal in enumerate(formula.queries):
            if holds(goal.literal):
                totals[i] += p
    return totals, evidence_total


@dataclass(frozen=True)
class Rule:
    """``p1::h1; …; pn::hn :- body``, or a plain rule where there are no probabilities.

    Literals are (atom, positive). ``network`` names the input of an nn/4 annotation; its heads are then its values.
    """

    heads: tuple[str, ...]
    body: tuple[tuple[str, bool], ...] = ()
    probabilities: tuple[float, ...] = ()
    network: str = ""

    def text(self) -> str:
        """The rule in ProbLog's syntax."""
        body = ", ".join(a if positive else f"\\+{a}" for a, positive in self.body)
        tail = f" :- {body}." if body else "."
        if self.network:
            name = self.heads[0].partition("(")[0]
            return f"nn(net, [{self.network}], Y, [0..{len(self.heads) - 1}]) :: {name}(Y){tail}"
        if self.probabilities:
            return "; ".join(f"{p!r}::{h}" for p, h in zip(self.probabilities, self.heads, strict=True)) + tail
        return self.heads[0] + tail


@dataclass(frozen=True)
class PlainProgram:
    """A propositional program as data, so that its worlds can be enumerated without any engine."""

    rules: tuple[Rule, ...]
    queries: tuple[str, ...]
    evidence: tuple[tuple[str, bool], ...]
    layers: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """The program in ProbLog's syntax; atoms without a rule get one that fails."""
        defined = {h for r in self.rules for h in r.heads}
        used = {a for layer in self.layers for a in layer}
        lines = [r.text() for r in self.rules]
        lines += [f"{a} :- fail." for a in sorted(used - defined)]
        lines += [f"query({q})." for q in self.queries]
        lines += [f"evidence({a}, {str(value).lower()})." for a, value in self.evidence]
        return "\n".join(lines)

    def _model(self, chosen: Sequence[int | None]) -> set[str]:
        """The atoms that hold once every annotated disjunction has chosen a head (or none)."""
        true: set[str] = set()
        layer_of = {a: i for i, layer in enumerate(self.layers) for a in layer}
        for level in range(len(self.layers)):
            changed = True
            while changed:
                changed = False
                for rule, choice in zip(self.rules, chosen, strict=True):
                    if choice is None:
                        continue
                    head = rule.heads[choice]
                    if head in true or layer_of[head] != level:
                        continue
                    if all((a in true) == positive for a, positive in rule.body):
                        true.add(head)
                        changed = True
        return true

    def enumerate(self) -> dict[str, float] | None:
        """P(query | evidence) of every query; None where the evidence is impossible."""
        options: list[list[tuple[int | None, float]]] = []
        for rule in self.rules:
            if not rule.probabilities:
                options.append([(0, 1.0)])
                continue
            rest = 1.0 - math.fsum(rule.probabilities)
            heads: list[tuple[int | None, float]] = [(i, p) for i, p in enumerate(rule.probabilities) if p > 0]
            options.append([*heads, (None, rest)] if rest > 1e-12 else heads)
        totals = dict.fromkeys(self.queries, 0.0)
        evidence_total = 0.0
        for world in itertools.product(*options):
            p = math.prod(q for _, q in world)
            true = self._model([c for c, _ in world])
            if any((a in true) != value for a, value in self.evidence):
                continue
            evidence_total += p
            for q in totals:
                totals[q] += p * (q in true)
        if evidence_total == 0.0:
            return None
        return {q: p / evidence_total for q, p in totals.items()}


def problog_probabilities(text: str) -> dict[str, float]:
    """What ProbLog itself answers."""
    result = get_evaluatable().create_from(PrologString(text)).evaluate()
    return {str(term): float(p) for term, p in result.items()}


def central_differences(function: object, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a scalar function of an array, by central differences."""
    assert callable(function)
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (function(above) - function(below)) / (2 * step)
    return gradient


def normalise(rows: Iterable[Sequence[float]]) -> list[list[float]]:
    """Rows scaled to sum to one; a row of zeros becomes certain of its first value."""
    result = []
    for row in rows:
        total = math.fsum(row)
        result.append([x / total for x in row] if total > 0 else [1.0] + [0.0] * (len(row) - 1))
    return result
