"""What a statement calls and mentions, without grounding it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from problog.logic import And, Constant, Not, Or, Term, Var

from deepplp.errors import Position
from deepplp.program.closures import goals_in_arguments
from deepplp.program.constructs import control_faults
from deepplp.program.numbers import as_float, number_of
from deepplp.program.program import Program, Statement
from deepplp.program.terms import list_items, subterms

__all__ = [
    "ASKING",
    "asserted_signatures",
    "calls_in",
    "calls_of",
    "constants_of",
    "goals_within",
    "loads_files",
    "names_of_arguments",
    "probability_faults",
    "signatures_called",
    "signatures_defined",
    "unbound_in_heads",
    "undecided_signatures",
    "unsupported_control",
    "variables_of",
]

# Which arguments of a built-in are goals; call/N adds arguments to its first.
_GOAL_ARGUMENTS = {
    "findall/3": (1,), "all/3": (1,), "all_or_none/3": (1,), "forall/2": (0, 1), "once/1": (0,), "not/1": (0,),
    "\\+/1": (0,), "->/2": (0, 1), "*->/2": (0, 1), "try_call/1": (0,), "call_nc/1": (0,),
    "subquery/2": (0,), "subquery/3": (0,), "query/1": (0,), "evidence/1": (0,), "evidence/2": (0,),
    "aggregate_all/3": (1,), "aggregate/5": (3,),
}  # fmt: skip
# Where a program does not define these itself, their second argument is a goal or a list of goals.
_AGGREGATES = frozenset({"exactly/2", "at_least/2", "at_most/2", "all_different/2", "ordered/2"})
_ASSERTING = {"assertz/1", "asserta/1", "assert/1", "retractall/1"}
_LOADING = {"consult/1", "./2", "use_module/1", "use_module/2"}

ASKING = frozenset({"query/1", "evidence/1", "evidence/2"})
"""The predicates by which a program asks."""
_MAY_BE_MISSING = frozenset({"aggregate_all/3", "aggregate/5"})


def calls_of(statement: Statement) -> Iterator[tuple[str, int | None]]:
    """The signatures that a statement calls, and where each stands: see `calls_in`."""
    if statement.declared is not None:
        return
    heads, body = statement.heads_and_body()
    goals: list[Any] = [] if body is None else [body]
    yield from calls_in([*goals, *(h for h in heads if h.signature in ASKING)])


def calls_in(goals: Sequence[Any]) -> Iterator[tuple[str, int | None]]:
    """The signatures that goals call, those inside findall and its like too, and where each stands.

    A goal that is known when the program runs only, such as a variable, counts as ``call/1`` and its like. The place is
    None where more arguments may be added before the call, as to the goal of a lambda expression, and where there need
    be no such predicate.
    """
    stack = [*goals]
    while stack:
        goal = stack.pop()
        if isinstance(goal, (And, Or)):
            stack += [goal.op2, goal.op1]
        elif isinstance(goal, Not):
            stack.append(goal.child)
        elif isinstance(goal, Var):
            yield "call/1", None
        elif isinstance(goal, Term) and not isinstance(goal, (Var, Constant)):
            place = goal.location[1] if isinstance(goal.location, tuple) else None
            for inside, is_complete in goals_in_arguments(goal):
                if is_complete:
                    stack.append(inside)
                else:
                    yield inside.signature, None
            if goal.functor == "call" and goal.arity > 0:
                inner = goal.args[0]
                if isinstance(inner, (And, Or, Not)) and goal.arity == 1:
                    stack.append(inner)
                elif isinstance(inner, Term) and not isinstance(inner, (Var, Constant)):
                    yield f"{inner.functor}/{inner.arity + goal.arity - 1}".replace("'", ""), place
                else:
                    yield goal.signature, place
            elif goal.signature == "try_call/1" and isinstance(goal.args[0], Term):
                yield goal.args[0].signature, None  # there may be no such predicate
            elif goal.signature in _AGGREGATES:
                inner_goals = list_items(goal.args[1])
                called = calls_in([goal.args[1]] if inner_goals is None else inner_goals[::-1])
                yield from ((signature, None) for signature, _ in called)
                yield goal.signature, place
            elif goal.signature in _GOAL_ARGUMENTS:
                stack += [goal.args[i] for i in reversed(_GOAL_ARGUMENTS[goal.signature])]
                if goal.signature in _MAY_BE_MISSING:
                    yield goal.signature, place
                if goal.signature == "aggregate_all/3" and not _adds_up(goal.args[0]):
                    yield "sort/2", None
            else:
                yield goal.signature, place


def _adds_up(what: object) -> bool:
    """Whether an aggregate looks at numbers alone; a set is sorted."""
    return isinstance(what, Term) and what.functor in ("count", "sum", "avg", "max", "min", "bag")


def goals_within(goal: Term) -> Iterator[Term]:
    """The goals that a goal calls by its arguments, as far as these are all there: ``p(1, X)`` of ``call(p(1), X)``."""
    yield from (inside for inside, is_complete in goals_in_arguments(goal) if is_complete)
    if goal.functor == "call" and goal.arity > 0:
        inner = goal.args[0]
        if isinstance(inner, Term) and not isinstance(inner, (Var, Constant)):
            more = goal.args[1:]
            yield Term(inner.functor, *inner.args, *more, location=goal.location) if more else inner
    else:
        found = [goal.args[i] for i in _GOAL_ARGUMENTS.get(goal.signature, ())]
        yield from (g for g in found if isinstance(g, Term) and not isinstance(g, (Var, Constant)))


def asserted_signatures(program: Program) -> set[str] | None:
    """The predicates to which the goals of a program add clauses; None where that is known when they run only."""
    found: set[str] = set()
    for statement in program.statements:
        goals = [g for g in [statement.heads_and_body()[1]] if g is not None]
        for goal in subterms(goals):
            if goal.signature in _ASSERTING:
                clause = goal.args[0]
                head = clause.args[0] if isinstance(clause, Term) and clause.signature == ":-/2" else clause
                if not isinstance(head, Term) or isinstance(head, Var):
                    return None
                found.add(head.signature)
    return found


def unsupported_control(program: Program) -> list[tuple[str, Any, Position]]:
    """If-then-else and cuts, unless the program defines them: what is wrong, its location, and its statement's."""
    own = signatures_defined(program)
    bodies = [(s.heads_and_body()[1], s.position) for s in program.statements]
    asked = (
        (h.args[0], s.position) for s in program.statements for h in s.heads_and_body()[0] if h.signature in ASKING
    )
    bodies += [(goal, position) for goal, position in asked if isinstance(goal, Not)]
    return [(message, place, start) for body, start in bodies for message, place in control_faults(body, own)]


def signatures_called(program: Program, *, by_directives: bool = False) -> set[str]:
    """The signatures that a program's statements call, or its directives alone."""
    statements = (s for s in program.statements if s.is_directive or not by_directives)
    return {signature for statement in statements for signature, _ in calls_of(statement)}


def signatures_defined(program: Program) -> set[str]:
    """The signatures of the heads of a program's statements."""
    heads = (head for statement in program.statements for head in statement.heads_and_body()[0])
    return {head.signature for head in heads if isinstance(head, Term)}


def unbound_in_heads(program: Program, signature: str) -> tuple[str, Position] | None:
    """What leaves a variable of a head free, in a clause of a predicate or of one that it calls, and where.

    Negations bind nothing. None where every variable of a head stands in some other goal.
    """
    waiting, seen = [signature], {signature}
    while waiting:
        current = waiting.pop(0)
        for statement in program.statements:
            heads, body = statement.heads_and_body()
            head = next((h for h in heads if isinstance(h, Term) and h.signature == current), None)
            if head is None or statement.neural is not None:
                continue
            bound, negated = _variables_of_goals(body)
            for name in dict.fromkeys(str(t) for t in subterms(head.args) if isinstance(t, Var)):
                if name in negated - bound:
                    reason = f"{name} stands in a negation alone, which binds nothing: bind it in a goal before"
                    return reason, statement.position
                if name not in bound and name != "_":
                    return f"nothing binds {name} in this clause; bind it in the query or here", statement.position
            called = [s for s, _ in calls_of(statement) if s not in seen]
            seen.update(called)
            waiting += called
    return None


def _variables_of_goals(body: Term | None) -> tuple[set[str], set[str]]:
    """The names of variables in the goals of a body that may bind them, and of those in its negations."""
    bound: set[str] = set()
    negated: set[str] = set()
    stack: list[Any] = [] if body is None else [body]
    while stack:
        goal = stack.pop()
        if isinstance(goal, (And, Or)):
            stack += [goal.op1, goal.op2]
        elif isinstance(goal, Term):
            names = {str(t) for t in subterms([goal]) if isinstance(t, Var)}
            (negated if isinstance(goal, Not) else bound).update(names)
    return bound, negated


def undecided_signatures(program: Program) -> frozenset[str]:
    """The predicates whose probabilities depend on a network or on a learnable probability."""
    callers: dict[str, set[str]] = {}
    waiting: list[str] = []
    for statement in program.statements:
        heads = [h.signature for h in statement.heads_and_body()[0] if isinstance(h, Term)]
        for signature, _ in calls_of(statement):
            callers.setdefault(signature, set()).update(heads)
        if statement.neural is not None or statement.learnable is not None:
            waiting += heads
    found: set[str] = set()
    while waiting:
        signature = waiting.pop()
        if signature not in found:
            found.add(signature)
            waiting += callers.get(signature, ())
    return frozenset(found)


def variables_of(statement: Statement) -> Iterator[str]:
    """Every occurrence of a variable, by name."""
    stack: list[Any] = [statement.term]
    while stack:
        term = stack.pop()
        if isinstance(term, Var):
            yield str(term)
        elif isinstance(term, Term):
            stack += term.args
            heads = getattr(term, "heads", None)
            if heads is not None and not term.args:
                stack += [*heads, term.body]
            if term.probability is not None:
                stack.append(term.probability)


def probability_faults(statement: Statement) -> Iterator[str]:
    """What is wrong with the probabilities that a statement states as numbers."""
    heads, _ = statement.heads_and_body()
    numbers: list[float] = []
    for head in heads:
        probability = getattr(head, "probability", None)
        if probability is None:
            if len(heads) > 1:
                yield f"{head} has no probability; every head of an annotated disjunction needs one"
            continue
        if statement.neural is not None or (isinstance(probability, Term) and probability.functor == "t"):
            continue
        try:
            value = as_float(number_of(probability))
        except ValueError:
            continue  # a variable, bound in the body
        if not 0.0 <= value <= 1.0:
            yield f"the probability {value:.12g} of {head.with_probability(None)} is not between 0 and 1"
        numbers.append(value)
    total = math.fsum(numbers)
    if len(heads) > 1 and total > 1 + 1e-6:
        yield f"the probabilities of this annotated disjunction sum to {total:.12g}, which is more than 1"


def constants_of(program: Program) -> frozenset[str]:
    """The texts of all atomic terms and functors in a program: places where an input's name may stand."""
    found: set[str] = set()
    stack: list[Any] = [s.term for s in program.statements]
    while stack:
        term = stack.pop()
        if not isinstance(term, Term) or isinstance(term, Var):
            continue
        found.add(str(term) if term.arity == 0 else str(term.functor))
        stack.extend(term.args)
        heads = getattr(term, "heads", None)
        if heads is not None:
            stack += [*heads, term.body]
        if term.probability is not None:
            stack.append(term.probability)
    return frozenset(found)


def names_of_arguments(program: Program) -> frozenset[str]:
    """The names within the arguments of a program's heads and goals: of what may be called, where terms are."""
    found: set[str] = set()
    for statement in program.statements:
        heads, body = statement.heads_and_body()
        stack: list[Any] = [a for head in heads for a in head.args]
        goals: list[Any] = [] if body is None else [body]
        while goals:
            goal = goals.pop()
            if isinstance(goal, Term) and not isinstance(goal, Var):
                (goals if isinstance(goal, (And, Or, Not)) else stack).extend(goal.args)
        while stack:
            term = stack.pop()
            if isinstance(term, Term) and not isinstance(term, Var):
                found.add(str(term.functor))
                stack.extend(term.args)
    return frozenset(found)


def loads_files(program: Program) -> bool:
    """Whether a program may load files that are no part of its text: in a body, or modules of its own."""
    for statement in program.statements:
        called = {signature for signature, _ in calls_of(statement)} & _LOADING
        body = statement.heads_and_body()[1]
        own = not (statement.is_directive and isinstance(body, Term) and _is_library(body))
        if called and own and statement.consulted is None:
            return True
    return False


def _is_library(goal: Term) -> bool:
    module = goal.args[0] if goal.functor == "use_module" and goal.args else None
    return isinstance(module, Term) and module.signature == "library/1"
