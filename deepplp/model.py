"""`Model`: a probabilistic logic program as a `torch.nn.Module`."""

from __future__ import annotations

import difflib
import os
import re
import reprlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from deepplp.answers import Answers, ManyAnswers
from deepplp.compilation import CompilationReport, CompileBudget, CompilerName
from deepplp.errors import ImpossibleValueWarning, InputError, QueryError, UnknownNetworkError, UnusedNetworkWarning
from deepplp.grounding import GrounderName, PythonFunction, impossible_goals, is_reserved
from deepplp.locks import ForkSafeLock
from deepplp.neural import Distributions, LearntNumbers, Network
from deepplp.program import Program, parse_goal, signatures_defined
from deepplp.queries import (
    Asking,
    CacheInfo,
    CompiledQueries,
    Environment,
    Extra,
    InputValue,
    LearnableSlot,
    OnInconsistent,
    PreparedQuery,
    Query,
    Settings,
    TensorSource,
    cache_folder,
)

__all__ = ["Model"]

T = TypeVar("T")

_MOST_INPUTS = 1000
_ATOM = re.compile(r"[a-z]\w*|'.+'")


def _given(mapping: Mapping[str, T] | None) -> Mapping[str, T]:
    return {} if mapping is None else mapping


def _warn_of_impossible_values(program: Program) -> None:
    """Tell of the goals that can never hold, in one warning: their negations always hold, which may be dangerous."""
    found = [f"{place}: {message}" for message, place in impossible_goals(program)]
    if found:
        more = f"; so it is with {len(found) - 1} more, which deepplp check lists" if len(found) > 1 else ""
        warnings.warn(found[0] + more, ImpossibleValueWarning, stacklevel=3)


class Model(nn.Module):
    """A program and its networks: answers queries with exact probabilities, and gradients into the networks.

    ``networks`` maps the names in the program's ``nn`` annotations to modules or callables that return probabilities,
    or to `Network` objects that say what they return. Modules become submodules: ``parameters()``, ``state_dict()``,
    ``to()``, ``train()`` and ``copy.deepcopy`` work as on any module. ``allow_python`` lets the program load Python
    files and data bases. Compiled queries are kept on disk: in the folder ``cache``, by default in the user's cache
    folder or where ``DEEPPLP_CACHE`` says; nowhere with ``cache=False`` or ``DEEPPLP_CACHE=off``. ``budget`` bounds the
    time and the nodes that compiling one query may take; grounding it may take that time, too.

    ``grounder`` and ``compiler`` choose the engines: "auto" grounds by the tabled engine and, where that declines, by
    ProbLog's; "tabled" or "problog" is that engine alone. "portfolio" tries several ways to compile;
    "elimination" of variables and "sdd", which is PySDD, are one way alone. All give the same answers:
    ``grounder="problog", compiler="sdd"`` is the classical path, to check one.

    >>> coins = Program.from_string("0.5::heads(1). 0.6::heads(2). win :- heads(1), heads(2).")
    >>> Model(coins).query("win").probs
    tensor([[0.3000]], dtype=torch.float64)
    """

    def __init__(
        self,
        program: Program | str | os.PathLike[str],
        networks: Mapping[str, Network | Callable[..., Tensor]] | None = None,
        *,
        allow_python: bool = False,
        cache: str | os.PathLike[str] | bool | None = None,
        budget: CompileBudget | None = None,
        grounder: GrounderName = "auto",
        compiler: CompilerName = "portfolio",
    ) -> None:
        super().__init__()
        self._cache = cache
        self._settings = Settings(allow_python, budget, grounder, compiler)
        if not isinstance(program, Program):
            program = Program.from_file(program)
        self.program = program
        if networks is not None and not isinstance(networks, Mapping):
            raise QueryError(f"networks is a mapping from names to modules, not a {type(networks).__name__}")
        for name in networks or ():
            if not isinstance(name, str) or not name or "." in name:
                raise QueryError(f"a network's name is a text without full stops, such as 'digit', not {name!r}")
        wrapped = {n: m if isinstance(m, Network) else Network(m) for n, m in (networks or {}).items()}
        self._check_networks(wrapped)
        _warn_of_impossible_values(program)
        self.networks = nn.ModuleDict(wrapped)
        self.distributions = Distributions([clause.text for clause in program.learnables])
        self.embeddings = nn.ModuleDict()
        self.params = LearntNumbers(program.learnt_numbers)
        slots = [slot for clause in program.learnables if (slot := LearnableSlot.of_clause(clause)) is not None]
        self.distributions.ensure((slot.distribution for slot in slots), late=False)
        self._connect(Environment(self.networks, self.distributions, self.embeddings, self.params))
        self._queries.learnt.update({(slot.clause, slot.key): slot for slot in slots})

    @property
    def allow_python(self) -> bool:
        """Whether the program may load Python files and data bases."""
        return self._settings.allow_python

    def _connect(self, environment: Environment) -> None:
        """Make what belongs to this very object, and to no copy of it."""
        self.distributions.belongs_to(self)
        self._environment = environment.with_modules(self.networks, self.distributions, self.embeddings, self.params)
        self._queries = CompiledQueries(self.program, self._settings, cache_folder(self._cache))
        self._asking = Asking(self._queries)
        self._registering = ForkSafeLock()

    def __getstate__(self) -> dict[str, object]:
        """Copies and pickles carry the program, the networks, what was learnt and registered, and tensor sources.

        Compiled queries are made anew when they are asked for.
        """
        left_out = ("_queries", "_asking", "_registering")
        return {k: v for k, v in self.__dict__.items() if k not in left_out} | {"_learnt": dict(self._queries.learnt)}

    def __setstate__(self, state: dict[str, object]) -> None:
        learnt = state.pop("_learnt")
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._connect(self._environment)
        self._queries.learnt.update(learnt)  # type: ignore[call-overload]

    def cache_info(self) -> CacheInfo:
        """Where queries found their compiled forms: in memory, on disk, or nowhere; and what is kept."""
        return self._queries.info()

    def _check_networks(self, networks: Mapping[str, Network]) -> None:
        for declaration in self.program.declarations:
            name = declaration.network
            if name not in networks:
                has = ", ".join(networks) or f"none; give it as networks={{{name!r}: module}}"
                close = difflib.get_close_matches(name, networks, n=1)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                raise UnknownNetworkError(
                    f"no network {name!r} for {declaration}; this model has: {has}{meant}", declaration.position
                )
            networks[name].check_inputs(name, len(declaration.inputs), str(declaration), declaration.position)
        for name in networks:
            if name not in self.program.networks:
                mentioned = ", ".join(self.program.networks) or "none"
                close = difflib.get_close_matches(name, self.program.networks, n=1)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                warnings.warn(
                    f"network {name!r} is never used: {self.program.text.name} mentions: {mentioned}{meant}",
                    UnusedNetworkWarning,
                    stacklevel=3,
                )

    def learned_program(self) -> str:
        """The program's text with what was learnt in place of ``t(…)`` and ``param(…)``.

        A clause with ``t(_, X)`` gets a fact for each grounding that compiled queries have met or a loaded state held.

        >>> Model(Program.from_string("t(0.25)::rain. t(_)::head; t(_)::tail.")).learned_program()
        '0.25::rain. 0.5::head; 0.5::tail.'
        """
        groundings: dict[int, list[tuple[tuple[str, ...], list[float]]]] = {}
        with torch.no_grad():
            for slot in self._learnt_slots():
                weights = [round(float(p), 12) for p in slot.weights(self.distributions)]
                groundings.setdefault(slot.clause, []).append((slot.arguments, weights))
        numbers = {name: round(float(self.params[name].detach()), 12) for name in self.params.starts}
        return self.program.with_learnt(groundings, numbers)

    def _learnt_slots(self) -> Iterator[LearnableSlot]:
        """The slots of queries so far, and those of groundings that only a state held."""
        known = dict(self._queries.learnt)
        yield from known.values()
        for clause in self.program.learnables:
            for key in self.distributions.groundings(clause.index):
                slot = LearnableSlot.of_grounding(clause, key) if (clause.index, key) not in known else None
                if slot is not None:
                    yield slot

    def forward(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, InputValue] | None = None,
        *,
        evidence: Mapping[str, bool | Tensor] | None = None,
        facts: str = "",
        extra: Extra = "error",
        on_inconsistent: OnInconsistent = "raise",
        dtype: torch.dtype | None = None,
    ) -> Answers:
        """The same as `query`, so that a model can be called like any module."""
        return self.query(
            query, inputs, evidence=evidence, facts=facts, extra=extra, on_inconsistent=on_inconsistent, dtype=dtype
        )

    def query(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, InputValue] | None = None,
        *,
        evidence: Mapping[str, bool | Tensor] | None = None,
        facts: str = "",
        extra: Extra = "error",
        on_inconsistent: OnInconsistent = "raise",
        dtype: torch.dtype | None = None,
    ) -> Answers:
        """Answer a query: P(answer | evidence) for all its ground answers.

        ``query`` is one atom (or several), such as ``"addition(a, b, S)"``; without it the program's own ``query/1``
        are answered. ``inputs`` gives a tensor [batch, …] for each constant that names an input of a network; batch
        sizes agree or are 1, and without inputs the batch is 1. With ``extra="ignore"`` the mapping may hold more than
        the query needs, such as the labels of a batch. ``evidence`` adds to the program's ``evidence/1,2``: True or
        False for all rows, or a tensor [batch] of truth values; a probability p there is soft evidence, an observation
        p / (1 - p) times as likely where the atom holds, so that 0.5 says nothing. ``facts`` are clauses that belong to
        this query alone, such as ``"edge(a, b). 0.3::edge(b, c)."``, on top of the program.

        Rows whose evidence has probability 0 raise `InconsistentEvidenceError`; with ``on_inconsistent="nan"`` they are
        NaN. Probabilities are float64, whatever the networks return; ``dtype=torch.float32`` asks for those of float32.

        A query is ground and compiled once, and kept: the same query on other tensors costs a network call and a walk
        over the circuit. A training loop may hold the compiled form: see `compile`.

        Raises a leaf of `DeepPLPError`: see ``deepplp.errors``.
        """
        asked = Query(query, _given(inputs), _given(evidence), facts)
        return self._asking.one(self._environment, asked, extra, on_inconsistent, dtype)

    def query_many(
        self,
        queries: Sequence[Query],
        *,
        extra: Extra = "error",
        on_inconsistent: OnInconsistent = "raise",
        dtype: torch.dtype | None = None,
    ) -> ManyAnswers:
        """Answer queries whose compiled forms differ, each with inputs, evidence and facts of its own.

        Every network is called once, on the distinct inputs of all queries; queries of one compiled form become rows of
        one batch, and all others one circuit, walked once. A query has its own batch size, most often 1. The other
        arguments mean what they mean in `query`.

        >>> model = Model(Program.from_string("path(X, Y) :- edge(X, Y). path(X, Y) :- edge(X, Z), path(Z, Y)."))
        >>> queries = [Query("path(a, c)", facts="0.5::edge(a, c)."),
        ...            Query("path(a, c)", facts="0.5::edge(a, b). 0.5::edge(b, c).")]
        >>> [round(float(answers.probs), 2) for answers in model.query_many(queries)]
        [0.5, 0.25]
        """
        return self._asking.many(self._environment, queries, extra, on_inconsistent, dtype)

    def compile(  # type: ignore[override]  # of nn.Module, which hands modules to torch's own compiler
        self,
        query: str | Sequence[str] | None = None,
        inputs: Sequence[str] = (),
        *,
        evidence: Mapping[str, bool | None] | None = None,
        facts: str = "",
        on_inconsistent: OnInconsistent = "raise",
        dtype: torch.dtype | None = None,
    ) -> PreparedQuery:
        """Ground and compile a query, and register the parameters that it needs.

        ``inputs`` are the names of the tensors that it will be called with. ``evidence`` is True or False for all rows,
        or None for an atom of which a tensor [batch] will say it row by row. The result is a module that is called with
        the tensors, ``q(a=images_a, b=images_b)``; its parameters are the model's. It does the same as `query` and
        looks nothing up.

        >>> net = lambda x: x
        >>> model = Model(Program.from_string("nn(net, [X], Y, [0, 1]) :: bit(X, Y)."), {"net": net})
        >>> bits = model.compile("bit(a, B)", inputs=["a"])
        >>> bits(a=torch.tensor([[0.25, 0.75]])).probs
        tensor([[0.2500, 0.7500]], dtype=torch.float64)
        """
        asked = Query(query, {}, {}, facts)
        return self._asking.prepared(self._environment, asked, inputs, _given(evidence), on_inconsistent, dtype)

    def prepare(self, queries: Sequence[Query], jobs: int = -1) -> None:
        """Ground and compile queries in ``jobs`` processes at once (-1: one a processor), so that answering is fast.

        The parameters that they need are registered together. The work goes through joblib, whose own back ends can
        take it: inside ``joblib.parallel_config("dask")`` a Dask cluster does. A query that is in error says so when it
        is asked.
        """
        self._asking.prepare(self._environment, queries, jobs)

    def compilation_report(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, InputValue] | None = None,
        *,
        evidence: Mapping[str, bool | Tensor] | None = None,
        facts: str = "",
        order: str | None = None,
    ) -> CompilationReport:
        """How a query is compiled: the orders of its choices that are tried, their sizes and times, and which wins.

        The query is ground and compiled anew for it. ``order`` names the one order to try instead, such as
        ``"frontier"``. Printed, the report is a table.
        """
        return self._asking.report(self._environment, Query(query, _given(inputs), _given(evidence), facts), order)

    def add_tensor_source(self, name: str, source: TensorSource) -> None:
        """Let programs and queries name tensors as ``tensor(name(key))``: items of a mapping or a data set.

        An item is a tensor without batch axis, or a tuple that starts with one; the key is an int where the program has
        a number, else a str, or a tuple of them where there are several.
        """
        if not isinstance(name, str):
            raise QueryError(f"a tensor source's name is a text such as 'train', not a {type(name).__name__}")
        if not hasattr(source, "__getitem__"):
            raise InputError(f"a tensor source must be a mapping or a data set, not a {type(source).__name__}")
        with self._registering:
            self._environment = self._environment.with_source(name, source)

    def add_embedding(self, name: str, symbols: Sequence[str], dimension: int) -> nn.Embedding:
        """Give symbols trainable vectors: a table [symbols, dimension], part of the model as ``embeddings[name]``.

        A network's argument that is one of the symbols is then its vector, [1, dimension].

        >>> model = Model(Program.from_string("nn(net, [R]) :: symmetric(R)."), {"net": lambda x: x.sum(1).sigmoid()})
        >>> model.add_embedding("relation", ["sibling", "parent"], dimension=8)
        Embedding(2, 8)
        >>> model.query("symmetric(sibling)").probs.shape
        torch.Size([1, 1])
        """
        if isinstance(symbols, (str, Tensor)) or not isinstance(symbols, Iterable):
            raise QueryError(f"symbols are a list such as ['likes', 'knows'], not {symbols!r}")
        if not isinstance(dimension, int) or dimension < 1:
            raise QueryError(f"the dimension of an embedding is a number from 1, not {dimension!r}")
        texts = [str(parse_goal(s)) if isinstance(s, str) and s[:1].islower() else str(s) for s in symbols]
        with self._registering:
            for number, text in enumerate(texts):
                if text in self._environment.symbols or text in texts[:number]:
                    raise QueryError(f"{text} is embedded already; a symbol has one vector")
            if not isinstance(name, str) or name in self.embeddings or not name.isidentifier():
                raise QueryError(f"{name!r} cannot name an embedding: a name is a new identifier such as 'relation'")
            table = nn.Embedding(len(texts), dimension, device=self._environment.device)
            self.embeddings[name] = table
            rows = {text: (name, row) for row, text in enumerate(texts)}
            self._environment = self._environment.with_symbols(rows)
        return table

    def register(
        self,
        name: str,
        function: Callable[..., object],
        inputs: int,
        *,
        test: bool = False,
        nondeterministic: bool = False,
    ) -> None:
        """Let a Python function decide a predicate of this model's program, and of no other's.

        ``name(A1, …, An, R)`` holds for R = function(A1, …, An), with n ``inputs``; a ``nondeterministic`` function
        returns several R, each a solution; with ``test``, ``name(A1, …, An)`` holds where the function says so.
        Numbers, strings, atoms (as strings) and lists of them are handed over as Python values and back.

        >>> model = Model(Program.from_string("0.5::n(2). 0.5::n(3). q(Y) :- n(X), square(X, Y)."))
        >>> model.register("square", lambda x: x * x, inputs=1)
        >>> model.query("q(Y)").terms
        ('q(4)', 'q(9)')
        """
        if not isinstance(name, str) or not _ATOM.fullmatch(name):
            raise QueryError(f"a predicate's name is an atom such as 'square', not {name!r}")
        if not callable(function):
            raise QueryError(f"what decides {name} is a function, not a {type(function).__name__}")
        if not isinstance(inputs, int) or not 0 <= inputs <= _MOST_INPUTS:
            raise QueryError(f"inputs is the number of arguments that the function takes, not {reprlib.repr(inputs)}")
        made = PythonFunction(name, function, inputs, test, nondeterministic)
        if f"{name}/{made.arity}" in signatures_defined(self.program):
            raise QueryError(
                f"{name}/{made.arity} has clauses in the program; register the function under another name"
            )
        with self._registering:
            known = {(f.name, f.arity) for f in self._environment.functions}
            if (name, made.arity) not in known and is_reserved(f"{name}/{made.arity}"):
                raise QueryError(f"{name}/{made.arity} is a built-in; register the function under another name")
            self._environment = self._environment.with_function(made)
