"""Goals within the arguments of a goal: those of lambda expressions, and what phrase/2 parses a list by."""

from __future__ import annotations

from collections.abc import Iterator

from problog.logic import And, Constant, Not, Or, Term, Var

from deepplp.program.grammar import GrammarError, goal_of_body
from deepplp.program.terms import list_items

__all__ = ["goals_in_arguments"]

# How many arguments predicates of library(apply) add to the closure that is their first argument.
_ADDED = {
    "include/3": 1, "exclude/3": 1, "partition/4": 1, "partition/5": 2, "partition/6": 2, "convlist/3": 2,
    "foldl_noinit/3": 3,
}  # fmt: skip
_ADD_ALL_BUT_ONE = ("call", "call_nc", "maplist", "foldl", "scanl")


def goals_in_arguments(goal: Term) -> Iterator[tuple[Term, bool]]:
    """The goals that a goal calls as lambda expressions or grammar bodies in its arguments.

    The second item says whether the goal has all its arguments: a lambda expression that is handed on may be called
    with more than it has parameters.
    """
    if goal.functor == "phrase" and goal.arity in (2, 3) and not isinstance(goal.args[0], (int, Var)):
        try:
            yield goal_of_body(goal.args[0], Var("_"), Var("_")), True
        except GrammarError:  # an error where it is called
            return
    for number, argument in enumerate(goal.args):
        added = _added(goal) if number == 0 else None
        for term in _lambdas(argument, is_called=added is not None):
            yield _body(term, added if term is argument else None)


def _added(goal: Term) -> int | None:
    if goal.functor in _ADD_ALL_BUT_ONE:
        return int(goal.arity) - 1
    return _ADDED.get(goal.signature)


def _lambdas(argument: object, is_called: bool) -> Iterator[Term]:
    """The outermost lambda expressions in a term, which may be one without a mark if it is called itself."""
    stack = [argument]
    while stack:
        term = stack.pop()
        if not isinstance(term, Term) or isinstance(term, Var):
            continue
        if _is_lambda(term, is_called and term is argument):
            yield term
        else:
            stack.extend(term.args)


def _is_lambda(term: Term, is_called: bool) -> bool:
    if term.signature == ">>/2":
        parameters = term.args[0]
        if isinstance(parameters, Term) and parameters.signature == "//2":
            parameters = parameters.args[1]
        return list_items(parameters) is not None
    if term.signature == "//2":  # otherwise a quotient
        return is_called
    if term.signature != "^/2":
        return False
    marked = term.args[0]
    return is_called or (isinstance(marked, Term) and marked.signature == "\\/1")


def _body(term: Term, added: int | None) -> tuple[Term, bool]:
    """The goal of a lambda expression, called with a number of arguments, and whether it has all of its own."""
    parameters, body = term.args
    if term.signature == "//2":
        if _is_lambda(body, is_called=True):
            return _body(body, added)
        taken = 0
    elif term.signature == "^/2":
        taken = 1
        while isinstance(body, Term) and body.signature == "^/2":
            taken, body = taken + 1, body.args[1]
    else:
        if isinstance(parameters, Term) and parameters.signature == "//2":
            parameters = parameters.args[1]
        taken = len(list_items(parameters) or ())
    if isinstance(body, (And, Or, Not, Var, Constant)) or not isinstance(body, Term):
        return body, True
    if added is None:
        return body, False
    more = [Var("_")] * max(0, added - taken)
    return (Term("call", body, *more, location=body.location) if more else body), True
