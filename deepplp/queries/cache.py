"""From a question to its `CompiledQuery`: ground and compiled once, kept in memory and on disk under its pattern."""

from __future__ import annotations

import contextlib
import difflib
import sys
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from deepplp.compilation import CompilationReport
from deepplp.errors import (
    BudgetExceededError,
    DeepPLPError,
    ImpossibleValueWarning,
    InconsistentEvidenceError,
    InputError,
    QueryError,
    UnusedInputError,
)
from deepplp.formula import Choice
from deepplp.grounding import ArgumentValues
from deepplp.locks import ForkSafeLock
from deepplp.program import Not, Program, Term, Var, are_current, constants_of, signatures_defined, subterms
from deepplp.queries.blindness import Blindness
from deepplp.queries.compiled import CompiledQuery, choices_read, learnable_slots
from deepplp.queries.contradiction import contradiction
from deepplp.queries.environment import Environment
from deepplp.queries.needs import TensorNeeds, tensor_needs
from deepplp.queries.pattern import Pattern, pattern_of, terms_of
from deepplp.queries.query import Asked, Question
from deepplp.queries.recent import Recent
from deepplp.queries.slots import LearnableSlot
from deepplp.queries.storage import Storage
from deepplp.queries.workshop import Built, Settings, Task, Workshop, is_worth_keeping, place_on_disk

__all__ = ["CacheInfo", "CompiledQueries"]

_MOST_QUERIES = 4096
_MOST_PATTERNS = 4096

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Where a model's queries found their compiled forms, and how many are kept.

    ``memory`` counts queries asked before, ``patterns`` new ones of a pattern known before, ``disk`` those read from
    files and ``built`` those ground and compiled. ``queries`` and ``compiled`` patterns are in memory, ``disk_bytes``
    in the ``folder``.
    """

    memory: int
    patterns: int
    disk: int
    built: int
    queries: int
    compiled: int
    disk_bytes: int
    folder: Path | None


class CompiledQueries:
    """The compiled queries of one model.

    Several threads may ask at once. What a query finds depends on the environment that it brings: keys hold its
    version, so that what is registered meanwhile changes nothing for queries that are under way. One thread at a time
    grounds and compiles. Compiling registers the parameters that a query needs; looking up changes nothing.
    """

    def __init__(self, program: Program, settings: Settings, folder: Path | None) -> None:
        self._program = program
        self._settings = settings
        self._folder = folder
        self._workshop = Workshop(program, settings)
        self._lock = ForkSafeLock()
        self._queries: Recent[tuple[Asked, int], CompiledQuery] = Recent(_MOST_QUERIES)
        self._patterns: Recent[Key, Built] = Recent(_MOST_PATTERNS)
        self._counts = dict.fromkeys(("memory", "patterns", "disk", "built"), 0)
        self._blindness: Blindness | None = None
        self._mentioned: frozenset[str] | None = None
        self._argument_values: ArgumentValues | None = None
        self._told = False  # that what is asked can never hold
        self.learnt: dict[tuple[int, str], LearnableSlot] = {}

    def info(self) -> CacheInfo:
        """Hits, misses and sizes."""
        size = Storage(self._folder, self._program).size() if self._folder is not None else 0
        return CacheInfo(**self._counts, queries=len(self._queries), compiled=len(self._patterns), disk_bytes=size,
                         folder=self._folder)  # fmt: skip

    def find(self, asked: Asked, environment: Environment) -> CompiledQuery:
        """The compiled form of what is asked."""
        key = asked, environment.version
        try:
            found = self._queries.find(key)
        except TypeError:  # something in it that cannot be looked up is no text either
            raise QueryError(f"a query is a text such as 'addition(a, b, S)', not {asked.queries!r}") from None
        if found is not None and (not found.files or found.is_current):
            self._counts["memory"] += 1
            return found
        # What is kept serves training, too, also where it is made for a look under torch.inference_mode().
        with self._lock, torch.inference_mode(False):
            found = self._queries.find(key)
            if found is None or not found.is_current:
                question = asked.question()
                built, needs = self._built(question, asked, environment)
                self._register(learnable_slots(choices_read(built.header, built.circuit).values()), environment)
                found = self._assembled(question, built, needs, environment)
                self._queries.keep(key, found)
            return found

    def _built(self, question: Question, asked: Asked, environment: Environment) -> tuple[Built, dict[str, None]]:
        """The header and circuit of a question, and the names of its inputs that it may use."""
        program = self._workshop.program_with(question.facts, environment.networks)
        mentioned = self._constants_of(program) | _constants(question.goals)
        names = {name: None for name in question.names if asked.extra == "error" or name in mentioned}
        _check_names([n for n in names if n not in mentioned], question.goals)
        if not question.facts:  # which may add what the program lacks
            self._warn_of_impossible_values(question.goals)
        exact = Pattern(question.queries, tuple(names), question.evidence, {})
        built = self._by_pattern(exact, program, question.facts, environment)
        if asked.extra == "error":
            used = tensor_needs(built.header.choices, names, environment).inputs
            _check_inputs([n for n in names if n not in used], mentioned, question.goals)
        return built, names

    def _warn_of_impossible_values(self, goals: Sequence[Term]) -> None:
        """Tell, once a model, that a goal which is asked or given as evidence can never hold."""
        if self._argument_values is None:
            self._argument_values = ArgumentValues(self._program)
        for goal in goals if self._argument_values else ():
            fault = self._argument_values.fault(goal.child if isinstance(goal, Not) else goal)
            if fault is not None and not self._told:
                self._told = True
                warnings.warn(fault, ImpossibleValueWarning, stacklevel=_callers_level())

    def _assembled(
        self, question: Question, built: Built, names: Mapping[str, None], environment: Environment
    ) -> CompiledQuery:
        def needs(choices: Iterable[Choice]) -> TensorNeeds:
            return tensor_needs(choices, names, environment)

        header = built.header
        named = _constants([*question.goals, *(t for c in header.choices for t in terms_of(c.origin))])
        sizing = [name for name in names if name in named]
        distributions = environment.distributions
        compiled = CompiledQuery.of(header, built.circuit, needs, distributions, question.queries, sizing)
        compiled.files = built.files
        return compiled

    def _register(self, slots: Iterable[LearnableSlot], environment: Environment) -> None:
        """Make the parameters that are not there yet, those of all slots at once."""
        new = {(s.clause, s.key): s for s in slots if (s.clause, s.key) not in self.learnt}
        environment.distributions.ensure(s.distribution for s in new.values())
        self.learnt.update(new)

    def _by_pattern(self, exact: Pattern, program: Program, facts: str, environment: Environment) -> Built:
        """The header and circuit of a query: those of its pattern with its tensors' names, where that is as good."""
        if self._is_blind(exact, facts, environment):
            pattern = self._without_names(exact, program, environment)
            try:
                built = self._of_pattern(pattern, program, facts, environment)
            except BudgetExceededError:  # once is enough
                raise
            except DeepPLPError:  # the same again, with the names that the caller gave, for the message
                return self._of_pattern(exact, program, facts, environment)
            restored = pattern.restored(built.header)
            if restored is not None:
                return built._replace(header=restored)
        return self._of_pattern(exact, program, facts, environment)

    def _is_blind(self, asked: Pattern, facts: str, environment: Environment) -> bool:
        """Whether neither the program nor what is asked can tell one name from another.

        With facts of a query's own, and with functions in Python, they are not asked: those may look at anything.
        """
        if facts or self._settings.allow_python or environment.functions:
            return False
        if self._blindness is None:
            self._blindness = Blindness(self._program)
        return self._blindness.holds([*(asked.queries or ()), *(term for term, _ in asked.evidence)])

    def _without_names(self, exact: Pattern, program: Program, environment: Environment) -> Pattern:
        mentioned = self._constants_of(program)
        return pattern_of(exact.queries, exact.names, exact.evidence, mentioned, environment.sources)

    def _constants_of(self, program: Program) -> frozenset[str]:
        """The atomic terms of a program, those of the model's own kept."""
        if program is not self._program:
            return constants_of(program)
        if self._mentioned is None:
            self._mentioned = constants_of(program)
        return self._mentioned

    def _of_pattern(self, pattern: Pattern, program: Program, facts: str, environment: Environment) -> Built:
        key = (*pattern.key, facts, environment.functions_version)
        found = self._patterns.find(key)
        if found is not None and are_current(found.files):
            self._counts["patterns"] += 1
            return found
        found = self._loaded(key, program, environment)
        if found is None:
            started = time.perf_counter()
            found = self._workshop.built(pattern, program, environment.functions)
            self._counts["built"] += 1
            worth_keeping = is_worth_keeping(time.perf_counter() - started)
            self._keep(key, found, program, environment, worth_keeping=worth_keeping)
        return found

    def prepare(self, questions: Sequence[tuple[Asked, Environment]], jobs: int) -> None:
        """Ground and compile what is not known yet, in ``jobs`` processes at once (-1: one a processor).

        The parameters of all are registered together. What fails is left for the query itself to say.
        """
        missing: dict[Key, tuple[Task, Program, Environment]] = {}
        for asked, environment in questions:
            with contextlib.suppress(DeepPLPError):
                question = asked.question()
                program = self._workshop.program_with(question.facts, environment.networks)
                pattern = Pattern(question.queries, question.names, question.evidence, {})
                if self._is_blind(pattern, question.facts, environment):
                    pattern = self._without_names(pattern, program, environment)
                key = (*pattern.key, question.facts, environment.functions_version)
                if key in self._patterns or key in missing or self._loaded(key, program, environment) is not None:
                    continue
                if not environment.functions:  # they live in this process
                    missing[key] = Task(pattern, question.facts), program, environment
        results = self._workshop.built_in_processes([task for task, _, _ in missing.values()], jobs)
        for (key, (_, program, environment)), built in zip(missing.items(), results, strict=True):
            if built is not None:
                self._counts["built"] += 1
                self._keep(key, built, program, environment, worth_keeping=True)
        self._register_all(questions)

    def _register_all(self, questions: Sequence[tuple[Asked, Environment]]) -> None:
        """Make the parameters of many queries at once: one growth of each clause's parameter, not one a query."""
        if not self._program.learnables:
            return
        slots: list[LearnableSlot] = []
        for asked, environment in questions:
            with self._lock, contextlib.suppress(DeepPLPError):
                built, _ = self._built(asked.question(), asked, environment)
                slots += learnable_slots(choices_read(built.header, built.circuit).values())
        with self._lock:
            self._register(slots, questions[0][1])

    def states(self, signature: str, facts: str) -> bool:
        """Whether the program, or a query's own facts, has a clause for a predicate such as ``"query/1"``."""
        program = self._workshop.program.with_facts(facts) if facts else self._workshop.program
        return signature in signatures_defined(program)

    def contradiction(self, asked: Asked, environment: Environment) -> InconsistentEvidenceError:
        """The error of a query whose evidence no world satisfies; the query is ground anew for it."""
        question = asked.question()
        program = self._workshop.program_with(question.facts, environment.networks)
        exact = Pattern(question.queries, question.names, question.evidence, {})
        with self._lock:
            return contradiction(self._workshop.formula(exact, program, environment.functions), program)

    def report(self, asked: Asked, environment: Environment, order: str | None) -> CompilationReport:
        """Ground and compile a query anew, in a given order if there is one, and tell what was tried."""
        question = asked.question()
        program = self._workshop.program_with(question.facts, environment.networks)
        exact = Pattern(question.queries, question.names, question.evidence, {})
        with self._lock:
            return self._workshop.report(exact, program, environment.functions, order)

    def _loaded(self, key: Key, program: Program, environment: Environment) -> Built | None:
        """What is on disk under a key; it is then in memory, too."""
        storage, name = self._storage(key, program, environment)
        found = storage.load(name) if storage is not None else None
        if found is None:
            return None
        self._counts["disk"] += 1
        built = Built(*found)
        self._patterns.keep(key, built)
        return built

    def _keep(self, key: Key, built: Built, program: Program, environment: Environment, *, worth_keeping: bool) -> None:
        self._patterns.keep(key, built)
        storage, name = self._storage(key, program, environment)
        if storage is not None and worth_keeping and not built.files:
            storage.save(name, built.header, built.circuit)

    def _storage(self, key: Key, program: Program, environment: Environment) -> tuple[Storage | None, str]:
        """Where a query's compiled form may be kept; nowhere if it may depend on Python."""
        if environment.functions:
            return None, ""
        *pattern, facts, _ = key
        return place_on_disk(self._folder, self._settings, program, pattern, str(facts))


def _check_names(spare: Sequence[str], goals: Sequence[Term]) -> None:
    """Raise for an input that has the name of a variable of the query."""
    for term in subterms(goals) if spare else ():
        name = str(term)
        if isinstance(term, Var) and name in spare:
            small = name[:1].lower() + name[1:]
            raise InputError(
                f"{name} is a variable in the query, which stands for no input; an input's name begins with a small "
                f"letter: {small}, given as {{{small!r}: …}}"
            )


def _callers_level() -> int:
    """The level on the stack, for a warning of the function that asks, of who called this library."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "deepplp":
        level, frame = level + 1, frame.f_back
    return level


def _check_inputs(spare: Sequence[str], mentioned: frozenset[str] | set[str], goals: Sequence[Term]) -> None:
    """Raise for an input whose name stands nowhere."""
    for name in spare:
        if name not in mentioned:
            near = difflib.get_close_matches(name, sorted(_constants(goals)), n=1)
            hint = f"; did you mean {near[0]}?" if near else "; with extra='ignore', inputs of a query may hold more"
            raise UnusedInputError(f"the input {name!r} stands nowhere in the query, its evidence or the program{hint}")


def _constants(goals: Sequence[Term]) -> set[str]:
    return {str(term) for term in subterms(goals) if not term.args and not isinstance(term, Var)}
