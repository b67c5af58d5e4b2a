"""Terms: ProbLog's own, under one door, and what is asked of them everywhere.

Rooms that must not import ProbLog take terms from here. A term stays a term from the parser to the answer: it becomes
text in `Answers`, in errors and in print alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from problog.logic import And as Conjunction
from problog.logic import Constant, Not, Term, Var, is_ground, list2term
from problog.logic import Or as Disjunction

__all__ = [
    "Conjunction",
    "Constant",
    "Disjunction",
    "Not",
    "Term",
    "Var",
    "anonymous_apart",
    "decoded_term",
    "encoded_term",
    "is_ground",
    "list2term",
    "list_items",
    "substituted",
    "subterms",
]

_CONNECTIVES: dict[str, type[Term]] = {",": Conjunction, ";": Disjunction}  # a term of that name holds it in quotes
_OPERATORS = {1: ("fx", "fy", "xf", "yf"), 2: ("xfx", "xfy", "yfx")}  # specifications by arity
EncodedItem = int | float | str | list[Any]


def list_items(term: object) -> list[Term] | None:
    """The items of a proper list, or None."""
    items: list[Term] = []
    while isinstance(term, Term) and not isinstance(term, Var) and term.functor == "." and term.arity == 2:
        items.append(term.args[0])
        term = term.args[1]
    return items if isinstance(term, Term) and str(term) == "[]" else None


def subterms(terms: Sequence[object]) -> list[Term]:
    """All terms within terms, these included, from left to right."""
    found: list[Term] = []
    stack: list[object] = list(reversed(terms))
    while stack:
        term = stack.pop()
        if isinstance(term, Term):
            found.append(term)
            stack.extend(reversed(term.args))
    return found


def substituted(terms: Iterable[Term], tokens: Mapping[str, Term], *, compounds: bool = False) -> list[Term]:
    """Terms with others in place of those whose text is one of the ``tokens``.

    Atomic subterms are looked at, and ``compounds`` too where that is said. What stands in place of a subterm is not
    looked into. Terms in which nothing changes come back as they are. Deep terms need no recursion.

    >>> substituted([Term("f", Term("a"), Term("g", Term("a")))], {"a": Term("b")})
    [f(b,g(b))]
    """
    return [_substituted(term, tokens.get, compounds) for term in terms]


def anonymous_apart(term: Term) -> Term:
    """A term in which each ``_`` is a variable of its own; they would be one by their name.

    >>> anonymous_apart(Term("f", Var("_"), Var("X"), Var("_")))
    f(_#1,X,_#2)
    """
    if sum(isinstance(part, Var) and str(part) == "_" for part in subterms([term])) < 2:
        return term
    numbers = count(1)
    return _substituted(term, lambda name: Var(f"_#{next(numbers)}") if name == "_" else None, False)


def _substituted(term: Term, replacement: Callable[[str], Term | None], compounds: bool) -> Term:
    """A term with others in place of subterms, by the texts of these; None leaves a subterm as it is."""
    done: list[Term] = []
    stack: list[tuple[Term, bool]] = [(term, False)]
    while stack:
        current, complete = stack.pop()
        if complete:
            arguments = done[len(done) - current.arity :]
            del done[len(done) - current.arity :]
            same = all(a is b for a, b in zip(arguments, current.args, strict=True))
            done.append(current if same else current.with_args(*arguments))
        elif not isinstance(current, Term):
            done.append(current)
        elif not current.args:
            found = replacement(str(current))
            done.append(current if found is None else found)
        elif compounds and (found := replacement(str(current))) is not None:
            done.append(found)
        else:
            stack.append((current, True))
            stack.extend((a, False) for a in reversed(current.args))
    return done[0]


def encoded_term(term: Term) -> list[EncodedItem]:
    """A term as JSON: a flat list, arguments before what holds them, so that a long list is no deep nesting.

    A number stands for itself, an atom is its text, ``[text]`` a string, ``[functor, n, priority, specification]`` a
    compound of the n terms before it, ``{"variable": name}`` a variable, ``{"negation": "not", "of": items}`` a
    negation as it is written.

    >>> encoded_term(Term("f", Constant(1), Term("a")))
    [1, 'a', ['f', 2, None, None]]
    """
    items: list[Any] = []
    stack: list[tuple[Any, bool]] = [(term, False)]
    while stack:
        current, complete = stack.pop()
        if complete:
            items.append([current.functor, current.arity, current.op_priority, current.op_spec])
        elif isinstance(current, Var):
            items.append({"variable": current.name})
        elif isinstance(current, Constant):
            value = current.functor
            items.append([value] if isinstance(value, str) else value)
        elif isinstance(current, Not):
            items.append({"negation": current.functor, "of": encoded_term(current.child)})
        elif not isinstance(current, Term):
            raise TypeError(f"{current!r} is no term")
        elif not current.args:
            items.append(current.functor)
        else:
            stack.append((current, True))
            stack.extend((a, False) for a in reversed(current.args))
    return items


def decoded_term(items: Sequence[Any]) -> Term:
    """The term that `encoded_term` wrote. What it cannot have written is a ValueError.

    >>> decoded_term([1, "a", ["f", 2, None, None]])
    f(1,a)
    """
    done: list[Term] = []
    for item in items:
        match item:
            case str():
                done.append(Term(item))
            case bool():
                raise ValueError(f"{item} is no part of a term")
            case int() | float() | [str()]:
                done.append(Constant(item if isinstance(item, int | float) else item[0]))
            case {"variable": str(name)}:
                done.append(Var(name))
            case {"negation": "not" | "\\+" as functor, "of": list(inner)}:
                done.append(Not(functor, decoded_term(inner)))
            case [str(functor), int(arity), int() | None as priority, str() | None as specification] if (
                0 < arity <= len(done) and specification in (None, *_OPERATORS.get(arity, ()))
            ):
                arguments = done[-arity:]
                del done[-arity:]
                if arity == 2 and functor in _CONNECTIVES:
                    done.append(_CONNECTIVES[functor](*arguments))
                else:
                    done.append(Term(functor, *arguments, priority=priority, opspec=specification))
            case _:
                raise ValueError(f"{item!r} is no part of a term")
    if len(done) != 1:
        raise ValueError(f"{len(done)} terms stand where one should")
    return done[0]
