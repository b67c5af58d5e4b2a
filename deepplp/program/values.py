"""Terms as Python values, and as text: what functions and networks are called with, and how to write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from deepplp.errors import QueryError
from deepplp.program.atoms import spelt

__all__ = ["PlainValue", "Term", "quote", "term_text", "unquoted"]

_PLAIN = re.compile(r"[a-z][A-Za-z0-9_]*")
_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[\\'\"ntr])")
_MEANT = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r"}

PlainValue: TypeAlias = "int | float | str | Term | list[PlainValue]"
"""A ground term as a Python value."""


@dataclass(frozen=True, slots=True)
class Term:
    """A compound term as a Python value: its name, and its arguments as numbers, texts, lists and terms.

    >>> at = Term("at", (Term("cell", (1, 2)), "north"))
    >>> at.args[0].functor, str(at)
    ('cell', 'at(cell(1,2),north)')
    """

    functor: str
    args: tuple[PlainValue, ...] = ()

    def __str__(self) -> str:
        return term_text(self)


def quote(text: str) -> str:
    r"""The atom that stands for a text, quoted where it has to be: what a query or a program says to mean that text.

    Networks and functions that take values are called with the text again.

    >>> quote("it's red"), quote("red")
    ("'it\\'s red'", 'red')
    """
    if not isinstance(text, str):
        raise QueryError(f"an atom stands for a text, not for a {type(text).__name__}")
    if _PLAIN.fullmatch(text):
        return text
    return spelt("'" + "".join(_ESCAPED.get(c, c) for c in text) + "'")


def unquoted(functor: str, mark: str = "'") -> str:
    r"""The text of an atom or string as it is written in a program: what `quote` was given.

    >>> unquoted("'it\\'s red'"), unquoted("red")
    ("it's red", 'red')
    """
    if len(functor) < 2 or not functor[0] == functor[-1] == mark:
        return functor
    return _ESCAPE.sub(lambda e: _MEANT.get(e[1]) or chr(int(e[1][1:], 16)), functor[1:-1])


def term_text(value: PlainValue) -> str:
    """A Python value as the text of a term: what a query may say.

    >>> term_text(["a", 1.5, Term("f", ("b c", [2]))])
    "[a, 1.5, f('b c',[2])]"
    """
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Term):
        if not isinstance(value.args, (tuple, list)):
            raise QueryError(f"a term's arguments are a tuple such as ('a', 2), not a {type(value.args).__name__}")
        return f"{quote(value.functor)}({','.join(map(term_text, value.args))})" if value.args else quote(value.functor)
    return f"[{', '.join(map(term_text, value))}]" if isinstance(value, list) else str(value)
