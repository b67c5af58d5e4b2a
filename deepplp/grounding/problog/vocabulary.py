"""Names for what ProbLog's engine hands to a predicate that Python decides, and for what it takes back.

ProbLog itself has no types. A call's arguments are terms; variables are negative integers, and None is a variable
without a name. The protocols name what is used here of ProbLog's classes, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict, TypeVar

from deepplp.errors import Position
from deepplp.grounding.clause_base import ClauseTerm, Location
from deepplp.grounding.target import GroundNode, Key, Probability
from deepplp.program import Term

if TYPE_CHECKING:
    from deepplp.grounding.problog.recorded import Records

__all__ = [
    "Argument",
    "Arguments",
    "Bindings",
    "BuiltinFunction",
    "CallNode",
    "CallOptions",
    "ClauseStore",
    "Clauses",
    "FormulaNode",
    "FormulaWriter",
    "Goal",
    "GoalKey",
    "GroundingEngine",
    "Listener",
    "Locate",
    "Messages",
    "NamedBuiltin",
    "NegationOptions",
    "ProbableSolution",
    "ProblogEngine",
    "Solution",
    "StackRecord",
    "StepOptions",
    "Tables",
    "Transformation",
]

T = TypeVar("T")
Argument: TypeAlias = Term | int | None
Arguments: TypeAlias = Sequence[Argument]
Bindings: TypeAlias = dict[Argument, Argument]
BuiltinFunction: TypeAlias = Callable[..., object]
NamedBuiltin: TypeAlias = tuple[str, int, BuiltinFunction]
Goal: TypeAlias = tuple[str, Arguments]
"""A call as the engine's tables know it."""
GoalKey: TypeAlias = tuple[str, str]
"""A goal whose answers are collected: the collecting predicate, and the goal up to the names of its variables."""
Locate: TypeAlias = Callable[[Location], Position | None]
Messages: TypeAlias = list[tuple[object, ...]]
"""What the engine is to do next, in its own words."""
Solution: TypeAlias = Arguments
"""A call's arguments, as one of its answers gives them."""
ProbableSolution: TypeAlias = tuple[Solution, Key]
"""An answer, and the node of the ground program that says when it holds."""


class CallNode(Protocol):
    """A node of the data base that is evaluated: a call, a negation or a predicate that Python decides."""

    functor: str
    args: tuple[ClauseTerm, ...]
    defnode: int
    child: int
    function: BuiltinFunction
    location: Location

    def _replace(self, *, function: BuiltinFunction) -> CallNode: ...


class Clauses(Protocol):
    """The numbers of a predicate's clauses."""

    def find(self, arguments: Arguments) -> Sequence[int]:
        """Those that a call may unify with."""

    def erase(self, items: Iterable[int]) -> None:
        """Take clauses out."""


class FormulaNode(Protocol):
    """A node of ProbLog's ground program: an atom, or a conjunction or disjunction of children."""

    children: tuple[Key, ...]
    identifier: Hashable
    probability: Probability
    group: Hashable
    name: Term | None
    source: str | None


class Tables(Protocol):
    """The engine's tables: goals that are complete, and goals that are being evaluated."""

    def get(self, goal: Goal, default: object = None) -> object:
        """The answers of a goal that is complete."""

    def getEvalNode(self, goal: Goal) -> StackRecord | None:  # noqa: N802 (ProbLog's name)
        """Who evaluates a goal."""

    def is_dont_cache(self, goal: Goal) -> bool:
        """Whether a goal is not to be tabled."""

    def reset(self) -> None:
        """Forget what is complete, since the data base has changed."""


class FormulaWriter(Protocol):
    """ProbLog's ground program, as predicates write it."""

    TRUE: int
    FALSE: None
    keep_all: bool
    _cache: Tables

    def add_atom(
        self, identifier: Hashable, probability: Probability, group: Hashable = None, name: Term | None = None,
        source: object = None,
    ) -> Key:  # fmt: skip
        """The atom of an identifier; ``source`` is where the call stands that makes one without a clause."""

    def add_and(self, components: Sequence[Key]) -> Key:
        """The conjunction of nodes."""

    def add_or(self, components: Sequence[Key], *, placeholder: bool = False) -> Key:
        """The disjunction of nodes; a ``placeholder`` may have none yet."""

    def add_disjunct(self, key: Key, component: Key) -> Key:
        """Add a node to a disjunction that was made as a placeholder."""

    def negate(self, key: Key) -> Key:
        """The key of what holds where another does not."""

    def get_node(self, key: int) -> FormulaNode:
        """The node of a positive key."""

    def node(self, key: int) -> GroundNode:
        """The node of a positive key, as other ground programs have it."""

    def conjoin(self, first: int, second: int) -> Key:
        """The conjunction of two nodes."""


class ClauseStore(Protocol):
    """The data base of clauses, as predicates read and change it."""

    def __len__(self) -> int:
        """The number of nodes."""

    def extend(self) -> ClauseStore:
        """A data base with the same clauses, to which others may be added."""

    def choices(self, group: int) -> list[int]:
        """The numbers of an annotated disjunction's choices."""

    def resolve(self, filename: Term, location: Location) -> str:
        """The path that a call at a location means by a file's name."""

    def note(self, path: str) -> None:
        """Note that a file is about to be read."""

    def add_statement(self, clausefact: Term) -> None:
        """Add a clause at the end of its predicate."""

    def add_extern(self, predicate: str, arity: int, func: BuiltinFunction, scope: str | None = None) -> None:
        """Take a function that a Python file exports."""

    def define(self, name: str, arity: int, function: BuiltinFunction, scope: str | None = None) -> None:
        """Let Python decide a predicate."""

    def declare(self, signature: str) -> None:
        """Make a predicate known, which may have no clauses."""

    def matching(self, head: Term) -> Iterator[tuple[int, Term]]:
        """The facts and clauses of a predicate that may unify with a head, by number."""

    def erase(self, head: Term, numbers: Iterable[int]) -> None:
        """Take clauses out of a predicate."""

    def get_node(self, index: int) -> CallNode:
        """The node of a number."""


class StackRecord(Protocol):
    """A goal on the engine's stack."""

    parent: int | None
    node: CallNode
    context: Arguments
    current_clause: int | None
    database: Any
    results: object


class Listener(Protocol):
    """Where a call's answers go."""

    def notifyResult(self, arguments: Arguments, node: Key, is_last: bool) -> Messages:  # noqa: N802 (ProbLog's name)
        """Hand an answer on."""

    def notifyComplete(self) -> Messages:  # noqa: N802 (ProbLog's name)
        """Say that there are no more."""


class Transformation(Protocol):
    """What an answer of a called goal becomes for the caller, in several steps."""

    def addFunction(self, function: Callable[[Arguments], Arguments | None]) -> None:  # noqa: N802 (ProbLog's name)
        """Add a step before the others."""

    def __call__(self, result: Arguments) -> Arguments | None: ...


class ProblogFormula(Protocol):
    """A ground program as ProbLog's own evaluation reads it."""

    atomcount: int
    LABEL_EVIDENCE_POS: str


class ProblogEngine(Protocol):
    """An engine as ProbLog itself uses it."""

    def ground(
        self,
        db: ClauseStore,
        term: Argument,
        target: ProblogFormula | None = None,
        label: str | None = None,
        *,
        include: frozenset[int] | None = None,
    ) -> ProblogFormula:
        """The ground program of a goal, added to that of a ``target``; ``include`` are the clauses that count."""


class GroundingEngine(Protocol):
    """The engine of a run, as predicates use it."""

    cycle_root: StackRecord | None
    pointer: int
    stack: list[StackRecord]
    records: Records
    functions: Mapping[tuple[str, int], BuiltinFunction]
    inputs: Collection[str]

    @property
    def database(self) -> ClauseStore:
        """The clauses of the run, which it may change."""

    def locate(self, location: Location) -> Position | None:
        """Where a place is in a file."""

    def look(self) -> None:
        """End the run if its time is over."""

    def carry_out_directives(self, database: ClauseStore) -> None:
        """Carry out the directives of a file that a goal has read."""

    def clause_position(self, clause: int | None) -> Position | None:
        """Where a clause of the program's own stands."""

    def get_non_cache_functor(self) -> str:
        """The name of a new predicate that is not tabled."""

    def context_min_var(self, context: Arguments) -> int:
        """The lowest number of a variable."""

    def create_context(self, content: Arguments, *, parent: Arguments | None = None) -> Arguments:
        """Arguments with the state of others."""

    def call(
        self, query: Term, *, subcall: bool, database: ClauseStore, target: FormulaWriter,
        call_origin: tuple[str, Location] | None,
    ) -> list[ProbableSolution]:  # fmt: skip
        """All answers of a goal."""

    def execute(
        self, node_id: int, *, database: ClauseStore, target: FormulaWriter, context: Arguments, subcall: bool
    ) -> list[ProbableSolution]:
        """All answers of a node of the data base."""

    def fresh(self) -> ProblogEngine:
        """Another engine on the same data base."""

    def apart(self, goal: GoalKey, cycle: Callable[[], Exception], fresh: bool) -> AbstractContextManager[None]:
        """Evaluate a goal as a run of its own."""

    def failed_calls(self, error: Exception) -> Sequence[object]:
        """The calls of built-ins that have raised an exception."""

    def apart_from_this(self, work: Callable[[], T], goal: str, location: Location) -> T:
        """The result of work that has no limits within, for a goal at a place."""

    def check_subquery(self, goal: Argument, position: Position | None) -> None:
        """Refuse to make a number of what a network decides."""

    def check_module(self, filename: Argument, database: ClauseStore, location: Location) -> None:
        """Refuse a file that may not be loaded."""


class CallOptions(TypedDict, total=False):
    """What the engine hands to a predicate besides its arguments."""

    engine: GroundingEngine
    database: ClauseStore
    target: FormulaWriter
    location: Location
    callback: Listener
    transform: Transformation | None
    parent: int | None
    context: Arguments
    identifier: object
    call_origin: tuple[str, Location] | None
    current_clause: int | None


class StepOptions(TypedDict, total=False):
    """What the engine hands from one step to the next, besides the node, its context and who waits for it."""

    database: ClauseStore
    target: FormulaWriter
    transform: Transformation | None
    identifier: object
    call: Goal
    call_origin: tuple[str, Location] | None
    current_clause: int | None
    is_root: bool
    include: frozenset[int] | None
    exclude: frozenset[int] | None
    no_cache: bool
    dont_cache: bool


class NegationOptions(StepOptions, total=False):
    """What the engine hands to a negation."""

    node_id: int | None
    node: CallNode
    context: Arguments
    parent: int | None
