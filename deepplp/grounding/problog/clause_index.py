"""A predicate's clauses, and which of them a call may unify with: in place of ProbLog's index.

ProbLog's index changes when it is searched, so that two threads must not search one. This one is built as a whole when
a ground argument is first looked up; after that, searching changes nothing. Clauses come in the order in which
ProbLog's index gives them: those that name a call's last ground argument before those that hold a variable there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TypeAlias

from deepplp.grounding.clause_base import ClauseTerm
from deepplp.grounding.problog.vocabulary import Arguments
from deepplp.program import is_ground

__all__ = ["ClauseIndex"]

_ByArgument: TypeAlias = list[dict[ClauseTerm | None, dict[int, None]]]  # None for a variable; ordered sets of clauses
_NOTHING: dict[int, None] = {}


class ClauseIndex(list[int]):
    """The numbers of a predicate's clauses, in their order.

    ``heads`` gives the arguments of a clause's head. Only whoever made the data base adds and erases.
    """

    def __init__(self, heads: Callable[[int], Arguments], arity: int) -> None:
        super().__init__()
        self._heads = heads
        self._arity = arity
        self._index: _ByArgument | None = None

    def append(self, item: int) -> None:
        """Add a clause."""
        super().append(item)
        if self._index is not None:
            self._enter(self._index, item)

    def erase(self, items: Iterable[int]) -> None:
        """Take clauses out."""
        erased = set(items)
        self[:] = [i for i in self if i not in erased]
        self._index = None

    def find(self, arguments: Arguments) -> Sequence[int]:
        """The clauses whose heads may unify with a call."""
        ground = [(i, a) for i, a in enumerate(arguments) if is_ground(a)]
        if not ground:
            return self
        index = self._index
        if index is None:
            index = self._index = self._built()
        sets = [(index[i].get(a, _NOTHING), index[i].get(None, _NOTHING)) for i, a in ground]
        named, free = sets.pop()
        if not sets:
            return [*named, *free]
        return [i for i in chain(named, free) if all(i in n or i in f for n, f in sets)]

    def _built(self) -> _ByArgument:
        index: _ByArgument = [{} for _ in range(self._arity)]
        for item in self:
            self._enter(index, item)
        return index

    def _enter(self, index: _ByArgument, item: int) -> None:
        for by_value, argument in zip(index, self._heads(item), strict=True):
            by_value.setdefault(argument if is_ground(argument) else None, {})[item] = None
