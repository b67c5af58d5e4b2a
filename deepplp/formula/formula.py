"""`Formula`: a ground program as an and/or/not graph over choices. It may hold cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from deepplp.errors import Position
from deepplp.formula.derivations import Reason
from deepplp.program import LearnableClause, NeuralDeclaration, Term, substituted

__all__ = [
    "FALSE",
    "NONE",
    "TRUE",
    "And",
    "Atom",
    "Choice",
    "Computed",
    "Fixed",
    "Formula",
    "Goal",
    "Learnable",
    "Neural",
    "NoValue",
    "Node",
    "Observed",
    "Or",
    "Origin",
    "Value",
]

TRUE = 1
"""The literal of the node that always holds: node 0, an empty conjunction."""
FALSE = -1


class NoValue:
    """The value of a choice none of whose heads holds. It is no term: a domain may hold an atom ``none`` as well."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "none"

    def __reduce__(self) -> str:
        return "NONE"  # copies and pickles are this very object


NONE: Final = NoValue()
Value: TypeAlias = Term | NoValue


@dataclass(frozen=True, slots=True)
class Fixed:
    """Probabilities that the program states, one a value; they sum to one."""

    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Neural:
    """Probabilities that a network decides: one a value of the domain, or yes and no for nn/2.

    Where a network decides each value of a domain by itself, ``label`` is the number of the choice's own value among so
    many ``labels``; elsewhere it is None, and they are 0.
    """

    declaration: NeuralDeclaration
    inputs: tuple[Term, ...]
    label: int | None = None
    labels: int = 0

    def atom(self) -> str:
        """What the network decides, as an atom in which ``·`` stands for its output."""
        declared = self.declaration
        given = {str(v): term for v, term in zip(declared.inputs, self.inputs, strict=False)}
        if declared.output is not None:
            given[str(declared.output)] = Term("·")
        (head,) = substituted([declared.head], given)
        return f"{head.functor}({', '.join(map(str, head.args))})" if head.args else str(head)


@dataclass(frozen=True, slots=True)
class Learnable:
    """Probabilities that are learnt: one distribution for a clause and the ground ``arguments`` of its ``t``.

    ``fixed`` holds the probabilities that the clause states, None for those that are learnt; ``initial`` where all
    start.
    """

    clause: LearnableClause
    arguments: tuple[Term, ...]
    fixed: tuple[float | None, ...]
    initial: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """Evidence that is a tensor: true or false for every row, or how likely true makes the observation."""

    term: Term


@dataclass(frozen=True, slots=True)
class Computed:
    """Probabilities some of which are tensors, as terms; what they and the numbers leave of 1 is the last value's.

    Where there is one for each value, they sum to one.
    """

    probabilities: tuple[float | Term, ...]

    @property
    def tensors(self) -> tuple[Term, ...]:
        """The terms of the tensors."""
        return tuple(p for p in self.probabilities if isinstance(p, Term))


Origin = Fixed | Neural | Learnable | Observed | Computed


@dataclass(frozen=True, slots=True)
class Choice:
    """A categorical variable: exactly one of its values holds in every world.

    ``values`` are the heads of an annotated disjunction, and ``NONE`` where they need not sum to one; the atom and
    ``NONE`` for a probabilistic fact; the domain for nn/4.
    """

    values: tuple[Value, ...]
    origin: Origin
    position: Position | None = None

    def shown(self, most: int | None = None) -> str:
        """The choice as atoms: ``label(x3, ·)`` where a network decides; else its heads, or the first few of them.

        >>> Choice((Term("a"), Term("b"), NONE), Fixed((0.2, 0.3, 0.5))).shown()
        'a; b'
        """
        if isinstance(self.origin, Neural):
            return self.origin.atom()
        heads = [str(value) for value in self.values if value is not NONE]
        return "; ".join(heads if most is None or len(heads) <= most else [*heads[:most], "…"])


@dataclass(frozen=True, slots=True)
class Atom:
    """Choice number ``choice`` takes its value number ``value``."""

    choice: int
    value: int


@dataclass(frozen=True, slots=True)
class And:
    """All children hold. A child is a literal: ``n + 1`` for node n, ``-(n + 1)`` for its negation."""

    children: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one child holds."""

    children: tuple[int, ...]


Node = Atom | And | Or


@dataclass(frozen=True, slots=True)
class Goal:
    """A query or piece of evidence, and the literal that it stands for.

    ``observed`` says that the literal is not the term's own, but that of its agreement with what a tensor observes.
    """

    term: Term
    literal: int
    observed: bool = False

    def __str__(self) -> str:
        return f"{self.term} as observed" if self.observed else str(self.term)


@dataclass(frozen=True, slots=True)
class Formula:
    """A ground program.

    ``nodes[0]`` is the empty conjunction; literals count nodes from 1, so that ``TRUE`` is 1 and ``FALSE`` is -1. A
    node may refer to nodes behind it, and to itself: its meaning is then the least fixpoint.
    ``evidence`` holds what is known to hold (a literal is negated where the evidence is negative). ``unanswered`` are
    the queries with free variables of which no instance can be proved.

    ``derivations`` say why each node holds, one entry a node, where that was asked for; see
    `deepplp.formula.derivations`. Where it was asked for and is not known, ``no_derivations`` says why.
    """

    choices: tuple[Choice, ...]
    nodes: tuple[Node, ...]
    queries: tuple[Goal, ...]
    evidence: tuple[Goal, ...] = ()
    unanswered: tuple[Term, ...] = ()
    derivations: tuple[Reason, ...] | None = None
    no_derivations: str | None = None
