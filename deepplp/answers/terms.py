"""`AnswerTerms`: the terms of a compiled query's answers, and how a term that is given is found among them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepplp.errors import UnknownAnswerError
from deepplp.program import (
    EncodedItem,
    Not,
    Term,
    Var,
    decoded_term,
    encoded_term,
    parse_goal,
    readable,
    text_of,
    variant,
)

__all__ = ["AnswerTerms"]

_MOST_SPELLINGS = 4096  # texts other than the answers' own whose terms are remembered
_Flags = NDArray[np.bool_] | None
_QUOTED_NAME = re.compile(r"'[a-z]\w*'", re.ASCII)


@dataclass(frozen=True, eq=False)
class AnswerTerms:
    """The terms of a compiled query's answers: made once a query, shared by all its `Answers`, never changed.

    ``terms`` are the n ground answers in their order, ``unanswered`` the queries that have none. ``impossible`` [n]
    says which answers hold in no world, whatever the weights and the probabilities that the program states. None means
    that there is no such answer. ``asked`` are the queries as they were asked, with their variables; it may be
    empty, where they are not known.
    """

    terms: tuple[Term, ...]
    unanswered: tuple[Term, ...] = ()
    impossible: _Flags = None
    asked: tuple[Term, ...] = ()
    _spellings: dict[str, Term] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.terms)

    def __deepcopy__(self, memo: dict[int, object]) -> AnswerTerms:
        return self  # it never changes

    def __reduce__(self) -> tuple[object, ...]:
        """Terms are pickled flat, so that long lists are no deep recursion."""
        written = (list(map(encoded_term, terms)) for terms in (self.terms, self.unanswered, self.asked))
        return _restored, (*written, self.impossible)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The answers as text."""
        return tuple(map(text_of, self.terms))

    @cached_property
    def unanswered_texts(self) -> tuple[str, ...]:
        """The queries without an answer as text."""
        return tuple(map(readable, self.unanswered))

    @cached_property
    def any_impossible(self) -> bool:
        """Whether some answer holds in no world."""
        return self.impossible is not None and bool(self.impossible.any())

    def find(self, term: object) -> int | None:
        """The index of a term, given as text in any spelling or as a `Term`; None if it is no answer.

        A text that is no term is a `ProgramSyntaxError`.
        """
        if isinstance(term, str):
            number = self._by_text.get(term)
            return self._by_term.get(variant(self._parsed(term))) if number is None else number
        return self._by_term.get(variant(_plain(term))) if isinstance(term, Term) else None

    def _parsed(self, text: str) -> Term:
        """The term that a text spells. Parsing takes milliseconds, so that the first texts are remembered."""
        found = self._spellings.get(text)
        if found is None:
            found = _plain(parse_goal(text, "<target>"))
            if len(self._spellings) < _MOST_SPELLINGS:
                self._spellings[text] = found
        return found

    def number(self, term: object) -> int:
        """The index of a term that is an answer; any other is an `UnknownAnswerError` with near misses."""
        number = self.find(term)
        if number is not None:
            return number
        shown = str(term) if isinstance(term, Term) else term
        message = f"{shown!r} is not among the {len(self)} answers"
        if isinstance(term, int):
            raise UnknownAnswerError(
                f"{message}: these are found by their terms; by number they are the columns of probs"
            )
        near = difflib.get_close_matches(str(term), self.texts, n=3)
        raise UnknownAnswerError(message + (f"; did you mean {' or '.join(near)}?" if near else ""))

    def has_no_proof(self, term: str | Term) -> bool:
        """Whether a term that is no answer is one that was asked for: it has no proof, and is no slip of the pen.

        It must be an instance of a query. Where the queries are not known, it must have the name and the number of
        arguments of an answer, or of a query without one.
        """
        given = self._parsed(term) if isinstance(term, str) else _plain(term)
        if not given.is_ground() or any(_is_instance(given, t) for t in self._open_terms):
            return False  # an answer that holds for all values of a variable covers the term
        if self.asked:
            return any(_is_instance(given, _plain(query)) for query in self.asked)
        return _signature(given) in self._signatures

    @cached_property
    def _open_terms(self) -> tuple[Term, ...]:
        """The answers that still hold a variable: they are certain for all its values."""
        return tuple(_plain(t) for t in self.terms if not t.is_ground())

    @cached_property
    def _signatures(self) -> frozenset[tuple[bool, str, int]]:
        return frozenset(_signature(_plain(t)) for t in (*self.terms, *self.unanswered))

    @cached_property
    def _by_text(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self.texts)}

    @cached_property
    def _by_term(self) -> dict[Term, int]:
        return {variant(_plain(term)): number for number, term in enumerate(self.terms)}


def _restored(
    terms: Sequence[list[EncodedItem]],
    unanswered: Sequence[list[EncodedItem]],
    asked: Sequence[list[EncodedItem]],
    impossible: _Flags,
) -> AnswerTerms:
    """What `AnswerTerms.__reduce__` wrote."""
    read = [tuple(map(decoded_term, written)) for written in (terms, unanswered, asked)]
    return AnswerTerms(read[0], read[1], impossible, read[2])


def _plain(goal: Term) -> Term:
    """A goal whose predicate is written without quotes where it needs none: ``'p'(a)`` calls ``p(a)``."""
    if isinstance(goal, Not):
        return -_plain(goal.child)
    functor = goal.functor
    if isinstance(functor, str) and _QUOTED_NAME.fullmatch(functor):
        return Term(functor[1:-1], *goal.args)
    return goal


def _signature(goal: Term) -> tuple[bool, str, int]:
    """Whether a goal is negated, and the name and arity of its predicate."""
    atom = goal.child if isinstance(goal, Not) else goal
    return isinstance(goal, Not), str(atom.functor), int(atom.arity)


def _is_instance(term: Term, pattern: Term) -> bool:
    """Whether a ground term is a pattern with terms in place of its variables, the same one for each occurrence."""
    bound: dict[str, Term] = {}
    stack = [(term, pattern)]
    while stack:
        left, right = stack.pop()
        if isinstance(right, Var):
            if right.name != "_" and bound.setdefault(right.name, left) != left:
                return False
        elif isinstance(left, Not) and isinstance(right, Not):
            stack.append((left.child, right.child))
        elif not isinstance(right, Term) or not right.args:
            if left != right:
                return False
        elif type(left) is not type(right) or left.functor != right.functor or left.arity != right.arity:
            return False
        else:
            stack.extend(zip(left.args, right.args, strict=True))
    return True
