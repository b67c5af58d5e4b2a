"""`Model`: a probabilistic logic program as a `torch.nn.Module`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from deepplp.answers import Answers, ManyAnswers
from deepplp.circuit import Plan
from deepplp.compilation import CompilationReport, CompileBudget
from deepplp.errors import InconsistentEvidenceError, InputError, QueryError, UnknownNetworkError, UnusedNetworkWarning
from deepplp.evaluation import Evaluation, are_distributions
from deepplp.grounding import PythonFunction, is_reserved
from deepplp.neural import Column, Distributions, Network, as_tensors, batch_size, network_outputs
from deepplp.program import Program, parse_goal
from deepplp.queries.batch import Environment, Part, Query, answer_many
from deepplp.queries.cache import Asked, CacheInfo, Structures
from deepplp.queries.compiled import LearnableSlot, Structure
from deepplp.queries.evidence import checked_evidence
from deepplp.queries.needs import Surroundings, gather_columns
from deepplp.queries.storage import cache_folder

__all__ = ["Model"]


class _TensorSources(dict[str, Any]):
    """Data sets by name; a copy of a model reads the same data."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _TensorSources:
        return _TensorSources(self)


class Model(nn.Module):
    """A program and its networks: answers queries with exact probabilities, and gradients into the networks.

    ``networks`` maps the names in the program's ``nn`` annotations to modules or callables that return probabilities,
    or to `Network` objects that say what they return. Modules become submodules: ``parameters()``, ``state_dict()``,
    ``to()``, ``train()`` and ``copy.deepcopy`` work as on any module. ``allow_python`` lets the program load Python
    files and data bases. Compiled queries are kept on disk: in the folder ``cache``, by default in the user's cache
    folder or where ``DEEPPLP_CACHE`` says; nowhere with ``cache=False`` or ``DEEPPLP_CACHE=off``. ``budget`` bounds the
    time and the nodes that compiling one query may take; grounding it may take that time, too.

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
    ) -> None:
        super().__init__()
        if budget is not None and not isinstance(budget, CompileBudget):
            raise QueryError(f"budget is a deepplp.CompileBudget, not a {type(budget).__name__}")
        self._cache = cache
        self._budget = budget
        if not isinstance(program, Program):
            program = Program.from_file(program)
        self.program = program
        self.allow_python = allow_python
        if networks is not None and not isinstance(networks, Mapping):
            raise QueryError(f"networks is a mapping from names to modules, not a {type(networks).__name__}")
        wrapped = {n: m if isinstance(m, Network) else Network(m) for n, m in (networks or {}).items()}
        self._check_networks(wrapped)
        self.networks = nn.ModuleDict(wrapped)
        self.distributions = Distributions()
        self._learnable: dict[str, LearnableSlot] = {}
        self._sources = _TensorSources()
        self.embeddings = nn.ModuleDict()
        self._symbols: dict[str, tuple[str, int]] = {}  # the table and row of every embedded symbol
        self._functions: dict[tuple[str, int], PythonFunction] = {}
        for clause in program.learnables:
            slot = LearnableSlot.of_clause(clause)
            if slot is not None:
                self._make_learnable(slot)
        self.register_buffer("_anchor", torch.empty(0), persistent=False)  # follows .to(device)
        self._structures = self._new_structures()

    _anchor: Tensor

    @property
    def _device(self) -> torch.device:
        """Where the model was moved to; where its networks are, if they alone were moved."""
        own = self._anchor.device
        return own if own.type != "cpu" else next((p.device for p in self.networks.parameters()), own)

    def _new_structures(self) -> Structures:
        return Structures(
            self.program,
            allow_python=self.allow_python,
            functions=lambda: tuple(self._functions.values()),
            surroundings=lambda names: Surroundings(frozenset(names), self._sources, self._symbols, self._networks()),
            on_new=self._make_all_learnable,
            folder=cache_folder(self._cache),
            budget=self._budget,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles carry the program and the networks; structures are made anew when they are asked for."""
        return {k: v for k, v in self.__dict__.items() if k != "_structures"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._structures = self._new_structures()

    def cache_info(self) -> CacheInfo:
        """Where queries found their structures: in memory, on disk, or nowhere; and what is kept."""
        return self._structures.info()

    def _check_networks(self, networks: Mapping[str, Network]) -> None:
        for declaration in self.program.declarations:
            name = declaration.network
            if name not in networks:
                has = ", ".join(networks) or "none"
                raise UnknownNetworkError(
                    f"no network {name!r} for {declaration}; this model has: {has}", declaration.position
                )
            networks[name].check_inputs(name, len(declaration.inputs), str(declaration), declaration.position)
        for name in networks:
            if name not in self.program.networks:
                mentioned = ", ".join(self.program.networks) or "none"
                warnings.warn(
                    f"network {name!r} is never used: {self.program.text.name} mentions: {mentioned}",
                    UnusedNetworkWarning,
                    stacklevel=3,
                )

    def _make_all_learnable(self, structure: Structure) -> None:
        for slot in structure.learnable:
            self._make_learnable(slot)

    def _make_learnable(self, slot: LearnableSlot) -> None:
        self.distributions.ensure(slot.name, slot.start)
        self._learnable[slot.name] = slot

    def learned_program(self) -> str:
        """The program's text with what was learnt in place of ``t(…)``.

        A clause with ``t(_, X)`` gets a fact for each grounding that queries have met.

        >>> Model(Program.from_string("t(0.25)::rain. t(_)::head; t(_)::tail.")).learned_program()
        '0.25::rain. 0.5::head; 0.5::tail.'
        """
        groundings: dict[int, list[tuple[tuple[str, ...], list[float]]]] = {}
        with torch.no_grad():
            for slot in self._learnable.values():
                weights = [round(float(p), 12) for p in slot.weights(self.distributions(slot.name))]
                groundings.setdefault(slot.clause, []).append((slot.arguments, weights))
        return self.program.with_learnt(groundings)

    def forward(self, *args: Any, **kwargs: Any) -> Answers:
        """The same as `query`, so that a model can be called like any module."""
        return self.query(*args, **kwargs)

    def query(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        *,
        evidence: Mapping[str, bool | Tensor] | None = None,
        facts: str = "",
    ) -> Answers:
        """Answer a query: P(answer | evidence) for all its ground answers.

        ``query`` is one atom (or several), such as ``"addition(a, b, S)"``; without it the program's own ``query/1``
        are answered. ``inputs`` gives a tensor [batch, …] for each constant that names an input of a network; batch
        sizes agree or are 1, and without inputs the batch is 1. ``evidence`` adds to the program's ``evidence/1,2``:
        True or False for all rows, or a tensor [batch] of truth values; a probability p there is soft evidence, an
        observation p / (1 - p) times as likely where the atom holds, so that 0.5 says nothing. ``facts`` are clauses
        that belong to this query alone, such as ``"edge(a, b). 0.3::edge(b, c)."``, on top of the program.

        A structure is ground and compiled once and kept: the same query on other tensors costs a network call and a
        walk over the circuit.

        Raises a leaf of `DeepPLPError`: see ``deepplp.errors``.
        """
        structure, used, observed, rows = self._prepared(Query(query, inputs or {}, evidence or {}, facts))
        columns: Mapping[str, Column] = used
        if not structure.needs.only_inputs:
            columns = gather_columns(
                structure.needs, used, self._sources, dict(self.embeddings), self._networks(), self._device
            )
        batched, shared, plan, cut = self._weights(structure, columns, observed, rows)
        evaluation = Evaluation(plan, batched, shared, rows)
        impossible = evaluation.impossible_rows() if plan.conditioned else []
        if impossible:
            self._raise_inconsistent(impossible, rows)
        return Answers(structure.answers, evaluation, cut)

    def prepare(self, queries: Sequence[Query], jobs: int = -1) -> None:
        """Ground and compile queries in ``jobs`` processes at once (-1: one a processor), so that answering is fast.

        The work goes through joblib, whose own back ends can take it: inside ``joblib.parallel_config("dask")`` a Dask
        cluster does. A query that is in error says so when it is asked.
        """
        self._structures.prepare([self._asked(query)[0] for query in queries], jobs)

    def query_many(self, queries: Sequence[Query]) -> ManyAnswers:
        """Answer queries whose structure differs, each with inputs, evidence and facts of its own.

        Every network is called once, on the distinct inputs of all queries; queries of one structure become rows of one
        batch, and all others one circuit, walked once. A query has its own batch size, most often 1.

        >>> model = Model(Program.from_string("path(X, Y) :- edge(X, Y). path(X, Y) :- edge(X, Z), path(Z, Y)."))
        >>> queries = [Query("path(a, c)", facts="0.5::edge(a, c)."),
        ...            Query("path(a, c)", facts="0.5::edge(a, b). 0.5::edge(b, c).")]
        >>> [round(float(answers.probs), 2) for answers in model.query_many(queries)]
        [0.5, 0.25]
        """
        parts = []
        for query in queries:
            structure, used, observed, rows = self._prepared(query)
            parts.append(Part(structure, used, observed, rows))
        environment = Environment(
            self._networks(), self._sources, dict(self.embeddings), self.distributions, self._device
        )
        return answer_many(parts, environment)

    def compilation_report(
        self,
        query: str | Sequence[str] | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        *,
        evidence: Mapping[str, bool | Tensor] | None = None,
        facts: str = "",
        order: str | None = None,
    ) -> CompilationReport:
        """How a query is compiled: the orders of its choices that are tried, their sizes and times, and which wins.

        The query is ground and compiled anew for it. ``order`` names the one order to try instead, such as
        ``"frontier"``. Printed, the report is a table.
        """
        asked, _, _ = self._asked(Query(query, inputs or {}, evidence or {}, facts))
        return self._structures.report(asked, order)

    def _asked(self, query: Query) -> tuple[Asked, dict[str, Tensor], dict[str, Tensor]]:
        """What a query asks, its inputs, and its row-by-row evidence, checked."""
        if not isinstance(query, Query):
            raise QueryError(f"each of several queries is a deepplp.Query, not {query!r}")
        if not isinstance(query.facts, str):
            raise QueryError(f"facts are a text such as 'edge(a, b). edge(b, c).', not a {type(query.facts).__name__}")
        tensors = as_tensors(query.inputs) if query.inputs else {}
        known = checked_evidence(query.evidence) if query.evidence else {}
        observed = {term: value for term, value in known.items() if isinstance(value, Tensor)}
        evidence = tuple(sorted((t, None if isinstance(v, Tensor) else v) for t, v in known.items()))
        return (query.query, tuple(sorted(tensors)), evidence, query.facts), tensors, observed

    def _prepared(self, query: Query) -> tuple[Structure, dict[str, Tensor], dict[str, Tensor], int]:
        """A query's structure, the inputs that it uses, its row-by-row evidence, and its number of rows."""
        asked, tensors, observed = self._asked(query)
        structure = self._structures.find(*asked)
        if observed and not observed.keys() >= set(structure.observed):  # written with other spaces
            observed = {str(parse_goal(term, "<evidence>")): value for term, value in observed.items()}
        used = {name: tensors[name] for name in structure.needs.inputs}
        sized = used or tensors
        rows = batch_size({**sized, **{f"evidence {t}": v for t, v in observed.items()}} if observed else sized)
        return structure, used, observed, rows

    def _raise_inconsistent(self, impossible: list[int], rows: int) -> None:
        listed = ", ".join(map(str, impossible[:10])) + (f", … ({len(impossible)} in all)" if impossible[10:] else "")
        where = f" in row{'s' if len(impossible) > 1 else ''} {listed} of the batch" if rows > 1 else ""
        raise InconsistentEvidenceError(
            f"the evidence has probability 0{where}, so nothing follows from it; check it against the program and the "
            "networks' outputs",
            rows=tuple(impossible),
        )

    def _networks(self) -> dict[str, Network]:
        return {name: network for name, network in self.networks.items() if isinstance(network, Network)}

    def add_tensor_source(self, name: str, source: Any) -> None:
        """Let programs and queries name tensors as ``tensor(name(key))``: items of a mapping or a data set.

        An item is a tensor without batch axis, or a tuple that starts with one; the key is an int where the program has
        a number, else a str, or a tuple of them where there are several.
        """
        if not hasattr(source, "__getitem__"):
            raise InputError(f"a tensor source must be a mapping or a data set, not a {type(source).__name__}")
        self._sources[name] = source
        self._structures.forget_tensors()  # a query that lacked this source may be answered now

    def add_embedding(self, name: str, symbols: Sequence[str], dimension: int) -> nn.Embedding:
        """Give symbols trainable vectors: a table [symbols, dimension], part of the model as ``embeddings[name]``.

        A network's argument that is one of the symbols is then its vector, [1, dimension].

        >>> model = Model(Program.from_string("nn(net, [R]) :: symmetric(R)."), {"net": lambda x: x.sum(1).sigmoid()})
        >>> model.add_embedding("relation", ["sibling", "parent"], dimension=8)
        Embedding(2, 8)
        >>> model.query("symmetric(sibling)").probs.shape
        torch.Size([1, 1])
        """
        texts = [str(parse_goal(s)) if isinstance(s, str) and s[:1].islower() else str(s) for s in symbols]
        for number, text in enumerate(texts):
            if text in self._symbols or text in texts[:number]:
                raise QueryError(f"{text} is embedded already; a symbol has one vector")
        if name in self.embeddings or not name.isidentifier():
            raise QueryError(f"{name!r} cannot name an embedding: a name is a new identifier such as 'relation'")
        table = nn.Embedding(len(texts), dimension, device=self._device)
        self.embeddings[name] = table
        self._symbols.update((text, (name, row)) for row, text in enumerate(texts))
        self._structures.forget_tensors()
        return table

    def register(
        self,
        name: str,
        function: Callable[..., Any],
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
        made = PythonFunction(name, function, inputs, test, nondeterministic)
        if (name, made.arity) not in self._functions and is_reserved(f"{name}/{made.arity}"):
            raise QueryError(f"{name}/{made.arity} is a built-in; register the function under another name")
        self._functions[name, made.arity] = made
        self._structures.forget()

    def _weights(
        self, structure: Structure, columns: Mapping[str, Column], observed: Mapping[str, Tensor], rows: int
    ) -> tuple[Tensor, Tensor, Plan, dict[str, Tensor]]:
        """The weight tensors [rows * b] and [s], the circuit bound to them, and the mass that each network's k cut."""
        device = self._anchor.device
        wide: list[Tensor] = []
        common: list[Tensor] = []
        shared_slots: list[int] = []
        cut: dict[str, Tensor] = {}
        slot = 0

        def place(output: Tensor, slots: int) -> None:
            nonlocal slot
            if output.shape[0] == rows * slots:
                wide.append(output.reshape(-1).to(device))
            else:
                common.append(output.reshape(-1).to(device))
                shared_slots.extend(range(slot, slot + slots))
            slot += slots

        for call in structure.calls:
            network = self.networks[call.network]
            assert isinstance(network, Network)
            for output in network_outputs(call, network, columns, are_distributions):
                if not slot and device.type == "cpu":  # networks alone may have been moved
                    device = output.probabilities.device
                place(output.probabilities, output.slots)
                if output.cut is not None:
                    most = output.cut.reshape(output.slots, -1).amax(dim=0)
                    cut[call.network] = torch.maximum(cut[call.network], most) if call.network in cut else most
        for term in structure.observed:
            place(torch.stack((observed[term], 1 - observed[term]), dim=1), 1)
        for computed in structure.computed:
            place(computed.weights(columns), 1)
        batched = (
            wide[0] if len(wide) == 1 else torch.cat(wide) if wide else structure.fixed.new_empty(0, device=device)
        )
        others = structure.common_weights(self.distributions, device)
        shared = torch.cat([*common, others]) if common else others
        return batched, shared, structure.plan(frozenset(shared_slots)), cut
