"""ProbLog's index of a predicate's clauses, made when it is first asked for: tabled evaluation has one of its own."""

from __future__ import annotations

from typing import Any

from problog.clausedb import ClauseDB, ClauseIndex
from problog.logic import is_ground

__all__ = ["index_lazily"]


class _LazyIndex(ClauseIndex):  # type: ignore[misc]  # problog has no types
    """An index that knows of a clause's arguments from the first call that one of them could restrict."""

    def __init__(self, database: ClauseDB, arity: int) -> None:
        super().__init__(database, arity)
        self._database = database
        self._waiting: list[int] = []

    def append(self, item: int) -> None:
        """Add a clause."""
        list.append(self, item)
        self._waiting.append(item)

    def find(self, arguments: Any) -> Any:
        """The clauses whose heads may unify with a call."""
        if self._waiting and any(is_ground(a) for a in arguments):
            for item in self._waiting:
                node = self._database.get_node(item)
                heads = getattr(node, "args", None)
                heads = [None] * node.arity if heads is None else heads
                self._add([a if is_ground(a) else None for a in heads], item)
            self._waiting.clear()
        return super().find(arguments)


def index_lazily(database: ClauseDB) -> None:
    """Have a data base index its predicates' clauses when they are first called."""
    database._create_index = lambda arity: _LazyIndex(database, arity)
