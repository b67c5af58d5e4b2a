"""The clauses of a loaded program as the tabled engine reads them, whoever holds them.

Clauses are taken apart into numbered nodes: a predicate's definition names its clauses by their numbers, a clause its
body, a call the definition that it calls. The variables of a clause are the integers from 0 on, in place of terms and
within them. Negative numbers are built-ins.

The nodes are named tuples, because a program of ten thousand clauses has thirty thousand nodes and every one is made
when it is first read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

from deepplp.errors import Position
from deepplp.program import Term

__all__ = [
    "LEARNABLE",
    "NEURAL",
    "Builtin",
    "BuiltinFunction",
    "CallNode",
    "ChoiceNode",
    "ClauseBase",
    "ClauseNode",
    "ClauseTerm",
    "ConjunctionNode",
    "DefinitionNode",
    "DisjunctionNode",
    "ExternNode",
    "FactNode",
    "Location",
    "NegationNode",
    "Node",
]

NEURAL: Final = "$neural"
"""The built-in ``'$neural'(Declaration, Key, Inputs, Output, Domain)``, at the end of a neural declaration's clause."""
LEARNABLE: Final = "$learnable"
"""The functor of a probability that is learnt: ``'$learnable'(Clause, Argument, …)``."""

Location: TypeAlias = object
"""A place as the holder of the clauses writes it down; None where it knows none. `ClauseBase.locate` reads it."""

ClauseTerm: TypeAlias = Term | int
"""A term of a clause. An integer is a variable; ``Term.args`` hold such integers as well."""


class DefinitionNode(NamedTuple):
    """A predicate. ``clauses`` are the numbers of its facts, clauses and whatever else defines it, in their order."""

    functor: str
    arity: int
    clauses: tuple[int, ...]
    location: Location


class FactNode(NamedTuple):
    """A ground fact; ``probability`` is None where it is certain."""

    functor: str
    args: tuple[Term, ...]
    probability: Term | None
    location: Location


class ClauseNode(NamedTuple):
    """A clause: its head's arguments, the number of its body and of its variables.

    ``locvars`` are the variables that occur within negations only. ``group`` is that of the annotated disjunction
    whose head this is, None for a plain clause; the body is then a call of the predicate that holds the disjunction's
    body, and a call of the choice.
    """

    functor: str
    args: tuple[ClauseTerm, ...]
    child: int
    varcount: int
    locvars: Collection[int]
    group: int | None
    location: Location


class CallNode(NamedTuple):
    """A call of the definition, the choice or (where ``defnode`` is negative) the built-in of a number.

    ``op_priority`` and ``op_spec`` say how the goal is written where its functor is an operator.
    """

    functor: str | Term
    args: tuple[ClauseTerm, ...]
    defnode: int
    location: Location
    op_priority: int | None
    op_spec: str | None


class ConjunctionNode(NamedTuple):
    """All of the children, which are numbers of nodes, hold."""

    children: tuple[int, ...]
    location: Location


class DisjunctionNode(NamedTuple):
    """One of the children holds."""

    children: tuple[int, ...]
    location: Location


class NegationNode(NamedTuple):
    """The child does not hold."""

    child: int
    location: Location


class ChoiceNode(NamedTuple):
    """One head of an annotated disjunction or probabilistic clause, as a value of its choice.

    There is one choice for every ``group`` and values of the variables in ``args``, the ``locvars`` left out.
    ``head`` and ``probability`` hold those variables; ``choice`` counts the heads from 0.
    """

    head: Term
    args: tuple[int, ...]
    probability: ClauseTerm | None
    locvars: Collection[int]
    group: int
    choice: int
    location: Location


class ExternNode(NamedTuple):
    """A predicate that Python decides; ``is_tensor_test`` says that it is one of `tensor_tests`."""

    functor: str
    arity: int
    is_tensor_test: bool = False


Node: TypeAlias = (
    DefinitionNode
    | FactNode
    | ClauseNode
    | CallNode
    | ConjunctionNode
    | DisjunctionNode
    | NegationNode
    | ChoiceNode
    | ExternNode
)

BuiltinFunction: TypeAlias = Callable[..., bool | Iterable[Sequence[ClauseTerm]] | None]
"""A built-in predicate as a function of its arguments, terms or free variables: whether it holds, or its answers."""


class Builtin(NamedTuple):
    """A built-in predicate, such as ``"between/3"``.

    ``function`` is ProbLog's own where that depends on the arguments alone and nothing has taken its place.
    """

    signature: str
    function: BuiltinFunction | None


class ClauseBase(Protocol):
    """The clauses of a loaded program and its libraries, by number."""

    @property
    def obstacle(self) -> str | None:
        """Why tabled evaluation must not serve this program at all, None where it may: a clause of a sentence.

        So it is where a directive has said that predicates are not to be tabled, or has registered functions.
        """

    def find(self, goal: Term) -> int | None:
        """The number of the definition of a goal's predicate, or of its built-in; None where nothing names it."""

    def node(self, number: int) -> Node | None:
        """The node of a number from 0 on; None where a predicate is called but has no definition."""

    def builtin(self, number: int) -> Builtin | None:
        """The built-in of a negative number."""

    def choices(self, group: int) -> Sequence[ChoiceNode]:
        """All heads of an annotated disjunction, in their order."""

    def locate(self, location: Location) -> Position | None:
        """Where a place is in a file."""

    def statement_of(self, number: int) -> int | None:
        """Which of ``Program.statements`` a fact's or clause's node was made of; None if of none of them.

        The clauses that stand for parts of a statement (the body of an annotated disjunction) are of that statement.
        """

    def library_of(self, number: int) -> str | None:
        """The name of the library or module, such as ``"lists"``, that a fact, clause or definition comes from.

        None for the program's own, and for what a directive has asserted.
        """
