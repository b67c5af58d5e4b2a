"""Learnt numbers: ``param(theta, 38.5)`` stands in a program where a number does, and starts at 38.5."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from problog.logic import Constant, Term, is_ground

from deepplp.errors import Position, ProgramError
from deepplp.program.numbers import as_float, number_of
from deepplp.program.terms import subterms
from deepplp.program.text import Text

__all__ = ["PARAMETER_FORM", "LearntNumber", "learnt_number", "learnt_numbers_in", "unique_starts", "with_values"]

PARAMETER_FORM = "a learnt number is param(Name, Number), an atom and the number that it starts at: param(theta, 38.5)"

_NAME = re.compile(r"[a-z]\w*")
_PARENTHESIS = re.compile(r"[()]|%[^\n]*|/\*.*?\*/", re.DOTALL)  # or a comment, in which one may stand


@dataclass(frozen=True, slots=True)
class LearntNumber:
    """A term ``param(Name, Start)``, and where it stands."""

    name: str
    start: float
    term: Term
    position: Position
    offset: int


def learnt_number(term: object) -> tuple[str, float] | None:
    """The name and the start of a term ``param(Name, Start)``; None for any other term.

    >>> learnt_number(Term("param", Term("theta"), Constant(38.5)))
    ('theta', 38.5)
    """
    if not (isinstance(term, Term) and term.functor == "param" and term.arity == 2):
        return None
    name, start = term.args
    is_name = isinstance(name, Term) and not isinstance(name, Constant) and not name.args
    if not (is_name and _NAME.fullmatch(str(name)) and isinstance(start, Term) and is_ground(start)):
        return None
    try:
        value = as_float(number_of(start))
    except ValueError:
        return None
    return (str(name), value) if math.isfinite(value) else None


def learnt_numbers_in(terms: Sequence[object], text: Text) -> Iterator[LearntNumber]:
    """The learnt numbers that stand in terms of a text."""
    for term in subterms(terms):
        found = learnt_number(term)
        if found is not None and isinstance(term.location, tuple):
            offset = term.location[1]
            yield LearntNumber(*found, term, text.position(offset), offset)


def unique_starts(numbers: Sequence[LearntNumber]) -> dict[str, float]:
    """Where each learnt number starts, by name.

    Raises:
        ProgramError: one starts at two values; the error has both places.
    """
    first: dict[str, LearntNumber] = {}
    for number in numbers:
        known = first.setdefault(number.name, number)
        if known.start != number.start:
            raise ProgramError(
                f"{number.term} starts at {number.start:.12g}, and at {known.position} at {known.start:.12g}: a number "
                "that is learnt starts at one value; write the same one, or take another name",
                number.position,
            )
    return {name: number.start for name, number in first.items()}


def value_text(value: float) -> str:
    """A value as it stands in a program, also behind or before an operator."""
    return f"({value!r})" if value < 0 else repr(value)


def with_values(content: str, start: int, numbers: Sequence[tuple[LearntNumber, float]]) -> str:
    """A piece of a text that begins at an offset, with values in place of learnt numbers."""
    pieces: list[str] = []
    done = 0
    for number, value in sorted(numbers, key=lambda pair: pair[0].offset):
        place = number.offset - start
        pieces += [content[done:place], value_text(value)]
        done = _end(content, place)
    return "".join([*pieces, content[done:]])


def _end(content: str, place: int) -> int:
    """The offset behind a term that begins with a name and a parenthesis."""
    depth = 0
    for found in _PARENTHESIS.finditer(content, place):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == ")" and not depth:
            return found.end()
    raise AssertionError("a term of a program has its closing parenthesis")
