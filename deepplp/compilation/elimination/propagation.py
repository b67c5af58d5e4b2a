"""Evidence first: what it settles is settled before anything is built, and the rest of the formula becomes simpler.

A true conjunction makes its children true, a false disjunction makes them false, and a true disjunction all of whose
children but one are false makes that one true (unit propagation, as in Davis, Logemann, Loveland, "A machine program
for theorem-proving", CACM 1962). What then remains of the evidence are *clauses*: disjunctions of open literals that
hold. A false disjunction over a whole tree, for example, falls apart into one clause a branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deepplp.formula import And, Atom, Fixed, Formula, Or, components_of

__all__ = ["ContradictionError", "Gate", "Literal", "Open", "Simplified", "TooWideError", "simplified"]

Literal = int
"""``n + 1`` for gate n of a `Simplified` formula, ``-(n + 1)`` for its negation."""


class ContradictionError(Exception):
    """The evidence holds in no world."""


class TooWideError(Exception):
    """A gate reads too much to be a relation, or there are cycles; the message says which."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A conjunction or a disjunction of literals: two or more, but for the links of a chain."""

    is_or: bool
    children: tuple[Literal, ...]


Open = Gate | Atom
"""What is still open: a gate, or whether a choice takes a value."""


@dataclass(slots=True)
class Simplified:
    """A formula of which the evidence has settled what it can.

    ``gates`` use only earlier ones, and equal ones are one. ``queries`` are the literals of the formula's queries, or
    True or False where they are settled. ``clauses`` are literals that hold by the evidence.
    ``domains`` are the values that each choice may still take; ``restricted`` are the choices of which the evidence
    rules some out.
    """

    gates: list[Open] = field(default_factory=list)
    queries: list[Literal | bool] = field(default_factory=list)
    clauses: list[Literal] = field(default_factory=list)
    domains: dict[int, frozenset[int]] = field(default_factory=dict)
    restricted: set[int] = field(default_factory=set)


def simplified(formula: Formula) -> Simplified:
    """Settle what the evidence settles.

    Raises:
        TooWideError: there are cycles.
        ContradictionError: the evidence is found to hold in no world; it may do so where that is not found, too.
    """
    components = components_of(formula)
    if any(component.cyclic for component in components):
        raise TooWideError("there are cycles")
    order = [index for component in components for index in component.nodes]
    settled = _Settled(formula, order)
    settled.rule_out_impossible()
    possible = {choice: frozenset(values) for choice, values in settled.domains.items()}
    settled.settle(goal.literal for goal in formula.evidence)
    return _Rebuilt(formula, order, settled, possible).result


class _Settled:
    """What is known of each node: 1 true, -1 false, 0 open; and the values that are left to each choice."""

    def __init__(self, formula: Formula, order: Sequence[int]) -> None:
        nodes = self._nodes = formula.nodes
        self._choices = formula.choices
        self.known = [0] * len(nodes)
        self.domains: dict[int, set[int]] = {}
        self._atoms: dict[int, dict[int, list[int]]] = {}
        self._users: list[list[tuple[int, int]]] = [[] for _ in nodes]  # and the sign with which they use it
        self._left = [0] * len(nodes)  # children that are open
        self._deciding = [0] * len(nodes)  # children that decide the node alone: false ones of a conjunction
        for index in order:
            node = nodes[index]
            if isinstance(node, Atom):
                self._atoms.setdefault(node.choice, {}).setdefault(node.value, []).append(index)
                self.domains.setdefault(node.choice, set(range(len(self._choices[node.choice].values))))
            else:
                self._left[index] = len(node.children)
                for child in node.children:
                    self._users[abs(child) - 1].append((index, 1 if child > 0 else -1))
        self._queue: list[int] = []
        for index in order:
            if not isinstance(nodes[index], Atom) and not self._left[index]:
                self._set(index + 1 if isinstance(nodes[index], And) else -index - 1)
        self._run()

    def rule_out_impossible(self) -> None:
        """Values that the program gives probability 0 are none."""
        for choice, domain in self.domains.items():
            origin = self._choices[choice].origin
            if isinstance(origin, Fixed):
                for value in [v for v in sorted(domain) if origin.probabilities[v] == 0.0]:
                    self._remove(choice, value)
        self._run()

    def settle(self, literals: Iterable[int]) -> None:
        """Literals hold."""
        for literal in literals:
            self._set(literal)
        self._run()

    def value(self, literal: int) -> int:
        """What is known of a literal."""
        known = self.known[abs(literal) - 1]
        return known if literal > 0 else -known

    def is_explained(self, index: int) -> bool:
        """Whether what is known of a settled node's children says as much as what is known of the node."""
        return self._deciding[index] > 0 or self._left[index] == 0

    def _set(self, literal: int) -> None:
        index, truth = abs(literal) - 1, 1 if literal > 0 else -1
        if self.known[index] == -truth:
            raise ContradictionError
        if not self.known[index]:
            self.known[index] = truth
            self._queue.append(index)

    def _remove(self, choice: int, value: int) -> None:
        domain = self.domains[choice]
        if value in domain:
            domain.discard(value)
            if not domain:
                raise ContradictionError
            for atom in self._atoms[choice].get(value, ()):
                self._set(-atom - 1)
            if len(domain) == 1:
                for atom in self._atoms[choice].get(min(domain), ()):
                    self._set(atom + 1)

    def _run(self) -> None:
        while self._queue:
            index = self._queue.pop()
            node, truth = self._nodes[index], self.known[index]
            if isinstance(node, Atom):
                gone = self.domains[node.choice] - {node.value} if truth > 0 else {node.value}
                for value in sorted(gone):
                    self._remove(node.choice, value)
            else:
                if truth == (-1 if isinstance(node, Or) else 1):  # then all children are alike
                    for child in node.children:
                        self._set(truth * child)
                self._look(index)
            for user, sign in self._users[index]:
                self._left[user] -= 1
                if (sign * truth > 0) == isinstance(self._nodes[user], Or):
                    self._deciding[user] += 1
                self._look(user)

    def _look(self, index: int) -> None:
        """What follows for a node from its children, and for them from it."""
        node = self._nodes[index]
        assert not isinstance(node, Atom)
        sign = 1 if isinstance(node, Or) else -1  # the truth of a child that decides the node alone
        if self._deciding[index]:
            self._set(sign * (index + 1))
        elif not self._left[index]:
            self._set(-sign * (index + 1))
        if self.known[index] == sign and not self._deciding[index] and self._left[index] == 1:
            # There is none where what is known of the last one waits in the queue.
            for last in [child for child in node.children if not self.value(child)]:
                self._set(sign * last)


class _Rebuilt:
    """The open part of a formula, made anew."""

    def __init__(
        self, formula: Formula, order: Sequence[int], settled: _Settled, possible: dict[int, frozenset[int]]
    ) -> None:
        self._formula = formula
        self._settled = settled
        self._number: dict[Open, int] = {}
        self._literal: dict[int, Literal] = {}
        self.result = Simplified()
        for index in order:
            self._add(index)
        for goal in formula.queries:
            truth = settled.value(goal.literal)
            self.result.queries.append(truth > 0 if truth else self._of(goal.literal))
        self._leave_out_unused()
        for choice, domain in settled.domains.items():
            self.result.domains[choice] = frozenset(domain)
            if domain != possible[choice]:
                self.result.restricted.add(choice)

    def _of(self, literal: int) -> Literal:
        found = self._literal[abs(literal) - 1]
        return found if literal > 0 else -found

    def _gate(self, gate: Open) -> Literal:
        number = self._number.get(gate)
        if number is None:
            number = self._number[gate] = len(self.result.gates)
            self.result.gates.append(gate)
        return number + 1

    def _add(self, index: int) -> None:
        node, truth = self._formula.nodes[index], self._settled.known[index]
        if isinstance(node, Atom):
            if not truth:
                self._literal[index] = self._gate(node)
            return
        is_or = isinstance(node, Or)
        if truth:
            if not self._settled.is_explained(index):
                # A true disjunction, or a false conjunction: one of its children differs from the others' default.
                open_ones = [c for c in node.children if not self._settled.value(c)]
                literals = sorted({self._of(c) if is_or else -self._of(c) for c in open_ones})
                if not any(-literal in literals for literal in literals):
                    self.result.clauses.append(self._joined(True, literals))
            return
        literals = sorted({self._of(c) for c in node.children if not self._settled.value(c)})
        self._literal[index] = self._joined(is_or, literals)

    def _joined(self, is_or: bool, literals: Sequence[Literal]) -> Literal:
        return literals[0] if len(literals) == 1 else self._gate(Gate(is_or, tuple(literals)))

    def _leave_out_unused(self) -> None:
        """Keep the gates that the queries and the clauses read."""
        result = self.result
        goals = [q for q in result.queries if not isinstance(q, bool)] + result.clauses
        used = [False] * len(result.gates)
        for literal in goals:
            used[abs(literal) - 1] = True
        for number in range(len(used) - 1, -1, -1):
            gate = result.gates[number]
            if used[number] and isinstance(gate, Gate):
                for child in gate.children:
                    used[abs(child) - 1] = True
        place: dict[int, int] = {}
        for number, is_used in enumerate(used):
            if is_used:
                place[number] = len(place)

        def moved(literal: Literal) -> Literal:
            number = place[abs(literal) - 1] + 1
            return number if literal > 0 else -number

        kept = [result.gates[number] for number in place]
        result.gates[:] = [
            Gate(gate.is_or, tuple(map(moved, gate.children))) if isinstance(gate, Gate) else gate for gate in kept
        ]
        result.queries[:] = [q if isinstance(q, bool) else moved(q) for q in result.queries]
        result.clauses[:] = list(map(moved, result.clauses))
