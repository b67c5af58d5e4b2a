"""ProbLog's engine for one run: its stack, its meter, and what it has recorded. Runs share what is loaded.

ProbLog makes an engine with all its built-ins and grounds anything with it. Here the built-ins are a table that is made
once, and an engine is made for every run, so that runs in several threads know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeVar, Unpack, cast

from problog.engine import DefaultEngine
from problog.engine_stack import SimpleProbabilisticBuiltIn
from problog.eval_nodes import EvalDefine

from deepplp.errors import NonGroundError, Position, UnsupportedConstructError
from deepplp.grounding.aggregates import written_signature
from deepplp.grounding.clause_base import Location
from deepplp.grounding.ground_budget import GroundMeter, StoppedAt
from deepplp.grounding.problog.builtin_table import BuiltinTable
from deepplp.grounding.problog.database import Database
from deepplp.grounding.problog.growth import Growth, recursive_clause
from deepplp.grounding.problog.instances import InstanceTables, looks_at_bindings, negated_arguments
from deepplp.grounding.problog.modules import check_module, is_shipped
from deepplp.grounding.problog.negation import ExactNegation
from deepplp.grounding.problog.places import Places
from deepplp.grounding.problog.recorded import Records
from deepplp.grounding.problog.solvers import Probabilistic
from deepplp.grounding.problog.vocabulary import (
    Argument,
    Arguments,
    BuiltinFunction,
    CallNode,
    ClauseStore,
    FormulaWriter,
    GoalKey,
    Messages,
    NegationOptions,
    StackRecord,
    StepOptions,
)
from deepplp.grounding.tensor_arithmetic import holds_tensor
from deepplp.program import Term, calls_in, is_ground, readable

__all__ = ["Engine", "FailedCall", "Setting"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs of a program share besides its clauses.

    ``undecided`` are the predicates that depend on networks or learnable probabilities. ``unknown`` says what becomes
    of calls of unknown predicates, as a directive ``unknown/1`` has it; ``functions`` are those of arithmetic that
    Python files have added.
    """

    builtins: BuiltinTable
    places: Places
    undecided: frozenset[str] = frozenset()
    allow_python: bool = False
    unknown: int = DefaultEngine.UNKNOWN_ERROR
    functions: Mapping[tuple[str, int], BuiltinFunction] | None = None


class FailedCall(NamedTuple):
    """A call of a built-in, or of a predicate that Python decides, that has raised an exception."""

    error: Exception
    signature: str
    arguments: Arguments
    location: Location


class Engine(DefaultEngine):  # type: ignore[misc]  # problog has no types
    """ProbLog's stack engine on the data base of one run, which it may change.

    ``meter`` counts its goals, those of `fresh` engines included. With ``exact_negation`` every negation is evaluated
    as a run of its own: see `ExactNegation`. ``records`` are the terms that the program has recorded so far. ``inputs``
    are the names of tensors.
    """

    def __init__(
        self,
        setting: Setting,
        database: Database,
        meter: GroundMeter,
        *,
        exact_negation: bool = False,
        records: Records | None = None,
        failed: list[FailedCall] | None = None,
        inputs: Collection[str] = frozenset(),
    ) -> None:
        super().__init__(builtins=False, unknown=setting.unknown)
        self.cycle_root: StackRecord | None
        self.setting = setting
        self.database = database
        self.records = Records(records)
        self.inputs = inputs
        self.functions = dict(setting.functions or {})
        self.called: tuple[CallNode, int | None] | None = None  # the last call and what it is part of, for errors
        self.is_loading = False
        self._failed: list[FailedCall] = [] if failed is None else failed  # the innermost first
        self._meter = meter
        self._exact = ExactNegation() if exact_negation else None
        self._collecting: list[GoalKey] = []  # the goals whose answers are being collected, outermost first
        self._collecting_calls: list[tuple[CallNode, int | None]] = []  # the calls that collect them
        self._answers = 0  # since the last call
        self._growth = Growth(meter, self._current_place, self._place_of_answers)
        database.engine = self

    def fresh(self) -> Engine:
        """Another engine on the same data base, for a question of its own."""
        return Engine(
            self.setting, self.database, self._meter, records=self.records, failed=self._failed, inputs=self.inputs
        )

    def get_builtin(self, index: int) -> BuiltinFunction:
        """The built-in of a number."""
        return self.setting.builtins.function(index)

    def get_builtins(self) -> Mapping[str, int]:
        """The numbers of built-ins by their signatures."""
        return self.setting.builtins.numbers

    def prepare(self, db: Database) -> Database:
        """Carry out the directives that have not been carried out yet."""
        self.is_loading = True  # they may read files, whose directives come next
        self._process_directives(db)
        self.is_loading = False
        return db

    def carry_out_directives(self, database: ClauseStore) -> None:
        """Carry out the directives of a file that a goal has read."""
        if self.is_loading:
            return
        other = self.fresh()
        other.is_loading = True
        try:
            other._process_directives(database)
        finally:
            self.database.engine = self

    def locate(self, location: Location) -> Position | None:
        """The position of what ProbLog knows of a place."""
        return self.setting.places.position(location, self.database)

    def check_module(self, filename: Argument, database: ClauseStore, location: Location) -> None:
        """Refuse a file that may not be loaded."""
        allowed = self.setting.allow_python
        check_module(filename, database, location, allow_python=allowed, locate=self.locate)

    def handle_nonground(self, location: Location = None, node: CallNode | None = None, **rest: object) -> NoReturn:
        """A probabilistic clause was reached with a variable still free."""
        assert node is not None
        assert isinstance(node.functor, Term)
        head = node.functor.args[2] if len(node.functor.args) > 2 else node.functor
        raise NonGroundError(
            f"the probabilistic clause for {head.functor}/{head.arity} still holds a variable when it is reached; "
            "bind every variable of its head in its body, or call it with ground arguments",
            self.locate(node.location),
        )

    def eval_call(
        self, node_id: int | None, node: CallNode, context: Arguments, parent: int | None, **rest: Unpack[StepOptions]
    ) -> Messages:
        """A call, noted for the errors that may come of it."""
        self.called = (node, parent)
        self._answers = 0
        self._meter.check_open(self.pointer, self._current_place, self._current_goal)
        functor, arity = _predicate(node)
        is_own = node.defnode >= 0 and not functor.startswith("body_")  # a built-in is no recursion of the program's
        self._meter.spend(functor, arity, node.location if is_own else None)
        messages: Messages = super().eval_call(node_id, node, context, parent, **rest)
        return messages

    def _fix_context(self, context: Arguments) -> Arguments:
        """An answer, counted: a goal that has answers without end calls nothing on the way."""
        self._answers += 1
        if not self._answers % 64:
            self._meter.look(self._now())
            self._meter.check_answers(self._answers, self._current_place, self._current_goal)
        fixed: Arguments = super()._fix_context(context)
        return fixed

    def eval_define(
        self, node: CallNode, context: Arguments, target: FormulaWriter, parent: int | None, **rest: object
    ) -> Messages:
        """A call of a predicate that has clauses."""
        self._growth.call(str(node.functor), context, self.pointer)
        if not is_ground(*context) and isinstance(target._cache, InstanceTables):
            target._cache.called(str(node.functor), self.stack, parent)
        messages: Messages = super().eval_define(node, context, target, parent, **rest)
        return messages

    def add_record(self, record: StackRecord) -> None:
        """A goal that is being evaluated."""
        if isinstance(record, EvalDefine):
            self._growth.watch(record)
        super().add_record(record)

    def _current_place(self) -> Location:
        """Where the last call stands, or the innermost clause of the program's own that led to it."""
        own = [] if self.called is None else [self.called[0].location]
        return self._in_program([*own, *self.calling_clauses()])

    def _place_of_answers(self, record: StackRecord) -> Location:
        """Where the clause stands that makes answers of a goal's answers, or the one that calls the library's."""
        number = recursive_clause(record)
        own = [] if number is None else [record.database.get_node(number).location]
        return self._in_program([*own, *self._clauses_above(record.parent), *self._clauses_around()])

    def _in_program(self, places: Iterable[Location]) -> Location:
        found = ((place, self.locate(place)) for place in places)
        return next((place for place, position in found if position and not is_shipped(position.file)), None)

    def _current_goal(self) -> Term:
        if self.called is None:
            return Term("this")
        node = self.called[0]
        return Term(_predicate(node)[0], *node.args)

    def _now(self) -> StoppedAt | None:
        """The last call."""
        if self.called is None:
            return None
        name, arity = _predicate(self.called[0])
        return StoppedAt(f"{name}/{arity}", self.called[0].location)

    def execute(self, node_id: int, target: FormulaWriter, database: Database, **options: object) -> object:
        """The answers of a goal."""
        if not hasattr(target, "_cache"):
            target._cache = InstanceTables(database.dont_cache)
        return super().execute(node_id, target=target, database=database, **options)

    def _look_at(self, arguments: Arguments, call: Mapping[str, Any]) -> None:
        """Note a goal that looks at what is bound, for the goals above."""
        tables = call["target"]._cache
        if isinstance(tables, InstanceTables) and not is_ground(*arguments):
            tables.looked(self.stack, call["parent"])

    def eval_builtin(self, **call: Any) -> Messages:
        """A built-in; a call that raises an exception is noted for the error that comes of it."""
        signature, location = cast("tuple[str, Location]", call.get("call_origin") or ("", None))
        signature = signature.replace("'", "")
        sides = call["context"]
        if looks_at_bindings(signature) or (signature == "is/2" and holds_tensor(sides[1], self.inputs)):
            self._look_at(call["context"], call)
        try:
            messages: Messages = super().eval_builtin(**call)
        except Exception as error:
            self._failed.append(FailedCall(error, signature, cast(Arguments, call["context"]), location))
            raise
        return messages

    def failed_calls(self, error: Exception) -> list[FailedCall]:
        """The calls that have raised an exception, or the one that it was raised for, the innermost first."""
        chain: list[BaseException] = []
        link: BaseException | None = error
        while link is not None:
            chain.append(link)
            link = link.__context__
        return [call for call in self._failed if any(call.error is link for link in chain)]

    def eval_extern(self, node: CallNode, **rest: object) -> Messages:
        """A predicate that Python decides."""
        messages: Messages
        if isinstance(node.function, Probabilistic):
            messages = self.eval_builtin(node=SimpleProbabilisticBuiltIn(node.function.solve), **rest)
        else:
            messages = super().eval_extern(node=node, **rest)
        return messages

    def eval_neg(self, **call: Unpack[NegationOptions]) -> Messages:
        """A negation."""
        self._look_at(negated_arguments(call["database"].get_node(call["node"].child), call["context"]), call)
        messages: Messages = super().eval_neg(**call) if self._exact is None else self._exact.evaluate(self, call)
        return messages

    def look(self) -> None:
        """Look at the clock, in the middle of a built-in."""
        self._meter.look(self._now())

    @property
    def has_exact_negation(self) -> bool:
        """Whether negations are evaluated one by one."""
        return self._exact is not None

    @property
    def is_collecting(self) -> bool:
        """Whether answers are being collected, by findall/3 or the like."""
        return bool(self._collecting)

    @contextmanager
    def apart(self, goal: GoalKey, cycle: Callable[[], Exception], fresh: bool) -> Iterator[None]:
        """Evaluate a goal as a run of its own, with tables of its own where it is ``fresh``.

        A goal that is evaluated apart within its own evaluation would be so for ever: that is the error ``cycle``.
        """
        if goal in self._collecting:
            raise cycle()
        outer, self.cycle_root = self.cycle_root, None
        self._collecting.append(goal)
        calls = len(self._collecting_calls)
        self._collecting_calls += [] if self.called is None else [self.called]
        try:
            with self._exact.fresh() if fresh and self._exact is not None else nullcontext():
                yield
        finally:
            self._collecting.pop()
            del self._collecting_calls[calls:]
            self.cycle_root = outer

    def apart_from_this(self, work: Callable[[], T], goal: str, location: Location) -> T:
        """The result of work that has no limits within, for a goal at a place."""
        place = self.locate(location)
        return self._meter.apart(work, StoppedAt(goal, location if place is None else place))

    def check_subquery(self, goal: Argument, position: Position | None) -> None:
        """Refuse to make a number of what a network or a learnable probability decides."""
        if any(called in self.setting.undecided for called, _ in calls_in([goal])):
            raise UnsupportedConstructError(
                f"subquery/2 makes a number of P({readable(goal)}), which depends on a network or a learnable "
                "probability: no gradient could flow through it. Use the goal itself, or evidence",
                position,
            )

    def calling_clauses(self) -> Iterator[Location]:
        """Where the clauses stand that led to the last call, the innermost first."""
        if self.called is not None:
            yield from self._clauses_above(self.called[1])
        yield from self._clauses_around()

    def _clauses_above(self, parent: int | None) -> Iterator[Location]:
        while parent is not None:
            record = self.stack[parent]
            if record is None:
                return
            if record.current_clause is not None:
                yield record.database.get_node(record.current_clause).location
            elif isinstance(record, EvalDefine):  # the engine has forgotten which of the predicate's clauses it was
                yield record.node.location
            parent = record.parent

    def _clauses_around(self) -> Iterator[Location]:
        """The calls that collect answers meanwhile, and the clauses that led to them."""
        for node, parent in reversed(self._collecting_calls):
            yield node.location
            yield from self._clauses_above(parent)

    def clause_position(self, clause: int | None) -> Position | None:
        """Where a clause of the program's own stands; None for one of a library."""
        if clause is None or self.database.span_of(clause).library is not None:
            return None
        return self.locate(self.database.get_node(clause).location)

    def context_min_var(self, context: Arguments) -> int:
        """The lowest number of a variable; ground terms, which know that they are, have none (ProbLog looks again)."""
        lowest = 0
        for term in context:
            if isinstance(term, int):
                lowest = min(lowest, term)
            elif term is not None and not term.is_ground():
                lowest = min([lowest, *(v for v in term.variables() if v is not None)])
        return lowest


def _predicate(node: CallNode) -> tuple[str, int]:
    """The name and arity of what is called: of its head where that is a choice's."""
    if not isinstance(node.functor, Term):
        name, _, arity = written_signature(node.functor, node.args).rpartition("/")
        return name, int(arity)
    head = node.functor.args[2] if len(node.functor.args) > 2 else node.functor
    return str(head.functor), head.arity
