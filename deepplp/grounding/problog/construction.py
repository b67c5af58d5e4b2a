"""``functor/3``, ``arg/3`` and ``=../2``: terms taken apart into a name and arguments, and made of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Unpack

from problog.engine_builtin import CallModeError, build_list, check_mode, list_elements
from problog.engine_stack import SimpleBuiltIn
from problog.logic import is_variable

from deepplp.grounding.problog.ordering import unified
from deepplp.grounding.problog.vocabulary import Argument, BuiltinFunction, CallOptions, NamedBuiltin, Solution
from deepplp.program import Constant, Term, compound, name_of

__all__ = ["construction_builtins"]

_MODES = ["vaI", "n**"]


def construction_builtins(
    original: Callable[[str], BuiltinFunction], functor: BuiltinFunction
) -> Iterator[NamedBuiltin]:
    """Name, arity and function of each; ``functor`` limits how many arguments a term is made with."""
    yield "=..", 2, SimpleBuiltIn(_split(original("=../2")))
    yield "arg", 3, SimpleBuiltIn(_arg)
    yield "functor", 3, SimpleBuiltIn(_functor(functor))


def _split(builtin: BuiltinFunction) -> BuiltinFunction:
    """``Term =.. [Name, Argument, …]``; ProbLog's own says what is wrong where no term can be made of a list."""

    def solve(term: Argument, parts: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
        if isinstance(term, Term):
            check_mode((term, parts), ["nv", "nl"], "=..", call.get("location"), call.get("database"))
            return unified((term, parts), 1, build_list([name_of(term), *term.args], Term("[]")))
        items = list_elements(parts)[0] if isinstance(parts, Term) else []
        if len(items) < 2 or not _is_atom(items[0]):
            refused: list[Solution] = builtin.base_function(term, parts, **call)  # type: ignore[attr-defined]
            return refused
        return [(compound(items[0].functor, items[1:]), parts)]

    return solve


def _is_atom(term: Argument) -> bool:
    return isinstance(term, Term) and not isinstance(term, Constant) and not is_variable(term) and not term.args


def _arg(index: Term, term: Term, argument: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
    """``arg(Index, Term, Argument)``; what the argument is unified with is bound in the term, too."""
    check_mode((index, term, argument), ["In*"], "arg", call.get("location"), call.get("database"))
    number = int(index) - 1
    if not 0 <= number < len(term.args):
        return []
    return unified((index, term, argument), 2, term.args[number])


def _functor(builtin: BuiltinFunction) -> BuiltinFunction:
    """``functor(Term, Name, Arity)``; the arguments of a new term are variables of their own."""

    def solve(term: Argument, name: Argument, arity: Argument, **call: Unpack[CallOptions]) -> list[Solution]:
        if isinstance(term, Term):
            named = unified((term, name, arity), 1, name_of(term))
            return [answer for found in named for answer in unified(found, 2, Constant(len(term.args)))]
        builtin.base_function(term, name, arity, **call)  # type: ignore[attr-defined]
        assert isinstance(name, Term)
        assert isinstance(arity, Term)
        count = int(arity)
        if count < 0:
            raise CallModeError("functor", (term, name, arity), _MODES)
        lowest = call["engine"].context_min_var(call["context"]) - 1
        made = compound(name.functor, range(lowest, lowest - count, -1)) if count else name
        return [(made, name, arity)]

    return solve
