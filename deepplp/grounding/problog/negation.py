"""Negations on what may be cycles, evaluated one by one: right where ProbLog's engine suspects too much.

ProbLog spreads cycles as messages, and takes a positive cycle below a negation that itself lies inside an open cycle
for a negative one. A run of its own for each negation, which sees none of the goals that are still open, closes such a
cycle before the negation is taken. All that a run evaluates, its goal depends on: a goal that is negated again in the
runs below its own negation depends on its own negation. This costs Python's stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from problog.engine_stack import VarReindex
from problog.engine_unify import substitute_call_args, substitute_simple
from problog.eval_nodes import NODE_FALSE, EvalDefine, EvalNot

from deepplp.errors import NegativeCycleError, Position
from deepplp.grounding.problog.vocabulary import (
    Arguments,
    CallNode,
    Goal,
    GroundingEngine,
    Messages,
    NegationOptions,
    StackRecord,
    Tables,
)
from deepplp.grounding.target import Key
from deepplp.program import Term, is_ground, readable, without_scope

__all__ = ["ExactNegation"]

TableKey: TypeAlias = tuple[str, ...]
"""A goal up to the names of its variables; as text, since 1 and 1.0 are two terms but one key."""
NegatedGoal: TypeAlias = tuple[str | int, ...]


class Results(Protocol):
    """The answers of a goal, each with its node."""

    def items(self) -> Iterable[tuple[Arguments, Key]]:
        """All of them."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _OpenNegation:
    """A negation whose goal is evaluated in a run of its own: who waits for it, in which clause, for which goal."""

    parent: int | None
    clause: int | None
    goal: NegatedGoal


class ExactNegation:
    """The negations of one run that are open, and the tables that the runs below negations have completed."""

    def __init__(self) -> None:
        self._open: list[_OpenNegation] = []
        self._completed: dict[TableKey, Results] = {}

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Evaluate a goal that is ground into a formula of its own: what was completed before means nothing there."""
        outer, self._completed = self._completed, {}
        try:
            yield
        finally:
            self._completed = outer

    def evaluate(self, engine: GroundingEngine, call: NegationOptions) -> Messages:
        """The answer of a negation, after its goal was evaluated completely."""
        node, target, parent = call["node"], call["target"], call["parent"]
        goal = _negated_goal(call["database"].get_node(node.child), node.child, call["context"])
        opened = next((i for i, n in enumerate(self._open) if n.goal == goal), None)
        if opened is not None:
            raise self._cycle(engine, opened, _OpenNegation(parent, call.get("current_clause"), goal), node)
        outer_root, engine.cycle_root = engine.cycle_root, None
        outer = target._cache
        below = target._cache = _TablesBelow(outer, self._completed)
        self._open.append(_OpenNegation(parent, call.get("current_clause"), goal))
        try:
            results = engine.execute(
                node.child, database=call["database"], target=target, context=call["context"], subcall=True
            )
            self._completed.update(below.own)
        finally:
            self._open.pop()
            target._cache = outer
            engine.cycle_root = outer_root
        negation = EvalNot(pointer=engine.pointer, engine=engine, **call)
        negation.nodes.update(result for _, result in results if result != NODE_FALSE)
        messages: Messages = negation.complete()[1]
        return messages

    def _cycle(
        self, engine: GroundingEngine, opened: int, closing: _OpenNegation, negation: CallNode
    ) -> NegativeCycleError:
        """The cycle that a negation closes: the goals above it, up to the negation that opened the same goal."""
        atoms: list[str] = []
        clauses: list[Position] = []
        waiting = closing
        for number in range(len(self._open), opened, -1):
            parent, clause = waiting.parent, waiting.clause
            while parent is not None:
                record = engine.stack[parent]
                if isinstance(record, EvalDefine) and not record.node.functor.startswith("body_"):
                    name = without_scope(str(record.node.functor))
                    atoms.append(readable(Term(name, *record.context)))
                    place = engine.clause_position(clause)
                    if place is not None:
                        clauses.append(place)
                clause = record.current_clause
                parent = record.parent
            if number > opened + 1:
                atoms[-1] = f"\\+ {atoms[-1]}"
                waiting = self._open[number - 1]
        own = engine.clause_position(closing.clause)  # None where a library negates, as forall/2 does
        atoms.reverse()
        atoms[0] = atoms[0].removeprefix("\\+ ")  # the negation that leads to it closes the cycle
        atoms.append(f"\\+ {atoms[0]}")
        places = list(dict.fromkeys(map(str, reversed(clauses))))
        return NegativeCycleError(
            f"this negation is part of a cycle, so the program has no single two-valued meaning: {' -> '.join(atoms)}"
            + (f" (by the clauses {', '.join(places)})" if len(places) > 1 else ""),
            engine.locate(negation.location) if own is not None or not clauses else clauses[0],
            tuple(atoms),
        )


def _negated_goal(child: CallNode, number: int, context: Arguments) -> NegatedGoal:
    """What tells one negated goal from another: the goal with its arguments, or its place and all variables."""
    if type(child).__name__ == "call":
        arguments = substitute_call_args(child.args, context, -1)[0]
        return (child.functor, *(str(a) if is_ground(a) else "_" for a in arguments))
    return (number, *(str(a) if is_ground(a) else "_" for a in context))


class _TablesBelow:
    """The tables of goals for a run below a negation: ``own``, those of ended runs, and what is complete above.

    Goals that are still open above are not seen, so that the run evaluates them anew. What an ended run found is
    complete.
    """

    def __init__(self, above: Tables, completed: dict[TableKey, Results]) -> None:
        self.own: dict[TableKey, Results] = {}
        self._above = above
        self._completed = completed
        self._active: dict[TableKey, StackRecord] = {}

    def reset(self) -> None:
        """Forget everything, since the data base has changed."""
        self.own.clear()
        self._completed.clear()
        self._above.reset()

    def is_dont_cache(self, goal: Goal) -> bool:
        return bool(self._above.is_dont_cache(goal))

    def activate(self, goal: Goal, node: StackRecord) -> None:
        self._active[_table_key(goal)] = node

    def deactivate(self, goal: Goal) -> None:
        del self._active[_table_key(goal)]

    def getEvalNode(self, goal: Goal) -> StackRecord | None:  # noqa: N802 (ProbLog's name)
        return self._active.get(_table_key(goal))

    def __setitem__(self, goal: Goal, results: Results) -> None:
        if not self.is_dont_cache(goal):
            self.own[_table_key(goal)] = results

    def __contains__(self, goal: Goal) -> bool:
        return self.get(goal) is not None

    def __getitem__(self, goal: Goal) -> object:
        results = self.get(goal)
        if results is None:
            raise KeyError(goal)
        return results

    def get(self, goal: Goal, default: object = None) -> object:
        """The results of a goal as pairs of arguments and ground node; those of a ground goal are one pair."""
        key = _table_key(goal)
        results = self.own.get(key)
        if results is None:
            results = self._completed.get(key)
        if results is not None:
            if not is_ground(*goal[1]):
                return results.items()
            return [next(iter(results.items()))] if len(results) else [(goal[1], NODE_FALSE)]
        is_open = self._above.getEvalNode(goal) is not None
        return default if is_open else self._above.get(goal, default)


def _table_key(goal: Goal) -> TableKey:
    functor, arguments = goal
    reindex = VarReindex()
    return functor, *(str(substitute_simple(a, reindex)) for a in arguments)
