"""ProbLog's engine, with neural choices as one step of their own and without a way to run Python unasked.

A clause ``nn(net, [X], Y, [0..9]) :: digit(X, Y) :- body`` reaches the engine as
``digit(X, Y) :- body, '$neural'(Declaration, Key, [X], Y, [0..9])``. The built-in ``'$neural'`` answers with all
values of the domain at once, where the heads of an annotated disjunction are called and answer one by one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from problog import library_paths
from problog.clausedb import ClauseDB
from problog.engine import DefaultEngine
from problog.engine_stack import SimpleBuiltIn, SimpleProbabilisticBuiltIn, VarReindex
from problog.engine_unify import UnifyError, substitute_call_args, substitute_simple, unify_value
from problog.errors import ProbLogError
from problog.eval_nodes import NODE_FALSE, EvalDefine, EvalNot
from problog.extern import problog_export
from problog.formula import LogicFormula
from problog.logic import Constant, Term, Var, is_ground, list2term

from deepplp.errors import (
    BudgetExceededError,
    DeepPLPError,
    DomainError,
    NegativeCycleError,
    NonGroundError,
    Position,
    ProgramError,
    ProgramFileError,
    PythonNotAllowedError,
    UnsupportedConstructError,
)
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.problog.builtins import install_builtins
from deepplp.grounding.problog.clause_index import index_lazily
from deepplp.grounding.problog.clauses import NEURAL, engine_clauses
from deepplp.grounding.problog.libraries import declare, libraries_for, load_library, mend_libraries, missing_file
from deepplp.grounding.problog.loaders import LOADERS
from deepplp.grounding.problog.retract import RETRACTORS
from deepplp.grounding.python_predicates import PythonFunction
from deepplp.grounding.tensor_predicates import TENSOR_SIGNATURES, tensor_builtins, tensor_test
from deepplp.program import RANGE_FUNCTOR, NeuralDeclaration, Program, calls_of, readable, undecided_signatures

__all__ = ["Engine", "GroundTarget", "NeuralMark", "is_defined", "make_database"]

# The parts of ProbLog's library that are written in Python and touch nothing but terms.
_SAFE_LIBRARIES = frozenset({"lists.py", "string.py", "assert.py", "record.py"})
# What changes the data base while a query is ground: assertz/1, retract/1, retractall/1, recorda/2 and so on.
_CHANGING = ("assert", "retract", "record", "erase")
_MOST_OPEN = 250_000  # records of the engine's stack, which take 1 GB
_MOST_ANSWERS = 1_000_000
_MOST_VARIABLES = 1_000


@dataclass(frozen=True, slots=True)
class NeuralMark:
    """The probability of a neural atom while the engine runs: which declaration, on which inputs, which values."""

    declaration: NeuralDeclaration
    inputs: tuple[Term, ...]
    domain: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class _OpenNegation:
    """A negation whose goal is being evaluated in a run of its own: who waits for it, and for which goal."""

    parent: int | None
    goal: tuple[Any, ...]


class _TablesBelow:
    """The tables of goals for a run below a negation: ``own``, those of ended runs, and what is complete above.

    Goals that are still open above are not seen, so that the run evaluates them anew. What an ended run found is
    complete.
    """

    def __init__(self, above: Any, completed: dict[Any, Any]) -> None:
        self.own: dict[Any, Any] = {}
        self._above = above
        self._completed = completed
        self._active: dict[Any, Any] = {}

    def reset(self) -> None:
        """Forget everything, since the data base has changed."""
        self.own.clear()
        self._completed.clear()
        self._above.reset()

    def is_dont_cache(self, goal: Any) -> bool:
        return bool(self._above.is_dont_cache(goal))

    def activate(self, goal: Any, node: Any) -> None:
        self._active[_table_key(goal)] = node

    def deactivate(self, goal: Any) -> None:
        del self._active[_table_key(goal)]

    def getEvalNode(self, goal: Any) -> Any:  # noqa: N802 (ProbLog's name)
        return self._active.get(_table_key(goal))

    def __setitem__(self, goal: Any, results: Any) -> None:
        if not self.is_dont_cache(goal):
            self.own[_table_key(goal)] = results

    def __contains__(self, goal: Any) -> bool:
        return self.get(goal) is not None

    def __getitem__(self, goal: Any) -> Any:
        results = self.get(goal)
        if results is None:
            raise KeyError(goal)
        return results

    def get(self, goal: Any, default: Any = None) -> Any:
        """The results of a goal as pairs of arguments and ground node; those of a ground goal are one pair."""
        key = _table_key(goal)
        results = self._find(key)
        if results is not None:
            if not is_ground(*goal[1]):
                return results.items()
            return [next(iter(results.items()))] if results else [(goal[1], NODE_FALSE)]
        is_open = self._above.getEvalNode(goal) is not None
        return default if is_open else self._above.get(goal, default)

    def _find(self, key: Any) -> Any:
        found = self.own.get(key)
        return self._completed.get(key) if found is None else found


def _table_key(goal: Any) -> tuple[Any, ...]:
    """A goal up to the names of its variables; as text, since 1 and 1.0 are two terms but one key."""
    functor, arguments = goal
    reindex = VarReindex()
    return functor, *(str(substitute_simple(a, reindex)) for a in arguments)


class GroundTarget(LogicFormula):  # type: ignore[misc]  # problog has no types
    """Where the engine writes the ground program.

    Unlike ProbLog's own formula it keeps no names and no exclusion constraints: atoms of one group become one
    categorical choice later on.
    """

    def add_name(self, name: Any, key: Any, label: Any = None, keep_name: bool = False) -> None:
        """Names are kept for queries and evidence only: nothing else reads them."""
        if label is not None and label != self.LABEL_NAMED:
            self._names[label][name] = key

    def _add_constraint_me(self, group: Any, node: Any, cr_extra: bool = True) -> Any:
        return node

    def conjoin(self, first: int, second: int) -> int | None:
        """`add_and` of two nodes, which is most of what is added."""
        if first == second or not second:
            return first
        if not first:
            return second
        if first == -second:
            return None
        key = first, second
        found: int | None = self._index_conj.get(key)
        if found is None:
            self._nodes.append(self._create_conj(key))
            found = self._index_conj[key] = len(self._nodes)
        return found


class Engine(DefaultEngine):  # type: ignore[misc]
    """ProbLog's stack engine for one program."""

    def __init__(
        self,
        declarations: tuple[NeuralDeclaration, ...] = (),
        allow_python: bool = False,
        locate: Callable[[Any], Position | None] = lambda location: None,
        functions: Iterable[PythonFunction] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._declarations = declarations
        self._allow_python = allow_python
        self.exact_negation = False
        self._negations: list[_OpenNegation] = []
        self._completed: dict[Any, Any] = {}  # tables of ended runs below negations
        self._domains: dict[int, tuple[Term, ...]] = {}  # of declarations whose domain holds no variable
        self._collecting: list[Any] = []  # the goals whose answers are being collected, outermost first
        self._answers = 0  # since the last call
        self._variables = 0  # in every 64th of them
        self.meter: GroundMeter | None = None  # of the goals that are being ground
        self.called: tuple[Any, int | None] | None = None  # the last call and what it is part of, for errors
        self.loading: Any = None  # the data base while the program's directives are carried out, and later
        self.database: Any = None  # with all that they have loaded; None before that
        self._tensor_tests: set[str] = set()  # predicates of tensors that hold with a probability
        self._externs = dict((*LOADERS, *RETRACTORS))  # what stands in for functions of ProbLog's libraries
        self.undecided: frozenset[str] = frozenset()  # predicates that depend on networks or learnable probabilities
        self.changed = False  # whether a query has changed the data base, by assertz/1 or the like
        self.locate = locate
        self.add_builtin(NEURAL, 5, SimpleProbabilisticBuiltIn(self.neural))
        install_builtins(self, GroundTarget)
        for function in functions:
            self.add_builtin(function.name, function.arity, SimpleBuiltIn(_solver(function, locate)))
        for signature in ("use_module/1", "use_module/2", "_use_module/2", "_use_module/3", "consult/1", "_consult/2"):
            name, _, arity = signature.partition("/")
            builtin = self.get_builtin(self.get_builtins()[signature])
            self.add_builtin(name, int(arity), _guarded(builtin, self, scoped=name[0] == "_"))

    def check_module(self, filename: Any, database: ClauseDB, location: Any) -> None:
        """Refuse a file that is missing, and one that would run Python or read a data base unless that is allowed."""
        if not isinstance(filename, Term):
            raise ProgramFileError("a file's name is an atom such as 'facts.pl', not a variable", self.locate(location))
        path = str(database.resolve_filename(filename))
        if not os.path.isfile(path):
            raise ProgramFileError(missing_file(filename, path), self.locate(location))
        folder, file = os.path.split(os.path.realpath(path))
        shipped = folder in {os.path.realpath(p) for p in library_paths}
        if shipped and file == "aproblog.py":
            raise UnsupportedConstructError(
                "library(aproblog) computes in semirings of its own; deepplp computes probabilities and their "
                "gradients",
                self.locate(location),
            )
        if self._allow_python or not path.endswith(".py") or (shipped and file in _SAFE_LIBRARIES):
            return
        raise PythonNotAllowedError(
            f"use_module({filename}) would run Python code; allow it with allow_python=True (--allow-python) if you "
            "trust this program",
            self.locate(location),
        )

    def handle_nonground(self, location: Any = None, database: Any = None, node: Any = None, **rest: Any) -> None:
        """A probabilistic clause was reached with a variable still free."""
        head = node.functor.args[2] if len(node.functor.args) > 2 else node.functor
        raise NonGroundError(
            f"the probabilistic clause for {head.functor}/{head.arity} still holds a variable when it is reached; "
            "bind every variable of its head in its body, or call it with ground arguments",
            self.locate(node.location),
        )

    def reset(self) -> None:
        """Forget what an interrupted run left behind."""
        self.pointer = 0
        self.cycle_root = None
        self.shrink_stack()
        self._negations.clear()
        self._collecting.clear()
        self._completed = {}
        self.called = None

    def eval_call(self, node_id: Any, node: Any, context: Any, parent: Any, **rest: Any) -> Any:
        """A call, noted for the errors that may come of it."""
        self.called = (node, parent)
        self._answers = self._variables = 0
        self.check_open(self.pointer, node.location)
        if self.meter is not None:
            place = node.location if node.defnode >= 0 else None  # a built-in is no recursion of the program's
            self.meter.spend(str(node.functor), len(node.args), place)
        return super().eval_call(node_id, node, context, parent, **rest)

    def _fix_context(self, context: Any) -> Any:
        """An answer, counted: a goal that has answers without end calls nothing on the way."""
        self._answers += 1
        if not self._answers % 64:
            if self.meter is not None:
                self.meter.look()
            self._variables += sum(len(t.variables()) for t in context if isinstance(t, Term) and not is_ground(t))
            place = self.called[0].location if self.called is not None else None
            self.check_answers(self._answers, place, self._variables)
        return super()._fix_context(context)

    def eval_extern(self, node: Any = None, **rest: Any) -> Any:
        """A predicate that Python decides. Those that change the data base change that of this engine."""
        if self.database is not None:
            problog_export.database = self.database
            self.changed = self.changed or node.functor.lstrip("_").startswith(_CHANGING)
        if node.functor in self._tensor_tests:
            return self.eval_builtin(node=SimpleProbabilisticBuiltIn(node.function), **rest)
        ours = self._externs.get(node.functor)
        return super().eval_extern(node=node if ours is None else node._replace(function=ours), **rest)

    def define_tensor_predicates(self, database: ClauseDB) -> None:
        """Add the predicates of tensors, but for those that the program or its libraries define themselves."""
        tests = [(n, s.arguments, _tester(n, self.locate)) for n, s in TENSOR_SIGNATURES.items() if s.test]
        for name, arity, solver in [*tensor_builtins(self.locate), *tests]:
            if not is_defined(database, f"{name}/{arity}"):
                database.add_extern(name, arity, solver)
                if (name, arity, solver) in tests:
                    self._tensor_tests.add(name)

    def define(self, name: str, arity: int, solutions: Callable[..., list[tuple[Any, ...]]]) -> None:
        """Let Python decide a predicate of the program that is being loaded or ground."""
        database = self.loading if self.database is None else self.database
        database.add_extern(name, arity, solutions)

    def check_open(self, waiting: int, location: Any) -> None:
        """End a recursion while there is memory left."""
        if waiting > _MOST_OPEN:
            raise BudgetExceededError(
                f"more than {_MOST_OPEN} goals wait for this one: its recursion does not end, or is too deep",
                self.locate(location),
            )

    def check_answers(self, answers: int, location: Any, variables: int = 0) -> None:
        """End a goal that has answers without end, or answers that hold more and more ``variables``."""
        if answers > _MOST_ANSWERS or variables > _MOST_VARIABLES:
            raise BudgetExceededError(
                "this goal has answers without end; bind more of its arguments before it is called",
                self.locate(location),
            )

    @property
    def is_collecting(self) -> bool:
        """Whether answers are being collected, by findall/3 or the like."""
        return bool(self._collecting)

    def check_subquery(self, goal: Any, position: Position | None) -> None:
        """Refuse to make a number of what a network or a learnable probability decides."""
        if isinstance(goal, Term) and goal.signature in self.undecided:
            raise UnsupportedConstructError(
                f"subquery/2 makes a number of P({readable(goal)}), which depends on a network or a learnable "
                "probability: no gradient could flow through it. Use the goal itself, or evidence",
                position,
            )

    @contextmanager
    def apart(self, goal: Any, cycle: Callable[[], Exception], fresh: bool) -> Iterator[None]:
        """Evaluate a goal as a run of its own, with tables of its own where it is ``fresh``.

        A goal that is evaluated apart within its own evaluation would be so for ever: that is the error ``cycle``.
        """
        if goal in self._collecting:
            raise cycle()
        outer = self.cycle_root, self._completed
        self.cycle_root = None
        if fresh:
            self._completed = {}
        self._collecting.append(goal)
        try:
            yield
        finally:
            self._collecting.pop()
            self.cycle_root, self._completed = outer

    def calling_clauses(self) -> Iterator[Any]:
        """Where the clauses stand that led to the last call, the innermost first."""
        parent = self.called[1] if self.called is not None else None
        while parent is not None:
            record = self.stack[parent]
            if record is None:
                return
            if record.current_clause is not None:
                yield record.database.get_node(record.current_clause).location
            parent = record.parent

    def context_min_var(self, context: Any) -> int:
        """The lowest number of a variable; ground terms, which know that they are, have none (ProbLog looks again)."""
        lowest = 0
        for term in context:
            if type(term) is int:
                lowest = min(lowest, term)
            elif term is not None and not term.is_ground():
                lowest = min([lowest, *(v for v in term.variables() if v is not None)])
        return lowest

    def eval_neg(self, **call: Any) -> Any:
        """Evaluate a negation; in ``exact_negation`` as a run of its own.

        ProbLog spreads cycles as messages, and takes a positive cycle below a negation that itself lies inside an open
        cycle for a negative one. A run of its own, which sees none of the goals that are still open, closes such a
        cycle before the negation is taken. All that a run evaluates, its goal depends on: a goal that is negated again
        in the runs below its own negation depends on its own negation. This costs Python's stack, so it is the second
        try.
        """
        if not self.exact_negation:
            return super().eval_neg(**call)
        node, target = call["node"], call["target"]
        goal = self._negated_goal(call["database"].get_node(node.child), node.child, call["context"])
        opened = next((i for i, n in enumerate(self._negations) if n.goal == goal), None)
        if opened is not None:
            self._raise_negative_cycle(opened, call["parent"], node)
        outer_root, self.cycle_root = self.cycle_root, None
        outer = target._cache
        target._cache = _TablesBelow(outer, self._completed)
        self._negations.append(_OpenNegation(call["parent"], goal))
        try:
            results = self.execute(
                node.child, database=call["database"], target=target, context=call["context"], subcall=True
            )
            self._completed.update(target._cache.own)
        finally:
            self._negations.pop()
            target._cache = outer
            self.cycle_root = outer_root
        negation = EvalNot(pointer=self.pointer, engine=self, **call)
        negation.nodes.update(result for _, result in results if result != NODE_FALSE)
        return negation.complete()[1]

    @staticmethod
    def _negated_goal(child: Any, number: int, context: Any) -> tuple[Any, ...]:
        """What tells one negated goal from another: the goal with its arguments, or its place and all variables."""
        if type(child).__name__ == "call":
            arguments = substitute_call_args(child.args, context, -1)[0]
            return (child.functor, *(str(a) if is_ground(a) else "_" for a in arguments))
        return (number, *(str(a) if is_ground(a) else "_" for a in context))

    def _raise_negative_cycle(self, opened: int, parent: int | None, negation: Any) -> None:
        """Show the cycle that a negation closes: the goals above it, up to the negation that opened the same goal."""
        atoms: list[str] = []
        for number in range(len(self._negations), opened, -1):
            while parent is not None:
                record = self.stack[parent]
                if isinstance(record, EvalDefine) and not record.node.functor.startswith("body_"):
                    atoms.append(str(Term(record.node.functor, *record.context)))
                parent = record.parent
            if number > opened + 1:
                atoms[-1] = f"\\+ {atoms[-1]}"
                parent = self._negations[number - 1].parent
        atoms.reverse()
        atoms.append(f"\\+ {atoms[0]}")
        raise NegativeCycleError(
            f"this negation is part of a cycle, so the program has no single two-valued meaning: {' -> '.join(atoms)}",
            self.locate(negation.location),
            tuple(atoms),
        )

    def neural(
        self,
        declaration: Any,
        key: Any,
        inputs: Any,
        output: Any,
        domain: Any,
        target: Any = None,
        **rest: Any,
    ) -> Iterator[Any] | list[Any]:
        """``'$neural'(Declaration, Key, Inputs, Output, Domain)``: one answer a value of the domain."""
        declared = self._declarations[int(declaration)]
        if not is_ground(key) or not is_ground(inputs):
            free = (
                next(i for i, a in zip(declared.inputs, inputs.args, strict=True) if not is_ground(a))
                if (not is_ground(inputs))
                else declared.head
            )
            raise NonGroundError(
                f"{declared} is reached while {free} is not ground; bind it in the body or in the query",
                declared.position,
            )
        group: tuple[Any, ...] = (NEURAL, int(declaration), key)
        if declared.kind == "bernoulli":
            mark = NeuralMark(declared, tuple(inputs.args), ())
            node = target.add_atom((*group, 0), mark, group=group)
            return [((declaration, key, inputs, output, domain), node)]
        if declared.kind == "tensor":
            # The tensor itself is computed when it is needed; in the logic it is a term that says how.
            tensor = Term("tensor", Term("nn", Term(declared.network), list2term(list(inputs.args))))
            return [((declaration, key, inputs, tensor, domain), target.TRUE)]
        values = self._domain_values(declared, domain)
        if isinstance(declared.domain, Var):
            group = (*group, domain)  # a variable of the clause, like those in the key
        mark = NeuralMark(declared, tuple(inputs.args), values)
        results = []
        wanted = output if isinstance(output, Term) and is_ground(output) else None
        for index, value in enumerate(values):
            if wanted is None or _same(wanted, value):
                node = target.add_atom((*group, index), mark, group=group)
                results.append(((declaration, key, inputs, value, domain), node))
        return results

    def _domain_values(self, declared: NeuralDeclaration, domain: Any) -> tuple[Term, ...]:
        if declared.index in self._domains:
            return self._domains[declared.index]
        values = tuple(_expand(declared, domain))
        seen: set[str] = set()
        for value in values:
            if str(value) in seen:
                raise DomainError(f"the domain of {declared} holds {value} twice", declared.position)
            seen.add(str(value))
        if not values:
            raise DomainError(f"the domain of {declared} is empty", declared.position)
        if declared.domain is not None and is_ground(declared.domain):
            self._domains[declared.index] = values
        return values


def _solver(function: PythonFunction, locate: Callable[[Any], Position | None]) -> Any:
    def solve(*arguments: Any, location: Any = None, **rest: Any) -> list[tuple[Any, ...]]:
        found = []
        for solution in function.solutions(arguments, locate(location)):
            try:
                found.append(tuple(unify_value(a, b, {}) for a, b in zip(arguments, solution, strict=True)))
            except UnifyError:
                continue
        return found

    return solve


def _tester(name: str, locate: Callable[[Any], Position | None]) -> Any:
    """A predicate that holds with a probability that is a tensor: 0 or 1 for each row."""

    def solve(*arguments: Any, target: Any = None, location: Any = None, **rest: Any) -> list[Any]:
        probability = tensor_test(name, arguments, locate(location))
        return [(arguments, target.add_atom((name, *map(str, arguments)), probability))]

    return solve


def _guarded(builtin: Any, engine: Engine, scoped: bool) -> Any:
    def call(*args: Any, **rest: Any) -> Any:
        filename = args[1] if scoped else args[0]
        engine.check_module(filename, rest["database"], rest.get("location"))
        try:
            return builtin(*args, **rest)
        except (DeepPLPError, ProbLogError):
            raise
        except Exception as error:  # of the Python file
            raise ProgramFileError(
                f"cannot load {filename}: {type(error).__name__}: {error}", engine.locate(rest.get("location"))
            ) from error

    return call


def _same(a: Term, b: Term) -> bool:
    """Whether two ground terms are one: 1, 1.0, "1" and '1' are four terms."""
    return bool(a == b) and str(a) == str(b)


def _expand(declared: NeuralDeclaration, domain: Any) -> Iterator[Term]:
    """The values of a domain: the items of a list, each range in it spread out."""
    items: list[Any] = []
    rest = domain
    while isinstance(rest, Term) and rest.functor == "." and rest.arity == 2:
        items.append(rest.args[0])
        rest = rest.args[1]
    if not (isinstance(rest, Term) and str(rest) == "[]"):
        items.append(rest)
    for item in items:
        if isinstance(item, Term) and item.functor == RANGE_FUNCTOR:
            low, high = (_integer(declared, bound) for bound in item.args)
            yield from (Constant(i) for i in range(low, high + 1))
        elif isinstance(item, Term) and is_ground(item) and (len(items) > 1 or rest is not item):
            yield item
        else:
            raise NonGroundError(
                f"the domain of {declared} must be a list of ground values such as [0..9], bound in the body if it is "
                "a variable",
                declared.position,
            )


def _integer(declared: NeuralDeclaration, bound: Any) -> int:
    try:
        value = bound.compute_value() if isinstance(bound, Term) and is_ground(bound) else None
    except ProbLogError:
        value = None
    if not isinstance(value, int):
        raise DomainError(f"the bounds of a range must be integers, not {bound}, in {declared}", declared.position)
    return value


def make_database(program: Program, engine: Engine) -> ClauseDB:
    """Load a program into ProbLog's clause data base and carry out its directives."""
    engine.database = None
    engine.undecided = undecided_signatures(program)
    database = ClauseDB(builtins=engine.get_builtins())
    index_lazily(database)
    database.source_root = program.root
    database.source_files = [os.path.abspath(text.name) for text in program.texts]
    database.source_parent = [None] * len(program.texts)
    database.line_info = [
        [-1, *(i for i, c in enumerate(text.content) if c == "\n"), len(text.content)] for text in program.texts
    ]
    engine.loading = database
    for statement in program.statements:
        if statement.consulted is not None:
            continue
        try:
            for signature in statement.declared or ():
                declare(database, signature)
            for clause in () if statement.declared is not None else engine_clauses(statement):
                database.add_statement(clause)
        except ProbLogError as error:
            message = str(error.base_message)
            raise ProgramError(message[:1].lower() + message[1:].rstrip("."), statement.position) from None
    own = {head.signature for statement in program.statements for head in statement.heads_and_body()[0]}
    directives = {s for d in program.statements if d.is_directive for s, _ in calls_of(d)} - own
    for library in libraries_for(directives, program):
        load_library(database, library)
    database = engine.prepare(database)
    mend_libraries(database)
    called = {signature for statement in program.statements for signature, _ in calls_of(statement)}
    for library in libraries_for({s for s in called if not is_defined(database, s)}):
        load_library(database, library)
    database = engine.prepare(database)
    mend_libraries(database)
    engine.define_tensor_predicates(database)
    engine.database = database
    engine.changed = False
    return database


def is_defined(database: ClauseDB, signature: str) -> bool:
    """Whether a predicate such as ``"member/2"`` is a built-in or has clauses, those of imported libraries included."""
    if database.get_builtin(signature) is not None:
        return True
    name, _, arity = signature.rpartition("/")
    found = database.find(Term(name, *[None] * int(arity)))
    return found is not None and bool(database.get_node(found))
