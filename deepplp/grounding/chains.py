r"""Dynamic programming over conditions: what is added up of those that hold, without a look at their subsets.

Solutions s₁, s₂, … hold under conditions c₁, c₂, …, which are nodes of the ground program. What an aggregate has come
to after solution i is a state v, and its node says when::

    node(i, v) = node(i-1, v) & \+cᵢ  |  node(i-1, u) & cᵢ     for each u that sᵢ takes to v

There are as many nodes as there are solutions times states. Solutions that need different values of one choice exclude
each other, and are one step with a branch for each value: so the steps follow the choices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from deepplp.grounding.target import TRUE_KEY, GroundAnd, GroundAtom, GroundNode, Key, must_hold

__all__ = ["ChainWriter", "Fold", "Ground", "Solution", "TooManyStatesError", "fold"]

W = TypeVar("W")
S = TypeVar("S", bound=Hashable)

_MOST_STATES = 2**16  # at once
_Literals = frozenset[int]


class ChainWriter(Protocol):
    """A ground program that nodes are added to."""

    def node(self, key: int) -> GroundNode:
        """The node of a positive key."""

    def conjoin(self, first: int, second: int) -> Key:
        """The conjunction of two nodes."""

    def add_or(self, children: Sequence[Key]) -> Key:
        """The disjunction of nodes."""

    def negate(self, key: Key) -> Key:
        """The key of what holds where another does not."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground program that nodes are added to.

    ``heads`` says how many heads the clause of a choice has; ``look`` is called now and then, to end all by an error.
    """

    target: ChainWriter
    heads: Callable[[Hashable], int]
    look: Callable[[], None]


class TooManyStatesError(Exception):
    """An aggregate may come to more values than can be told apart."""


class Solution(NamedTuple, Generic[W]):
    """What a solution adds, and the node of the worlds in which it is one."""

    weight: W
    condition: int


@dataclass(frozen=True, slots=True)
class Fold(Generic[S, W]):
    """What solutions are folded into.

    ``add`` gives the state after a solution, None where no world that has come to it counts. ``in_order`` says that the
    order of the solutions matters. ``window`` is what the states, which are numbers then, have to come to in the end,
    and ``size`` what a solution adds to them.
    """

    start: S
    add: Callable[[S, W], S | None]
    in_order: bool = False
    window: tuple[int, float] | None = None
    size: Callable[[W], int] | None = None


class _Branch(NamedTuple, Generic[W]):
    """The solutions that a literal decides, and steps for those that need more than that."""

    literal: int
    weights: list[W]
    inner: list[_Step[W]]


class _Step(NamedTuple, Generic[W]):
    """Branches that exclude each other; ``otherwise`` holds in no other branch, None where one must hold."""

    branches: list[_Branch[W]]
    otherwise: Key


class _Reached(NamedTuple):
    """The node of a state, and literals that are known to hold where it does."""

    node: int
    known: _Literals


def fold(solutions: Sequence[Solution[W]], kind: Fold[S, W], ground: Ground) -> dict[S, int]:
    """The states that a fold may come to, each with its node.

    Raises:
        TooManyStatesError: there are more states at once than 65,536.
    """
    conditions = _Conditions(ground, [s.condition for s in solutions])
    steps = _Steps[W](conditions, kind.in_order).of(solutions, frozenset())
    chain = _Chain(kind, ground.target, conditions)
    rest = _rest(steps, kind)
    states = _within({kind.start: _Reached(TRUE_KEY, frozenset())}, kind, rest[0])
    for step, left in zip(steps, rest[1:], strict=True):
        ground.look()
        states = _within(chain.through(states, step), kind, left)
    return {state: reached.node for state, reached in states.items()}


def _within(states: dict[S, _Reached], kind: Fold[S, W], left: tuple[int, int]) -> dict[S, _Reached]:
    """The states from which the window may be reached."""
    if kind.window is None:
        return states
    least, most = kind.window[0] - left[1], kind.window[1] - left[0]
    return {s: r for s, r in states.items() if least <= s <= most}  # type: ignore[operator]  # numbers


def _rest(steps: Sequence[_Step[W]], kind: Fold[S, W]) -> list[tuple[int, int]]:
    """The least and the most that is still to be added: by all steps, by those behind the first, and so on."""
    low = high = 0
    found = [(low, high)]
    for step in reversed(steps):
        if kind.size is not None:
            less, more = _range(step, kind.size)
            low, high = low + less, high + more
        found.append((low, high))
    return found[::-1]


def _range(step: _Step[W], size: Callable[[W], int]) -> tuple[int, int]:
    found = [] if step.otherwise is None else [(0, 0)]
    for branch in step.branches:
        low = high = sum(map(size, branch.weights))
        for less, more in (_range(s, size) for s in branch.inner):
            low, high = low + less, high + more
        found.append((low, high))
    return min(low for low, _ in found), max(high for _, high in found)


class _Conditions:
    """What follows from conditions by conjunctions and choices alone, as far as several of them know of it."""

    def __init__(self, ground: Ground, conditions: Iterable[int]) -> None:
        self._target = ground.target
        self._heads = ground.heads
        self.values: dict[Hashable, dict[int, None]] = defaultdict(dict)  # atoms of each choice
        self._groups: dict[int, Hashable] = {}
        self._all: dict[int, tuple[int, ...]] = {}
        different = dict.fromkeys(conditions)
        counts = Counter(abs(k) for c in different for k in set(self.below(c)))
        several = {k for atoms in self.values.values() if len(atoms) > 1 for k in atoms}
        self._shared = several.union(k for k, n in counts.items() if n > 1)

    def below(self, literal: int) -> tuple[int, ...]:
        """A literal and all that it is a conjunction of."""
        found = self._all.get(literal)
        if found is not None:
            return found
        seen: dict[int, None] = {}
        stack = [literal]
        while stack:
            current = stack.pop()
            if not current or current in seen:
                continue
            seen[current] = None
            node = self._target.node(abs(current))
            if isinstance(node, GroundAtom):
                if node.group is not None:
                    self._groups[abs(current)] = node.group
                    self.values[node.group][abs(current)] = None
            elif isinstance(node, GroundAnd) == (current > 0) or len(node.children) == 1:
                stack.extend(c if current > 0 else -c for c in node.children if c)
        self._all[literal] = tuple(seen)
        return self._all[literal]

    def known(self, literal: int) -> _Literals:
        """What is known where a literal holds, of what other conditions depend on."""
        if not self._shared:
            return frozenset()
        found: set[int] = set()
        for k in self.below(literal):
            if abs(k) in self._shared:
                found.add(k)
            if k > 0 and k in self._groups:
                found.update(-other for other in self.values[self._groups[k]] if other != k)
        return frozenset(found)

    def values_of(self, condition: int) -> Iterable[tuple[Hashable, int]]:
        """The values of choices that a condition needs, with the choices."""
        return ((self._groups[k], k) for k in self.below(condition) if k > 0 and k in self._groups)

    def negated(self, condition: int) -> Key:
        """The key of the worlds in which a condition does not hold."""
        return self._target.negate(condition)

    def none_of(self, group: Hashable, atoms: Collection[int]) -> Key:
        """The key of the worlds in which a choice takes none of these values; None where it has no others."""
        nodes = [self._target.node(a) for a in atoms]
        if must_hold([n.probability for n in nodes if isinstance(n, GroundAtom)], self._heads(group)):
            return None
        return self._target.negate(self._target.add_or(tuple(atoms)))


class _Steps(Generic[W]):
    """Solutions as steps."""

    def __init__(self, conditions: _Conditions, in_order: bool) -> None:
        self._conditions = conditions
        self._in_order = in_order

    def of(self, solutions: Sequence[Solution[W]], decided: frozenset[Hashable]) -> list[_Step[W]]:
        """The steps of solutions, which take those that exclude each other together; ``decided`` are choices."""
        together = self._parted(solutions, decided)
        steps: list[_Step[W]] = []
        for group, found in together:
            if group is None:
                steps.append(self._single(found))
                continue
            branches: dict[int, list[Solution[W]]] = defaultdict(list)
            for s in found:
                value = next(k for g, k in self._conditions.values_of(s.condition) if g == group)
                branches[value].append(s._replace(condition=TRUE_KEY) if value == s.condition else s)
            inner = decided | {group}
            parts = [_Branch(value, [], self.of(branch, inner)) for value, branch in branches.items()]
            steps.append(_Step(parts, self._conditions.none_of(group, branches)))
        return steps

    def _single(self, found: Sequence[Solution[W]]) -> _Step[W]:
        """Solutions of one condition."""
        condition = found[0].condition
        return _Step([_Branch(condition, [s.weight for s in found], [])], self._conditions.negated(condition))

    def _parted(
        self, solutions: Sequence[Solution[W]], decided: frozenset[Hashable]
    ) -> list[tuple[Hashable, list[Solution[W]]]]:
        """The solutions that are one step: those by values of one choice, or (None) of one condition."""
        keys: list[Hashable] = [None] * len(solutions)
        if len(solutions) > 1:
            keys = [self._key(s.condition, decided) for s in solutions]
        parts: list[tuple[Hashable, list[Solution[W]]]] = []
        places: dict[Hashable, int] = {}
        last: Hashable = None
        for s, group in zip(solutions, keys, strict=True):
            same: Hashable = ("condition", s.condition) if group is None else ("choice", group)
            if same in places and (not self._in_order or same == last):
                parts[places[same]][1].append(s)
            else:
                places[same] = len(parts)
                parts.append((group, [s]))
            last = same
        return parts

    def _key(self, condition: int, decided: frozenset[Hashable]) -> Hashable:
        """The choice by whose values a condition is taken together with others: that of most values."""
        values = self._conditions.values
        found = [group for group, _ in self._conditions.values_of(condition) if group not in decided]
        most = max(found, key=lambda group: len(values[group]), default=None)
        return most if most is not None and len(values[most]) > 1 else None


class _Chain(Generic[S, W]):
    """The nodes of states."""

    def __init__(self, kind: Fold[S, W], target: ChainWriter, conditions: _Conditions) -> None:
        self._kind = kind
        self._target = target
        self._conditions = conditions
        self._known: dict[int, _Literals] = {TRUE_KEY: frozenset()}

    def through(self, states: Mapping[S, _Reached], step: _Step[W]) -> dict[S, _Reached]:
        """The states behind a step."""
        found: dict[S, list[_Reached]] = defaultdict(list)
        for literal, weights, inner in step.branches:
            branch = self._taken(states, literal, weights)
            for s in inner:
                branch = self.through(branch, s)
            for state, reached in branch.items():
                found[state].append(reached)
        if step.otherwise is not None:
            for state, reached in self._taken(states, step.otherwise, ()).items():
                found[state].append(reached)
        if len(found) > _MOST_STATES:
            raise TooManyStatesError
        return {state: self._either(ways) for state, ways in found.items()}

    def _taken(self, states: Mapping[S, _Reached], literal: int, weights: Sequence[W]) -> dict[S, _Reached]:
        """The states where a literal holds, with what it adds."""
        found: dict[S, list[_Reached]] = defaultdict(list)
        for state, reached in states.items():
            joined = self._both(reached, literal)
            if joined is None:
                continue
            after = self._after(state, weights)
            if after is not None:
                found[after].append(joined)
        return {state: self._either(ways) for state, ways in found.items()}

    def _after(self, state: S, weights: Sequence[W]) -> S | None:
        for weight in weights:
            added = self._kind.add(state, weight)
            if added is None:
                return None
            state = added
        return state

    def _both(self, reached: _Reached, literal: int) -> _Reached | None:
        known = self._known.get(literal)
        if known is None:
            known = self._known[literal] = self._conditions.known(literal)
        node, before = reached
        if known and before:
            if literal in before:
                return reached
            fewer, more = (known, before) if len(known) < len(before) else (before, known)
            if any(-k in more for k in fewer):
                return None
        joined = self._target.conjoin(node, literal)
        return None if joined is None else _Reached(joined, before | known)

    def _either(self, ways: Sequence[_Reached]) -> _Reached:
        if len(ways) == 1:
            return ways[0]
        node = self._target.add_or([w.node for w in ways])
        assert node is not None
        return _Reached(node, frozenset.intersection(*(w.known for w in ways)))
