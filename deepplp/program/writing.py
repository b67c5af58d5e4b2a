r"""Terms as text that reads back as the same term.

The text is ProbLog's, such as ``p(a,[b, c])``, with parentheses, blanks and quotes wherever its parser needs them to
find the term again: ``v((a; b))``, ``1- -1``, ``a=(\+b)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from problog.logic import And, AnnotatedDisjunction, Clause, Constant, Not, Or, Term, Var

from deepplp.program.atoms import is_word

__all__ = ["text_of", "texts_of"]

_Piece: TypeAlias = "str | tuple[object, int]"  # a text, or a term and the highest priority that it may have there
_SYMBOLS = frozenset("+-*/\\^<>=~:.?@#&|")
_WHOLE, _ARGUMENT = 1200, 999  # the highest priorities of a term, and of an argument
_NEGATION, _SIGN = 900, 200  # the priorities of \+, and of the sign of a number
_WORD_OPERATORS = frozenset({"is", "as", "not", "xor", "rdiv", "mod", "rem", "div"})
_CONTROL = (And, Or, Clause, AnnotatedDisjunction)


def text_of(term: object) -> str:
    """A term's text. Deep terms need no recursion.

    >>> text_of(Term("v", Or(Term("a"), Term("b"))))
    'v((a; b))'
    """
    if _is_plain(term):
        return str(term)
    parts: list[str] = []
    stack: list[_Piece] = list(reversed(_control(term) if isinstance(term, _CONTROL) else _pieces(term, _WHOLE)))
    while stack:
        piece = stack.pop()
        if isinstance(piece, tuple):
            stack.extend(reversed(_pieces(*piece)))
            continue
        if parts and piece[:1] in _SYMBOLS and parts[-1][-1:] in _SYMBOLS:
            parts.append(" ")  # or the two would be read as one
        parts.append(piece)
    return "".join(parts)


def texts_of(terms: Iterable[object]) -> list[str]:
    """The texts of several terms."""
    return [text_of(term) for term in terms]


def _is_plain(term: Any) -> bool:
    """Whether ProbLog writes a term as it is read: an atom whose arguments are atomic."""
    if type(term) is not Term or term.op_spec is not None or term.functor in (".", "{}"):
        return False
    return all(isinstance(a, Term) and not a.args for a in term.args)


def _pieces(term: object, highest: int) -> list[_Piece]:
    if term is None:
        return ["_"]
    if isinstance(term, int):
        return [f"X{-term}" if term < 0 else f"A{term + 1}"]
    if not isinstance(term, Term):
        return [str(term)]
    if isinstance(term, _CONTROL):
        return ["(", *_control(term), ")"]
    name = str(term.functor)
    if isinstance(term, Not):
        return _enclosed(_negation(term), _NEGATION, highest)
    if isinstance(term, (Var, Constant)) or not term.args:
        return [str(term)]
    before: list[_Piece] = [] if term.probability is None else [(term.probability, _ARGUMENT), "::"]
    if name == "." and term.arity == 2:
        return [*before, *_list(term)]
    if name == "{}" and term.arity == 1:
        inside = term.args[0]
        return [*before, "{", *(_control(inside) if isinstance(inside, _CONTROL) else [(inside, _WHOLE)]), "}"]
    if term.op_spec is not None and term.op_priority is not None:
        return [*before, *_operation(term, highest)]
    return [*before, name, "(", *_between(term.args, ","), ")"]


def _between(terms: Sequence[object], separator: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    for number, term in enumerate(terms):
        pieces += [separator] if number else []
        pieces.append((term, _ARGUMENT))
    return pieces


def _enclosed(pieces: list[_Piece], priority: int, highest: int) -> list[_Piece]:
    return ["(", *pieces, ")"] if priority > highest else pieces


def _control(term: Any) -> list[_Piece]:
    """A con- or disjunction or a clause, without parentheses around it."""
    if isinstance(term, Clause):
        head: list[_Piece] = [] if str(term.head) == "_directive" else [(term.head, _ARGUMENT), " "]
        return [*head, ":- ", *_body(term.body)]
    if isinstance(term, AnnotatedDisjunction):
        return [*_between(list(term.heads), "; "), " :- ", *_body(term.body)]
    kind = type(term)
    items: list[Any] = []
    rest: Any = term
    while type(rest) is kind:
        items.append(rest.args[0])
        rest = rest.args[1]
    return _between([*items, rest], ", " if kind is And else "; ")


def _body(body: Term) -> list[_Piece]:
    return _control(body) if isinstance(body, And) else [(body, _ARGUMENT)]


def _negation(term: Not) -> list[_Piece]:
    if term.functor == "not":
        return ["not(", (term.child, _ARGUMENT), ")"]
    return _prefixed("\\+", term.child, _NEGATION)


def _prefixed(name: str, operand: object, highest: int) -> list[_Piece]:
    """A prefix operator with its operand: as a function of it where two signs or a bracket would follow each other."""
    first = _pieces(operand, highest)[0]
    begins = first if isinstance(first, str) else str(_pieces(*first)[0])
    if _is_operator(operand) or not (begins[0].isalnum() or begins[0] in "_'\""):
        return [f"{name}(", (operand, _ARGUMENT), ")"]
    return [f"{name} " if name[0].isalpha() else name, (operand, highest)]


def _list(term: Any) -> list[_Piece]:
    items: list[Any] = []
    rest: Any = term
    while type(rest) is Term and rest.functor == "." and rest.arity == 2:
        items.append(rest.args[0])
        rest = rest.args[1]
    is_closed = isinstance(rest, Term) and rest.functor == "[]" and not rest.args
    tail: list[_Piece] = [] if is_closed else [" | ", (rest, _ARGUMENT)]
    return ["[", *_between(items, ", "), *tail, "]"]


def _operation(term: Term, highest: int) -> list[_Piece]:
    """An operator with its operands."""
    name, priority, kind = str(term.functor).strip("'"), int(term.op_priority), str(term.op_spec)
    if len(kind) == 2:
        (operand,) = term.args
        if isinstance(operand, Constant) or (isinstance(operand, Term) and operand.op_spec is not None):
            return [f"{name}(", (operand, _ARGUMENT), ")"]  # a number would take the sign
        return _enclosed(_prefixed(name, operand, priority if kind == "fy" else priority - 1), priority, highest)
    left, right = term.args
    pieces = [
        *_operand(left, priority if kind == "yfx" else priority - 1),
        f" {name} " if name[0].isalpha() else name,
        *_operand(right, priority if kind == "xfy" else priority - 1),
    ]
    return _enclosed(pieces, priority, highest)


def _operand(term: object, highest: int) -> list[_Piece]:
    if _is_operator(term):
        name = str(term).replace("\\", "\\\\")
        return [f"'{name}'"]
    is_signed = isinstance(term, Constant) and not term.is_string() and str(term)[0] == "-"
    return _enclosed([(term, highest)], _SIGN if is_signed else 0, highest)


def _is_operator(term: Any) -> bool:
    """Whether a term is an atom that is also a sign or a word operator."""
    if type(term) is not Term or term.args:
        return False
    name = str(term.functor)
    return name in _WORD_OPERATORS or not (name[:1] == "'" or name in ("[]", "{}", "!") or is_word(name))
