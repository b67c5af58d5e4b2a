"""Why a node of a ground program holds: the clauses, with their bindings, that it was made of.

A formula that remembers is *unfolded*: nothing that is certain has been left out of it, and nothing has been merged.

- An `Or` node is an atom, and its entry of the column that atom's term. Its children are the derivations of the atom,
  ``And`` nodes; an atom without a derivation has none and is false. A part of a clause that is a disjunction, or a
  negated conjunction, is an atom of its own, whose term is that part and whose derivations are by the same clause. A
  negated call with a variable that nothing binds is an atom, too: its children are the `Or` nodes of its instances.
- An `And` node is a derivation: its entry is a `Derivation`, and its children are the literals of that one's body and
  its choice.
- An `Atom` node is a value of a choice and has no entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deepplp.errors import Position
from deepplp.program import Conjunction, Disjunction, Term

__all__ = ["BodyLiteral", "ClauseSource", "Derivation", "Reason"]


@dataclass(frozen=True, slots=True)
class ClauseSource:
    """Which clause was used.

    ``statement`` is its number among ``Program.statements``, None for a clause of a library or module, whose name
    ``library`` is then, and for a clause that a directive has asserted.
    """

    statement: int | None
    position: Position | None
    library: str | None = None


@dataclass(frozen=True, slots=True)
class BodyLiteral:
    """A goal of a body, and what became of it.

    ``term`` is the goal under the bindings, without its negation where it is not ``positive``. ``literal`` is that of
    its atom in the formula, negated where it is not positive. A built-in has no node: it holds, and its literal is
    ``TRUE``.
    """

    term: Term
    positive: bool
    literal: int

    def __str__(self) -> str:
        shown = f"({self.term})" if isinstance(self.term, (Conjunction, Disjunction)) else str(self.term)
        return shown if self.positive else f"\\+ {shown}"


@dataclass(frozen=True, slots=True)
class Derivation:
    """A ground instance of a clause that proves its head.

    ``bindings`` are the values of the clause's variables by the names that the program gives them, those that it calls
    ``_`` left out. Variables that stay free are left out as well, and stand in the terms by their names. ``body``
    holds the goals in their order but for ``true``; those that are certain have nodes like the others. ``choice`` is
    the literal of the value that the clause's annotated disjunction, probability or network has to take, None for a
    clause that holds with certainty.
    """

    clause: ClauseSource
    head: Term
    bindings: tuple[tuple[str, Term], ...]
    body: tuple[BodyLiteral, ...]
    choice: int | None = None

    def __str__(self) -> str:
        return f"{self.head} :- {', '.join(map(str, self.body))}" if self.body else str(self.head)


Reason: TypeAlias = Derivation | Term | None
"""The entry of a node in the column: of an `And` node its derivation, of an `Or` node its atom."""
