"""A program in ProbLog's data base, its directives carried out: what grounding begins with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from problog.engine_stack import SimpleBuiltIn, SimpleProbabilisticBuiltIn
from problog.eval_nodes import NegativeCycle

from deepplp.errors import Position
from deepplp.grounding.clause_base import NEURAL, Location
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.neural_choices import NeuralChoices
from deepplp.grounding.problog.adapter import DatabaseClauses
from deepplp.grounding.problog.aggregates import aggregate_solvers
from deepplp.grounding.problog.builtin_table import BuiltinTable, standard_builtins
from deepplp.grounding.problog.database import Database
from deepplp.grounding.problog.engine import Engine, Setting
from deepplp.grounding.problog.faults import translated
from deepplp.grounding.problog.libraries import libraries_for, load_library, mend_libraries
from deepplp.grounding.problog.neural import neural_builtin
from deepplp.grounding.problog.places import Places
from deepplp.grounding.problog.recorded import Records
from deepplp.grounding.problog.solvers import python_solver, tensor_solvers
from deepplp.grounding.python_predicates import PythonFunction
from deepplp.program import Program, signatures_called, signatures_defined, undecided_signatures

__all__ = ["LoadedProgram", "load_program"]


@dataclass(frozen=True, slots=True)
class LoadedProgram:
    """A program that is loaded. Nothing changes it any more, so that any number of runs may use it at once.

    ``clauses`` are what the tabled engine reads. ``records`` are the terms that directives have recorded.
    """

    program: Program
    database: Database
    setting: Setting
    neural: NeuralChoices
    records: Records
    clauses: DatabaseClauses

    def is_defined(self, signature: str) -> bool:
        """Whether a predicate such as ``"member/2"`` is a built-in or has clauses, those of libraries included."""
        return self.database.is_defined(signature)

    def locate(self, location: Location) -> Position | None:
        """The position of what ProbLog knows of a place."""
        return self.setting.places.position(location, self.database)


def load_program(
    program: Program,
    meter: GroundMeter,
    *,
    allow_python: bool = False,
    functions: Iterable[PythonFunction] = (),
    called: frozenset[str] = frozenset(),
) -> LoadedProgram:
    """Load a program into ProbLog's data base and carry out its directives.

    ``allow_python`` lets them load Python files and data bases. ``functions`` are predicates that Python decides.
    ``called`` are signatures that goals call besides the program's, and that libraries may export.

    Raises:
        DeepPLPError: a clause cannot be loaded or a directive fails; the error says where.
    """
    neural = NeuralChoices(program.declarations)
    builtins = _builtins(neural, functions)
    setting = Setting(builtins, Places(program), undecided_signatures(program), allow_python=allow_python)
    try:
        return _loaded(program, setting, neural, meter, called, exact_negation=False)
    except NegativeCycle:
        return _loaded(program, setting, neural, meter, called, exact_negation=True)


def _loaded(
    program: Program,
    setting: Setting,
    neural: NeuralChoices,
    meter: GroundMeter,
    called: frozenset[str],
    *,
    exact_negation: bool,
) -> LoadedProgram:
    database = Database.of_program(program, setting.builtins.numbers)
    meter.begin(lambda location: setting.places.position(location, database))
    engine = Engine(setting, database, meter, exact_negation=exact_negation)
    with translated(engine, None):
        _load(program, database, engine, called)
    setting = replace(setting, unknown=engine.unknown, functions=engine.functions)
    clauses = DatabaseClauses(database, setting)
    return LoadedProgram(program, database, setting, neural, engine.records, clauses)


def _builtins(neural: NeuralChoices, functions: Iterable[PythonFunction]) -> BuiltinTable:
    own = [(NEURAL, 5, SimpleProbabilisticBuiltIn(neural_builtin(neural)))]
    own += [(f.name, f.arity, SimpleBuiltIn(python_solver(f))) for f in functions]
    return standard_builtins().with_builtins(own)


def _load(program: Program, database: Database, engine: Engine, more: frozenset[str]) -> None:
    for number, statement in enumerate(program.statements):
        if statement.consulted is None:
            database.mark(statement=number)
            database.add(statement)
    database.mark()
    directives = signatures_called(program, by_directives=True) - signatures_defined(program)
    _carry_out(libraries_for(directives, program), database, engine)
    called = signatures_called(program) | more
    _carry_out(libraries_for({s for s in called if not database.is_defined(s)}), database, engine)
    for name, arity, solver in (*tensor_solvers(), *aggregate_solvers()):
        if not database.is_defined(f"{name}/{arity}"):
            database.define(name, arity, solver)


def _carry_out(libraries: Iterable[str], database: Database, engine: Engine) -> None:
    """Load libraries, then carry out the directives that wait."""
    for library in libraries:
        load_library(database, library)
    engine.prepare(database)
    mend_libraries(database)
