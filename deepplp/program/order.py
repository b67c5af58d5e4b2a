"""The standard order of terms: how answers are listed, and what ``@<``, ``compare/3`` and ``sort/2`` go by.

Variables come first, then numbers, strings, atoms and compounds, as in ProbLog's documentation:

- numbers by value, exactly, however large; where values are equal a float comes before an integer, and -0.0 before 0.0;
  NaN comes before all other numbers;
- strings, and atoms, by the codes of their characters; quotes are no part of an atom, ``'a'`` is ``a``;
- compounds by the number of their arguments, then by name, then by their arguments from left to right. A list is a
  compound of two arguments.

Two terms have the same place in the order where they are the same term, and only there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from problog.logic import Constant, Term, Var

__all__ = ["standard_order_key", "standard_order_keys"]

_VARIABLE, _NUMBER, _STRING, _ATOM, _COMPOUND, _OTHER = range(6)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def standard_order_key(term: Any) -> tuple[Any, ...]:
    """A sort key for terms, whose variables are `Var` or the engine's integers.

    Variables of the engine are in the order in which they stand in a call (-1, -2 and so on), those of a text in the
    order of their names.

    >>> from problog.logic import Term, Constant
    >>> sorted([Term("b"), Constant(10), Constant(9), Term("f", Term("a")), Term("a")], key=standard_order_key)
    [9, 10, a, b, f(a)]
    """
    # An explicit stack would have to rebuild the nesting; a flat prefix encoding compares the same way.
    key: list[tuple[Any, ...]] = []
    stack = [term]
    while stack:
        current = stack.pop()
        if isinstance(current, Constant):
            value = current.functor
            key.append((_STRING, *_text(value, '"')) if isinstance(value, str) else _number_key(value))
        elif current is None or isinstance(current, int):
            key.append((_VARIABLE, 0, -(current or 0)))
        elif isinstance(current, Var):
            key.append((_VARIABLE, 1, str(current.name)))
        elif not isinstance(current, Term):
            key.append((_OTHER, str(current)))
        elif current.arity == 0:
            key.append((_ATOM, *_text(str(current.functor), "'")))
        else:
            key.append((_COMPOUND, current.arity, *_text(str(current.functor), "'")))
            stack.extend(reversed(current.args))
    return tuple(key)


def _number_key(value: Any) -> tuple[Any, ...]:
    if isinstance(value, int):
        return _NUMBER, True, value, 1
    if isinstance(value, float) and math.isnan(value):  # compared with a number, NaN is neither less nor greater
        return _NUMBER, False
    if isinstance(value, float):
        return _NUMBER, True, value, -1 if math.copysign(1.0, value) < 0 else 0
    return _OTHER, str(value)


def _text(name: str, quote: str) -> tuple[str, str]:
    """The characters of a name, and how they are written where that is the only difference."""
    written = name[1:-1] if len(name) > 1 and name[0] == name[-1] == quote else name
    if "\\" not in written or len(written) == len(name):
        return written, written
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), written), written


def standard_order_keys(terms: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The sort keys of several terms."""
    return [standard_order_key(term) for term in terms]
