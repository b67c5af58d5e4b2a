"""Goals that can never hold, since an argument has a value that no clause of the predicate gives it.

``light(X, redd)`` is false in every world where ``nn(net, [X], L, [red, yellow, green]) :: light(X, L)`` is all that
says what a light is. Nothing else tells: the goal is only never proved, and its negation always holds.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deepplp.errors import Position
from deepplp.grounding.neural_choices import domain_of
from deepplp.program import (
    ASKING,
    Conjunction,
    Constant,
    Disjunction,
    Not,
    Program,
    Statement,
    Term,
    Var,
    goals_within,
    loads_files,
    readable,
    signatures_called,
    substituted,
    subterms,
)

__all__ = ["ArgumentValues", "impossible_goals"]

_ADDING = {"assertz/1", "asserta/1", "assert/1", "csv_load/2", "sqlite_load/1"}
_SHOWN = 6  # values
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

Bound = Mapping[str, Term]


@dataclass(slots=True)
class _Values:
    """What stands at one argument in the heads of a predicate; None for anything: a head has a variable there."""

    patterns: list[Term] | None = field(default_factory=list)
    atomic: set[tuple[type, object]] = field(default_factory=set)

    def add(self, pattern: Term) -> None:
        """Take one more value, or a term whose variables stand for any."""
        if isinstance(pattern, Var):
            self.patterns = None
        elif self.patterns is not None and (pattern.args or _key(pattern) not in self.atomic):
            self.patterns.append(pattern)
            if not pattern.args:
                self.atomic.add(_key(pattern))

    def admits(self, term: object, bound: Bound) -> bool:
        """Whether a goal's argument unifies with one of them."""
        term = _bound(term, bound)
        if self.patterns is None or not isinstance(term, Term) or isinstance(term, Var):
            return True
        if not term.args:
            return _key(term) in self.atomic
        return any(_may_match(term, pattern, bound) for pattern in self.patterns if pattern.args)


class ArgumentValues:
    """The values that the arguments of a program's predicates can take, as far as the heads of its clauses tell.

    They are told for predicates whose values a network decides. With ``probable`` they are also told for those that an
    annotated disjunction lists, and for facts, where only a misspelt word is certain to be a mistake.
    """

    def __init__(self, program: Program, *, probable: bool = False) -> None:
        self._values: dict[str, list[_Values]] = {}
        self._misspelt: set[str] = set()
        declared = {signature for statement in program.statements for signature in statement.declared or ()}
        chosen: set[str] = set()
        plain: set[str] = set()
        for statement in program.statements:
            heads = [h.signature for h in statement.heads_and_body()[0] if isinstance(h, Term)]
            decides = statement.neural is not None and statement.neural.domain is not None
            for head in set(heads) - declared:
                listed = probable and heads.count(head) > 1
                (chosen if decides or listed else plain).add(head)
        self._misspelt = plain - chosen if probable else set()
        self._signatures = (chosen | self._misspelt) - {"_directive/0", *ASKING}
        if not self._signatures or _adds_clauses(program):
            return
        for statement in program.statements:
            self._add(statement)

    def _add(self, statement: Statement) -> None:
        heads, body = statement.heads_and_body()
        for head in heads:
            if not isinstance(head, Term) or head.signature not in self._signatures:
                continue
            values = self._values.setdefault(head.signature, [_Values() for _ in head.args])
            if body is not None and head.signature in self._misspelt:
                values[:] = [_Values(None) for _ in head.args]
            for place, argument in zip(values, head.args, strict=True):
                for pattern in _instances(argument, statement):
                    place.add(pattern)

    def __bool__(self) -> bool:
        return bool(self._values)

    def fault(self, goal: Term, bound: Bound | None = None) -> str | None:
        """Why a goal can never hold; None if it may, as far as can be told.

        ``bound`` are variables that stand for terms in it.
        """
        for number, values in enumerate(self._values.get(goal.signature, ())):
            argument = goal.args[number]
            if values.admits(argument, bound or {}):
                continue
            patterns = [readable(p) for p in values.patterns or ()]
            given = _bound(argument, bound or {})
            near = [] if isinstance(given, Constant) else difflib.get_close_matches(readable(given), patterns, n=1)
            if goal.signature in self._misspelt and not (near and near[0].isalpha()):
                continue
            meant = f"; did you mean {near[0]}?" if near else ""
            which = _ORDINALS[number] if number < len(_ORDINALS) else f"{number + 1}th"
            shown = substituted([goal], bound or {})[0]
            return (
                f"{readable(shown)} never holds: the {which} argument of {goal.signature} is one of "
                f"{_listed(patterns)}{meant}"
            )
        return None


def _adds_clauses(program: Program) -> bool:
    """Whether clauses may come from elsewhere than the program's texts."""
    return loads_files(program) or not _ADDING.isdisjoint(signatures_called(program))


def impossible_goals(program: Program, *, probable: bool = False) -> Iterator[tuple[str, Position]]:
    """The goals of a program's bodies, queries and evidence that can never hold: why, and where each stands.

    ``probable`` widens what is looked at, as for `ArgumentValues`.
    """
    values = ArgumentValues(program, probable=probable)
    for statement in program.statements if values else ():
        heads, body = statement.heads_and_body()
        asked = [h for h in heads if h.signature in ASKING]
        for goal, bound in _goals([*asked, *([] if body is None else [body])], {}):
            fault = values.fault(goal, bound)
            if fault is not None:
                yield fault, program.place(goal, statement)


def _goals(conjunction: Sequence[Term], bound: Bound) -> Iterator[tuple[Term, Bound]]:
    """The goals of a conjunction, and what its equations bind variables to where each is reached."""
    items: list[Term] = []
    stack = list(reversed(conjunction))
    while stack:
        goal = stack.pop()
        if isinstance(goal, Conjunction):
            stack += [goal.op2, goal.op1]
        elif isinstance(goal, Term) and not isinstance(goal, Var):
            items.append(goal)
    bound = {**dict(filter(None, map(_equation, items))), **bound}
    for goal in items:
        if isinstance(goal, Disjunction):
            yield from _goals([goal.op1], bound)
            yield from _goals([goal.op2], bound)
        elif isinstance(goal, Not):
            yield from _goals([goal.child], bound)
        else:
            yield goal, bound
            # The variables of goals in arguments may be others of the same name.
            inside = bound if goal.signature in ("query/1", "evidence/1", "evidence/2", "call/1", "once/1") else {}
            for called in goals_within(goal):
                yield from _goals([called], inside)


def _equation(goal: Term) -> tuple[str, Term] | None:
    """The variable and the term of ``Y = red``; of ``N =:= 3``, too."""
    name = goal.functor.strip("'") if isinstance(goal.functor, str) else ""
    if goal.arity != 2 or name not in ("=", "==", "=:="):
        return None
    for variable, term in (goal.args, reversed(goal.args)):
        if isinstance(variable, Var) and isinstance(term, Term) and not isinstance(term, Var):
            if name == "=:=" and not (isinstance(term, Constant) and term.is_integer()):
                return None
            return str(variable), term
    return None


def _instances(argument: Term, statement: Statement) -> Iterator[Term]:
    """What a head's argument stands for: one term for each value of the network's output, if that stands in it."""
    declared = statement.neural
    values = None if declared is None else domain_of(declared)
    if declared is None or values is None or not isinstance(argument, Term):
        yield argument
        return
    output = str(declared.output)
    # Term.variables keeps what it finds in the term, which could not be copied or pickled then.
    if not any(isinstance(part, Var) and str(part) == output for part in subterms([argument])):
        yield argument
        return
    if argument.is_var():
        yield from values
        return
    for value in values:
        yield substituted([argument], {output: value})[0]


def _bound(term: object, bound: Bound) -> object:
    return bound.get(str(term), term) if isinstance(term, Var) else term


def _key(term: Term) -> tuple[type, object]:
    value = term.functor
    return type(value) if isinstance(term, Constant) else Term, value.strip("'") if isinstance(value, str) else value


def _may_match(term: object, pattern: object, bound: Bound) -> bool:
    stack = [(term, pattern)]
    while stack:
        left, right = stack.pop()
        left = _bound(left, bound)
        if not isinstance(left, Term) or not isinstance(right, Term) or isinstance(left, Var) or isinstance(right, Var):
            continue
        if _key(left) != _key(right) or left.arity != right.arity:
            return False
        stack += zip(left.args, right.args, strict=True)
    return True


def _listed(values: Sequence[str]) -> str:
    if len(values) > _SHOWN:
        numbers = [int(v) for v in values if v.lstrip("-").isdigit()]
        if len(numbers) == len(values) and sorted(numbers) == list(range(min(numbers), max(numbers) + 1)):
            return f"{min(numbers)}..{max(numbers)}"
        return f"{', '.join(values[:_SHOWN])} and {len(values) - _SHOWN} more"
    return ", ".join(values)
