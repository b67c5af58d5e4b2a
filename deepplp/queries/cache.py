"""From a query to its `Structure`: ground and compiled once, and kept in memory and on disk under the query's shape."""

from __future__ import annotations

import contextlib
import difflib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from deepplp.circuit import FALSE_NODE, Circuit
from deepplp.compilation import CompilationReport, CompileBudget, compile_with_report
from deepplp.errors import (
    BudgetExceededError,
    DeepPLPError,
    InconsistentEvidenceError,
    QueryError,
    UnknownNetworkError,
    UnusedInputError,
)
from deepplp.formula import Choice, Formula
from deepplp.grounding import GroundBudget, Grounder, PythonFunction
from deepplp.program import Program, constants_of, loads_modules, parse_goal
from deepplp.queries.compiled import Structure, assemble
from deepplp.queries.header import Header
from deepplp.queries.needs import Surroundings, TensorNeeds, tensor_needs
from deepplp.queries.pattern import Pattern, looks_into_terms, pattern_of
from deepplp.queries.storage import Storage, decoded, encoded

__all__ = ["Asked", "CacheInfo", "Structures"]

_MOST_STRUCTURES = 4096
_MOST_COMPILED = 4096
_WORTH_KEEPING = 0.05  # seconds; what takes less is ground and compiled anew as fast as it is read

Evidence = tuple[tuple[str, bool | None], ...]
Compiled = tuple[Header, Circuit]
Asked = tuple[str | Sequence[str] | None, tuple[str, ...], Evidence, str]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Where a model's queries found their structures, and how many are kept.

    ``memory`` counts queries asked before, ``shapes`` new ones of a shape known before, ``disk`` those read from files
    and ``built`` those ground and compiled. ``structures`` and ``compiled`` shapes are in memory, ``disk_bytes`` in the
    ``folder``.
    """

    memory: int
    shapes: int
    disk: int
    built: int
    structures: int
    compiled: int
    disk_bytes: int
    folder: Path | None


class _Recent(OrderedDict[Any, Any]):
    """A bounded dictionary that forgets what was not used for longest."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def find(self, key: Any) -> Any:
        """The value, which counts as used, or None."""
        value = self.get(key)
        if value is not None:
            with contextlib.suppress(KeyError):  # another thread has just let it go
                self.move_to_end(key)
        return value

    def keep(self, key: Any, value: Any) -> None:
        """Add a value."""
        self[key] = value
        while len(self) > self._most:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Whole:
    """The program of a query: the model's, and the query's own facts."""

    program: Program
    facts: str


class Structures:
    """The structures of one model's queries.

    ``functions`` are the model's Python predicates, and ``surroundings`` what arguments of networks may refer to, given
    the names of a call's inputs; both may change, and `forget` must then be called. ``on_new`` is told of every new
    structure.
    """

    def __init__(
        self,
        program: Program,
        *,
        allow_python: bool,
        functions: Callable[[], tuple[PythonFunction, ...]],
        surroundings: Callable[[Iterable[str]], Surroundings],
        on_new: Callable[[Structure], None],
        folder: Path | None,
        budget: CompileBudget | None = None,
    ) -> None:
        self._program = program
        self._budget = budget
        self._allow_python = allow_python
        self._functions = functions
        self._surroundings = surroundings
        self._on_new = on_new
        self._folder = folder
        self._counts = dict.fromkeys(("memory", "shapes", "disk", "built"), 0)
        self.forget()

    def forget(self) -> None:
        """Forget all structures: what they depend on has changed."""
        self._lock = threading.RLock()
        self._grounder: Grounder | None = None
        self._blind: bool | None = None
        self._structures = _Recent(_MOST_STRUCTURES)
        self._compiled = _Recent(_MOST_COMPILED)

    def forget_tensors(self) -> None:
        """Forget where tensors come from: a source or an embedding is new."""
        self._structures.clear()

    def info(self) -> CacheInfo:
        """Hits, misses and sizes."""
        size = Storage(self._folder, self._program).size() if self._folder is not None else 0
        counts = self._counts
        return CacheInfo(**counts, structures=len(self._structures), compiled=len(self._compiled), disk_bytes=size,
                         folder=self._folder)  # fmt: skip

    def find(self, query: str | Sequence[str] | None, names: tuple[str, ...], known: Evidence, facts: str) -> Structure:
        """The structure of a query on inputs of these names, given evidence (None: a tensor) and facts of its own."""
        if query is not None and not isinstance(query, (str, Sequence)):
            raise QueryError(f"a query is a text such as 'addition(a, b, S)', or a list of them, not {query!r}")
        queries = _texts(query)
        key = (queries, names, known, facts)
        try:
            structure: Structure | None = self._structures.find(key)
        except TypeError:  # something in it that cannot be looked up is no text either
            raise QueryError(f"a query is a text such as 'addition(a, b, S)', not {query!r}") from None
        if structure is not None:
            self._counts["memory"] += 1
            return structure
        with self._lock:
            structure = self._structures.find(key)
            if structure is None:
                structure = self._found(queries, names, known, facts)
                self._structures.keep(key, structure)
            return structure

    def _found(self, queries: tuple[str, ...] | None, names: tuple[str, ...], known: Evidence, facts: str) -> Structure:
        for text in queries or ():
            if not isinstance(text, str):
                raise QueryError(f"a query is a text such as 'addition(a, b, S)', not {text!r}")
        whole = self._whole(facts)
        evidence = tuple((parse_goal(t, "<evidence>"), value) for t, value in known)
        asked = None if queries is None else tuple(map(parse_goal, queries))
        header, circuit = self._by_pattern(Pattern(asked, names, evidence, {}), whole)
        goals = [*(t for t, _ in evidence), *(asked or ())]
        needs = self._needs(header.choices, names)
        _check_inputs(needs, names, goals, whole.program)
        if circuit.evidence == FALSE_NODE:
            listed = ", ".join(map(str, header.evidence))
            raise InconsistentEvidenceError(f"the evidence {listed} contradicts the program: no world satisfies it")
        structure = assemble(header, circuit, lambda choices: self._needs(choices, names), asked or ())
        self._on_new(structure)
        return structure

    def _by_pattern(self, exact: Pattern, whole: _Whole) -> Compiled:
        """The header and circuit of a query: those of its pattern with its tensors' names, where that is as good."""
        if self._is_blind(whole):
            pattern = self._pattern_of(exact, whole)
            try:
                header, circuit = self._of_pattern(pattern, whole)
            except BudgetExceededError:  # once is enough
                raise
            except DeepPLPError:  # the same again, with the names that the caller gave, for the message
                return self._of_pattern(exact, whole)
            restored = pattern.restored(header)
            if restored is not None:
                return restored, circuit
        return self._of_pattern(exact, whole)

    def _pattern_of(self, exact: Pattern, whole: _Whole) -> Pattern:
        sources = self._surroundings(()).sources
        return pattern_of(exact.queries, exact.names, exact.evidence, constants_of(whole.program), sources)

    def prepare(self, queries: Sequence[Asked], jobs: int) -> None:
        """Ground and compile what is not known yet, in ``jobs`` processes at once (-1: one a processor).

        joblib hands out the work, so that its own back ends can take it: ``with joblib.parallel_config("dask"): …``.
        What fails is left for the query itself to say.
        """
        missing: dict[Any, tuple[Pattern, _Whole]] = {}
        for asked in queries:
            with contextlib.suppress(DeepPLPError):
                pattern, whole = self._pattern(asked)
                key = (*pattern.key, whole.facts)
                if key not in self._compiled and key not in missing and not self._load(key, whole.program):
                    missing[key] = (pattern, whole)
        keys = list(missing)
        workers = joblib.effective_n_jobs(jobs)
        size = max(1, math.ceil(len(keys) / (4 * workers)))
        chunks = [keys[i : i + size] for i in range(0, len(keys), size)]
        tasks = [
            joblib.delayed(_built_elsewhere)(
                self._program, self._allow_python, [(missing[k][0], k[3]) for k in chunk], self._budget
            )
            for chunk in chunks
        ]
        for chunk, results in zip(chunks, _workers(jobs)(tasks) if tasks else (), strict=True):
            for key, found in zip(chunk, results, strict=True):
                if found is not None:
                    program = missing[key][1].program
                    self._counts["built"] += 1
                    self._keep(key, (decoded(found[0], program), found[1]), program, worth_keeping=True)

    def report(self, asked: Asked, order: str | None) -> CompilationReport:
        """Ground and compile a query anew, in a given order if there is one, and tell what was tried."""
        with self._lock:
            formula = _ground(_exact(asked), self._grounder_of(self._whole(asked[3])))
        return compile_with_report(formula, order, budget=self._budget)[1]

    def _pattern(self, asked: Asked) -> tuple[Pattern, _Whole]:
        """The pattern under which a query is kept, and its program."""
        exact, whole = _exact(asked), self._whole(asked[3])
        return (self._pattern_of(exact, whole) if self._is_blind(whole) else exact), whole

    def _whole(self, facts: str) -> _Whole:
        """The program with a query's facts."""
        if not facts:
            return _Whole(self._program, "")
        program = self._program.with_facts(facts)
        networks = self._surroundings(()).networks
        for declaration in program.declarations[len(self._program.declarations) :]:
            if declaration.network not in networks:
                has = ", ".join(networks) or "none"
                message = f"no network {declaration.network!r} for {declaration}; this model has: {has}"
                raise UnknownNetworkError(message, declaration.position)
        return _Whole(program, facts)

    def _is_blind(self, whole: _Whole) -> bool:
        """Whether the program cannot tell one name from another; with facts of a query's own it is not asked."""
        if whole.facts or self._allow_python or self._functions():
            return False
        if self._blind is None:
            self._blind = not looks_into_terms(self._program)
        return self._blind

    def _of_pattern(self, pattern: Pattern, whole: _Whole) -> Compiled:
        key = (*pattern.key, whole.facts)
        found: Compiled | None = self._compiled.find(key)
        if found is not None:
            self._counts["shapes"] += 1
            return found
        if not self._load(key, whole.program):
            started = time.perf_counter()
            built = _built(pattern, self._grounder_of(whole), self._budget)
            self._counts["built"] += 1
            self._keep(key, built, whole.program, worth_keeping=time.perf_counter() - started > _WORTH_KEEPING)
        compiled: Compiled = self._compiled[key]
        return compiled

    def _load(self, key: tuple[Any, ...], program: Program) -> bool:
        """Whether a compiled query is on disk; it is then in memory, too."""
        storage, name = self._storage(key, program)
        found = storage.load(name) if storage is not None else None
        if found is None:
            return False
        self._counts["disk"] += 1
        self._compiled.keep(key, found)
        return True

    def _keep(self, key: tuple[Any, ...], compiled: Compiled, program: Program, *, worth_keeping: bool) -> None:
        self._compiled.keep(key, compiled)
        storage, name = self._storage(key, program)
        if storage is not None and worth_keeping:
            storage.save(name, *compiled)

    def _storage(self, key: tuple[Any, ...], program: Program) -> tuple[Storage | None, str]:
        """Where a query's compiled form may be kept; nowhere if it depends on more than the program's text."""
        if self._folder is None or self._allow_python or self._functions() or loads_modules(program):
            return None, ""
        storage = Storage(self._folder, program)
        return storage, storage.key(dict(zip(("queries", "names", "known", "facts"), key, strict=True)))

    def _grounder_of(self, whole: _Whole) -> Grounder:
        """The program's grounder, or one of the program and a query's own facts."""
        if whole.facts:
            return self._new_grounder(whole.program)
        if self._grounder is None:
            self._grounder = self._new_grounder(self._program)
        return self._grounder

    def _new_grounder(self, program: Program) -> Grounder:
        budget = _ground_budget(self._budget)
        return Grounder(program, allow_python=self._allow_python, functions=self._functions(), budget=budget)

    def _needs(self, choices: Iterable[Choice], names: Iterable[str]) -> TensorNeeds:
        return tensor_needs(choices, self._surroundings(names))


def _texts(query: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """A query as the texts of its atoms, None for the program's own."""
    return (query,) if isinstance(query, str) else None if query is None else tuple(query)


def _ground_budget(budget: CompileBudget | None) -> GroundBudget | None:
    """What grounding may cost where compilation may cost this: the same time, and any size where that may have any."""
    if budget is None:
        return None
    return GroundBudget(budget.seconds) if budget.nodes is not None else GroundBudget(budget.seconds, goals=None)


def _exact(asked: Asked) -> Pattern:
    """What is asked with all its names."""
    query, names, known, _ = asked
    queries = _texts(query)
    evidence = tuple((parse_goal(t, "<evidence>"), value) for t, value in known)
    return Pattern(None if queries is None else tuple(map(parse_goal, queries)), names, evidence, {})


def _built(pattern: Pattern, grounder: Grounder, budget: CompileBudget | None) -> Compiled:
    formula = _ground(pattern, grounder)
    circuit, _ = compile_with_report(formula, budget=budget)
    return Header.of(formula), circuit


def _ground(pattern: Pattern, grounder: Grounder) -> Formula:
    return grounder.ground(pattern.queries, pattern.evidence)


def _workers(jobs: int) -> joblib.Parallel:
    """Workers that hand back a result as soon as it is next, where their back end can: the rest are still at work."""
    try:
        return joblib.Parallel(n_jobs=jobs, return_as="generator")
    except ValueError:  # not with pools of processes, of which Ray's is one
        return joblib.Parallel(n_jobs=jobs)


def _built_elsewhere(
    program: Program, allow_python: bool, patterns: Sequence[tuple[Pattern, str]], budget: CompileBudget | None
) -> list[tuple[dict[str, Any], Circuit] | None]:
    """Ground and compile in a worker process; None for what fails. Formulas travel as they are written to disk."""
    found: list[tuple[dict[str, Any], Circuit] | None] = []
    plain: Grounder | None = None  # of the program without facts, loaded once
    limit = _ground_budget(budget)
    for pattern, facts in patterns:
        try:
            if facts:
                grounder = Grounder(program.with_facts(facts), allow_python=allow_python, budget=limit)
            else:
                grounder = plain = plain or Grounder(program, allow_python=allow_python, budget=limit)
            header, circuit = _built(pattern, grounder, budget)
            found.append((encoded(header, grounder.program), circuit))
        except DeepPLPError:
            found.append(None)
    return found


def _check_inputs(needs: TensorNeeds, names: tuple[str, ...], goals: Sequence[Any], program: Program) -> None:
    """Raise for an input whose name stands nowhere."""
    spare = [n for n in names if n not in needs.inputs]
    if not spare:
        return
    mentioned = constants_of(program) | _constants(goals)
    for name in spare:
        if name not in mentioned:
            near = difflib.get_close_matches(name, sorted(_constants(goals)), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnusedInputError(f"the input {name!r} stands nowhere in the query, its evidence or the program{hint}")


def _constants(goals: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    stack = list(goals)
    while stack:
        term = stack.pop()
        found.add(str(term)) if not getattr(term, "args", ()) else stack.extend(term.args)
    return found
