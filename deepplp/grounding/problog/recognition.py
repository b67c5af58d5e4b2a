"""Aggregates in clauses: what ``aggregate_all/3`` and its like say, and lists that are only counted or added up.

``findall(X, p(X), L), length(L, N)`` makes a list for every set of answers, of which nothing is used but its length.
Where the list is used for nothing else in its clause, both goals become one that counts. Each aggregate is a call of
the built-in `AGGREGATE`. Variables of its goal that other goals or the head share have to be bound when it is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from problog.engine_builtin import build_list
from problog.logic import And as AndTerm
from problog.logic import AnnotatedDisjunction, Clause, Constant, Not, Or, Term, Var

from deepplp.grounding.aggregates import AGGREGATE, AGGREGATE_SIGNATURES, AGGREGATES
from deepplp.program import Statement, list_items, subterms, variables_of

__all__ = ["aggregate_of", "with_aggregates"]

_LIST_AGGREGATES = frozenset(kind for kind, a in AGGREGATES.items() if a.is_of_list)
_TESTS = _LIST_AGGREGATES & AGGREGATE_SIGNATURES
_WITNESSED: Mapping[str, str] = MappingProxyType({"max/2": "max_witness", "min/2": "min_witness"})
_FOLDING = frozenset({"sum/1", "max/1", "min/1", "avg/1"})
# Of goals that bind nothing outside: which arguments are goals, and which have variables of their own.
_SCOPING: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = MappingProxyType(
    {
        "findall/3": ((1,), (0, 1)),
        "all/3": ((1,), (0, 1)),
        "all_or_none/3": ((1,), (0, 1)),
        "forall/2": ((0, 1), (0, 1)),
        "not/1": ((0,), (0,)),
        "\\+/1": ((0,), (0,)),
        "aggregate_all/3": ((1,), (0, 1)),
        "exactly/2": ((1,), (1,)),
        "at_least/2": ((1,), (1,)),
        "at_most/2": ((1,), (1,)),
        "all_different/2": ((1,), (0, 1)),
        "ordered/2": ((1,), (0, 1)),
    }
)
_TELLING = {"findall/3", *(a.name for a in AGGREGATES.values())} - (_LIST_AGGREGATES - _TESTS)


def with_aggregates(statement: Statement, own: Collection[str]) -> Statement:
    """A statement whose aggregates are calls of the built-in; ``own`` are predicates that the program defines."""
    heads, body = statement.heads_and_body()
    declared = statement.neural
    if declared is not None:
        body = declared.body
    if body is None or not any(_signature(t) in _TELLING for t in subterms([body])):
        return statement
    counts = Counter(variables_of(statement))
    if declared is not None:
        outside = _names([declared.head, *declared.inputs, declared.output, declared.domain])
    else:
        outside = _names([*heads, *(h.probability for h in heads)])
    found = _Recognition(own, counts).goal(body, outside)
    if declared is not None:
        return replace(statement, neural=replace(declared, body=found))
    term = statement.term
    if isinstance(term, Clause):
        return replace(statement, term=Clause(term.head, found, location=term.location))
    return replace(statement, term=AnnotatedDisjunction(list(term.heads), found, location=term.location))


def aggregate_of(goal: Term) -> tuple[str, Term, Term, Term] | None:
    """The kind, the template, the goal and the result of a goal that is written as an aggregate; None for others."""
    signature = _signature(goal)
    if signature == "aggregate_all/3":
        what, inner, result = goal.args
        if not isinstance(what, Term) or isinstance(what, Var):
            return None
        if _signature(what) == "count/0":
            return "count", Term("x"), inner, result
        if _signature(what) in _FOLDING:
            return str(what.functor), what.args[0], inner, result
        kind = _WITNESSED.get(_signature(what))
        return None if kind is None else (kind, what, inner, result)
    if signature in ("exactly/2", "at_least/2", "at_most/2"):
        return str(goal.functor), Term("x"), goal.args[1], goal.args[0]
    if signature in ("all_different/2", "ordered/2"):
        return str(goal.functor), goal.args[0], goal.args[1], Term("true")
    return None


class _Recognition:
    """The aggregates of one clause, in which ``counts`` says how often each variable stands."""

    def __init__(self, own: Collection[str], counts: Mapping[str, int]) -> None:
        self._own = own
        self._counts = counts
        self._made = 0  # variables

    def goal(self, body: Term, outside: frozenset[str]) -> Term:
        """A body with its aggregates as calls; ``outside`` are variables that other parts of the clause share."""
        if isinstance(body, AndTerm):
            goals = self._paired(list(_conjuncts(body)))
            shared = outside.union(*map(_open_names, goals))
            done = [self.goal(g, shared) for g in goals]
            return AndTerm.from_list(done)
        if isinstance(body, Or):
            shared = outside | _open_names(body)
            return Or(self.goal(body.op1, shared), self.goal(body.op2, shared), location=body.location)
        if isinstance(body, Not):
            return Not(body.functor, self._inside(body.child, outside), location=body.location)
        if not isinstance(body, Term) or isinstance(body, (Var, Constant)):
            return body
        return self._call(body, outside)

    def _call(self, goal: Term, outside: frozenset[str]) -> Term:
        signature = _signature(goal)
        if signature in self._own:
            return goal
        if signature in _TESTS:
            return Term(f"${goal.functor}", *goal.args, location=goal.location)
        if signature not in _SCOPING:
            return goal
        if signature == "aggregate_all/3" and _signature(goal.args[0]) in ("bag/1", "set/1"):
            return self._listed(goal, outside)
        goals, scoped = _SCOPING[signature]
        around = outside | _names(goal.args[i] for i in scoped if i not in goals)
        arguments = [self._inside(a, around) if i in goals else a for i, a in enumerate(goal.args)]
        found = aggregate_of(goal)
        if found is None:
            return goal.with_args(*arguments)
        kind, template, inner, result = found
        return self._aggregate(kind, template, arguments[goals[0]], result, inner, outside, goal)

    def _inside(self, goal: Term, outside: frozenset[str]) -> Term:
        """A goal whose variables are its own but for those of the clause around it."""
        items = list_items(goal)
        if items is not None:
            return build_list([self._inside(i, outside) for i in items], Term("[]"))
        return self.goal(goal, outside | _open_names(goal)) if isinstance(goal, Term) else goal

    def _aggregate(
        self, kind: str, template: Term, goal: Term, result: Term, written: Term, outside: frozenset[str], at: Term
    ) -> Term:
        inside = _names([template, written])
        open_ones = _open_names(written) - outside if list_items(written) is None else frozenset()
        return Term(
            AGGREGATE, Term(f"'{kind}'"), template, goal, result, _named_variables(sorted(inside & outside)),
            _named_variables(sorted(open_ones)), location=at.location,
        )  # fmt: skip

    def _listed(self, goal: Term, outside: frozenset[str]) -> Term:
        """``bag`` and ``set`` are lists."""
        what, inner, result = goal.args
        inner = self._inside(inner, outside | _names([what]))
        if _signature(what) == "bag/1":
            return Term("findall", what.args[0], inner, result, location=goal.location)
        self._made += 1
        items = Var(f"_set#{self._made}")
        collecting = Term("findall", what.args[0], inner, items, location=goal.location)
        return AndTerm(collecting, Term("sort", items, result, location=goal.location))

    def _paired(self, goals: list[Term]) -> list[Term]:
        """The goals of a conjunction, where lists that are counted or added up are no lists any more."""
        number = 0
        while number < len(goals):
            user = self._user(goals, number)
            if user is not None:
                goals[number] = self._of_list(goals[number], goals.pop(user))
            number += 1
        return goals

    def _user(self, goals: Sequence[Term], number: int) -> int | None:
        """Which goal takes the list of a findall/3, and nothing else does."""
        collecting = goals[number]
        if _signature(collecting) != "findall/3" or "findall/3" in self._own:
            return None
        template, goal, made = collecting.args
        if not isinstance(made, Var) or self._counts.get(str(made)) != 2:
            return None
        for other in range(number + 1, len(goals)):
            using = goals[other]
            signature = _signature(using)
            if signature in _LIST_AGGREGATES and signature not in self._own and _is_variable(using.args[0], str(made)):
                given = _names(using.args[1:])
                between = _names([template, goal, *goals[number + 1 : other]])
                return None if given & between else other
        return None

    @staticmethod
    def _of_list(collecting: Term, using: Term) -> Term:
        template, goal, _ = collecting.args
        kind = Term(f"'{_signature(using)}'")
        result = Term("true") if _signature(using) in _TESTS else using.args[1]
        none = _named_variables(())
        return Term(AGGREGATE, kind, template, goal, result, none, none, location=collecting.location)


def _conjuncts(body: Term) -> Iterator[Term]:
    stack = [body]
    while stack:
        goal = stack.pop()
        if isinstance(goal, AndTerm):
            stack += [goal.op2, goal.op1]
        else:
            yield goal


def _signature(term: object) -> str:
    return term.signature if isinstance(term, Term) and not isinstance(term, (Var, Constant)) else ""


def _is_variable(term: object, name: str) -> bool:
    return isinstance(term, Var) and str(term) == name


def _names(terms: Iterable[object]) -> frozenset[str]:
    """The variables in terms, without those that have no name."""
    return frozenset(str(t) for t in subterms(list(terms)) if isinstance(t, Var)) - {"_"}


def _open_names(body: Term) -> frozenset[str]:
    """The variables of goals that may bind them: those in negations and in the goals of findall/3 are none of them."""
    found: set[str] = set()
    stack: list[object] = [body]
    while stack:
        term = stack.pop()
        if isinstance(term, Var):
            found.add(str(term))
        elif isinstance(term, Not):
            continue
        elif isinstance(term, Term):
            own = _SCOPING.get(_signature(term), ((), ()))[1]
            stack += [a for i, a in enumerate(term.args) if i not in own]
    return frozenset(found) - {"_"}


def _named_variables(names: Iterable[str]) -> Term:
    """Variables beside their names, which errors show."""
    return Term("names", *(part for n in names for part in (Constant(f'"{n}"'), Var(n))))
