"""Where queries are ground and compiled: in this process, or in several at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

from deepplp.circuit import Circuit
from deepplp.compilation import (
    COMPILERS,
    CompilationReport,
    CompileBudget,
    CompilerName,
    compile_with_report,
    impossible_queries,
)
from deepplp.errors import DeepPLPError, QueryError, UnknownNetworkError
from deepplp.formula import Formula
from deepplp.grounding import GroundBudget, Grounder, GrounderName, PythonFunction
from deepplp.program import FileState, Program, are_current
from deepplp.queries.encoding import decoded, encoded
from deepplp.queries.header import Header
from deepplp.queries.pattern import Pattern
from deepplp.queries.storage import Storage

if TYPE_CHECKING:
    import joblib

__all__ = ["Built", "Settings", "Task", "Workshop", "is_worth_keeping", "place_on_disk"]

_WORTH_KEEPING = 0.05  # seconds; what takes less is ground and compiled anew as fast as it is read


class Built(NamedTuple):
    """What a pattern has been made into, and the files besides the program's texts that were read for it.

    What depends on such files is kept in memory alone.
    """

    header: Header
    circuit: Circuit
    files: tuple[FileState, ...] = ()


_Sent = tuple[dict[str, object], Circuit, tuple[FileState, ...]]
"""What a process sends: a header as it is written to disk, and what else there is of `Built`."""


class Task(NamedTuple):
    """A pattern to be ground and compiled, and the facts that come with it."""

    pattern: Pattern
    facts: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How queries are ground and compiled.

    ``grounder`` is "auto" for the tabled engine where it speaks the program, else ProbLog's; or one of the two by name.
    ``compiler`` is "portfolio", or one way alone: "elimination" of variables, or "sdd" for PySDD.

    Raises:
        QueryError: the budget is none, or there is no such engine.
    """

    allow_python: bool = False
    budget: CompileBudget | None = None
    grounder: GrounderName = "auto"
    compiler: CompilerName = "portfolio"

    def __post_init__(self) -> None:
        if self.budget is not None and not isinstance(self.budget, CompileBudget):
            raise QueryError(f"budget is a deepplp.CompileBudget, not a {type(self.budget).__name__}")
        known = {"grounder": (self.grounder, get_args(GrounderName)), "compiler": (self.compiler, COMPILERS)}
        for what, (chosen, names) in known.items():
            if chosen not in names:
                raise QueryError(f"there is no {what} {chosen!r}; there are: {', '.join(names)}")

    @property
    def ground_budget(self) -> GroundBudget | None:
        """What grounding may cost: the same time and memory as compilation, and any size where that may have any."""
        budget = self.budget
        if budget is None:
            return None
        goals = GroundBudget().goals if budget.nodes is not None else None
        return GroundBudget(budget.seconds, goals, budget.memory)


def is_worth_keeping(seconds: float) -> bool:
    """Whether what took so long to ground and compile belongs on disk."""
    return seconds > _WORTH_KEEPING


def place_on_disk(
    folder: Path | None, settings: Settings, program: Program, pattern: Sequence[object], facts: str
) -> tuple[Storage | None, str]:
    """Where a compiled form may be kept, and under which name; nowhere if it may depend on Python.

    ``pattern`` is the key of its pattern.
    """
    if folder is None or settings.allow_python:
        return None, ""
    storage = Storage(folder, program)
    queries, names, known = pattern
    content = {"queries": queries, "names": names, "known": known, "facts": facts}
    return storage, storage.key({**content, "engines": [settings.grounder, settings.compiler]})


class Workshop:
    """Grounds and compiles queries of one program.

    The program is loaded once for all queries without facts of their own and without new Python predicates.
    """

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.settings = settings
        self._loaded: tuple[tuple[PythonFunction, ...], Grounder] | None = None

    def program_with(self, facts: str, networks: Iterable[str]) -> Program:
        """The program and a query's own facts, whose networks the model must have."""
        if not facts:
            return self.program
        program, names = self.program.with_facts(facts), list(networks)
        for declaration in program.declarations[len(self.program.declarations) :]:
            if declaration.network not in names:
                has = ", ".join(names) or "none"
                message = f"no network {declaration.network!r} for {declaration}; this model has: {has}"
                raise UnknownNetworkError(message, declaration.position)
        return program

    def built(self, pattern: Pattern, program: Program, functions: tuple[PythonFunction, ...] = ()) -> Built:
        """A pattern's header and circuit; ``program`` is that of `program_with`."""
        grounder = self._grounder(program, functions)
        formula = grounder.ground(pattern.queries, pattern.evidence, inputs=pattern.names)
        settings = self.settings
        circuit, _ = compile_with_report(formula, budget=settings.budget, compiler=settings.compiler)
        impossible = impossible_queries(formula, circuit, settings.budget)
        return Built(Header.of(formula, impossible), circuit, grounder.files)

    def formula(self, pattern: Pattern, program: Program, functions: tuple[PythonFunction, ...] = ()) -> Formula:
        """The ground program of a pattern."""
        return self._grounder(program, functions).ground(pattern.queries, pattern.evidence, inputs=pattern.names)

    def report(
        self, pattern: Pattern, program: Program, functions: tuple[PythonFunction, ...], order: str | None
    ) -> CompilationReport:
        """Ground and compile anew, in a given order if there is one, and tell what was tried."""
        return compile_with_report(self.formula(pattern, program, functions), order, budget=self.settings.budget)[1]

    def _grounder(self, program: Program, functions: tuple[PythonFunction, ...]) -> Grounder:
        if program is not self.program:
            return self._new_grounder(program, functions)
        loaded = self._loaded
        if loaded is None or loaded[0] != functions or not are_current(loaded[1].files):
            loaded = self._loaded = functions, self._new_grounder(program, functions)
        return loaded[1]

    def _new_grounder(self, program: Program, functions: tuple[PythonFunction, ...]) -> Grounder:
        settings = self.settings
        return Grounder(
            program,
            allow_python=settings.allow_python,
            functions=functions,
            budget=settings.ground_budget,
            grounder=settings.grounder,
        )

    def built_in_processes(self, tasks: Sequence[Task], jobs: int) -> Iterator[Built | None]:
        """Ground and compile in ``jobs`` processes at once (-1: one a processor); None for what fails.

        joblib hands out the work, so that its own back ends can take it: ``with joblib.parallel_config("dask"): …``.
        """
        import joblib  # takes as long to load as a small program to be answered

        size = max(1, math.ceil(len(tasks) / (4 * joblib.effective_n_jobs(jobs))))
        chunks = [tasks[i : i + size] for i in range(0, len(tasks), size)]
        calls = [joblib.delayed(_built_elsewhere)(self.program, self.settings, chunk) for chunk in chunks]
        results = _workers(jobs)(calls) if calls else ()
        for chunk, built in zip(chunks, results, strict=True):
            for task, found in zip(chunk, built, strict=True):
                if found is None:
                    yield None
                else:
                    program = self.program.with_facts(task.facts) if task.facts else self.program
                    yield Built(decoded(found[0], program), *found[1:])


def _workers(jobs: int) -> joblib.Parallel:
    """Workers that hand back a result as soon as it is next, where their back end can: the rest are still at work."""
    import joblib

    try:
        return joblib.Parallel(n_jobs=jobs, return_as="generator")
    except ValueError:  # not with pools of processes, of which Ray's is one
        return joblib.Parallel(n_jobs=jobs)


def _built_elsewhere(program: Program, settings: Settings, tasks: Sequence[Task]) -> list[_Sent | None]:
    """Ground and compile in a worker process; None for what fails. Headers travel as they are written to disk."""
    workshop = Workshop(program, settings)
    found: list[_Sent | None] = []
    for pattern, facts in tasks:
        try:
            whole = program.with_facts(facts) if facts else program
            built = workshop.built(pattern, whole)
            found.append((encoded(built.header, whole), built.circuit, built.files))
        except DeepPLPError:
            found.append(None)
    return found
