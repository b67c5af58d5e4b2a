r"""Goals that are made of terms when they are called: lambda expressions and grammar bodies.

``[X]>>Goal``, ``Free/Lambda``, ``\X^Goal`` and ``X^Goal`` are called with further arguments, by call/N and by what
calls it, such as maplist/3. They mean what library(yall) of SWI-Prolog says: each call has copies of the variables of a
lambda expression, but for those that stand in ``Free`` and those that are bound by then. ``X^Goal`` without a mark
copies nothing: what a call binds stays bound in the next one. ``phrase(Body, List)`` and
``phrase(Body, List, Rest)`` parse a list by a body of a grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeGuard, Unpack

from problog.engine_unify import substitute_simple
from problog.logic import Clause, is_variable

from deepplp.errors import GroundingError, NonGroundError, Position
from deepplp.grounding.problog.vocabulary import Argument, Arguments, BuiltinFunction, CallOptions
from deepplp.program import (
    Conjunction,
    Constant,
    GrammarError,
    Term,
    Var,
    characters,
    goal_of_body,
    list2term,
    list_items,
    readable,
)

__all__ = ["call_as", "closures"]

_MOST_ARGUMENTS = 9  # of a closure, those that its caller adds included
Goal = Callable[[Arguments, CallOptions], Term]
"""The goal that stands for a call."""


def closures(call: BuiltinFunction) -> Iterator[tuple[str, int, BuiltinFunction]]:
    """Name, arity and function of every predicate, by ``call``, which is ProbLog's call/1."""
    for arity in (2, 3):
        yield "phrase", arity, _made(call, _phrase)
    for arity in range(2, _MOST_ARGUMENTS + 1):
        yield ">>", arity, _made(call, _lambda)
        yield "/", arity, _made(call, _sharing)
    for arity in range(3, _MOST_ARGUMENTS + 1):
        yield "^", arity, _made(call, _parameter)
    for arity in range(2, _MOST_ARGUMENTS + 1):
        yield "\\", arity, _made(call, _local)


def call_as(call: BuiltinFunction, goal: Term, arguments: Arguments, options: CallOptions) -> object:
    """Call a goal by a clause of its own, and hand its answers back as instances of a call's arguments.

    The clause's head holds all variables of the arguments, so that those which the goal does not mention stay apart
    from those of its answers.
    """
    engine = options["engine"]
    variables = list(dict.fromkeys(v for t in arguments for v in (t.variables() if isinstance(t, Term) else (t,))))
    head = Term(engine.get_non_cache_functor(), *variables)
    extended = options["database"].extend()
    extended.add_statement(Clause(head, goal))
    options["database"] = extended
    outer = options.get("transform")

    def instance(result: Arguments) -> Arguments | None:
        called = result[0]
        assert isinstance(called, Term)
        bound = dict(zip(variables, called.args, strict=True))
        context = engine.create_context([substitute_simple(a, bound) for a in arguments], parent=result)
        return outer(context) if outer is not None else context

    options["transform"] = _After(instance)
    return call(head, **options)


class _After:
    """Functions on results, the one that was added last first."""

    def __init__(self, function: Callable[[Arguments], Arguments | None]) -> None:
        self._functions = [function]

    def addFunction(self, function: Callable[[Arguments], Arguments | None]) -> None:  # noqa: N802 (ProbLog's name)
        self._functions.append(function)

    def __call__(self, result: Arguments) -> Arguments | None:
        found: Arguments | None = result
        for function in reversed(self._functions):
            if found is None:
                return None
            found = function(found)
        return found


def _made(call: BuiltinFunction, make: Goal) -> BuiltinFunction:
    """A predicate that calls the goal which is made of its arguments."""

    def solve(*arguments: Argument, **options: Unpack[CallOptions]) -> object:
        return call_as(call, make(arguments, options), arguments, options)

    return solve


def _phrase(arguments: Arguments, options: CallOptions) -> Term:
    """``phrase(Body, List)`` and ``phrase(Body, List, Rest)``; a string as the list is that of its characters."""
    body, text, rest = (*arguments, Term("[]"))[:3]
    if is_variable(body):
        raise NonGroundError(
            "phrase/2 is reached while its grammar body is not bound; bind it before the call", _at(options)
        )
    if isinstance(text, Constant) and isinstance(text.functor, str):
        text = list2term(characters(text.functor[1:-1]))
    try:
        return goal_of_body(body, text, rest)
    except GrammarError as error:
        raise GroundingError(f"phrase/{len(arguments)}: {error}", _at(options)) from None


def _lambda(arguments: Arguments, options: CallOptions) -> Term:
    """``Parameters>>Goal`` or ``Free/Parameters>>Goal``, called with arguments."""
    given, body, *actual = arguments
    free = None
    if isinstance(given, Term) and given.signature == "//2":
        free, given = given.args
    parameters = list_items(given)
    if parameters is None:
        raise GroundingError(
            f"the parameters of a lambda expression are a list such as [X, Y], not {readable(given)}", _at(options)
        )
    if len(parameters) > len(actual):
        raise GroundingError(
            f"{readable(given)}>>… takes {_counted(len(parameters))}, and is called with {len(actual)}", _at(options)
        )
    copied = _Copies(free)
    goals = [Term("'='", copied(p), a) for p, a in zip(parameters, actual, strict=False)]
    return _all([*goals, _with(copied(body), actual[len(parameters) :])])


def _sharing(arguments: Arguments, options: CallOptions) -> Term:
    r"""``Free/Lambda``: all variables are copied but those of ``Free``, which a ``\X^Goal`` within shares, too."""
    free, body, *actual = arguments
    if _is_marked(body):
        return _parameter((*body.args, *actual), options, free)
    if isinstance(body, Term) and body.signature == ">>/2":
        parameters, goal = body.args
        if not (isinstance(parameters, Term) and parameters.signature == "//2"):
            parameters = Term("'/'", free, parameters)
        return _lambda((parameters, goal, *actual), options)
    return _with(_Copies(free)(body), actual)


def _local(arguments: Arguments, options: CallOptions) -> Term:
    r"""``\X^Goal``: all its variables are copied."""
    body, *actual = arguments
    if not isinstance(body, Term) or body.signature != "^/2":
        raise GroundingError(f"\\ marks a parameter, such as \\X^p(X), not {readable(body)}", _at(options))
    return _parameter((Term("'\\'", body.args[0]), body.args[1], *actual), options)


def _parameter(arguments: Arguments, options: CallOptions, free: Argument = None) -> Term:
    r"""``X^Goal``, called with a first argument, which X is; ``\X^Goal`` has copies of all but the free variables."""
    parameter, body, first, *more = arguments
    if isinstance(parameter, Term) and parameter.signature == "\\/1":  # \ binds tighter than ^ in ProbLog's grammar
        copied = _Copies(free)
        parameter, body = copied(parameter.args[0]), copied(body)
        if free is not None and _is_marked(body):  # its own copies leave out what is free, too
            body = Term("'/'", free, body)
    return _all([Term("'='", parameter, first), _with(body, more)])


def _is_marked(term: Argument) -> TypeGuard[Term]:
    r"""Whether a term is ``\X^Goal``."""
    marked = term.args[0] if isinstance(term, Term) and term.signature == "^/2" else None
    return isinstance(marked, Term) and marked.signature == "\\/1"


class _Copies:
    """Variables of a lambda expression as new ones, but for those of a term."""

    def __init__(self, free: Argument) -> None:
        self._kept = _variables(free)
        self._names = (Var(f"$l{i}") for i in count())
        self._new: dict[Argument, Var] = {}

    def __call__(self, term: Argument) -> Argument:
        return substitute_simple(term, self) if term is not None else next(self._names)

    def __getitem__(self, variable: int | None) -> Argument:
        if variable is None:
            return next(self._names)
        if variable in self._kept:
            return variable
        if variable not in self._new:
            self._new[variable] = next(self._names)
        return self._new[variable]


def _variables(term: Argument) -> set[object]:
    if isinstance(term, Term):
        return set(term.variables())
    return set() if term is None else {term}


def _with(goal: Argument, more: Sequence[Argument]) -> Term:
    """A goal with further arguments."""
    if isinstance(goal, Term) and not is_variable(goal) and not more:
        return goal
    return Term("call", goal, *more)


def _all(goals: Sequence[Term]) -> Term:
    found = goals[-1]
    for goal in reversed(goals[:-1]):
        found = Conjunction(goal, found)
    return found


def _counted(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


def _at(options: CallOptions) -> Position | None:
    return options["engine"].locate(options.get("location"))
