"""What a run has recorded by library(record): terms under keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deepplp.program import Term

__all__ = ["Record", "Records"]

Argument: TypeAlias = Term | int | None


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A term that is recorded under a key. As a constant of the program it is a reference, told apart by its text."""

    number: int
    key: Argument
    term: Argument

    def __str__(self) -> str:
        return f"<record {self.number}>"


class Records:
    """All that a run has recorded, by key; it begins with what the program's directives have."""

    def __init__(self, earlier: Records | None = None) -> None:
        self._lists: dict[Argument, list[Record]] = (
            {} if earlier is None else {key: found.copy() for key, found in earlier._lists.items()}
        )
        self._count: int = 0 if earlier is None else earlier._count

    @property
    def keys(self) -> list[Argument]:
        """The keys, in the order of their first records."""
        return list(self._lists)

    def under(self, key: Argument) -> list[Record]:
        """The records of a key, in their order."""
        return list(self._lists.get(key, ()))

    def add(self, key: Argument, term: Argument, *, first: bool) -> Record:
        """Record a term, before or behind the others of its key."""
        self._count += 1
        record = Record(self._count, key, term)
        found = self._lists.setdefault(key, [])
        found.insert(0 if first else len(found), record)
        return record

    def erase(self, record: Record) -> None:
        """Erase a record, if it is still there."""
        self._lists[record.key] = [r for r in self._lists.get(record.key, ()) if r is not record]
