"""Slow and simple answers to hold the fast ones against: enumeration of all worlds, one sum of products, and ProbLog.

Two oracles enumerate: `enumerate_formula` the worlds of a ground formula, and `PlainProgram.enumerate` those of a
program that was written as data, so that no engine is needed to know its choices. A `FirstOrderProgram` is ground into
a plain one by substituting constants for variables. `network_marginals` sums the product of a Bayesian network's
tables. `problog_probabilities` asks ProbLog.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from problog import get_evaluatable
from problog.program import PrologString

from deepplp.formula import And, Atom, Formula
from experiments.benchmarks.networks import BayesianNetwork

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


def network_marginals(network: BayesianNetwork, observed: Mapping[str, str]) -> dict[str, np.ndarray]:
    """P(variable | observed) for every variable: the product of all tables, summed over all other variables."""
    label = {v: i for i, v in enumerate(network.values)}
    operands: list[object] = []
    for v, table in network.tables.items():
        operands += [table, [label[u] for u in (*network.parents[v], v)]]
    for v, value in observed.items():
        operands += [np.array([float(x == value) for x in network.values[v]]), [label[v]]]
    joint = {v: np.einsum(*operands, [label[v]], optimize="greedy") for v in label}  # type: ignore[call-overload]
    return {v: p / p.sum() for v, p in joint.items()}


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

    def _options(self) -> list[list[tuple[int | None, float]]]:
        """What each rule may choose, with its probability: a head, or None for none of them."""
        options: list[list[tuple[int | None, float]]] = []
        for rule in self.rules:
            if not rule.probabilities:
                options.append([(0, 1.0)])
                continue
            rest = 1.0 - math.fsum(rule.probabilities)
            heads: list[tuple[int | None, float]] = [(i, p) for i, p in enumerate(rule.probabilities) if p > 0]
            options.append([*heads, (None, rest)] if rest > 1e-12 else heads)
        return options

    @property
    def worlds(self) -> int:
        """The number of worlds."""
        return math.prod(map(len, self._options()))

    def enumerate(self) -> dict[str, float] | None:
        """P(query | evidence) of every query; None where the evidence is impossible."""
        assert self.worlds <= 2**16
        totals = dict.fromkeys(self.queries, 0.0)
        evidence_total = 0.0
        for world in itertools.product(*self._options()):
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


@dataclass(frozen=True)
class Literal:
    """``name(arguments)`` or its negation; arguments with a capital letter are variables."""

    name: str
    arguments: tuple[str, ...] = ()
    positive: bool = True

    @property
    def variables(self) -> set[str]:
        """The variables among the arguments."""
        return {a for a in self.arguments if a[0].isupper()}

    def text(self, binding: Mapping[str, str] | None = None) -> str:
        """The atom, without its sign."""
        bound = [(binding or {}).get(a, a) for a in self.arguments]
        return f"{self.name}({','.join(bound)})" if bound else self.name


@dataclass(frozen=True)
class Clause:
    """``p1::h1; …; pn::hn :- body`` with variables.

    Where ``network`` names one, its input is the clause's first head argument, and ``outputs`` are the distributions
    that it returns, by constant: over the values 0 … k - 1 of the head's last argument (nn/4), or the head's
    probability alone (nn/2).
    """

    heads: tuple[Literal, ...]
    body: tuple[Literal, ...] = ()
    probabilities: tuple[float, ...] = ()
    network: str = ""
    outputs: tuple[tuple[str, tuple[float, ...]], ...] = ()

    @property
    def is_binary(self) -> bool:
        """Whether the network decides yes or no (nn/2)."""
        return bool(self.network) and len(self.outputs[0][1]) == 1

    def text(self) -> str:
        """The clause in ProbLog's syntax."""
        signs = ("\\+" if not b.positive else "" for b in self.body)
        body = ", ".join(sign + b.text() for sign, b in zip(signs, self.body, strict=True))
        tail = f" :- {body}." if body else "."
        head = self.heads[0]
        if self.is_binary:
            return f"nn({self.network}, [{head.arguments[0]}]) :: {head.text()}{tail}"
        if self.network:
            domain = f"{head.arguments[-1]}, [0..{len(self.outputs[0][1]) - 1}]"
            return f"nn({self.network}, [{head.arguments[0]}], {domain}) :: {head.text()}{tail}"
        if self.probabilities:
            pairs = zip(self.probabilities, self.heads, strict=True)
            return "; ".join(f"{p!r}::{h.text()}" for p, h in pairs) + tail
        return head.text() + tail

    def groundings(self, constants: Sequence[str]) -> Iterator[Rule]:
        """The clause with every substitution of constants for its variables: each is a choice of its own."""
        head = self.heads[0]
        output = head.arguments[-1] if self.network and not self.is_binary else ""
        found = set().union(*(literal.variables for literal in (*self.heads, *self.body))) - {output}
        names = sorted(found)
        for values in itertools.product(constants, repeat=len(names)):
            binding = dict(zip(names, values, strict=True))
            body = tuple((b.text(binding), b.positive) for b in self.body)
            heads = tuple(h.text(binding) for h in self.heads)
            probabilities = self.probabilities
            if self.network:
                probabilities = dict(self.outputs)[binding.get(head.arguments[0], head.arguments[0])]
            if output:
                heads = tuple(head.text({**binding, output: str(i)}) for i in range(len(probabilities)))
            yield Rule(heads, body, probabilities)


@dataclass(frozen=True)
class FirstOrderProgram:
    """A function-free program as data. ``strata`` are the predicates' names; queries may hold variables."""

    clauses: tuple[Clause, ...]
    constants: tuple[str, ...]
    queries: tuple[Literal, ...]
    evidence: tuple[tuple[Literal, bool], ...]
    strata: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """The program in ProbLog's syntax; predicates without a clause get one that fails."""
        defined = {h.name for c in self.clauses for h in c.heads}
        used: dict[str, Literal] = {}
        for literal in (
            *(b for c in self.clauses for b in c.body),
            *self.queries,
            *(e for e, _ in self.evidence),
        ):
            used.setdefault(literal.name, literal)
        lines = [c.text() for c in self.clauses]
        for name, literal in used.items():
            if name not in defined:
                lines.append(f"{Literal(name, ('_',) * len(literal.arguments)).text()} :- fail.")
        lines += [f"query({q.text()})." for q in self.queries]
        lines += [f"evidence({e.text()}, {str(value).lower()})." for e, value in self.evidence]
        return "\n".join(lines)

    def grounded(self) -> PlainProgram:
        """All groundings of all clauses, but for those whose body holds in no world; certain ones once."""
        rules = [r for c in self.clauses for r in c.groundings(self.constants)]
        possible: set[str] = set()
        while True:
            reached = {
                head
                for rule in rules
                if all(atom in possible for atom, positive in rule.body if positive)
                for head, p in zip(rule.heads, rule.probabilities or (1.0,) * len(rule.heads), strict=True)
                if p > 0
            }
            if reached <= possible:
                break
            possible |= reached
        rules = [r for r in rules if all(a in possible for a, positive in r.body if positive)]
        level = {name: i for i, names in enumerate(self.strata) for name in names}
        layers: list[set[str]] = [set() for _ in self.strata]
        queries = {
            q.text(dict(zip(sorted(q.variables), values, strict=True)))
            for q in self.queries
            for values in itertools.product(self.constants, repeat=len(q.variables))
        }
        atoms = {a for r in rules for a in (*r.heads, *(b for b, _ in r.body))}
        for atom in atoms | queries | {e.text() for e, _ in self.evidence}:
            layers[level[atom.partition("(")[0]]].add(atom)
        return PlainProgram(
            tuple(rules),
            tuple(sorted(queries)),
            tuple((e.text(), value) for e, value in self.evidence),
            tuple(tuple(sorted(layer)) for layer in layers),
        )

    def inputs(self) -> dict[str, tuple[float, ...]]:
        """The networks' outputs by constant, those of all neural clauses one after another."""
        neural = [c for c in self.clauses if c.network]
        return {
            constant: tuple(p for c in neural for p in dict(c.outputs)[constant])
            for constant in self.constants
            if neural
        }


def problog_probabilities(text: str) -> dict[str, float]:
    """What ProbLog itself answers."""
    result = get_evaluatable().create_from(PrologString(text)).evaluate()
    return {str(term): float(p) for term, p in result.items()}


def central_differences(function: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The gradient of a scalar function of an array, by central differences."""
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
